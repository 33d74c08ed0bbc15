"""What people are measured by: the lines that each metric of an objective, a ranking or a bonus counts.

`amount`, `margin`, `quantity` and `won_count` count wins; `invoiced_amount` invoices less credit notes;
`delivered_amount` deliveries; `new_customers` the first win of each customer; `quotes_issued` quotes;
`interactions:KIND` interactions of a kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import BigInteger, Text, and_, case, cast, func, null, select

from ledger.events import InteractionKind
from projections import intervals
from projections.reports.dimensions import as_table, merged, survivors
from projections.reports.sources import Source, between, closed, label, month_of, quotes
from projections.tables import interactions, invoices, win_lines, wins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import ColumnElement, FromClause, Subquery

    from projections.reports.definition import Base
    from projections.reports.question import Question
    from projections.store import View

INTERACTIONS = "interactions:"
KINDS: tuple[str, ...] = get_args(InteractionKind)
MONEY = ("amount", "margin", "invoiced_amount", "delivered_amount")
OF_WINS = ("amount", "margin", "quantity", "won_count")
METRICS = (
    *(*OF_WINS, "invoiced_amount", "delivered_amount", "new_customers", "quotes_issued"),
    *(f"{INTERACTIONS}{kind}" for kind in KINDS),
)

_BASES: dict[str, Base] = {
    "amount": "value",
    "margin": "margin",
    "quantity": "quantity",
    "invoiced_amount": "value",
    "delivered_amount": "value",
}


def base_of(metric: str) -> Base:
    """What a metric adds up of its lines; it counts those of which it adds up nothing."""
    return _BASES.get(metric, "one")


def tells_kind(metric: str) -> bool:
    """Whether the lines of a metric have a kind of sale."""
    return metric in {*OF_WINS, "invoiced_amount", "delivered_amount", "new_customers"}


def tells_range(metric: str) -> bool:
    """Whether the lines of a metric have products."""
    return metric in {*OF_WINS, "new_customers"}


def lines_of(metric: str, question: Question, view: View) -> Source:
    """The lines of the period that a metric counts, at the pair."""
    if metric in OF_WINS:
        return closed(question, view, wins)
    match metric:
        case "invoiced_amount":
            return invoiced(question, view, ("invoice", "credit"))
        case "delivered_amount":
            return invoiced(question, view, ("delivery",))
        case "new_customers":
            return first_wins(question, view)
        case "quotes_issued":
            return quotes(question, view)
        case _:
            assert metric.startswith(INTERACTIONS), metric
            return talks(question, view, (metric.removeprefix(INTERACTIONS),))


def invoiced(question: Question, view: View, entries: Iterable[str]) -> Source:
    """Invoices, deliveries or credit notes of the period; the latter's amounts are negative."""
    rows = intervals.at_pair(
        invoices, question.pair, view, *between(invoices.c.invoiced_at, question), invoices.c.entry.in_(entries)
    )
    foreign = rows.c.currency != question.currency
    each = rows.c.stream + label(":") + cast(rows.c.entry_position, Text)
    return Source(
        frm=rows,
        columns={**rows.c, "alone": case((foreign, each))},
        state=rows.c.entry,
        at=rows.c.invoiced_at,
        happened_at=rows.c.invoiced_at,
        month=month_of(rows.c.invoiced_at, invoices.c.invoiced_at, question, view),
    )


def first_wins(question: Question, view: View) -> Source:
    """The first win of each customer whose first win lies in the period."""
    last = min(question.period_to - 1, question.pair.happened.as_of)
    bought = (wins.c.effective_from <= last, wins.c.customer.is_not(None))
    found = survivors(merged(question, view))
    in_force = intervals.in_force(wins, question.pair, view)
    earliest = select(wins.c.customer, func.min(wins.c.effective_from).label("at")).where(in_force, *bought)
    of_each = earliest.group_by(wins.c.customer).subquery("of_each")
    frm, customer = _survivors_of(of_each, found, view)
    of_all = select(customer.label("buyer"), func.min(of_each.c.at).label("at")).select_from(frm).group_by(customer)
    first = of_all.having(func.min(of_each.c.at) >= question.period_from).subquery("of_all")
    lately = intervals.at_pair(wins, question.pair, view, *bought, wins.c.effective_from >= question.period_from)
    frm, customer = _survivors_of(lately, found, view)
    is_first = and_(first.c.buyer == customer, first.c.at == lately.c.effective_from)
    rank = func.row_number().over(partition_by=customer, order_by=(lately.c.position, lately.c.stream))
    ranked = select(lately, rank.label("rank")).select_from(frm.join(first, is_first)).subquery("ranked")
    rows = select(ranked).where(ranked.c.rank == 1).subquery("first_wins")
    return Source(
        frm=rows,
        columns=dict(rows.c.items()),
        state=label("won"),
        at=rows.c.effective_from,
        happened_at=rows.c.effective_from,
        month=month_of(rows.c.effective_from, wins.c.effective_from, question, view),
        product_lines=win_lines,
    )


def _survivors_of(won: Subquery, found: Mapping[str, str], view: View) -> tuple[FromClause, ColumnElement[Any]]:
    if not found:
        return won, won.c.customer
    table = as_table(found, view)
    return won.outerjoin(table, table.c.key == won.c.customer), func.coalesce(table.c.value, won.c.customer)


def talks(question: Question, view: View, kinds: Iterable[str]) -> Source:
    """Interactions of these kinds that took place in the period; their state is their kind, their quantity minutes."""
    rows = intervals.at_pair(
        interactions, question.pair, view, *between(interactions.c.logged_at, question), interactions.c.kind.in_(kinds)
    )
    text, number = cast(null(), Text), cast(null(), BigInteger)
    nothing = {name: text.label(name) for name in ("region", "country", "channel", "currency")}
    amounts = {name: number.label(name) for name in ("value_minor", "margin_minor")}
    minutes = rows.c.duration_minutes * 1_000_000
    return Source(
        frm=rows,
        columns={**nothing, **amounts, **rows.c, "quantity_e6": minutes, "alone": text},
        state=rows.c.kind,
        at=rows.c.logged_at,
        happened_at=rows.c.logged_at,
        month=month_of(rows.c.logged_at, interactions.c.logged_at, question, view),
    )
