"""`sales-ledger report` and `reports`: an answer, or what can be asked."""

from __future__ import annotations

import sys
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

FORMATS = ("table", "json", "csv", "xlsx", "parquet", "svg", "png", "pdf")
BINARY = frozenset({"xlsx", "parquet", "png", "pdf"})

Form = Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How to write it.")]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", show_default=False, help="Write there, not to the screen.")
]
Locale = Annotated[
    str | None,
    typer.Option(
        "--locale",
        metavar="fr|en|fr-CH|…",
        show_default=False,
        help="CSV as spreadsheets there open it: its separators, headings for people.",
    ),
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
    locale: Locale = None,
    lang: Lang = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Answer a report for any pair of dates."""
    check_format(form, output)
    asked = parameters(context.args)
    settings = settings_with(database_url=database, book=book, lang=language(form, locale, lang))
    with ledger_of(settings) as ledger:
        head = ledger.head().position
        answer = answer_from(fresh_store(ledger), ledger, name, asked, settings.lang, head=head)
        write(ledger, answer, asked, form, output, settings.lang, locale)


def check_format(form: str, output: Path | None) -> None:
    """Raise `WrongUse` for a format that does not exist, or that is nothing for a screen."""
    if form not in FORMATS:
        raise WrongUse(f"there is no format {form[:40]!r}; reports are written as {', '.join(FORMATS)}")
    if form in BINARY and output is None and sys.stdout.isatty():
        raise WrongUse(f"{form} is not for a screen; say where to write it with --output FILE")


def language(form: str, locale: str | None, lang: str | None) -> str | None:
    """The language to answer in: that of the locale, where one is given. Raises `BadRequest`."""
    if locale is None:
        return lang
    from projections.exports import language as of_locale

    return of_locale(form, locale)


def answer_from(store: ReadStore, ledger: Ledger, name: str, asked: dict[str, str], lang: str, *, head: int) -> Answer:
    """The report's answer, with names put back from the vault."""
    from projections.reports import answer

    now, today = now_and_today(ledger)
    return answer(store, name, asked, today=today, now=now, lang=lang, ledger=ledger, head=head)


def write(
    ledger: Ledger,
    answer: Answer,
    asked: dict[str, str],
    form: str,
    output: Path | None,
    lang: str,
    locale: str | None = None,
) -> None:
    """Write an answer in a format to a file, or to standard output."""
    match form:
        case "table":
            from ledger.cli.answers import as_table

            content = as_table(answer, lang, time_zone_of(ledger)).encode()
        case "pdf":
            from api.pack import pack, single

            content = pack(single(ledger, answer, asked), lang)
        case _:
            from projections.exports import export

            content = export(answer, form, lang=lang, time_zone=time_zone_of(ledger), locale=locale)
    if form not in BINARY and not content.endswith(b"\n"):
        content += b"\n"
    if output is None:
        typer.echo(content, nl=False)
    else:
        output.write_bytes(content)


def reports(
    name: Annotated[str | None, typer.Argument(help="One report's definition in full.")] = None,
    pages: Annotated[
        Path | None,
        typer.Option("--pages", metavar="DIR", show_default=False, help="Write the manual's pages about them there."),
    ] = None,
    lang: Lang = None,
) -> None:
    """List the reports, or define one in full."""
    from ledger.cli.catalogue import catalogue, definition

    if pages is not None:
        from ledger.cli.manual import write as write_pages

        if name is not None:
            raise WrongUse("--pages writes the pages of all reports; leave the name out")
        typer.echo(f"{len(write_pages(pages))} files written to {pages}")
        return
    settings = settings_with(lang=lang)
    typer.echo(catalogue(settings.lang) if name is None else definition(name, settings.lang))
