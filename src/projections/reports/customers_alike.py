"""Customers that stood alike at two instants, added up where they lie.

Those come by themselves of whom more is to be told than what they bought in the reporting currency: who was merged, was
declared lost, or bought in others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Text, and_, case, cast, func, literal_column, select

from projections import intervals
from projections.reports.active_customers import since
from projections.reports.customers import Of, converted, declared, invoices_of, of_each
from projections.reports.customers_at import columns_of_places, told_of_places
from projections.reports.dimensions import as_table, merged, survivors
from projections.reports.question import BEYOND
from projections.tables import customer_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select

    from projections.reports.active_customers import Span
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

_ZERO, _ONE, _TWO, _FOUR = (literal_column(each, BigInteger) for each in ("0", "1", "2", "4"))
_CUSTOMER = literal_column("'customer-'", Text)


class Alike(NamedTuple):
    """So many customers that are told apart by the same and stood alike.

    Whether they had bought by the first instant, were active then, and at the second; what they bought up to either, and
    how much less and more that was in between. `late` of them rest on an event appended after `known_at`.
    """

    where: Mapping[str, str | None]
    customers: int
    late: int
    had_bought: bool
    was_active: bool
    is_active: bool
    before: int
    after: int
    less: int
    more: int


def alike(
    question: Question,
    view: View,
    rates: Rates,
    between: Span,
    *,
    apart_by: Sequence[str] = (),
    amounts_from: Span | None = None,
) -> Iterator[Alike]:
    """The customers with a win in force at one of the instants. Raises `MissingRate`.

    `apart_by` are dimensions of customers; unless it is said from when on amounts count, there are none.
    """
    asked = {"opening": Of("last", between.opening), "closing": Of("last", between.closing)}
    if amounts_from is not None:
        asked["before"] = Of("value", between.opening, amounts_from.opening)
        asked["after"] = Of("value", between.closing, amounts_from.closing)
    into = survivors(merged(question, view))
    lost = [{}, {}] if question.choice("rule") == "lapsed" else declared(question, view, between)
    others: dict[str, list[Any]] = {}
    for customer, amounts in converted(question, view, rates, asked):
        others.setdefault(into.get(customer, customer), []).append(amounts)
    alone = dict.fromkeys((*into.values(), *lost[0], *lost[1], *others))
    told = told_of_places(apart_by, question, view, between.closing)
    by_whom = {customer: customer for customer in alone} | into
    query = _query(question, view, between, asked, apart_by=apart_by, alone=by_whom)
    rows: Sequence[Any] = view.rows(query)
    for customer, opening, closing, *place, customers, late, was_kept, is_kept, before, after, less, more in rows:
        some = Alike(
            where=told(tuple(place)),
            customers=customers,
            late=late,
            had_bought=opening is not None,
            was_active=was_kept > 0,
            is_active=is_kept > 0,
            before=before,
            after=after,
            less=less,
            more=more,
        )
        if customer is None:
            yield some
            continue
        before_all, after_all = map(sum, zip((before, after), *others.get(customer, ()), strict=True))
        yield some._replace(
            customers=1,
            late=min(late, 1),
            was_active=some.was_active and opening > lost[0].get(customer, -BEYOND),
            is_active=some.is_active and closing > lost[1].get(customer, -BEYOND),
            before=before_all,
            after=after_all,
            less=max(0, before_all - after_all),
            more=max(0, after_all - before_all),
        )


def _query(
    question: Question,
    view: View,
    between: Span,
    asked: Mapping[str, Of],
    *,
    apart_by: Sequence[str],
    alone: Mapping[str, str],
) -> Select[Any]:
    """The customers added up, and each by itself those that are `alone`, by who they are."""
    each = of_each(question, view, asked).subquery("each_customer")
    by_itself = as_table(alone, view)
    frm = each.outerjoin(by_itself, by_itself.c.key == each.c.customer)
    places = columns_of_places(apart_by)
    if places:
        stream = _CUSTOMER + func.coalesce(by_itself.c.value, each.c.customer)
        in_force = intervals.holds(customer_versions, between.closing, question.pair, view)
        frm = frm.outerjoin(customer_versions, and_(customer_versions.c.stream == stream, in_force))
    was_kept, is_kept = (
        _kept(each.c.customer, each.c[name], at, question, view)
        for name, at in (("opening", between.opening), ("closing", between.closing))
    )
    told = [column.label(f"place_{number}") for number, column in enumerate(places)]
    own = [each.c[name] for name in ("opening", "closing", "appended_at")]
    own += [each.c[name] if name in asked else _ZERO.label(name) for name in ("before", "after")]
    kept = (was_kept.label("was_kept"), is_kept.label("is_kept"))
    rows = select(by_itself.c.value.label("customer"), *own, *kept, *told).select_from(frm)
    c = rows.offset(_ZERO).subquery("customers").c
    place = [c[column.name] for column in told]
    stood = c.was_kept + _TWO * c.is_kept + case((c.opening.is_not(None), _FOUR), else_=_ZERO)
    late = case((c.appended_at > question.pair.known_at, _ONE), else_=_ZERO)
    less, more = (case((change > _ZERO, change), else_=_ZERO) for change in (c.before - c.after, c.after - c.before))
    sums = [cast(func.sum(each), BigInteger) for each in (late, c.was_kept, c.is_kept, c.before, c.after, less, more)]
    told_of_all = (c.customer, func.max(c.opening), func.max(c.closing), *place)
    by_stood = case((c.customer.is_(None), stood))
    return select(*told_of_all, func.count(), *sums).group_by(c.customer, *place, by_stood)


def _kept(
    customer: ColumnElement[Any], last_win: ColumnElement[Any], at: int, question: Question, view: View
) -> ColumnElement[int]:
    """Whether a customer had bought by then, and bought or was sent an invoice lately enough."""
    if question.choice("rule") == "declared":
        return case((last_win.is_(None), _ZERO), else_=_ONE)
    enough = since(question, at)
    billed = customer.in_(invoices_of(question, view, enough, at))
    return case((last_win.is_(None), _ZERO), (last_win >= enough, _ONE), (billed, _ONE), else_=_ZERO)
