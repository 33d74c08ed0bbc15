"""`sales-ledger import`: history from another system, a row at a time stored whole or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Actor, Book, Database, ledger_of, settings_with
from ledger.cli.failures import NOT_SO, WrongUse

if TYPE_CHECKING:
    from ledger.appending import Receipt
    from ledger.application import Ledger
    from ledger.cli.progress import Bar
    from ledger.cli.tally import Tally
    from ledger.errors import LedgerError
    from ledger.imports.rows import Produced, Rejected

ROWS_AT_ONCE = 500


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
    from ledger.cli.tally import Tally
    from ledger.imports import csv

    if mapping is None:
        raise WrongUse(f"import {source} needs --mapping FILE, which says what event each column makes")
    settings = settings_with(database_url=database, book=book, actor=actor)
    rows = csv.read(paths, csv.load(mapping))
    with ledger_of(settings, create=True) as ledger, Tally(rejects, dry_run) as tally, Bar("Importing") as bar:
        good = _counted(rows, tally, bar)
        if dry_run:
            for row, receipts, error in _decided(ledger, good, settings.actor):
                tally.receive(receipts)
                if error is not None:
                    _refuse(tally, row, str(error))
        else:
            while several := list(islice(good, ROWS_AT_ONCE)):
                _append(ledger, several, tally, settings.actor)
    typer.echo(tally.summary("row"))
    if tally.refused:
        raise typer.Exit(NOT_SO)


def _counted(rows: Iterator[Produced | Rejected], tally: Tally, bar: Bar) -> Iterator[Produced]:
    """The rows that make events; the others are refused here."""
    from ledger.imports.rows import Rejected

    for number, row in enumerate(rows, start=1):
        if isinstance(row, Rejected):
            _refuse(tally, row, row.reason)
        elif row.lines:
            yield row
        bar.show(number)


def _append(ledger: Ledger, rows: Sequence[Produced], tally: Tally, actor: str) -> None:
    """Store rows in one request; where it is refused, without the rows at fault."""
    from ledger.errors import Conflict, Refused

    try:
        tally.receive(ledger.append([line for row in rows for line in row.lines], actor=actor, history=True))
    except (Refused, Conflict) as error:
        if len(rows) == 1:
            _refuse(tally, rows[0], str(error))
            return
        sound = []
        for row, _, fault in _decided(ledger, iter(rows), actor):
            if fault is None:
                sound.append(row)
            else:
                _refuse(tally, row, str(fault))
        if len(sound) < len(rows):
            parts: tuple[Sequence[Produced], ...] = (sound,)
        else:  # the fault shows only when all are appended together, or has gone since
            parts = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        for part in filter(None, parts):
            _append(ledger, part, tally, actor)


def _decided(
    ledger: Ledger, rows: Iterator[Produced], actor: str
) -> Iterator[tuple[Produced, list[Receipt], LedgerError | None]]:
    """Each row with what would become of it: receipts of its lines, or why it is refused. Nothing is stored."""
    from ledger.codec import encode

    under_way: dict[int, Produced] = {}

    def lines() -> Iterator[tuple[int, bytes]]:
        for number, row in enumerate(rows):
            under_way[number] = row
            for line in row.lines:
                yield number, encode(line)

    outcomes = ledger.append_each(lines(), actor=actor, history=True, dry_run=True)
    for number, several in groupby(outcomes, key=lambda outcome: outcome.number):
        told = list(several)
        error = next((outcome.error for outcome in told if outcome.error is not None), None)
        receipts = [outcome.receipt for outcome in told if outcome.receipt is not None] if error is None else []
        yield under_way.pop(number), receipts, error


def _refuse(tally: Tally, row: Produced | Rejected, reason: str) -> None:
    tally.refuse(f"{row.path.name} line {row.line_number}", row.row_text.encode(), reason)
