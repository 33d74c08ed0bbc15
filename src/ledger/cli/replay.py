"""`sales-ledger replay`: a report straight from the raw log, and the check of the read store against it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Book, Database, ledger_of, settings_with
from ledger.cli.failures import NOT_SO, WrongUse
from ledger.cli.parameters import parameters
from ledger.cli.reading import fresh_store
from ledger.cli.report import Form, Lang, Locale, Output, answer_from, check_format, language, write
from ledger.formats import count_text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ledger.application import Ledger

SHOWN_DIFFERENCES = 20


def replay(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[REPORT]", help="Which report.")] = None,
    position: Annotated[
        int | None, typer.Option("--position", min=1, show_default=False, help="From the first so many events [all]")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Fold the whole log afresh and compare every row of the read store.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="DIR", show_default=False, help="From an audit bundle, not a database."),
    ] = None,
    form: Form = "table",
    output: Output = None,
    locale: Locale = None,
    lang: Lang = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Answer a report from the raw log alone. With --check, compare the read store to it instead."""
    check_format(form, output)
    if (name is None) is not check:
        raise WrongUse("replay takes either a report's name or --check")
    if bundle is not None and (check or database or book):
        raise WrongUse("--bundle takes a report's name, and neither --check, --database nor --book")
    asked = parameters(context.args)
    settings = settings_with(database_url=database, book=book, lang=language(form, locale, lang))
    with ledger_of(settings) if bundle is None else _bundled(bundle) as ledger:
        if name is None:
            _check(ledger)
            return
        from projections.check import memory_store

        head = ledger.head().position
        if position is not None and position > head:
            raise WrongUse(f"--position {position}: the log has {count_text(head, 'event')}")
        store = memory_store(ledger, position)
        answer = answer_from(store, ledger, name, asked, settings.lang, head=position or head)
        write(ledger, answer, asked, form, output, settings.lang, locale)


def _bundled(directory: Path) -> AbstractContextManager[Ledger]:
    from ledger.proof.reading import bundled

    if not (directory / "entries.jsonl").exists():
        raise WrongUse(f"there is no bundle in {directory}")
    return bundled(directory)


def _check(ledger: Ledger) -> None:
    from ledger.cli.progress import Bar
    from projections.check import check

    store = fresh_store(ledger)
    with Bar("Folding the log afresh") as bar:
        differences = check(ledger, store, progress=bar.show)
    for difference in differences[:SHOWN_DIFFERENCES]:
        typer.echo(str(difference))
    if differences:
        count = f"{len(differences):,} difference{'s' * (len(differences) > 1)}"
        typer.echo(f"{count}; where the log is sound, sales-ledger rebuild makes the read store anew", err=True)
        raise typer.Exit(NOT_SO)
    typer.echo(f"Every row of the read store follows from the {count_text(store.position(), 'event')} of the log.")
