"""The line query of a source, and the same lines summed in SQL: what `explain` lists and what a cell adds up.

Lines in the reporting currency are summed where they lie, and so are those that are all converted at one instant. Others
come each `alone` out of the same query, to be converted by `exact`; when products are asked for, these and all whose
weighted amounts are shared over their products are read one by one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
)

from ledger.money import BASIS_POINTS
from projections.reports import product_lines
from projections.reports.definition import BASES, SAID, Base, Sum
from projections.reports.dimensions import LATE, OWN, Joined, passes
from projections.reports.exact_sum import ExactSum
from projections.reports.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select

    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

MONEY: frozenset[Base] = frozenset({"value", "margin", "weighted", "weighted_margin"})
_COLUMNS: dict[Base, str] = {
    **dict.fromkeys(("value", "value_said"), "value_minor"),
    **dict.fromkeys(("margin", "margin_said"), "margin_minor"),
    **dict.fromkeys(("quantity", "quantity_said"), "quantity_e6"),
}
TOLD = 10
"""So many columns come first of a line query: from `stream` to `probability_bp`."""

_SEPARATOR = "\x1f"
_BETWEEN, _EMPTY = (literal_column(f"'{each}'", Text) for each in (_SEPARATOR, ""))
_CURRENCY, _KNOWN_AT = bindparam("reporting_currency", type_=Text), bindparam("lines_known_at", type_=BigInteger)


def query(source: Source, question: Question, view: View) -> Select[Any]:
    """One row per line: `stream, position, appended_at, at, state, currency`, its amounts, month and dimensions.

    What executes it must pass `values`.
    """
    joined = Joined(source, question, view)
    told = {name: source.columns[name] for name in ("stream", "position")} | _told(source)
    if question.needs_month:
        told["due"] = cast(source.month, Text)
    told |= {name: joined.column(name) for name in asked(question)}
    return _from(joined, source, question, told)


def _from(joined: Joined, source: Source, question: Question, told: Mapping[str, ColumnElement[Any]]) -> Select[Any]:
    where = [joined.restricted(name, values) for name, values in question.where.items() if name not in LATE]
    if source.of_products is not None:
        where.append(product_lines.has_one(source, source.of_products, joined.view))
    columns = [column.label(name) for name, column in told.items()]
    return select(*columns).select_from(joined.frm).where(*source.where, *where)


def _told(source: Source) -> dict[str, ColumnElement[Any]]:
    own, nothing = source.columns, cast(null(), BigInteger)
    return {
        "appended_at": own["appended_at"],
        "at": literal(source.at, BigInteger) if isinstance(source.at, int) else source.at,
        "state": source.state,
        **{name: own[name] for name in ("currency", "value_minor", "margin_minor")},
        "quantity_e6": own.get("quantity_e6", nothing),
        "probability_bp": nothing if source.probability_bp is None else source.probability_bp,
        "alone": own.get("alone", case((own["currency"] != _CURRENCY, own["stream"]))),
    }


def values(source: Source, question: Question) -> dict[str, Any]:
    """The parameters of a source's queries."""
    only = {
        _only(name): sorted(value for value in values if value is not None)
        for name, values in question.where.items()
        if name in OWN
    }
    return {**source.values, _CURRENCY.key: question.currency, _KNOWN_AT.key: question.pair.known_at, **only}


def _only(name: str) -> str:
    """The parameter that tells which values of a dimension pass."""
    return f"only_{name}"


def telling(question: Question) -> slice:
    """The columns of the line query that tell a line's month and dimensions; they follow `alone`."""
    first = TOLD + 1
    return slice(first, first + question.needs_month + len(asked(question)))


def asked(question: Question) -> tuple[str, ...]:
    """The dimensions that the query tells."""
    return question.told_early


def summed(source: Source, question: Question, view: View, exchanged: int = 0) -> Select[Any]:
    """The lines grouped by state, month and dimensions (the `key`), those in other currencies each by itself.

    So many currencies are `exchanged` here. Sums are named after their base; `late` counts lines that rest on an event
    appended after `known_at`. `currency` is that of a line by itself, else null; `probability_bp` and `at` mean
    something of such a line alone. What executes it must pass `values`, and those of `exchange`.
    """
    names, bases = asked(question), added_up(question, source)
    late, needs_month = view.stamp > question.pair.known_at, question.needs_month
    filters = frozenset((name, None in values) for name, values in question.where.items() if name not in LATE)
    if source.kept is not None and OWN.issuperset((*names, *(name for name, _ in filters))):
        return _kept(source.kept, names, bases, exchanged, filters, needs_month=needs_month, late=late)
    joined = Joined(source, question, view)
    dimensions = [joined.column(name) for name in names]
    told = _keyed(source, dimensions, bases, exchanged, needs_month=needs_month)
    return _summed(_from(joined, source, question, told), source, bases, late=late, exchanged=exchanged > 0)


