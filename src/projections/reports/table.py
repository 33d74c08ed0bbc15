"""A report's rows as people and programs read them: dimensions with their names, then the figures, then comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count
from operator import add
from typing import TYPE_CHECKING, Any

from ledger.money import E6
from projections.reports import labels
from projections.reports.cells import Cells, work_out
from projections.reports.definition import Exact, Sums, Text
from projections.reports.dimensions import moved_on
from projections.reports.listed import ByColumn, rows_of
from projections.reports.question import compared, dates, years_before

if TYPE_CHECKING:
    from ledger.application import Ledger
    from projections.reports.definition import Column, Key
    from projections.reports.question import Question
    from projections.store import View

Shown = str | int | float | None
Values = Mapping[str, Sequence[Exact]]
"""The figures of some rows, by column."""


@dataclass(frozen=True)
class Beside:
    """Another answer set beside the report's own, under a prefix; its keys are moved onto those of the report."""

    prefix: str
    label: Text
    cells: Cells
    moved: dict[Key, Sums]


@dataclass(frozen=True)
class Table:
    """The columns, the values in each of them, the totals, and the cells they came from."""

    columns: list[tuple[str, str, Text]]
    values: dict[str, Sequence[Shown]]
    totals: dict[str, Shown]
    cells: list[Cells]


def tabulate(question: Question, view: View, ledger: Ledger | None, lang: str) -> Table:
    """The answer to a question, with whatever it is compared to beside it. Raises `BadRequest`, `MissingRate`."""
    if "every" in question.given and not question.report.series:
        return _series(question, view, ledger, lang)
    cells = work_out(question, view)
    beside = _beside(question, view)
    if beside and question.report.among_all:
        _tell_all(cells, question, beside)
    figures = question.report.columns
    rows, others = _rows(cells, question, view, beside)
    values = _heads(rows, question, view, ledger, lang) | _told(figures, rows.figures, beside, others)
    totals = _told(
        figures, _values(figures, [cells.totals]), beside, [_values(figures, [each.cells.totals]) for each in beside]
    )
    columns = _head_columns(question) + [(each.name, each.type, each.label) for each in figures]
    columns += [column for each in beside for column in _beside_columns(figures, each)]
    return Table(columns, values, rows_of(totals)[0], [cells, *(each.cells for each in beside)])


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
    figures = question.report.columns
    columns = [("date", "date", labels.DIMENSIONS["date"]), *_head_columns(question)]
    columns += [(each.name, each.type, each.label) for each in figures]
    values: dict[str, list[Shown]] = {name: [] for name, _, _ in columns}
    every: list[Cells] = []
    for day, then in dates(question, view):
        cells = work_out(then, view)
        every.append(cells)
        rows, _ = _rows(cells, then, view)
        dated = {"date": [day.isoformat()] * len(rows)}
        for name, its in (dated | _heads(rows, then, view, ledger, lang) | _told(figures, rows.figures)).items():
            values[name] += its
    return Table(columns, dict(values), {}, every)


def _tell_all(cells: Cells, question: Question, beside: Sequence[Beside]) -> None:
    """Make what is a row of one answer a row of all, of nothing where it was none, and tell them anew what they are among all."""
    answers = [(cells.rows, cells.totals), *((each.moved, each.cells.totals) for each in beside)]
    keys = [key for rows, _ in answers for key in rows]
    assert question.report.across is not None
    for rows, totals in answers:
        for key in keys:
            rows.setdefault(key, Cells(question).totals)
        question.report.across(question, rows, totals)


def _rows(cells: Cells, question: Question, view: View, beside: Sequence[Beside] = ()) -> tuple[ByColumn, list[Values]]:
    """The rows as they stand one below the other, and the figures beside each."""
    told, figures = cells.by_column, question.report.columns
    if told is not None and not beside:
        return told if told.in_order else told.ordered(_order(told.heads, len(told), question, view)), []
    keys, nothing = list(dict.fromkeys(chain(cells.rows, *(each.moved for each in beside)))), Cells(question).totals
    keys = [keys[index] for index in _order(_heads_of(keys, question), len(keys), question, view)]
    if question.report.ranked:
        keys = sorted(keys, key=lambda key: cells.rows.get(key, nothing).get("rank") or len(keys) + 1)
    own = _values(figures, [cells.rows.get(key, nothing) for key in keys])
    others = [_values(figures, [each.moved.get(key, nothing) for key in keys]) for each in beside]
    return ByColumn(_heads_of(keys, question), own, in_order=True), others


def _heads_of(keys: Sequence[Key], question: Question) -> Mapping[str, Sequence[str | None]]:
    return {name: [key[index] for key in keys] for index, name in enumerate(question.heads)}


def _order(heads: Mapping[str, Sequence[str | None]], many: int, question: Question, view: View) -> list[int]:
    """The numbers of so many rows with these heads, as the rows stand one below the other."""
    by = list(heads)
    if by and len(set(heads[by[0]])) == many:  # which tells them apart alone
        del by[1:]
    places, step = [0] * many, 1
    for name in reversed(by):
        ranks = dict(zip(labels.in_order(name, set(heads[name]), question, view), count(step=step)))
        places = list(map(add, places, map(ranks.__getitem__, heads[name])))
        step *= len(ranks)
    return sorted(range(many), key=places.__getitem__)


def _heads(
    rows: ByColumn, question: Question, view: View, ledger: Ledger | None, lang: str
) -> dict[str, Sequence[Shown]]:
    """The columns of the rows' dimensions, and of their names."""
    unnamed: dict[str, set[str | None]] = {}
    for name in filter(labels.NAMED_AS.__contains__, rows.heads.keys() - rows.names.keys()):
        unnamed.setdefault(labels.NAMED_AS[name], set()).update(rows.heads[name])
    names = {each: labels.names(each, ids, question, view, ledger=ledger, lang=lang) for each, ids in unnamed.items()}
    columns: dict[str, Sequence[Shown]] = {}
    for name, values in rows.heads.items():
        columns[name] = values
        if name in labels.NAMED_AS:
            its = rows.names.get(name)
            columns[f"{name}_name"] = list(map(names[labels.NAMED_AS[name]].get, values)) if its is None else its
    return columns


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
    previous = compared(question, view)
    if previous is not None:
        beside.append(_answered("previous_", Text("avant", "before"), previous, question, view))
    for back, before in enumerate(years_before(question), start=1):
        label = Text(f"{back} ans avant", f"{back} years before") if back > 1 else Text("1 an avant", "1 year before")
        beside.append(_answered(f"year_minus_{back}_", label, before, question, view))
    return beside


def _answered(prefix: str, label: Text, other: Question, question: Question, view: View) -> Beside:
    cells = work_out(other, view)
    moved = cells.rows
    if other.period and question.period and other.period != question.period:
        starts = other.period.first, question.period.first
        moved = {
            tuple(moved_on(name, value, *starts) for name, value in zip(question.heads, key, strict=True)): sums
            for key, sums in cells.rows.items()
        }
    return Beside(prefix, label, cells, moved)
