"""A report's rows as people and programs read them: dimensions with their names, then the figures, then comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import chain, count
from operator import add
from typing import TYPE_CHECKING, Any

from ledger.money import E6
from projections.reports import labels
from projections.reports.cells import Cells, work_out
from projections.reports.definition import DAYS, TIME, Exact, Sums, Text
from projections.reports.dimensions import week_label
from projections.reports.listed import rows_of
from projections.reports.periods import month_first, month_number
from projections.reports.question import compared, dates, years_before

if TYPE_CHECKING:
    from ledger.application import Ledger
    from projections.reports.definition import Column, Key
    from projections.reports.question import Question
    from projections.store import View

Shown = str | int | float | None
Values = Mapping[str, Sequence[Exact]]
"""The figures of some rows, by column."""
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Beside:
    """Another answer set beside the report's own, under a prefix; its keys are moved onto those of the report."""

    prefix: str
    label: Text
    cells: Cells
    moved: Mapping[Key, Sums]


@dataclass(frozen=True)
class Table:
    """Rows and totals, the columns that are in them, and the cells they came from."""

    columns: list[tuple[str, str, Text]]
    rows: list[dict[str, Shown]]
    totals: dict[str, Shown]
    cells: list[Cells]


def tabulate(question: Question, view: View, ledger: Ledger | None, lang: str) -> Table:
    """The answer to a question, with whatever it is compared to beside it. Raises `BadRequest`, `MissingRate`."""
    if "every" in question.given and not question.report.series:
        return _series(question, view, ledger, lang)
    cells = work_out(question, view)
    beside = _beside(question, view)
    figures = question.report.columns
    keys = list(dict.fromkeys(chain(cells.keys, *(each.moved for each in beside)))) if beside else cells.keys
    nothing, more = Cells(question).totals, len(keys) - len(cells.keys)
    own = {each.name: [*cells.told(each), *[each.value(nothing)] * more] for each in figures}
    others = [_values(figures, [each.moved.get(key, nothing) for key in keys]) for each in beside]
    heads, order = _heads(question, view, ledger, lang, keys)
    rows = rows_of(heads | _told(figures, own, beside, others))
    totals = _told(
        figures, _values(figures, [cells.totals]), beside, [_values(figures, [each.cells.totals]) for each in beside]
    )
    columns = _head_columns(question) + [(each.name, each.type, each.label) for each in figures]
    columns += [column for each in beside for column in _beside_columns(figures, each)]
    in_order = [rows[index] for index in order]
    return Table(columns, in_order, rows_of(totals)[0], [cells, *(each.cells for each in beside)])


def shown(kind: str, value: Exact) -> Shown:
    """A figure as JSON: ratios as decimals, quantities in units, the others whole."""
    if kind in _SHOWN:
        return _SHOWN[kind](value)
    assert not isinstance(value, Fraction)
    return value


def _ratio(value: Exact) -> Shown:
    if value is None:
        return None
    part, whole = value.as_integer_ratio()  # which `float` takes longer to find
    return part / whole


def _quantity(value: Exact) -> Shown:
    if value is None:
        return None
    whole, rest = divmod(value, E6)
    return float(value / E6) if rest else whole


_SHOWN: dict[str, Callable[[Exact], Shown]] = {"ratio": _ratio, "quantity": _quantity}


def _series(question: Question, view: View, ledger: Ledger | None, lang: str) -> Table:
    """The report at each date; totals over dates would mean nothing."""
    rows: list[dict[str, Shown]] = []
    every: list[Cells] = []
    figures = question.report.columns
    for day, then in dates(question):
        cells = work_out(then, view)
        every.append(cells)
        heads, order = _heads(then, view, ledger, lang, cells.keys)
        dated: dict[str, Sequence[Shown]] = {"date": [day.isoformat()] * len(order)}
        told = _told(figures, {each.name: cells.told(each) for each in figures})
        rows += map(rows_of(dated | heads | told).__getitem__, order)
    columns = [("date", "date", labels.DIMENSIONS["date"]), *_head_columns(question)]
    return Table(columns + [(each.name, each.type, each.label) for each in figures], rows, {}, every)


def _heads(
    question: Question, view: View, ledger: Ledger | None, lang: str, keys: Sequence[Key]
) -> tuple[dict[str, Sequence[Shown]], list[int]]:
    """The columns of the rows' dimensions and of their names, and which row of these keys stands in which place."""
    told = {name: [key[index] for key in keys] for index, name in enumerate(question.heads)}
    there = {name: set(values) for name, values in told.items()}
    named: dict[str, set[str | None]] = {}
    for name in filter(labels.NAMED_AS.__contains__, told):
        named.setdefault(labels.NAMED_AS[name], set()).update(there[name])
    names = {each: labels.names(each, ids, question, view, ledger=ledger, lang=lang) for each, ids in named.items()}
    columns: dict[str, Sequence[Shown]] = {}
    for name, values in told.items():
        columns[name] = values
        if name in labels.NAMED_AS:
            columns[f"{name}_name"] = list(map(names[labels.NAMED_AS[name]].get, values))
    places, step, by = [0] * len(keys), 1, list(told)
    if by and len(there[by[0]]) == len(keys):  # which tells them apart alone
        del by[1:]
    for name in reversed(by):
        ranks = dict(zip(labels.in_order(name, there[name], question, view), count(step=step)))
        places = list(map(add, places, map(ranks.__getitem__, told[name])))
        step *= len(ranks)
    return columns, sorted(range(len(keys)), key=places.__getitem__)


