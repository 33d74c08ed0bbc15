"""Objectives: what company, teams and people are to reach in a period."""

from __future__ import annotations

import msgspec

from ledger.checks import MONEY_METRICS
from ledger.errors import Refused
from ledger.events import Event, Money, ObjectiveCancelled, ObjectiveRevised, ObjectiveSet


class State(msgspec.Struct, frozen=True, gc=False):
    """An objective as it stands; `objective` keeps the target up to date."""

    objective: ObjectiveSet
    cancelled: bool = False


def evolve(state: State | None, event: Event) -> State:
    """The objective after an event. Raises `Refused`."""
    replace = msgspec.structs.replace
    match event:
        case ObjectiveSet(metric=metric, target=target):
            if state is not None:
                raise Refused("already_set", "this objective is set; change its target with objective.revised")
            _check_target(metric, target)
            return State(event)
        case _ if state is None:
            raise Refused("not_set", f"{event.TYPE} needs an objective; use objective.set first")
        case _ if state.cancelled:
            raise Refused("objective_cancelled", "this objective is cancelled; set another one")
        case ObjectiveRevised(target=target):
            _check_target(state.objective.metric, target)
            return replace(state, objective=replace(state.objective, target=target))
        case ObjectiveCancelled():
            return replace(state, cancelled=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to an objective")


def _check_target(metric: str, target: Money | str) -> None:
    if metric in MONEY_METRICS and not isinstance(target, Money):
        raise Refused(
            "bad_value", f'the target of {metric} must be money such as {{"minor": 125000, "currency": "EUR"}}'
        )
    if metric not in MONEY_METRICS and isinstance(target, Money):
        raise Refused("bad_value", f'the target of {metric} must be a decimal string such as "40", not money')
