"""Interactions: `interactions`, one row each, with when it was settled and what it became."""

from __future__ import annotations

from typing import assert_never

import msgspec

from ledger.events import InteractionConverted, InteractionLogged, InteractionResolved
from projections.rectangle import Payloads
from projections.timeline import Fold

InteractionEvent = InteractionLogged | InteractionResolved | InteractionConverted


class State(msgspec.Struct, frozen=True, gc=False):
    """The columns of `interactions` in their order."""

    kind: str
    direction: str
    customer: str
    contact: str | None
    deal: str | None
    owner: str | None
    campaign: str | None
    duration_minutes: int | None
    outcome: str | None
    satisfaction_scale: str | None
    satisfaction_score: int | None
    logged_at: int
    resolved_at: int | None = None
    converted_deal: str | None = None
    converted_at: int | None = None


def step(state: State | None, event: InteractionEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The interaction after an event; None before it was logged. What is said twice counts the first time."""
    if state is None:
        return _logged(event, at) if isinstance(event, InteractionLogged) else None
    replace = msgspec.structs.replace
    match event:
        case InteractionResolved():
            return state if state.resolved_at is not None else replace(state, resolved_at=at)
        case InteractionConverted(deal=deal):
            return state if state.converted_at is not None else replace(state, converted_deal=deal, converted_at=at)
        case InteractionLogged():
            return state  # logged a second time, seen before the retraction of the first
        case _:
            assert_never(event)


def _logged(event: InteractionLogged, at: int) -> State:
    said = event.satisfaction
    return State(
        event.kind,
        event.direction,
        event.customer,
        event.contact,
        event.deal,
        event.owner,
        event.campaign,
        event.duration_minutes,
        event.outcome,
        None if said is None else said.scale,
        None if said is None else said.score,
        at,
    )


def _row(state: State) -> Payloads:
    return (msgspec.structs.astuple(state),)


FOLD = Fold(step, (("interactions", _row),), InteractionEvent.__args__)
