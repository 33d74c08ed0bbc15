"""CSV: the contract's columns for programs, or a spreadsheet's own for people of one country."""

from __future__ import annotations

import codecs
import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol

from ledger.errors import BadRequest
from projections.exports.words import heading, units, word

if TYPE_CHECKING:
    from projections.reports import Answer, AnswerColumn

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
EXCEL_LINE_END = "\r\n"
LANGUAGES = frozenset({"fr", "en"})


class _UnixLines(io.StringIO):
    """Ends the writer's lines with a line feed alone; told to end them so itself, it leaves a carriage return bare."""

    def write(self, row: str) -> int:
        return super().write(row.removesuffix(EXCEL_LINE_END) + "\n")


def contract(answer: Answer) -> bytes:
    """The contract's columns and values; text that a spreadsheet would take for a formula is quoted."""
    out = _UnixLines()
    writer = csv.writer(out, lineterminator=EXCEL_LINE_END)
    writer.writerow(answer.values)
    writer.writerows(map(harmless, row) for row in zip(*answer.values.values(), strict=True))
    return out.getvalue().encode()


def localised(answer: Answer, locale: str) -> bytes:
    """As the spreadsheets of a country open it at a double click: its separators, headings for people, UTF-8 told by a
    byte order mark. Amounts are in units of their currency, shares decimals, dates ISO 8601. Raises `BadRequest`.
    """
    found = locale_of(locale)
    mark = get_decimal_symbol(found)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if mark == "," else ",", lineterminator=EXCEL_LINE_END)
    writer.writerow(harmless(heading(column)) for column in answer.columns)
    for row in answer.rows:
        writer.writerow(_cell(column, row.get(column.name), found.language, mark) for column in answer.columns)
    return codecs.BOM_UTF8 + out.getvalue().encode()


def locale_of(text: str) -> Locale:
    """A locale in one of the languages of reports. Raises `BadRequest`."""
    try:
        found = Locale.parse(text.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        found = None
    if found is None or found.language not in LANGUAGES:
        raise BadRequest(f"unknown locale {text[:20]!r}; write fr, en, or one with its country such as fr-CH")
    return found


def harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula, behind the quote that makes it text."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _cell(column: AnswerColumn, value: Any, lang: str, mark: str) -> str | None:
    match value:
        case None:
            return None
        case str():
            text: str = harmless(word(column, value, lang))
            return text
        case int() if column.type == "money":
            return _number(units(value, column.unit), mark)
        case bool():
            return ("oui" if value else "non") if lang == "fr" else ("yes" if value else "no")
        case _:
            return _number(Decimal(repr(value)), mark)


def _number(value: Decimal, mark: str) -> str:
    return f"{value:f}".replace(".", mark)
