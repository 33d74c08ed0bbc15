"""`sales-ledger history`: one thing's life, as it was known at a date."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import AsOf, Book, Database, KnownAt, ledger_of, pair_of, settings_with, time_zone_of
from ledger.cli.report import Lang
from ledger.errors import NotFound

if TYPE_CHECKING:
    from ledger.story import Entry, Story

STRUCK, PLAIN = "\x1b[9m", "\x1b[0m"
BLANK = ["", "", "", ""]
NARROWEST = 40
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def history(
    stream: Annotated[str, typer.Argument(help="The thing, as deal-1042 or customer-acme.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    form: Annotated[
        Format, typer.Option("--format", help="table for people; json (one document), jsonl (a line each).")
    ] = Format.TABLE,
    lang: Lang = None,
    database: Database = None,
    book: Book = None,
) -> None:
    """Tell one thing's life. What was retracted by then is struck through, what was corrected shows how it was."""
    import msgspec

    from ledger.story import locale_of, told

    settings = settings_with(database_url=database, book=book, lang=lang)
    with ledger_of(settings) as ledger:
        events = ledger.stream(stream)
        if not events:
            raise NotFound(f"there is no stream {stream[:80]!r} in this book; sales-ledger events lists what there is")
        pair = pair_of(ledger, as_of, known_at)
        zone = time_zone_of(ledger)
        story = told(
            ledger,
            events,
            as_of=pair.as_of,
            known_at=pair.known_at,
            time_zone=zone,
            locale=locale_of(settings.lang),
        )
    if form is Format.JSON:
        typer.echo(msgspec.json.encode(story))
    elif not story.life:
        typer.echo(f"nothing of {stream} was known then", err=True)
    elif form is Format.JSONL:
        for entry in story.life:
            typer.echo(msgspec.json.encode({"stream": stream, **msgspec.to_builtins(entry)}))
    else:
        typer.echo(_as_table(story, settings.lang, zone))


def _as_table(story: Story, lang: str, zone: str) -> str:
    from ledger.cli.table import table
    from ledger.formats import until_text
    from ledger.story.texts import texts
    from ledger.times import parse_instant

    words, separator = texts(lang)["head"], texts(lang)["separator"]
    pair = words["pair"].format(
        as_of=until_text(parse_instant(story.as_of), zone),
        known_at=until_text(parse_instant(story.known_at), zone),
        zone=zone,
    )
    header = [words[each] for each in ("when", "recorded", "by", "number", "what")]
    columns = [_columns(entry, zone) for entry in story.life]
    taken = sum(max(map(len, column)) + 2 for column in zip(header[:-1], *columns, strict=True))
    rows = [
        row for each, entry in zip(columns, story.life, strict=True) for row in _rows(each, entry, taken, separator)
    ]
    name = story.stream if story.name is None else f"{story.name} ({story.stream})"
    return "\n".join([CONTROL.sub(" ", name), pair, "", table(header, rows, right=[3])])


def _columns(entry: Entry, zone: str) -> list[str]:
    from ledger.formats import moment_text
    from ledger.times import parse_instant

    when, recorded = (moment_text(parse_instant(at), zone) for at in (entry.effective_at, entry.recorded_at))
    return [when, "" if recorded == when else recorded, entry.actor, str(entry.version)]


def _rows(columns: list[str], entry: Entry, taken: int, separator: str) -> Iterator[list[str]]:
    """The sentence beside its columns; below it what it leaves out, then how the event was amended."""
    first, *rest = _wrapped(entry.text, taken)
    strike = _plain if entry.retracted is None else _struck
    yield [*columns, strike(first)]
    for line in rest:
        yield [*BLANK, strike(line)]
    amended = (*entry.corrections, *([] if entry.retracted is None else [entry.retracted]))
    below = [
        [*entry.details, *([] if entry.late is None else [entry.late])],
        *([f"[{each.version}] {each.text}", *(change.text for change in each.changes)] for each in amended),
    ]
    for text in filter(None, map(separator.join, below)):
        for line in _wrapped(text, taken + 2):
            yield [*BLANK, f"  {line}"]


def _wrapped(text: str, taken: int) -> list[str]:
    """Lines that fit beside the other columns of a terminal; in a pipe one line. Nothing in a text steers a terminal."""
    text = CONTROL.sub(" ", text)
    if not sys.stdout.isatty():
        return [text]
    return textwrap.wrap(text, max(NARROWEST, shutil.get_terminal_size().columns - taken))


def _struck(text: str) -> str:
    """Struck through on a terminal, between tildes elsewhere."""
    return f"{STRUCK}{text}{PLAIN}" if sys.stdout.isatty() else f"~~{text}~~"


def _plain(text: str) -> str:
    return text
