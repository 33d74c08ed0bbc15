"""What customers bought, were invoiced and were declared: one query each, whatever their number.

Merged customers are one, settled at the pair for all dates (EVENTS). Wins without a customer are nobody's. An instant
may not lie after `pair.happened.as_of`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import BigInteger, and_, case, cast, func, or_, select

from ledger.money import convert
from projections import intervals
from projections.reports.definition import Item, known
from projections.reports.dimensions import as_table, merged, survivors
from projections.reports.listed import columns_of
from projections.reports.question import BEYOND
from projections.tables import churns, customer_versions, invoices, wins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Select

    from projections.reports.listed import Columns
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

What = Literal["first", "last", "count", "value", "amount", "margin", "margins"]
MONEY = frozenset({"value", "amount", "margin"})

CUSTOMER_DIMENSIONS = ("customer", "segment", "country", "region", "channel", "campaign", "owner", "team")
"""What a customer can be told apart by."""


class Of(NamedTuple):
    """A figure of a customer's wins in force at `at` that took effect from `since` on, up to `until`.

    The `first` and `last` instant are None without such a win, which is nothing to the others. An amount or a margin
    that no win says is None, a `value` nothing; `margins` are the wins that say one.
    """

    what: What
    at: int
    since: int = -BEYOND
    until: int = BEYOND


Bought = dict[str, Any]
"""A customer's figures by the names they were asked under, with `position` and `appended_at` of the latest event."""
_LATEST = ("position", "appended_at")


def bought(
    question: Question, view: View, rates: Rates, asked: Mapping[str, Of], only: Collection[str] | None = None
) -> dict[str, Bought]:
    """The figures of every customer, or of some only, with a win at one of the instants asked for. Raises `MissingRate`.

    Wins in the reporting currency are added up where they lie; those in others come one by one, to be converted at
    their own rate.
    """
    names = (*asked, *_LATEST)
    found = _bought(question, view, rates, asked, only)
    return {customer: dict(zip(names, its, strict=True)) for customer, (_, *its) in found.items()}


def bought_by_column(question: Question, view: View, rates: Rates, asked: Mapping[str, Of]) -> Columns:
    """The same of every customer, who is the column `customer`."""
    found = _bought(question, view, rates, asked)
    return columns_of(("customer", *asked, *_LATEST), found.values())


def _bought(
    question: Question, view: View, rates: Rates, asked: Mapping[str, Of], only: Collection[str] | None = None
) -> dict[str, Sequence[Any]]:
    """The rows of `of_each` by customer, with all that each bought."""
    into = survivors(merged(question, view))
    parts = None if only is None else dict.fromkeys(only, "") | {each: "" for each in into if into[each] in only}
    found = of_survivors(view.tuples(of_each(question, view, asked, parts)), into, _ways(asked))
    money = [number for number, of in enumerate(asked.values(), start=1) if of.what in MONEY]
    for customer, amounts in converted(question, view, rates, asked, parts):
        survivor = into.get(customer, customer)
        whole = [*found[survivor]]
        for number, amount in zip(money, amounts, strict=True):
            whole[number] = known((whole[number], amount))
        found[survivor] = whole
    return found


def of_survivors(
    rows: Sequence[Sequence[Any]], into: Mapping[str, str], ways: Sequence[Callable[[Any, Any], Any]]
) -> dict[str, Sequence[Any]]:
    """Rows that each begin with their customer, by customer; those of merged ones are joined.

    `ways` tell for each column after the customer how what two say of one becomes what both do.
    """
    found = dict(zip(map(itemgetter(0), rows), rows, strict=True))
    for customer, survivor in into.items():
        part = found.pop(customer, None)
        if part is not None:
            its = found.get(survivor)
            both = part[1:] if its is None else (way(*each) for way, *each in zip(ways, its[1:], part[1:], strict=True))
            found[survivor] = (survivor, *both)
    return found


def of_each(
    question: Question, view: View, asked: Mapping[str, Of], only: Mapping[str, str] | None = None
) -> Select[Any]:
    """The `customer` of wins in force at one of the instants asked for, and its figures by their names.

    Amounts are those of wins in the reporting currency. With `only` those customers that are its keys.
    """
    w = wins.c
    own = or_(w.currency.is_(None), w.currency == question.currency)
    return _of_wins(question, view, asked, only, own).group_by(w.customer)


