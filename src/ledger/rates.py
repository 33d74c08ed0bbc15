"""Exchange rates, each in force from its own time until the next."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ledger.errors import Refused
from ledger.events import Event, RateFixed


class State(msgspec.Struct, frozen=True, gc=False):
    """The rate in force: one unit of the stream's currency is `rate` of `base`."""

    base: str
    rate: str


def evolve(state: State | None, event: Event) -> State:  # noqa: ARG001 (a rate needs nothing of the one before)
    """The rate after an event. Raises `Refused`."""
    match event:
        case RateFixed(base=base, rate=rate):
            if Decimal(rate) == 0:
                raise Refused("bad_value", "rate must be more than zero")
            return State(base, rate)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a rate")
