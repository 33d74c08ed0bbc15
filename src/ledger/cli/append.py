"""`sales-ledger append`: event lines in, receipts and refusals out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ledger.cli.common import Actor, Book, Database, ledger_of, ledger_to_try, settings_with
from ledger.cli.failures import NOT_SO, WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.cli.progress import Bar

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def append(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Event lines (JSONL), or - for standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide every line, store nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Where refused lines go, with number and reason.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Accept recorded_at and source: history from another system.")
    ] = False,
    actor: Actor = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Append event lines. Each is decided by its stream's rules; refused ones are named, the others stored."""
    from ledger.cli.progress import Bar
    from ledger.cli.tally import Tally, keep_apart

    keep_apart(rejects, Path(file))
    settings = settings_with(database_url=database, book=book, actor=actor)
    opened = ledger_to_try if dry_run else partial(ledger_of, create=True)
    with _opened(file) as source, opened(settings) as ledger, Tally(rejects, dry_run, settings.lang) as tally:
        size = Path(file).stat().st_size if file != "-" else None
        with Bar("Appending", size) as bar:
            for outcome in ledger.append_each(
                _numbered(source, bar), actor=settings.actor, history=history, dry_run=dry_run
            ):
                tally.add(f"line {outcome.number}", outcome)
    if tally.nothing:
        raise WrongUse(f"{'standard input' if file == '-' else file} holds no event line; nothing was appended")
    typer.echo(tally.summary())
    if tally.refused:
        raise typer.Exit(NOT_SO)


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return typer.get_binary_stream("stdin")
    return Path(file).open("rb")


def _numbered(source: BinaryIO, bar: Bar) -> Iterator[tuple[int, bytes]]:
    """Lines with their number from 1, but for empty ones and the comments of a rejects file."""
    done = 0
    for number, raw in enumerate(source, start=1):
        done += len(raw)
        line = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
        if line.strip() and not line.startswith(b"#"):
            yield number, line
        bar.show(done)