@lru_cache(maxsize=64)
def _kept(
    source: Source,
    names: tuple[str, ...],
    bases: tuple[Base, ...],
    exchanged: int,
    filters: frozenset[tuple[str, bool]],
    *,
    needs_month: bool,
    late: bool,
) -> Select[Any]:
    """The sums of a source that is asked time and again, built once: that takes as long as some thousand rows.

    `filters` are the dimensions that are filtered, each with whether lines without one pass.
    """
    told = _keyed(source, [source.columns[name] for name in names], bases, exchanged, needs_month=needs_month)
    columns = [column.label(name) for name, column in told.items()]
    rows = select(*columns).select_from(source.frm).where(*source.where)
    for name, or_none in sorted(filters):
        named = bindparam(_only(name), type_=Text, expanding=True)
        rows = rows.where(passes(source.columns[name], named, or_none=or_none))
    return _summed(rows, source, bases, late=late, exchanged=exchanged > 0)


def _keyed(
    source: Source,
    dimensions: Sequence[ColumnElement[Any]],
    bases: Sequence[Base],
    exchanged: int,
    *,
    needs_month: bool,
) -> dict[str, ColumnElement[Any]]:
    """What is summed of each line, and all that tells it from others as one text, which `parts` takes apart.

    SQLite sorts by one text, and by further columns only where that is equal, at twice the time.
    """
    told, key = _told(source), key_of(source, dimensions, needs_month=needs_month)
    currency: ColumnElement[Any] = cast(null(), Text)
    over: ColumnElement[Any] = cast(null(), BigInteger)
    under = over
    if not MONEY.isdisjoint(bases):
        its_name = told["alone"]
        foreign: ColumnElement[bool] = its_name.is_not(None)
        alone = foreign
        if exchanged:
            exchange = Exchange(exchanged, told["currency"], [told["value_minor"], told["margin_minor"]])
            foreign, its_name = told["currency"] != _CURRENCY, source.columns["stream"]
            alone = and_(foreign, exchange.fits.is_not(true()))
            over, under = (case((foreign, each)) for each in (exchange.over, exchange.under))
        key = case((alone, key + _BETWEEN + its_name), else_=key)
        currency = case((foreign, told["currency"]))
    needed = (*{_COLUMNS[base]: None for base in bases if base in _COLUMNS}, "probability_bp", "at", "appended_at")
    return {"key": key, "currency": currency, "over": over, "under": under} | {name: told[name] for name in needed}


def key_of(source: Source, told: Sequence[ColumnElement[Any]], *, needs_month: bool) -> ColumnElement[Any]:
    """The state of a line, its month and what else is told of it as one text, which `parts` takes apart."""
    key: ColumnElement[Any] = func.coalesce(source.state, _EMPTY)
    for each in (source.month if needs_month else _EMPTY, *told):
        key = key + _BETWEEN + func.coalesce(each, _EMPTY)
    return key


def parts(key: str, dimensions: int) -> tuple[str | None, ...]:
    r"""The state, the month and so many dimensions that a key tells; a line by itself has its name behind them.

    >>> parts("commit\x1f2026-09\x1f\x1fdeal-7", 1)
    ('commit', '2026-09', None)
    """
    return tuple(part or None for part in key.split(_SEPARATOR)[: 2 + dimensions])


def _summed(each: Select[Any], source: Source, bases: Sequence[Base], *, late: bool, exchanged: bool) -> Select[Any]:
    """The lines are read apart (`OFFSET 0`): SQLite would sort all that they are made of along with their key."""
    lines = each.offset(literal_column("0")).subquery("lines").c
    of_one = [
        func.max(case((lines.over.is_(None), lines.currency))).label("currency"),
        (literal(0) if source.probability_bp is None else func.max(lines.probability_bp)).label("probability_bp"),
        (literal(0) if isinstance(source.at, int) else func.max(lines.at)).label("at"),
    ]
    rests = func.sum(case((lines.appended_at > _KNOWN_AT, 1), else_=0)) if late else literal(0)
    sums = [_sum(base, lines, exchanged=exchanged).label(base) for base in bases]
    return select(lines.key, *sums, *of_one, rests.label("late")).group_by(lines.key)


def in_brief(source: Source, question: Question, view: View) -> Select[Any]:
    """The lines one by one, all of them in the reporting currency: `stream, key`, what is `used` of each, its chance.

    `is_late` tells whether it rests on an event appended after `known_at`. What executes it must pass `values`.
    """
    bases, joined = used(question, source), Joined(source, question, view)
    dimensions = [joined.column(name) for name in asked(question)]
    told = _keyed(source, dimensions, bases, 0, needs_month=question.needs_month)
    told["key"] = key_of(source, dimensions, needs_month=question.needs_month)
    told["stream"] = source.columns["stream"]
    line = _from(joined, source, question, told).subquery("lines").c
    amounts = [func.coalesce(_amount(base, line, exchanged=False), 0).label(base) for base in bases]
    is_late = case((line.appended_at > _KNOWN_AT, 1), else_=0)
    return select(line.stream, line.key, *amounts, line.probability_bp, is_late.label("is_late"))


