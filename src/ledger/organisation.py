"""Teams and the people in them."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import (
    Event,
    PersonJoined,
    PersonLeft,
    PersonMoved,
    PersonRoleChanged,
    Sealed,
    TeamClosed,
    TeamCreated,
    TeamMoved,
    TeamRenamed,
)


class Team(msgspec.Struct, frozen=True, gc=False):
    """A team as it stands."""

    name: str
    parent: str | None = None
    closed: bool = False


class Person(msgspec.Struct, frozen=True, gc=False):
    """Somebody as the organisation knows them."""

    name: str | Sealed
    team: str
    role: str
    email: str | Sealed | None = None
    left: bool = False


def evolve_team(state: Team | None, event: Event) -> Team:
    """The team after an event. Raises `Refused`."""
    match event:
        case TeamCreated(name=name, parent=parent):
            if state is not None:
                raise Refused("already_created", "this team exists; use team.renamed or team.moved")
            return Team(name, parent)
        case _ if state is None:
            raise Refused("unknown_team", f"{event.TYPE} needs a team; create it with team.created first")
        case _ if state.closed:
            raise Refused("team_closed", "the team is closed; nothing follows but a retraction of its closing")
        case TeamMoved(parent=parent):
            return msgspec.structs.replace(state, parent=parent)
        case TeamRenamed(name=name):
            return msgspec.structs.replace(state, name=name)
        case TeamClosed():
            return msgspec.structs.replace(state, closed=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a team")


def evolve_person(state: Person | None, event: Event) -> Person:
    """The person after an event; somebody who left may join again. Raises `Refused`."""
    match event:
        case PersonJoined(name=name, team=team, role=role, email=email):
            if state is not None and not state.left:
                raise Refused("already_joined", "this person is here; use person.moved or person.role_changed")
            return Person(name, team, role, email)
        case _ if state is None:
            raise Refused("unknown_person", f"{event.TYPE} needs a person; add them with person.joined first")
        case _ if state.left:
            raise Refused("person_left", "this person has left; only person.joined can follow")
        case PersonMoved(team=team):
            return msgspec.structs.replace(state, team=team)
        case PersonRoleChanged(role=role):
            return msgspec.structs.replace(state, role=role)
        case PersonLeft():
            return msgspec.structs.replace(state, left=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a person")
