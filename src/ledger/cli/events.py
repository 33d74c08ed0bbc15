"""`sales-ledger events`: the log as it stands, in order of position."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with, time_zone_of
from ledger.formats import count_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.application import Ledger
    from ledger.codec import Recorded

BATCH = 1_000


class Format(StrEnum):
    TABLE = "table"
    JSONL = "jsonl"


def events(
    stream: Annotated[str | None, typer.Option("--stream", help="Only this stream, as deal-1042.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only this type, as deal.won.")] = None,
    after: Annotated[int, typer.Option("--after", min=0, max=2**63 - 1, help="Only positions beyond this one.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many events.")] = 100,
    form: Annotated[Format, typer.Option("--format", help="table for people, jsonl for programs.")] = Format.TABLE,
    database: Database = None,
    book: Book = None,
) -> None:
    """List events of the log. Sealed values are put back."""
    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        shown = 0
        for batch in _batches(ledger, after, limit, stream, type_):
            _show(batch, ledger, form, settings.lang, first=shown == 0)
            shown += len(batch)
    if form is Format.TABLE and shown == 0:
        typer.echo("no such event", err=True)
    elif form is Format.TABLE and shown == limit:
        typer.echo(f"{count_text(limit, 'event')} shown; more with --limit, or --after {batch[-1].position}", err=True)


def _batches(
    ledger: Ledger, after: int, limit: int, stream: str | None, type_: str | None
) -> Iterator[Sequence[Recorded]]:
    left = limit
    while left:
        batch = ledger.feed(after, min(left, BATCH), stream=stream, type=type_)
        if not batch:
            return
        yield batch
        after = batch[-1].position
        left -= len(batch)


def _show(batch: Sequence[Recorded], ledger: Ledger, form: Format, lang: str, *, first: bool) -> None:
    from ledger.plain import plain_events

    plain = plain_events(batch, ledger)
    if form is Format.JSONL:
        import msgspec

        typer.echo("\n".join(msgspec.json.encode(event).decode() for event in plain))
        return
    from ledger.cli.table import table
    from ledger.cli.words import details_text
    from ledger.formats import moment_text

    zone = time_zone_of(ledger)
    rows = [
        [
            str(event.position),
            moment_text(event.effective_at, zone),
            event.stream,
            event.type,
            details_text(shown["data"], lang),
        ]
        for event, shown in zip(batch, plain, strict=True)
    ]
    text = table(["position", f"effective ({zone})", "stream", "type", "data"], rows, right=[0])
    typer.echo(text if first else text.partition("\n")[2])
