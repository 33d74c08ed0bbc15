"""The book itself: its settings, and whether history may still claim its own recording times."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import BookHistoryClosed, BookOpened, BookSettingsChanged, Event

DEFAULT_OPENING = BookOpened(
    currency="EUR",
    fiscal_year_start_month=1,
    lapse_after_days=365,
    locale="fr",
    name="main",
    stalled_after_days=30,
    time_zone="Europe/Paris",
)
"""What a book is opened with when nobody says otherwise."""


class State(msgspec.Struct, frozen=True, gc=False):
    """The book's settings in force."""

    settings: BookOpened
    history_closed: bool = False


def evolve(state: State | None, event: Event) -> State:
    """The book after an event. Raises `Refused`."""
    match event:
        case BookOpened():
            if state is not None:
                raise Refused("already_open", "the book is already open; change it with book.settings_changed")
            return State(event)
        case _ if state is None:
            raise Refused("not_open", f"{event.TYPE} needs a book; open it with book.opened first")
        case BookSettingsChanged():
            said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
            return msgspec.structs.replace(state, settings=msgspec.structs.replace(state.settings, **said))
        case BookHistoryClosed():
            return msgspec.structs.replace(state, history_closed=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to the book")