def converted(
    question: Question, view: View, rates: Rates, asked: Mapping[str, Of], only: Mapping[str, str] | None = None
) -> Iterator[tuple[str, list[int | None]]]:
    """The customer of each win in another currency, and its amounts that are asked for. Raises `MissingRate`."""
    w = wins.c
    money = {name: of for name, of in asked.items() if of.what in MONEY}
    if not money:
        return
    query = _of_wins(question, view, money, only).add_columns(func.max(w.currency), w.effective_from)
    foreign = query.where(w.currency != question.currency).group_by(w.customer, w.stream, w.effective_from)
    rows: Sequence[Any] = view.rows(foreign)
    for customer, *amounts, _, _, currency, at in rows:
        yield (
            customer,
            [None if each is None else convert(each, rates.factor(currency, at)) for each in amounts],
        )


def _of_wins(
    question: Question,
    view: View,
    asked: Mapping[str, Of],
    only: Mapping[str, str] | None,
    *counted: ColumnElement[bool],
) -> Select[Any]:
    """The customer of wins in force at one of the instants asked for, and their figures; amounts of those `counted`."""
    w = wins.c
    instants = sorted({of.at for of in asked.values()})
    in_force = intervals.holds_at_one(wins, instants, question.pair, view)
    whose = w.customer.is_not(None) if only is None else w.customer.in_(select(as_table(only, view).c.key))
    figures = [_figure(of, instants, *counted).label(name) for name, of in asked.items()]
    latest = (func.max(w.position).label("position"), func.max(w.appended_at).label("appended_at"))
    return select(w.customer, *figures, *latest).where(whose, in_force)


def added(found: Iterable[Item], name: str) -> Any:
    """The sum of a figure over the items that have it; None of a margin that none of them knows."""
    return known([item.figures[name] for item in found if name in item.figures])


def measured(question: Question) -> Literal["value", "margin"]:
    """What the question's `measure` adds up of wins."""
    return "margin" if question.given.get("measure") == "margin" else "value"


class Win(NamedTuple):
    """One win, its amounts in the reporting currency."""

    at: int
    stream: str
    value: int
    margin: int
    position: int
    appended_at: int


def purchases(question: Question, view: View, rates: Rates) -> dict[str, list[Win]]:
    """The wins of each customer in force at the pair, in order of time. Raises `MissingRate`."""
    w = wins.c
    foreign = case((w.currency != question.currency, w.currency))
    amounts = (func.coalesce(w.value_minor, 0), func.coalesce(w.margin_minor, 0))
    in_force = intervals.holds(wins, question.pair.happened.as_of, question.pair, view)
    query = select(w.customer, foreign, w.effective_from, w.stream, *amounts, w.position, w.appended_at)
    rows: Sequence[Any] = view.rows(query.where(w.customer.is_not(None), in_force))
    into = survivors(merged(question, view))
    found: dict[str, list[Win]] = {}
    for customer, currency, *its in rows:
        win = Win._make(its)
        if currency is not None:
            factor = rates.factor(currency, win.at)
            win = win._replace(value=convert(win.value, factor), margin=convert(win.margin, factor))
        found.setdefault(into.get(customer, customer), []).append(win)
    for its_wins in found.values():
        its_wins.sort()
    return found


def invoiced(question: Question, view: View, spans: Sequence[tuple[int, int]]) -> list[set[str]]:
    """The customers that were sent an invoice between two instants, both included, for each of the spans."""
    query = invoices_of(question, view, min(first for first, _ in spans), max(last for _, last in spans))
    rows = view.tuples(query.add_columns(invoices.c.invoiced_at).order_by(invoices.c.invoiced_at))
    its = columns_of(("customer", "at"), rows)
    customers, at, into = its["customer"], its["at"], survivors(merged(question, view))
    sent = [set(customers[bisect_left(at, first) : bisect_right(at, last)]) for first, last in spans]
    return [{into.get(customer, customer) for customer in these} for these in sent]


def invoices_of(question: Question, view: View, first: int, last: int) -> Select[Any]:
    """The `customer` of each invoice between two instants, both included."""
    i = invoices.c
    in_force = intervals.holds(invoices, question.pair.happened.as_of, question.pair, view)
    within = i.invoiced_at.between(first, last)
    return select(i.customer).where(i.entry == "invoice", i.customer.is_not(None), in_force, within)


