"""`sales-ledger erase` and `rewrap`: what is personal about somebody gone for good; the key store under a new key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.common import Actor, Book, Database, ledger_of, settings_with

SHOWN = 20


def erase(
    subject: Annotated[
        str, typer.Argument(help="A person, customer or other stream, as person-ana; a contact, as customer-42/jo.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    actor: Actor = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Erase what is personal about somebody, for good. The log and its proofs stand; see docs/privacy.md."""
    from ledger.privacy.erasing import covered
    from ledger.privacy.erasing import erase as carry_out

    settings = settings_with(database_url=database, book=book, actor=actor)
    with ledger_of(settings) as ledger:
        if dry_run:
            subjects = covered(ledger, subject)
            _list(subjects)
            typer.echo(f"{_subjects(len(subjects))} would be erased.")
            return
        done = carry_out(ledger, subject, actor=settings.actor)
    _list(done.subjects)
    if done.newly:
        typer.echo(f"{_subjects(len(done.subjects))} erased, {done.values:,} sealed values gone.")
    else:
        typer.echo(
            "All of that was erased before." if not done.values else "That erasure had been cut short; it is done."
        )


def rewrap(
    to: Annotated[
        Path | None, typer.Option("--to", help="The new wrapping key; made if it is not there.", show_default=False)
    ] = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Wrap the key store with a new wrapping key. Destroy the old one afterwards."""
    settings = settings_with(database_url=database, book=book)
    with ledger_of(settings) as ledger:
        path = ledger.recorder.keys.store.rewrap(None if to is None else str(to))
    typer.echo(f"The key store is wrapped by the key in {path}.")
    if to is not None:
        typer.echo(f"Say so from now on: LEDGER_WRAPPING_KEY_FILE={path}", err=True)


def _list(subjects: dict[str, str]) -> None:
    for number, (subject, ref) in enumerate(subjects.items()):
        if number == SHOWN:
            typer.echo(f"… and {len(subjects) - SHOWN:,} more")
            return
        typer.echo(f"{subject}  (subject-{ref})")


def _subjects(count: int) -> str:
    return f"{count:,} subject{'s' * (count != 1)}"
