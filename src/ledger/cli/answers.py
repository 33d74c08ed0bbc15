"""A report's answer as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.cli.table import table
from ledger.formats import amount_text, number_text, percent_text, until_text
from ledger.times import parse_instant
from projections.exports.words import FIGURES, is_share, word

if TYPE_CHECKING:
    from projections.reports import Answer
    from projections.reports.answer import AnswerColumn

NOTHING = "–"

_WORDS = {
    "fr": ("Au {as_of}, tel que connu au {known_at} ({zone}) ; position {position} du registre.", "Total", "Note : "),
    "en": ("As of {as_of}, as known at {known_at} ({zone}); position {position} of the log.", "Total", "Note: "),
}


def as_table(answer: Answer, lang: str, time_zone: str) -> str:
    """Title, pair of dates, rows, totals and notes, without the columns that say nothing here.

    Those are ids that have their name beside them, and figures that no row has.
    """
    head, total, note = _WORDS[lang]
    labels = {column.name: column.label for column in answer.columns}
    columns = [column for column in answer.columns if f"{column.name}_name" not in labels and _says(answer, column)]
    rows = [[_cell(row, column, lang) for column in columns] for row in answer.rows]
    header = [_header(column, labels) for column in columns]
    right = [index for index, column in enumerate(columns) if column.type in FIGURES]
    if answer.rows and any(each is not None for each in answer.totals.values()):
        last = [_cell(answer.totals, column, lang) if column.name in answer.totals else "" for column in columns]
        if columns[0].name in answer.totals:  # nothing heads the rows: the only one is of all there is
            header, right = ["", *header], [1 + index for index in right]
            rows, last = [["", *row] for row in rows if row != last], ["", *last]
        last[0] = total
        rows.append(last)
    pair = head.format(
        as_of=until_text(parse_instant(answer.as_of), time_zone),
        known_at=until_text(parse_instant(answer.known_at), time_zone),
        zone=time_zone,
        position=number_text(answer.position, lang),
    )
    parts = [answer.title, pair, "", table(header, rows, right=right)]
    if answer.notes:
        parts += ["", *(f"{note}{each}" for each in answer.notes)]
    return "\n".join(parts)


def _says(answer: Answer, column: AnswerColumn) -> bool:
    if not answer.rows or column.type not in FIGURES:
        return True
    return any(row.get(column.name) is not None for row in (*answer.rows, answer.totals))


def _header(column: AnswerColumn, labels: dict[str, str]) -> str:
    label = labels.get(column.name.removesuffix("_name"), column.label)
    return f"{label} ({column.unit})" if column.unit else label


def _cell(row: dict[str, Any], column: AnswerColumn, lang: str) -> str:
    value = row.get(column.name)
    if value is None and column.name.endswith("_name"):
        value = row.get(column.name.removesuffix("_name"))
    if value is None:
        return NOTHING
    match column.type:
        case "money":
            return amount_text(value, column.unit or "", lang)
        case "ratio" if is_share(column):
            return percent_text(value, lang)
        case "count" | "quantity" | "ratio":
            return number_text(value, lang)
        case _:
            return str(word(column, value, lang))