def in_own_currency(source: Source) -> Source:
    """Its lines in the reporting currency, or without one."""
    currency = source.columns["currency"]
    return source.narrowed(or_(currency.is_(None), currency == _CURRENCY))


def in_others(source: Source) -> Source:
    """Its lines in other currencies."""
    return source.narrowed(source.columns["currency"] != _CURRENCY)


def summed_by_product(source: Source, question: Question, view: View, bases: Sequence[Base]) -> Select[Any]:
    """The lines' parts of each product, or range, grouped as in `summed`, their products behind the other dimensions.

    They are all in the reporting currency. A line counts once for each of its products; of wins that must have one of
    some products, it may be that these alone are told. What executes it must pass `values`.
    """
    joined = Joined(source, question, view)
    dimensions = [joined.column(name) for name in asked(question)]
    told = _keyed(source, dimensions, bases, 0, needs_month=question.needs_month)
    told["stream"] = source.columns["stream"]
    lines = _from(joined, replace(source, of_products=None), question, told)  # `beside` sees to these
    each = lines.offset(literal_column("0")).subquery("lines").c
    frm, part = product_lines.beside(each, source, question, view)
    key: ColumnElement[Any] = each.key
    for name in question.told_by_products:
        key = key + _BETWEEN + func.coalesce(part[name], _EMPTY)
    names = sorted({_COLUMNS[base] for base in bases if base in _COLUMNS})
    of_line = (
        select(key.label("key"), *(func.sum(_of_part(name, each, part)).label(name) for name in names))
        .select_from(frm)
        .group_by(key, each.stream)
        .subquery("of_lines")
        .c
    )
    sums = [_sum(base, of_line, exchanged=False).label(base) for base in bases]
    return select(of_line.key, *sums).group_by(of_line.key)


def _of_part(name: str, line: Any, part: Any) -> ColumnElement[int]:
    """What a part says of an amount: nothing, or none of it, where its line does; a line without products is one itself."""
    whole = line[name]
    return case((or_(part["stream"].is_(None), whole.is_(None), whole == 0), whole), else_=part[name])


def used(question: Question, source: Source) -> tuple[Base, ...]:
    """What the report's sums need of each line."""
    return _needed(question.report.sums, source)


def added_up(question: Question, source: Source) -> tuple[Base, ...]:
    """What they need of the lines together: where all are in one state, what sums that take it do."""
    state = source.only_state
    return _needed([each for each in question.report.sums if state is None or each.takes(state)], source)


def _needed(sums: Iterable[Sum], source: Source) -> tuple[Base, ...]:
    needed = {each.of for each in sums} | {"one"}
    if source.probability_bp is None:
        needed -= {"weighted", "weighted_margin"}
    needed |= {"value" for base in needed if base == "weighted"} | {
        "margin" for base in needed if base == "weighted_margin"
    }
    needed |= {SAID[base] for base in needed if base in SAID}
    return tuple(base for base in BASES if base in needed)


def _sum(base: Base, column: Any, *, exchanged: bool) -> ColumnElement[int]:
    match base:
        case "one":
            return func.count()
        case "value_said" | "margin_said" | "quantity_said":
            return func.count(column[_COLUMNS[base]])
        case "quantity":
            return ExactSum(column.quantity_e6)
        case _:
            return func.coalesce(func.sum(_amount(base, column, exchanged=exchanged)), 0)


def _amount(base: Base, column: Any, *, exchanged: bool) -> ColumnElement[int]:
    """What one line brings; of an amount that is unknown nothing, or null."""

    def amount(each: ColumnElement[int], whole: int) -> ColumnElement[int]:
        own = each if whole == 1 else half_even(each, whole)
        if not exchanged:
            return own
        return case((column.over.is_(None), own), else_=half_even(each * column.over, column.under * _whole(whole)))

    match base:
        case "one":
            return _whole(1)
        case "value" | "margin":
            return amount(column[_COLUMNS[base]], 1)
        case "value_said" | "margin_said" | "quantity_said":
            return case((column[_COLUMNS[base]].is_not(None), 1), else_=0)
        case "quantity":
            return column.quantity_e6  # type: ignore[no-any-return]
        case "weighted" | "weighted_margin":
            weighed = column.value_minor if base == "weighted" else column.margin_minor
            return amount(weighed * column.probability_bp, BASIS_POINTS)


def half_even(numerator: ColumnElement[int], denominator: ColumnElement[int] | int) -> ColumnElement[int]:
    """An integer divided by an even one and rounded half to even; the sum of their amounts must fit in 64 bits.

    Both databases divide towards zero, and give a remainder its dividend's sign.
    """
    by = _whole(denominator) if isinstance(denominator, int) else denominator
    half = by // _whole(2) - _whole(1)
    odd = (numerator // by) % _whole(2)
    return (numerator + odd + case((numerator < _whole(0), -half), else_=half)) // by


def _whole(value: int) -> ColumnElement[int]:
    return literal_column(f"({value})", BigInteger)
