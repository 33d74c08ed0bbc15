"""The line query of a source, and the same lines summed in SQL: what `explain` lists and what a cell adds up.

Lines in the reporting currency are summed where they lie. The few in other currencies come each `alone` out of the same
query, to be converted by `exact`; when products are asked for, all lines are read one by one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)

from projections.reports.definition import BASES, OF_MARGIN, PRODUCT, Base
from projections.reports.dimensions import LATE, OWN, Joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Select

    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

BASIS_POINTS = 10_000
MONEY: frozenset[Base] = frozenset({"value", "margin", "weighted", "weighted_margin"})
_SEPARATOR = "\x1f"
_BETWEEN, _EMPTY = (literal_column(f"'{each}'", Text) for each in (_SEPARATOR, ""))
_CURRENCY, _KNOWN_AT = bindparam("reporting_currency", type_=Text), bindparam("lines_known_at", type_=BigInteger)


def query(source: Source, question: Question, view: View) -> Select[Any]:
    """One row per line: `stream, position, appended_at, at, state, currency`, its amounts, month and dimensions.

    What executes it must pass `values`.
    """
    joined = Joined(source, question, view)
    told = _told(source)
    if question.needs_month:
        told["due"] = cast(source.month, Text)
    told |= {name: joined.column(name) for name in asked(question)}
    return _from(joined, source, question, told)


def _from(joined: Joined, source: Source, question: Question, told: Mapping[str, ColumnElement[Any]]) -> Select[Any]:
    where = [joined.restricted(name, values) for name, values in question.where.items() if name not in LATE]
    columns = [column.label(name) for name, column in told.items()]
    return select(*columns).select_from(joined.frm).where(*source.where, *where)


def _told(source: Source) -> dict[str, ColumnElement[Any]]:
    own, nothing = source.columns, cast(null(), BigInteger)
    return {
        **{name: own[name] for name in ("stream", "position", "appended_at")},
        "at": literal(source.at, BigInteger) if isinstance(source.at, int) else source.at,
        "state": source.state,
        **{name: own[name] for name in ("currency", "value_minor", "margin_minor")},
        "quantity_e6": own.get("quantity_e6", nothing),
        "probability_bp": nothing if source.probability_bp is None else source.probability_bp,
        "alone": own.get("alone", case((own["currency"] != _CURRENCY, own["stream"]))),
    }


def values(source: Source, question: Question) -> dict[str, int | str]:
    """The parameters of a source's queries."""
    return {**source.values, _CURRENCY.key: question.currency, _KNOWN_AT.key: question.pair.known_at}


def asked(question: Question) -> tuple[str, ...]:
    """The dimensions that the query tells."""
    return question.told_early


def summed(source: Source, question: Question, view: View) -> Select[Any]:
    """The lines grouped by state, month and dimensions (the `key`), those in other currencies each by itself.

    Sums are named after their base; `late` counts lines that rest on an event appended after `known_at`. `currency`,
    `probability_bp` and `at` mean something of a line by itself alone. What executes it must pass `values`.
    """
    names, bases = asked(question), used(question, source)
    late, needs_month = view.stamp > question.pair.known_at, question.needs_month
    if source.kept is not None and OWN.issuperset(names) and LATE.issuperset(question.where):
        return _kept(source.kept, names, bases, needs_month=needs_month, late=late)
    joined = Joined(source, question, view)
    dimensions = [joined.column(name) for name in names]
    told = _keyed(source, dimensions, bases, needs_month=needs_month)
    return _summed(_from(joined, source, question, told), source, bases, late=late)


@lru_cache(maxsize=256)
def _kept(
    source: Source, names: tuple[str, ...], bases: tuple[Base, ...], *, needs_month: bool, late: bool
) -> Select[Any]:
    """The sums of a source that is asked time and again, built once: that takes as long as some thousand rows."""
    told = _keyed(source, [source.columns[name] for name in names], bases, needs_month=needs_month)
    columns = [column.label(name) for name, column in told.items()]
    return _summed(select(*columns).select_from(source.frm).where(*source.where), source, bases, late=late)


