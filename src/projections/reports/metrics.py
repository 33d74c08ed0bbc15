"""What people are measured by: the lines that each metric of an objective, a ranking or a bonus counts.

`amount`, `margin`, `quantity` and `won_count` count wins; `invoiced_amount` invoices less credit notes;
`delivered_amount` deliveries; `new_customers` the first win of each customer; `quotes_issued` quotes;
`interactions:KIND` interactions of a kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from sqlalchemy import BigInteger, Text, case, cast, func, not_, null, select, tuple_

from ledger.events import InteractionKind
from projections import intervals
from projections.reports.dimensions import as_table, merged, survivors
from projections.reports.sources import Source, between, closed, label, month_of, quotes
from projections.tables import interactions, invoices, wins

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """The first win of each customer whose first win lies in the period; of several at once the one appended first."""
    won, earlier = closed(question, view, wins), wins.alias("earlier")
    in_force, order = intervals.in_force(earlier, question.pair, view), ("effective_from", "position")
    before = tuple_(*(earlier.c[name] for name in order)) < tuple_(*(wins.c[name] for name in order))
    its_own = select(earlier.c.position).where(earlier.c.customer == wins.c.customer, in_force, before)
    is_first = [wins.c.customer.is_not(None), not_(its_own.exists())]
    found = survivors(merged(question, view))
    if found:
        table = as_table(found | {each: each for each in found.values()}, view, "families")
        rank = func.row_number().over(partition_by=table.c.value, order_by=[earlier.c[name] for name in order])
        of_merged = select(earlier.c.position, rank.label("rank")).where(in_force)
        ranked = of_merged.join(table, table.c.key == earlier.c.customer).subquery("ranked").c
        is_first.append(wins.c.position.not_in(select(ranked.position).where(ranked.rank > 1)))
    return won.narrowed(*is_first)


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
