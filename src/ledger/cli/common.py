"""Options that most commands share, and how a command gets hold of the ledger."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import date
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.failures import WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.application import Ledger
    from ledger.settings import Settings
    from projections.pairs import Pair

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        show_default=False,
        help="sqlite:///FILE or postgresql+psycopg://… [LEDGER_DATABASE_URL, or sqlite:///sales-ledger.db]",
    ),
]
Book = Annotated[
    str | None, typer.Option("--book", metavar="BOOK", show_default=False, help="Which book [LEDGER_BOOK, or main]")
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--actor", metavar="ID", show_default=False, help="Opaque id of who records this [LEDGER_ACTOR, or local]"
    ),
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", show_default=False, help="The business date in question [now]")
]
KnownAt = Annotated[
    str | None,
    typer.Option("--known-at", metavar="DATE", show_default=False, help="What was known when [as-of]; or now"),
]


def settings_with(**chosen: Any) -> Settings:
    """The environment's settings, with what the command line chose over them."""
    from pydantic import ValidationError

    from ledger.settings import LANGUAGES, Settings

    lang = chosen.get("lang")
    if lang is not None and lang.lower().replace("_", "-").partition("-")[0] not in LANGUAGES:
        raise WrongUse(f"unknown language {lang[:20]!r}; write --lang {' or --lang '.join(LANGUAGES)}")
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise WrongUse(f"{wrong}; correct the option, or its LEDGER_ variable") from None


def ledger_of(settings: Settings, *, create: bool = False) -> Ledger:
    """Open the book. Commands that only read do not create a database, lest a typing error make an empty one."""
    from ledger.application import open_ledger

    return open_ledger(settings.database_url, settings.book, create=create, keys=settings.keys)


@contextmanager
def ledger_to_try(settings: Settings) -> Iterator[Ledger]:
    """The book for a dry run, which makes none: where there is none yet, an empty one that is gone afterwards."""
    from ledger.application import open_ledger
    from ledger.errors import NotFound

    with ExitStack() as closing:
        try:
            ledger = ledger_of(settings)
        except NotFound:
            folder = closing.enter_context(TemporaryDirectory(prefix="sales-ledger-"))
            ledger = open_ledger(f"sqlite:///{folder}/empty.db", settings.book)
        yield closing.enter_context(ledger)


def time_zone_of(ledger: Ledger) -> str:
    """The book's time zone, or the default one where the book is not open yet."""
    from ledger.book import DEFAULT_OPENING
    from ledger.stream import Stream

    state = Stream("book", ledger.stream("book")).state
    zone: str = state.settings.time_zone if state else DEFAULT_OPENING.time_zone
    return zone


def now_and_today(ledger: Ledger) -> tuple[int, date]:
    """The log's time, and its date where the book is."""
    from ledger.times import local_date

    now = ledger.now()
    return now, local_date(now, time_zone_of(ledger))


def pair_of(ledger: Ledger, as_of: str | None, known_at: str | None) -> Pair:
    """The two dates of a question, against the head as it is now."""
    from projections.pairs import Present

    return Present(ledger.head().stamp, ledger.now(), time_zone_of(ledger)).pair(as_of, known_at)
