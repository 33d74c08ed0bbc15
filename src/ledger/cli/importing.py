"""`sales-ledger import`: history from another system, a row at a time stored whole or refused."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.common import Actor, Book, Database, ledger_of, ledger_to_try, settings_with
from ledger.cli.failures import NOT_SO, WrongUse


class Source(StrEnum):
    CSV = "csv"


def import_(
    source: Annotated[Source, typer.Argument(metavar="SOURCE", help="Where it comes from: csv.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of files.")],
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="FILE", show_default=False, help="Which columns make what event."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide every row, store nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Where refused rows go, with number and reason.")
    ] = None,
    actor: Actor = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Import history. A row is stored whole or refused with its reason."""
    from ledger.cli.progress import Bar
    from ledger.cli.tally import Tally, keep_apart
    from ledger.imports import csv

    if mapping is None:
        raise WrongUse(f"import {source} needs --mapping FILE, which says what event each column makes")
    keep_apart(rejects, mapping, *paths)
    settings = settings_with(database_url=database, book=book, actor=actor)
    rows = csv.read(paths, csv.load(mapping))
    opened = ledger_to_try if dry_run else partial(ledger_of, create=True)
    with opened(settings) as ledger, Tally(rejects, dry_run, settings.lang) as tally, Bar("Importing") as bar:
        outcomes = ledger.append_rows(rows, actor=settings.actor, dry_run=dry_run)
        for number, outcome in enumerate(outcomes, start=1):
            tally.add_row(outcome)
            bar.show(number)
    typer.echo(tally.summary("row"))
    if tally.refused:
        raise typer.Exit(NOT_SO)
