"""Quotes: `quote_versions`, and the win of a quote accepted without a deal.

Accepted with a deal, the sale is the deal's own win. That a quote is past `valid_until` is the report's to say: no
event marks it. Of two endings the later in effect counts.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from ledger.events import QuoteAccepted, QuoteDeclined, QuoteExpired, QuoteIssued, QuoteRevised, QuoteWithdrawn
from projections.facts.worth import NOTHING, Worth, revalue
from projections.rectangle import Payloads
from projections.timeline import Fold

QuoteEvent = QuoteIssued | QuoteRevised | QuoteAccepted | QuoteDeclined | QuoteExpired | QuoteWithdrawn


class State(msgspec.Struct, frozen=True, gc=False):
    """A quote as it stands."""

    status: str
    deal: str | None
    customer: str
    owner: str | None
    number: str
    valid_until: str | None
    issued_at: int
    worth: Worth
    ended_at: int | None = None


def step(state: State | None, event: QuoteEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The quote after an event; None before it was issued."""
    if state is None:
        return _issued(event, at) if isinstance(event, QuoteIssued) else None
    match event:
        case QuoteRevised(value=value, margin=margin, lines=lines, valid_until=valid_until):
            if state.status != "issued":
                return state
            worth = revalue(state.worth, value, margin, None, lines)
            return msgspec.structs.replace(state, worth=worth, valid_until=valid_until or state.valid_until)
        case QuoteAccepted():
            return _ended(state, "accepted", at)
        case QuoteDeclined():
            return _ended(state, "declined", at)
        case QuoteExpired():
            return _ended(state, "expired", at)
        case QuoteWithdrawn():
            return _ended(state, "withdrawn", at)
        case QuoteIssued():
            return state  # a second issue, seen before the retraction of the first
        case _:
            assert_never(event)


def _issued(event: QuoteIssued, at: int) -> State:
    worth = revalue(NOTHING, event.value, event.margin, None, event.lines)
    return State("issued", event.deal, event.customer, event.owner, event.number, event.valid_until, at, worth)


def _ended(state: State, status: str, at: int) -> State:
    return msgspec.structs.replace(state, status=status, ended_at=at)


def _versions(state: State) -> Payloads:
    worth = state.worth
    return (
        (
            state.status,
            state.deal,
            state.customer,
            state.owner,
            state.number,
            worth.value_minor,
            worth.margin_minor,
            worth.currency,
            state.valid_until,
            state.issued_at,
            state.ended_at,
        ),
    )


def _is_sale(state: State) -> bool:
    return state.status == "accepted" and state.deal is None


def _wins(state: State) -> Payloads:
    if not _is_sale(state):
        return ()
    worth = state.worth
    classified = (state.owner, state.customer, None, None, None, None, None)
    amounts = (worth.value_minor, worth.margin_minor, worth.quantity_e6, worth.currency)
    return ((None, *classified, *amounts, state.issued_at, None, None, state.ended_at),)


def _win_lines(state: State) -> Payloads:
    return state.worth.lines if _is_sale(state) else ()


FOLD = Fold(
    step,
    (("quote_versions", _versions), ("wins", _wins), ("win_lines", _win_lines)),
    QuoteEvent.__args__,
)
