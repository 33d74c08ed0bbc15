"""A life told from lines: `tell("deal-d1", pipeline(), opened(), …)`, each line said an hour after the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.codec import Recorded
from ledger.story import locale_of, told
from tests.support.given import BEGIN, HOUR_US, given

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.events import Sealed
    from ledger.story import Entry, Story
    from tests.support.given import Given
    from tests.support.lines import Line

ZONE = "Europe/Paris"
NEVER = 1_000_000
"""An hour that no test reaches."""


class Log:
    """What a story reads: the streams of a book in memory, and a vault that holds nothing."""

    def __init__(self, book: Given | None = None) -> None:
        self._book = book

    def streams(self, streams: Sequence[str]) -> dict[str, list[Recorded]]:
        found = {name: self._book.stream(name).events for name in streams} if self._book else {}
        return {name: events for name, events in found.items() if events}

    def reveal(self, sealed: Iterable[Sealed]) -> dict[str, Any]:
        assert isinstance(list(sealed), list)
        return {}


def hour(number: float) -> int:
    """The instant at which the line of that number is said, counted from 1."""
    return BEGIN + int(number * HOUR_US)


def tell(stream: str, *lines: Line, as_of: int | None = None, known_at: int | None = None, lang: str = "en") -> Story:
    book = given(*lines)
    events = book.stream(stream).events
    return told(
        Log(book),
        events,
        as_of=hour(NEVER) if as_of is None else as_of,
        known_at=hour(NEVER) if known_at is None else known_at,
        time_zone=ZONE,
        locale=locale_of(lang),
    )


def entry(stream: str, *lines: Line, lang: str = "en") -> Entry:
    """The last event of a stream, in words."""
    return tell(stream, *lines, lang=lang).life[-1]
