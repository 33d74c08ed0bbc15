"""Objectives: `objective_versions`."""

from __future__ import annotations

from typing import assert_never

import msgspec

from ledger.events import Money, ObjectiveCancelled, ObjectiveRevised, ObjectiveSet
from ledger.money import quantity_e6
from projections.facts import scopes
from projections.rectangle import Payload, Payloads
from projections.timeline import Fold

ObjectiveEvent = ObjectiveSet | ObjectiveRevised | ObjectiveCancelled


class State(msgspec.Struct, frozen=True, gc=False):
    """An objective as it stands; `objective` keeps the target up to date."""

    objective: ObjectiveSet
    cancelled: int = 0


def step(state: State | None, event: ObjectiveEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The objective after an event; None before it was set. A cancelled one keeps its target."""
    if state is None:
        return State(event) if isinstance(event, ObjectiveSet) else None
    replace = msgspec.structs.replace
    match event:
        case ObjectiveRevised(target=target):
            return state if state.cancelled else replace(state, objective=replace(state.objective, target=target))
        case ObjectiveCancelled():
            return replace(state, cancelled=1)
        case ObjectiveSet():
            return state  # set a second time, seen before the retraction of the first
        case _:
            assert_never(event)


def _versions(state: State) -> Payloads:
    said = state.objective
    if isinstance(said.target, Money):
        target: Payload = (said.target.minor, None, said.target.currency)
    else:
        target = (None, quantity_e6(said.target), None)
    return (
        (
            *scopes.split(said.scope),
            said.metric,
            said.kind,
            said.product_range,
            said.period.first,
            said.period.last,
            *target,
            state.cancelled,
        ),
    )


FOLD = Fold(step, (("objective_versions", _versions),), ObjectiveEvent.__args__, planned=True)
