"""The book: `book_versions`."""

from __future__ import annotations

from typing import assert_never

import msgspec

from ledger.codec import encode
from ledger.events import BookHistoryClosed, BookOpened, BookSettingsChanged
from projections.rectangle import Payloads
from projections.timeline import Fold

BookEvent = BookOpened | BookSettingsChanged


def step(state: BookOpened | None, event: BookEvent | BookHistoryClosed, at: int, position: int) -> BookOpened | None:  # noqa: ARG001
    """The settings after an event, kept as the opening that would have said them."""
    match event:
        case BookOpened():
            return event if state is None else state
        case BookSettingsChanged():
            if state is None:
                return None
            said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
            return msgspec.structs.replace(state, **said)
        case BookHistoryClosed():
            return state
        case _:
            assert_never(event)


def _versions(state: BookOpened) -> Payloads:
    rest = {"dashboard": state.dashboard, "score_weights": state.score_weights, "thresholds": state.thresholds}
    return (
        (
            state.name,
            state.currency,
            state.time_zone,
            state.fiscal_year_start_month,
            state.locale,
            state.lapse_after_days,
            state.stalled_after_days,
            encode({name: value for name, value in rest.items() if value is not None}).decode(),
        ),
    )


FOLD = Fold(
    step,
    (("book_versions", _versions),),
    BookEvent.__args__,
    ignored={BookHistoryClosed: "says who may append, not what happened in selling"},
    planned=True,
)
