"""`sales-ledger report` and `reports`: an answer, or what can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Book, Database, ledger_of, now_and_today, settings_with, time_zone_of
from ledger.cli.failures import WrongUse
from ledger.cli.parameters import parameters
from ledger.cli.reading import fresh_store

if TYPE_CHECKING:
    from ledger.application import Ledger
    from projections.reports import Answer
    from projections.store import ReadStore

FORMATS = ("table", "json", "csv")

Form = Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How to write it.")]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", show_default=False, help="Write there, not to the screen.")
]
Lang = Annotated[
    str | None,
    typer.Option("--lang", metavar="fr|en", show_default=False, help="Language [LEDGER_LANG, or the locale's]"),
]


def report(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which report; sales-ledger reports lists them.")],
    form: Form = "table",
    output: Output = None,
    lang: Lang = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Answer a report for any pair of dates."""
    check_format(form)
    asked = parameters(context.args)
    settings = settings_with(database_url=database, book=book, lang=lang)
    with ledger_of(settings) as ledger:
        head = ledger.head().position
        answer = answer_from(fresh_store(ledger), ledger, name, asked, settings.lang, head=head)
        write(answer, form, output, settings.lang, time_zone_of(ledger))


def check_format(form: str) -> None:
    """Raise `WrongUse` for a format that does not exist."""
    if form not in FORMATS:
        raise WrongUse(f"there is no format {form[:40]!r}; reports are written as {', '.join(FORMATS)}")


def answer_from(store: ReadStore, ledger: Ledger, name: str, asked: dict[str, str], lang: str, *, head: int) -> Answer:
    """The report's answer, with names put back from the vault."""
    from projections.reports import answer

    now, today = now_and_today(ledger)
    return answer(store, name, asked, today=today, now=now, lang=lang, ledger=ledger, head=head)


def write(answer: Answer, form: str, output: Path | None, lang: str, time_zone: str) -> None:
    """Write an answer in a format to a file, or to standard output."""
    from ledger.cli import answers

    match form:
        case "json":
            text = answer.json().decode()
        case "csv":
            text = answers.as_csv(answer)
        case _:
            text = answers.as_table(answer, lang, time_zone)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def reports(
    name: Annotated[str | None, typer.Argument(help="One report's definition in full.")] = None,
    lang: Lang = None,
) -> None:
    """List the reports, or define one in full."""
    from ledger.cli.catalogue import catalogue, definition

    settings = settings_with(lang=lang)
    typer.echo(catalogue(settings.lang) if name is None else definition(name, settings.lang))
