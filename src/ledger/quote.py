"""Quotes: issued, revised, and ended once."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import (
    Event,
    QuoteAccepted,
    QuoteDeclined,
    QuoteExpired,
    QuoteIssued,
    QuoteRevised,
    QuoteWithdrawn,
)
from ledger.values import Worth, revalue


class State(msgspec.Struct, frozen=True, gc=False):
    """A quote as it stands."""

    issue: QuoteIssued
    worth: Worth
    valid_until: str | None = None
    ending: QuoteAccepted | QuoteDeclined | QuoteExpired | QuoteWithdrawn | None = None


def evolve(state: State | None, event: Event) -> State:
    """The quote after an event. Raises `Refused`."""
    replace = msgspec.structs.replace
    match event:
        case QuoteIssued(value=value, margin=margin, lines=lines, valid_until=valid_until):
            if state is not None:
                raise Refused("already_issued", "this quote is issued; change it with quote.revised")
            return State(event, revalue(Worth(), value=value, margin=margin, lines=lines), valid_until)
        case _ if state is None:
            raise Refused("not_issued", f"{event.TYPE} comes before the quote's issue; use quote.issued first")
        case _ if state.ending is not None:
            raise Refused(
                "quote_ended", f"{event.TYPE} refused: there is already {state.ending.TYPE}; a quote ends once"
            )
        case QuoteRevised(value=value, margin=margin, lines=lines, valid_until=valid_until):
            worth = revalue(state.worth, value=value, margin=margin, lines=lines)
            return replace(state, worth=worth, valid_until=valid_until or state.valid_until)
        case QuoteAccepted() | QuoteDeclined() | QuoteExpired() | QuoteWithdrawn():
            return replace(state, ending=event)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a quote")
