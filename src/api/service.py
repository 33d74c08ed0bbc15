"""What the routes work with: one book's ledger, its read store and the settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from ledger.application import Ledger, open_ledger
from ledger.book import DEFAULT_OPENING
from ledger.privacy.erasing import finish
from ledger.settings import Settings
from ledger.stream import Stream
from ledger.times import FOREVER, local_date
from projections.pairs import Present
from projections.store import ReadStore

if TYPE_CHECKING:
    from datetime import date

    from ledger.events import BookOpened
    from projections.pairs import Pair
    from projections.store import Freshness

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """Safe to share between threads."""

    ledger: Ledger
    store: ReadStore
    settings: Settings

    @classmethod
    def open(cls, settings: Settings) -> Service:
        """What was erased stays so: a restored database meets the fences first. Raises `DatabaseUnusable` with what to do."""
        ledger = open_ledger(settings.database_url, settings.book, keys=settings.keys)
        for ref in finish(ledger, actor=settings.actor):
            _logger.warning("finished the erasure of subject-%s", ref)
        return cls(ledger, ReadStore.open(ledger), settings)

    def pair(self, as_of: str | None, known_at: str | None) -> Pair:
        """The two dates of a question to the log itself. Raises `BadRequest`."""
        return Present(self.ledger.head().stamp, self.ledger.now(), self.time_zone).pair(as_of, known_at)

    @property
    def book(self) -> BookOpened:
        """The book's settings in force, or the defaults where it is not open yet."""
        book = Stream("book", self.ledger.stream("book")).state
        settings: BookOpened = book.settings if book else DEFAULT_OPENING
        return settings

    @property
    def time_zone(self) -> str:
        return self.book.time_zone

    def today(self, now: int) -> date:
        """The book's local date at an instant."""
        return local_date(now, self.time_zone)

    def caught_up(self, known_at: int = FOREVER) -> Freshness:
        """Wait, within the time limit, until the read store has what a question at `known_at` could touch."""
        return self.store.wait(self.ledger, known_at, self.settings.read_timeout_s)


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


ServiceOf = Annotated[Service, Depends(_service)]
