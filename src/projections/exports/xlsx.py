"""A workbook: the rows with their types and formats on its first sheet, the question on its second."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter
from babel.numbers import get_currency_symbol

from ledger.money import decimals
from ledger.times import is_date, parse_instant, to_datetime
from projections.exports.csv import FORMULA_STARTS
from projections.exports.words import FIGURES, heading, is_share, units, word
from projections.reports.definition import Text

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from projections.reports import Answer, AnswerColumn

MAX_SHEET_NAME = 31
MAX_WIDTH, MIN_WIDTH = 48, 8
_NOT_IN_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}

QUESTION = Text("Question", "Question")
TOTAL = Text("Total", "Total")
_SAID = {
    "report": Text("Rapport", "Report"),
    "as_of": Text("Au", "As of"),
    "known_at": Text("Tel que connu au", "As known at"),
    "position": Text("Position du registre", "Position of the log"),
    "generation": Text("Génération du magasin de lecture", "Generation of the read store"),
}
_PARAMETERS = Text("Paramètres", "Parameters")
_COLUMNS = Text("Colonnes", "Columns")
_NOTES = Text("Notes", "Notes")


class _Book:
    """The workbook in the making; its formats are made once each."""

    def __init__(self, out: io.BytesIO, answer: Answer, lang: str) -> None:
        self.book = xlsxwriter.Workbook(out, _OPTIONS)
        known = to_datetime(parse_instant(answer.known_at)).astimezone(UTC).replace(tzinfo=None, microsecond=0)
        self.book.set_properties({"title": answer.title, "created": max(known, datetime(1980, 1, 1))})  # noqa: DTZ001 (UTC without saying so)
        self.lang = lang
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def format(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(properties)
        return self._formats[key]

    def sheet(self, name: str) -> Worksheet:
        return self.book.add_worksheet(_NOT_IN_SHEET_NAME.sub(" ", name)[:MAX_SHEET_NAME].strip())

    def number_format(self, column: AnswerColumn) -> str:
        """As the reader's language writes it; money with its currency's own decimals and symbol."""
        if column.type == "money":
            places = decimals(column.unit or "")
            number = "#,##0" + ("." + "0" * places if places else "")
            symbol = f"[${get_currency_symbol(column.unit or '', self.lang)}]"
            return f"{number}\u00a0{symbol}" if self.lang == "fr" else f"{symbol}{number}"
        if is_share(column):
            return "0.0%"
        return {"count": "#,##0", "ratio": "#,##0.00", "quantity": "#,##0.######", "date": "yyyy-mm-dd"}.get(
            column.type, "General"
        )

    def write(self, sheet: Worksheet, at: tuple[int, int], column: AnswerColumn, value: Any, **look: Any) -> None:
        """A cell of the column's own type. Text is text, whatever it begins with."""
        said = word(column, value, self.lang)
        row, index = at
        match said:
            case None:
                sheet.write_blank(row, index, None, self.format(**look))
            case bool():
                sheet.write_boolean(row, index, said, self.format(**look))
            case int() | float():
                number = units(said, column.unit) if column.type == "money" and isinstance(said, int) else said
                sheet.write_number(row, index, number, self.format(num_format=self.number_format(column), **look))
            case str() if column.type == "date" and is_date(said):
                day = date.fromisoformat(said)
                sheet.write_datetime(row, index, day, self.format(num_format=self.number_format(column), **look))
            case _:
                self.text(sheet, at, str(said), **look)

    def text(self, sheet: Worksheet, at: tuple[int, int], text: str, **look: Any) -> None:
        if text.startswith(FORMULA_STARTS):
            look["quote_prefix"] = True
        sheet.write_string(*at, text, self.format(**look))


def workbook(answer: Answer, lang: str) -> bytes:
    """The answer as XLSX: amounts in units of their currency, dates as dates, the header frozen."""
    out = io.BytesIO()
    book = _Book(out, answer, lang)
    _rows(book, answer)
    _question(book, answer)
    book.book.close()
    return out.getvalue()


def _rows(book: _Book, answer: Answer) -> None:
    sheet = book.sheet(answer.title)
    for index, column in enumerate(answer.columns):
        align = "right" if column.type in FIGURES else "left"
        book.text(
            sheet, (0, index), heading(column), bold=True, bottom=1, align=align, text_wrap=True, valign="vcenter"
        )
        sheet.set_column(index, index, _width(column, answer))
    for number, row in enumerate(answer.rows, start=1):
        for index, column in enumerate(answer.columns):
            book.write(sheet, (number, index), column, row.get(column.name))
    if answer.rows and answer.totals:
        _totals(book, sheet, answer)
    sheet.freeze_panes(1, 0)
    if answer.rows and answer.columns:
        sheet.autofilter(0, 0, len(answer.rows), len(answer.columns) - 1)


def _totals(book: _Book, sheet: Worksheet, answer: Answer) -> None:
    last = len(answer.rows) + 1
    for index, column in enumerate(answer.columns):
        book.write(sheet, (last, index), column, answer.totals.get(column.name), bold=True, top=1)
    if answer.columns[0].name not in answer.totals:
        book.text(sheet, (last, 0), TOTAL.in_(book.lang), bold=True, top=1)


def _question(book: _Book, answer: Answer) -> None:
    sheet = book.sheet(QUESTION.in_(book.lang))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 3, 40)
    at = 0

    def line(*cells: str | int, bold: bool = False) -> None:
        nonlocal at
        for index, cell in enumerate(cells):
            look = {"bold": True} if bold or (index == 0 and len(cells) == 2) else {}
            if isinstance(cell, int):
                sheet.write_number(at, index, cell, book.format(align="left", **look))
            else:
                book.text(sheet, (at, index), cell, **look)
        at += 1

    line(answer.title, bold=True)
    for name, label in _SAID.items():
        line(label.in_(book.lang), getattr(answer, name))
    parts: dict[Text, list[tuple[str, ...]]] = {
        _PARAMETERS: list(answer.parameters.items()),
        _COLUMNS: [(each.name, each.label, each.type, each.unit or "") for each in answer.columns],
        _NOTES: [(note,) for note in answer.notes],
    }
    for title, lines in parts.items():
        if lines:
            line("")
            line(title.in_(book.lang), bold=True)
            for cells in lines:
                line(*cells)


def _width(column: AnswerColumn, answer: Answer) -> float:
    if column.type == "money":
        largest = max((abs(row.get(column.name) or 0) for row in (*answer.rows, answer.totals)), default=0)
        content = len(f"{units(largest, column.unit):,}") + 5
    elif column.type in FIGURES:
        content = MIN_WIDTH
    else:
        content = max((len(str(row.get(column.name) or "")) for row in answer.rows), default=0) + 2
    longest_word = max(map(len, heading(column).split()), default=0) + 3
    return min(MAX_WIDTH, max(MIN_WIDTH, content, longest_word))
