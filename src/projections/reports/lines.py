"""The line query of a source, and the same lines summed in SQL: what `explain` lists and what a cell adds up.

Lines in the reporting currency are summed where they lie. The few in other currencies come each `alone` out of the same
query, to be converted by `exact`; when products are asked for, all lines are read one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Text, case, cast, func, literal, literal_column, null, select

from projections.reports.definition import BASES, Base
from projections.reports.dimensions import LATE, Joined

if TYPE_CHECKING:
    from sqlalchemy import Select, Subquery

    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

BASIS_POINTS = 10_000
MONEY: frozenset[Base] = frozenset({"value", "margin", "weighted", "weighted_margin"})
_NO_MONTH: ColumnElement[str] = literal_column("''", Text)


def query(source: Source, question: Question, view: View) -> Select[Any]:
    """One row per line: `stream, position, appended_at, at, state, currency`, its amounts, month and dimensions."""
    joined = Joined(source, question, view)
    own = source.columns
    dimensions = [joined.column(name).label(name) for name in asked(question)]
    where = [joined.restricted(name, values) for name, values in question.where.items() if name not in LATE]
    nothing = cast(null(), BigInteger)
    columns: list[ColumnElement[Any]] = [
        own["stream"],
        own["position"],
        own["appended_at"],
        moment(source.at).label("at"),
        source.state.label("state"),
        own["currency"],
        own["value_minor"],
        own["margin_minor"],
        own.get("quantity_e6", nothing).label("quantity_e6"),
        (nothing if source.probability_bp is None else source.probability_bp).label("probability_bp"),
        own.get("alone", case((own["currency"] != question.currency, own["stream"]))).label("alone"),
    ]
    if question.needs_month:
        columns.append(cast(source.month, Text).label("due"))
    return select(*columns, *dimensions).select_from(joined.frm).where(*source.where, *where)


def asked(question: Question) -> list[str]:
    """The dimensions that the query tells."""
    return sorted(question.dimensions - LATE)


def summed(source: Source, question: Question, view: View) -> Select[Any]:
    """The lines grouped by `place` (see `placed`), state and dimensions, those in other currencies each by itself.

    Sums are named after their base; `late` counts lines that rest on an event appended after `known_at`. `currency`,
    `probability_bp` and `at` mean something of a line by itself alone.
    """
    lines, bases = query(source, question, view).subquery("lines"), used(question, source)
    nothing = cast(null(), Text)
    currency, by_itself = (nothing, nothing) if MONEY.isdisjoint(bases) else (lines.c.currency, lines.c.alone)
    keys = [_place(lines, by_itself, question), lines.c.state, *(lines.c[name] for name in asked(question))]
    of_one = [
        func.max(currency).label("currency"),
        (literal(0) if source.probability_bp is None else func.max(lines.c.probability_bp)).label("probability_bp"),
        (moment(source.at) if isinstance(source.at, int) else func.max(lines.c.at)).label("at"),
    ]
    sums = [_sum(base, lines).label(base) for base in bases]
    return select(*keys, *sums, *of_one, _late(lines, question, view).label("late")).group_by(*keys)


def _place(lines: Subquery, by_itself: ColumnElement[Any], question: Question) -> ColumnElement[Any]:
    """One key for two: SQLite sorts by the first, and by others only where that is equal, at twice the time."""
    if not question.needs_month:
        return func.coalesce(by_itself, _NO_MONTH).label("place")
    its_own = func.coalesce(lines.c.due, _NO_MONTH) + literal_column("' '", Text) + by_itself
    return case((by_itself.is_(None), lines.c.due), else_=its_own).label("place")


def month_of(place: str) -> str | None:
    """The month of a line by itself, from its place: that, a space, and its name.

    >>> month_of("2026-09 deal-1"), month_of(" deal-1")
    ('2026-09', None)
    """
    return place.partition(" ")[0] or None


def moment(at: ColumnElement[int] | int) -> ColumnElement[int]:
    return literal(at, BigInteger) if isinstance(at, int) else at


def used(question: Question, source: Source) -> tuple[Base, ...]:
    """What the report's sums need of each line."""
    needed = {sum_.of for sum_ in question.report.sums} | {"one"}
    if source.probability_bp is None:
        needed -= {"weighted", "weighted_margin"}
    needed |= {"value" for base in needed if base == "weighted"} | {
        "margin" for base in needed if base == "weighted_margin"
    }
    return tuple(base for base in BASES if base in needed)


def _sum(base: Base, lines: Any) -> ColumnElement[int]:
    column = lines.c
    match base:
        case "one":
            return func.count()
        case "value" | "margin":
            each = column[f"{base}_minor"]
        case "quantity":
            each = column.quantity_e6
        case "weighted":
            each = half_even(column.value_minor * column.probability_bp, BASIS_POINTS)
        case "weighted_margin":
            each = half_even(column.margin_minor * column.probability_bp, BASIS_POINTS)
    return func.coalesce(func.sum(each), 0)


def half_even(numerator: ColumnElement[int], denominator: int) -> ColumnElement[int]:
    """An integer of at most 10^16 either way, divided by an even number and rounded half to even.

    Both databases divide towards zero, and give a remainder its dividend's sign.
    """
    by, half = _whole(denominator), denominator // 2 - 1
    odd = (numerator // by) % _whole(2)
    return (numerator + odd + case((numerator < _whole(0), _whole(-half)), else_=_whole(half))) // by


def _whole(value: int) -> ColumnElement[int]:
    return literal_column(f"({value})", BigInteger)


def _late(lines: Any, question: Question, view: View) -> ColumnElement[int]:
    if view.stamp <= question.pair.known_at:
        return literal(0)
    return func.sum(case((lines.c.appended_at > literal(question.pair.known_at, BigInteger), 1), else_=0))
