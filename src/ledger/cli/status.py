"""`sales-ledger status`: what is there and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with, time_zone_of

if TYPE_CHECKING:
    from ledger.application import Ledger


def status(database: Database = None, book: Book = None) -> None:
    """Say what is there. Database, book, length of the log, how far the read store has come."""
    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        for name, value in _facts(ledger, settings.lang):
            typer.echo(f"{name:<12} {value}")


def _facts(ledger: Ledger, lang: str) -> list[tuple[str, str]]:
    from ledger.formats import moment_text
    from projections.store import ReadStore

    head, zone = ledger.head(), time_zone_of(ledger)
    store = ReadStore.open(ledger)
    position, quarantined = store.position(), store.quarantined()
    behind = head.position - position
    last = f"{moment_text(head.stamp, zone)} ({zone})" if head.position else "nothing appended yet"
    facts = [
        ("database", ledger.engine.url.render_as_string(hide_password=True)),
        ("book", ledger.book),
        ("events", f"{head.position:,}"),
        ("last append", last),
        ("read store", f"generation {store.generation}, {f'{behind:,} events behind' if behind else 'up to date'}"),
    ]
    facts.append(("keys", _keys(ledger, lang)))
    if quarantined:
        facts.append(("quarantine", f"{len(quarantined)} streams; see sales-ledger doctor"))
    return facts


def _keys(ledger: Ledger, lang: str) -> str:
    from ledger.errors import KeysUnusable
    from ledger.in_french import in_language

    if not ledger.recorder.has_subjects():
        return "none yet: nothing personal has been sealed"
    try:
        store = ledger.recorder.keys.store
        store.keys([""])  # opens the root, so that a wrong wrapping key is told here
        keys, fences = store.counts()
    except KeysUnusable as error:
        return f"UNUSABLE: {in_language(str(error), lang)}"
    return f"{keys:,} data keys of {store.origin}, {fences:,} subject{'s' * (fences != 1)} erased"