def _keyed(
    source: Source, dimensions: Sequence[ColumnElement[Any]], bases: Sequence[Base], *, needs_month: bool
) -> dict[str, ColumnElement[Any]]:
    """What is summed of each line, and all that tells it from others as one text, which `parts` takes apart.

    SQLite sorts by one text, and by further columns only where that is equal, at twice the time.
    """
    told = _told(source)
    if MONEY.isdisjoint(bases):
        told["alone"] = told["currency"] = cast(null(), Text)
    key: ColumnElement[Any] = func.coalesce(source.state, _EMPTY)
    for each in (source.month if needs_month else _EMPTY, *dimensions):
        key = key + _BETWEEN + func.coalesce(each, _EMPTY)
    key = case((told["alone"].is_(None), key), else_=key + _BETWEEN + told["alone"])
    amounts = ("value_minor", "margin_minor", "quantity_e6", "probability_bp", "currency", "at", "appended_at")
    return {"key": key, **{name: told[name] for name in amounts}}


def parts(key: str, dimensions: int) -> tuple[str | None, ...]:
    r"""The state, the month and so many dimensions that a key tells; a line by itself has its name behind them.

    >>> parts("commit\x1f2026-09\x1f\x1fdeal-7", 1)
    ('commit', '2026-09', None)
    """
    return tuple(part or None for part in key.split(_SEPARATOR)[: 2 + dimensions])


def _summed(each: Select[Any], source: Source, bases: Sequence[Base], *, late: bool) -> Select[Any]:
    """The lines are read apart (`OFFSET 0`): SQLite would sort all that they are made of along with their key."""
    lines = each.offset(literal_column("0")).subquery("lines").c
    of_one = [
        func.max(lines.currency).label("currency"),
        (literal(0) if source.probability_bp is None else func.max(lines.probability_bp)).label("probability_bp"),
        (literal(0) if isinstance(source.at, int) else func.max(lines.at)).label("at"),
    ]
    rests = func.sum(case((lines.appended_at > _KNOWN_AT, 1), else_=0)) if late else literal(0)
    sums = [_sum(base, lines).label(base) for base in bases]
    return select(lines.key, *sums, *of_one, rests.label("late")).group_by(lines.key)


def in_own_currency(source: Source) -> Source:
    """Its lines in the reporting currency, or without one."""
    currency = source.columns["currency"]
    return source.narrowed(or_(currency.is_(None), currency == _CURRENCY))


def in_others(source: Source) -> Source:
    """Its lines in other currencies."""
    return source.narrowed(source.columns["currency"] != _CURRENCY)


def summed_by_product(
    source: Source, products: Select[Any], question: Question, view: View, bases: Sequence[Base]
) -> Select[Any]:
    """The lines' parts of each product, or range, grouped as in `summed`, their products behind the other dimensions.

    They are all in the reporting currency. A line counts once for each of its products. What executes it must pass
    `values`.
    """
    joined = Joined(source, question, view)
    told = _keyed(source, [joined.column(name) for name in asked(question)], bases, needs_month=question.needs_month)
    told["stream"] = source.columns["stream"]
    each = _from(joined, source, question, told).offset(literal_column("0")).subquery("lines").c
    part = products.subquery("parts").c
    key: ColumnElement[Any] = each.key
    for name in sorted(question.dimensions & PRODUCT):
        key = key + _BETWEEN + func.coalesce(part[name], _EMPTY)
    sums = [_sum_of_parts(base, each, part).label(base) for base in bases]
    return (
        select(key, *sums).outerjoin_from(each.key.table, part.stream.table, part.stream == each.stream).group_by(key)
    )


def _sum_of_parts(base: Base, line: Any, part: Any) -> ColumnElement[int]:
    """What a line lacks none of its parts has; a line without products is a part of its own."""
    match base:
        case "one":
            return func.count(line.stream.distinct())
        case "margin_said":
            return func.count(case((line.margin_minor.is_not(None), line.stream)).distinct())
        case "value" | "margin" | "quantity":
            name = "quantity_e6" if base == "quantity" else f"{base}_minor"
            whole = func.coalesce(line[name], 0)
            return func.sum(case((part.stream.is_(None), whole), (whole == 0, 0), else_=part[name]))
        case _:
            raise AssertionError(base)


def used(question: Question, source: Source) -> tuple[Base, ...]:
    """What the report's sums need of each line."""
    needed = {sum_.of for sum_ in question.report.sums} | {"one"}
    if source.probability_bp is None:
        needed -= {"weighted", "weighted_margin"}
    needed |= {"value" for base in needed if base == "weighted"} | {
        "margin" for base in needed if base == "weighted_margin"
    }
    if not OF_MARGIN.isdisjoint(needed):
        needed.add("margin_said")
    return tuple(base for base in BASES if base in needed)


def _sum(base: Base, column: Any) -> ColumnElement[int]:
    match base:
        case "one":
            return func.count()
        case "value" | "margin":
            each = column[f"{base}_minor"]
        case "margin_said":
            return func.count(column.margin_minor)
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
