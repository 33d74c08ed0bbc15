"""`sales-ledger history`: one thing's life, as it was known at a date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import AsOf, Book, Database, KnownAt, ledger_of, pair_of, settings_with, time_zone_of
from ledger.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.codec import Recorded


def history(
    stream: Annotated[str, typer.Argument(help="The thing, as deal-1042 or customer-acme.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Tell one thing's life. What was retracted or corrected by then is marked."""
    from ledger.cli.table import table
    from ledger.cli.words import details_text, moment_text
    from ledger.plain import plain_events

    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        events = ledger.stream(stream)
        if not events:
            raise NotFound(f"there is no stream {stream[:80]!r} in this book; sales-ledger events lists what there is")
        pair = pair_of(ledger, as_of, known_at)
        zone = time_zone_of(ledger)
        life = [(when, mark, event) for when, mark, event in _life(events, pair.known_at) if when <= pair.as_of]
        plain = plain_events([event for _, _, event in life], ledger)
    if not life:
        typer.echo(f"nothing of {stream} was known then", err=True)
        return
    rows = [
        [
            moment_text(when, zone),
            "" if event.recorded_at == when else moment_text(event.recorded_at, zone),
            str(event.version),
            event.type,
            ", ".join(filter(None, [mark, details_text(shown["data"], settings.lang)])),
        ]
        for (when, mark, event), shown in zip(life, plain, strict=True)
    ]
    typer.echo(table([f"when ({zone})", "recorded", "version", "event", "what"], rows, right=[2]))


def _life(events: Sequence[Recorded], known_at: int) -> list[tuple[int, str, Recorded]]:
    """Every event known by then: when it counts, what became of it, and the event itself.

    Retractions and corrections stand where they were recorded: their own effect has no date.
    """
    from ledger.events import EventCorrected, EventRetracted
    from ledger.history import visible

    shown = {event.origin: event for event in visible(events, known_at)}
    life = []
    for event in events:
        if event.recorded_at > known_at:
            continue
        counts = shown.get(event.position)
        if isinstance(event.data, EventCorrected | EventRetracted):
            life.append((event.recorded_at, "", event))
        elif counts is None:
            life.append((event.effective_at, "RETRACTED", event))
        else:
            life.append((counts.effective_at, "corrected" if counts.position != counts.origin else "", event))
    return sorted(life, key=lambda each: (each[0], each[2].position))
