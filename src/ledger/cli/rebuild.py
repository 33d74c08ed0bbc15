"""`sales-ledger rebuild`: a new read store beside the old one, then the switch."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with
from ledger.formats import count_text


def rebuild(
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=64, show_default=False, help="Processes [one per core]")
    ] = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Fold the whole log into a new read store. Reports go on meanwhile."""
    from ledger.cli.progress import Bar
    from projections.rebuild import rebuild as run

    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger, Bar("Rebuilding") as bar:
        rebuilt = run(ledger, workers or os.cpu_count() or 1, progress=bar.show)
    rate = rebuilt.events / rebuilt.seconds if rebuilt.seconds else 0
    typer.echo(
        f"generation {rebuilt.generation}: {count_text(rebuilt.events, 'event')} to {count_text(rebuilt.rows, 'row')} "
        f"in {rebuilt.seconds:.1f} s ({rate:,.0f} events/s)"
    )
