"""Calls, the forecasts that people submit: `call_versions`, the latest of each category until it is withdrawn."""

from __future__ import annotations

from typing import assert_never

from ledger.events import ForecastSubmitted, ForecastWithdrawn
from projections.facts import scopes
from projections.rectangle import Payloads
from projections.timeline import Fold

CallEvent = ForecastSubmitted | ForecastWithdrawn
_CATEGORY = 0


def step(state: Payloads | None, event: CallEvent, at: int, position: int) -> Payloads | None:
    """The rows of `call_versions` after an event; None before anything was submitted."""
    match event:
        case ForecastSubmitted(category=category):
            others = tuple(row for row in state or () if row[_CATEGORY] != category)
            return (*others, _submitted(event, at, position))
        case ForecastWithdrawn():
            return None if state is None else ()
        case _:
            assert_never(event)


def _submitted(event: ForecastSubmitted, at: int, position: int) -> tuple[str | int | None, ...]:
    return (
        event.category,
        *scopes.split(event.scope),
        event.period.first,
        event.period.last,
        event.value.minor,
        event.value.currency,
        at,
        position,
    )


def _versions(state: Payloads) -> Payloads:
    return state


FOLD = Fold(step, (("call_versions", _versions),), CallEvent.__args__)