def _head_columns(question: Question) -> list[tuple[str, str, Text]]:
    columns: list[tuple[str, str, Text]] = []
    for name in question.heads:
        label = labels.DIMENSIONS[name]
        columns.append((name, labels.kind(name), label))
        if name in labels.NAMED_AS:
            columns.append((f"{name}_name", "text", Text(f"{label.fr} (nom)", f"{label.en} (name)")))
    return columns


def _values(figures: Sequence[Column], rows: Sequence[Sums]) -> Values:
    return {each.name: [each.value(sums) for sums in rows] for each in figures}


def _told(
    figures: Sequence[Column], own: Values, beside: Sequence[Beside] = (), others: Sequence[Values] = ()
) -> dict[str, Sequence[Shown]]:
    """The columns of the figures of some rows, and what is set beside them."""
    columns = {each.name: _column(each, own[each.name]) for each in figures}
    for other, its in zip(beside, others, strict=True):
        columns |= {f"{other.prefix}{each.name}": _column(each, its[each.name]) for each in figures}
        if other.prefix == "previous_":
            for each in _numbers(figures):
                columns[f"change_{each.name}"] = _column(each, list(map(_change, own[each.name], its[each.name])))
    return columns


def _column(figure: Column, values: Sequence[Any]) -> Sequence[Shown]:
    show = _SHOWN.get(figure.type)
    return values if show is None else list(map(show, values))


def _change(new: Exact, old: Exact) -> Exact:
    return None if new is None or old is None else new - old


def _beside_columns(figures: Sequence[Column], other: Beside) -> list[tuple[str, str, Text]]:
    columns: list[tuple[str, str, Text]] = [
        (
            f"{other.prefix}{each.name}",
            each.type,
            Text(f"{each.label.fr} ({other.label.fr})", f"{each.label.en} ({other.label.en})"),
        )
        for each in figures
    ]
    if other.prefix == "previous_":
        columns += [
            (f"change_{each.name}", each.type, Text(f"{each.label.fr} (écart)", f"{each.label.en} (change)"))
            for each in _numbers(figures)
        ]
    return columns


def _numbers(figures: Sequence[Column]) -> list[Column]:
    return [each for each in figures if each.type in {"count", "money", "quantity", "ratio"}]


def _beside(question: Question, view: View) -> list[Beside]:
    beside = []
    previous = compared(question)
    if previous is not None:
        beside.append(_answered("previous_", Text("avant", "before"), previous, question, view))
    for back, before in enumerate(years_before(question), start=1):
        label = Text(f"{back} an(s) avant", f"{back} year(s) before")
        beside.append(_answered(f"year_minus_{back}_", label, before, question, view))
    return beside


def _answered(prefix: str, label: Text, other: Question, question: Question, view: View) -> Beside:
    cells = work_out(other, view)
    moved = cells.rows
    if other.period and question.period and other.period != question.period:
        starts = other.period.first, question.period.first
        moved = {
            tuple(_moved(name, value, *starts) for name, value in zip(question.heads, key, strict=True)): sums
            for key, sums in cells.rows.items()
        }
    return Beside(prefix, label, cells, moved)


def _moved(dimension: str, value: str | None, start: date, onto: date) -> str | None:
    """The day, week, month, quarter or year as far from `onto` as this one is from `start`.

    >>> from datetime import date
    >>> _moved("quarter", "2025-Q3", date(2025, 1, 1), date(2026, 4, 1))
    '2026-Q4'
    """
    if dimension not in TIME or value is None or not value[:4].isdigit():
        return value
    if dimension in DAYS:
        day = (
            date.fromisoformat(value) if dimension == "day" else date.fromisocalendar(int(value[:4]), int(value[6:]), 1)
        )
        day += onto - start
        return day.isoformat() if dimension == "day" else week_label(day)
    size = MONTHS[dimension]
    month = 12 if dimension == "year" else int(value[5:]) if dimension == "month" else 3 * int(value[6:])
    number = (int(value[:4]) * 12 + month - 1) // size
    number += month_number(onto) // size - month_number(start) // size
    first = month_first(number * size)
    if dimension == "quarter":
        return f"{first.year}-Q{first.month // 3 + 1}"
    return f"{first:%Y-%m}" if dimension == "month" else str(first.year)
