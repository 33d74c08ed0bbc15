"""`sales-ledger demo`: a realistic company's history, then the dashboard over it."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with
from ledger.cli.failures import WrongUse
from ledger.cli.serve import Host, Port, run_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.application import Ledger
    from ledger.cli.progress import Bar

MARK = "demo"
"""The actor of the demo's events: a book that begins otherwise is somebody's own and is left alone."""

LAST = "the demo's last line"
"""The idempotency key of the line that ends the story: a history without it was interrupted while it was written."""

EVENTS_PER_DEAL = 13
"""For the progress bar; the history is made while it is appended."""


def demo(
    deals: Annotated[int, typer.Option("--deals", min=0, max=1_000_000, help="How many deals.")] = 2_000,
    years: Annotated[int, typer.Option("--years", min=1, max=30, help="Over how many years, up to now.")] = 3,
    seed: Annotated[int, typer.Option("--seed", help="The same seed tells the same story.")] = 7,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Only write the history.")] = False,
    host: Host = None,
    port: Port = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Show it: write a company's history and serve the dashboard. A history that is there already stays."""
    settings = settings_with(database_url=database, book=book, host=host, port=port)
    with ledger_of(settings, create=True) as ledger:
        if ledger.head().position:
            _check_ours(ledger)
            typer.echo(f"The demo is already here: {ledger.head().position:,} events.")
        else:
            _write(ledger, deals, years, seed, settings.lang)
        _fold(ledger)
    if not no_serve:
        run_service(settings)


def _check_ours(ledger: Ledger) -> None:
    if ledger.feed(0, 1)[0].actor != MARK:
        raise WrongUse("this book holds a history that is not the demo's; name another with --database or --book")
    if not ledger.recorder.remembered(MARK, [LAST]):
        raise WrongUse(
            "this demo was interrupted while its history was being written; name another database or book with "
            "--database or --book, or remove this one"
        )


def _write(ledger: Ledger, deals: int, years: int, seed: int, lang: str) -> None:
    from ledger.cli.progress import Bar
    from ledger.cli.tally import Tally
    from ledger.demo import history

    story = history(deals=deals, years=years, seed=seed, until=ledger.now())
    with Bar("Writing history", deals * EVENTS_PER_DEAL) as bar, Tally(None, dry_run=False, lang=lang) as tally:
        for outcome in ledger.append_each(_lines(story, bar), actor=MARK, history=True):
            tally.add(f"event {outcome.number}", outcome)
    typer.echo(tally.summary())
    if tally.refused:
        raise typer.Exit(1)


def _lines(story: Iterator[dict[str, Any]], bar: Bar) -> Iterator[tuple[int, bytes]]:
    from ledger.codec import encode

    for number, (line, following) in enumerate(pairwise(chain(story, [None])), start=1):
        assert line is not None
        yield number, encode(line if following else line | {"key": LAST})
        bar.show(number)


def _fold(ledger: Ledger) -> None:
    """Fill the read store before anyone looks, so that the first page is quick."""
    from ledger.cli.reading import fresh_store

    fresh_store(ledger)
