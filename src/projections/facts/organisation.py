"""People and teams: `person_versions`, `team_versions`."""

from __future__ import annotations

from typing import assert_never

import msgspec

from ledger.events import (
    PersonJoined,
    PersonLeft,
    PersonMoved,
    PersonRoleChanged,
    TeamClosed,
    TeamCreated,
    TeamMoved,
    TeamRenamed,
)
from projections.facts.names import split
from projections.rectangle import Payloads
from projections.timeline import Fold

PersonEvent = PersonJoined | PersonMoved | PersonRoleChanged | PersonLeft
TeamEvent = TeamCreated | TeamMoved | TeamRenamed | TeamClosed


class Person(msgspec.Struct, frozen=True, gc=False):
    """The columns of `person_versions` in their order."""

    team: str
    role: str
    name_commitment: str | None
    active: int = 1


class Team(msgspec.Struct, frozen=True, gc=False):
    """The columns of `team_versions` in their order."""

    name: str
    parent: str | None
    active: int = 1


def step_person(state: Person | None, event: PersonEvent, at: int, position: int) -> Person | None:  # noqa: ARG001
    """The person after an event; None before joining. Who left and joins again starts anew."""
    replace = msgspec.structs.replace
    if state is None or not state.active:
        return Person(event.team, event.role, split(event.name)[1]) if isinstance(event, PersonJoined) else state
    match event:
        case PersonMoved(team=team):
            return replace(state, team=team)
        case PersonRoleChanged(role=role):
            return replace(state, role=role)
        case PersonLeft():
            return replace(state, active=0)
        case PersonJoined():
            return state  # a second arrival, seen before the retraction of the first
        case _:
            assert_never(event)


def step_team(state: Team | None, event: TeamEvent, at: int, position: int) -> Team | None:  # noqa: ARG001
    """The team after an event; None before its creation."""
    if state is None:
        return Team(event.name, event.parent) if isinstance(event, TeamCreated) else None
    if not state.active:
        return state
    replace = msgspec.structs.replace
    match event:
        case TeamMoved(parent=parent):
            return replace(state, parent=parent)
        case TeamRenamed(name=name):
            return replace(state, name=name)
        case TeamClosed():
            return replace(state, active=0)
        case TeamCreated():
            return state  # a second creation, seen before the retraction of the first
        case _:
            assert_never(event)


def _columns(state: Person | Team) -> Payloads:
    return (msgspec.structs.astuple(state),)


PERSON = Fold(step_person, (("person_versions", _columns),), PersonEvent.__args__, planned=True)
TEAM = Fold(step_team, (("team_versions", _columns),), TeamEvent.__args__, planned=True)