def declared(question: Question, view: View, instants: Sequence[int]) -> list[dict[str, int]]:
    """When each customer was declared lost who is so at the instant, for each of the instants.

    Of a merged customer's streams the latest declaration counts.
    """
    c = churns.c
    at_all = or_(*(intervals.holds(churns, at, question.pair, view) for at in instants))
    rows = view.rows(select(c.stream, c.effective_from, c.effective_to, c.churned_at).where(at_all))
    into = survivors(merged(question, view))
    found: list[dict[str, int]] = [{} for _ in instants]
    for row in rows:
        customer = row.stream.removeprefix("customer-")
        customer = into.get(customer, customer)
        for at, lost in zip(instants, found, strict=True):
            if row.effective_from <= at < row.effective_to:
                lost[customer] = max(row.churned_at, lost.get(customer, -BEYOND))
    return found


def customer_item(
    question: Question,
    at: int,
    customer: str,
    its: Bought,
    *,
    dimensions: Mapping[str, str | None],
    figures: Mapping[str, Any],
) -> Item:
    """A customer as a line, of its figures at an instant."""
    return Item(
        stream=f"customer-{customer}",
        position=its["position"],
        at=at,
        dimensions=dimensions,
        figures=figures,
        late=its["appended_at"] > question.pair.known_at,
    )


def behind(question: Question, view: View, rates: Rates, items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """Of customers' items, the streams beside the customer's own that told something of them.

    These are the wins and invoices up to the item's instant, the rates of those wins, the customers merged into it, and
    its owner where teams are told apart.
    """
    at: dict[str, int] = {}
    for item in items:
        at[item.stream] = max(item.at, at.get(item.stream, item.at))
    into = survivors(merged(question, view))
    found: dict[str, set[str]] = {stream: set() for stream in at}
    for customer, survivor in into.items():
        if customer != survivor and f"customer-{survivor}" in found:
            found[f"customer-{survivor}"].add(f"customer-{customer}")
    for table in (wins, invoices):
        known = and_(table.c.known_from <= question.pair.known_at, table.c.known_to > question.pair.known_at)
        columns = (table.c.customer, table.c.stream, table.c.effective_from, table.c.currency)
        for row in view.rows(select(*columns).where(known, table.c.customer.is_not(None))):
            stream = f"customer-{into.get(row.customer, row.customer)}"
            if stream in found and row.effective_from <= at[stream]:
                found[stream].add(row.stream)
                if table is wins and row.currency not in {None, question.currency}:
                    found[stream].update(rates.streams(row.currency))
    if "team" in question.dimensions:
        for instant in set(at.values()):
            in_force = intervals.holds(customer_versions, instant, question.pair, view)
            owned = select(customer_versions.c.stream, customer_versions.c.owner).where(in_force)
            for row in view.rows(owned):
                if row.owner is not None and at.get(row.stream) == instant:
                    found[row.stream].add(f"person-{row.owner}")
    return {stream: tuple(sorted(streams)) for stream, streams in found.items()}


def _figure(of: Of, instants: Sequence[int], *counted: ColumnElement[bool]) -> ColumnElement[Any]:
    """A figure of wins that are in force at one of the instants, which are in order; an amount of those `counted`."""
    w = wins.c
    when = []
    if of.at < instants[-1]:
        when.append(w.effective_from <= of.at)
    if of.at > instants[0]:
        when.append(w.effective_to > of.at)
    if of.since > -BEYOND:
        when.append(w.effective_from >= of.since)
    if of.until < of.at:
        when.append(w.effective_from <= of.until)
    match of.what:
        case "first":
            return func.min(w.effective_from).filter(*when)
        case "last":
            return func.max(w.effective_from).filter(*when)
        case "count":
            return func.count().filter(*when)
        case "margins":
            return func.count(w.margin_minor).filter(*when)
        case "value":
            return cast(func.coalesce(func.sum(w.value_minor).filter(*when, *counted), 0), BigInteger)
        case "amount":
            return cast(func.sum(w.value_minor).filter(*when, *counted), BigInteger)
        case "margin":
            return cast(func.sum(w.margin_minor).filter(*when, *counted), BigInteger)


def _ways(asked: Mapping[str, Of]) -> list[Callable[[Any, Any], Any]]:
    """How the figures of two parts of one customer become those of the whole."""
    ways: dict[What, Callable[[Any, Any], Any]] = {"first": _earliest, "last": _latest}
    return [*(ways.get(of.what, _both) for of in asked.values()), max, max]


def _both(one: int | None, other: int | None) -> Any:
    return known((one, other))


def _earliest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _latest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
