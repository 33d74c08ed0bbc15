"""What else converts: interactions to orders, leads to customers, carts to orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, case, cast, func, null, or_, select

from projections import intervals
from projections.reports.definition import Column, Sum, figure, ratio
from projections.reports.definition import Text as Label
from projections.reports.dimensions import as_table, merged, survivors
from projections.reports.metrics import INTERACTIONS, talks
from projections.reports.sources import Source, between, closed, label, month_of
from projections.tables import customer_versions, wins

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.store import View

DIMENSIONS = (
    *("month", "quarter", "year"),
    *("owner", "team", "region", "country", "channel", "campaign", "segment", "customer"),
)
TRIED, CONVERTED = frozenset({"open", "converted"}), frozenset({"converted"})


def interactions_and_orders(question: Question, view: View) -> list[Source]:
    """Each interaction of a kind that took place in the period, and each win of it."""
    kind = question.choice("of").removeprefix(INTERACTIONS)
    return [
        talks(question, view, (kind,)).in_state(label("open")),
        closed(question, view, wins).in_state(label("order")),
    ]


def carts(question: Question, view: View) -> list[Source]:
    """Each cart logged in the period, converted once it has become an order."""
    found = talks(question, view, ("cart",))
    became = found.columns["converted_at"].is_not(None)
    return [found.in_state(case((became, label("converted")), else_=label("open")))]


def leads(question: Question, view: View) -> list[Source]:
    """Each customer registered as a lead in the period; converted once it is a customer or has a win.

    A duplicate that has been merged is none.
    """
    c = customer_versions.c
    registered = (*between(c.registered_at, question), c.registered_kind == "lead", c.merged_into.is_(None))
    rows = intervals.at_pair(customer_versions, question.pair, view, *registered)
    customer = func.substr(rows.c.stream, len("customer-") + 1)
    won = intervals.at_pair(wins, question.pair, view, wins.c.customer.is_not(None))
    buyer: Any = won.c.customer
    buyers = select(buyer)
    if found := survivors(merged(question, view)):
        table = as_table(found, view)
        buyers = select(func.coalesce(table.c.value, buyer)).select_from(won.outerjoin(table, table.c.key == buyer))
    converted = or_(rows.c.kind == "customer", customer.in_(buyers))
    number = cast(null(), BigInteger)
    nothing = {name: number.label(name) for name in ("value_minor", "margin_minor")}
    text = cast(null(), Text)
    return [
        Source(
            frm=rows,
            columns={**rows.c, **nothing, "currency": text.label("currency"), "alone": text, "customer": customer},
            state=case((converted, label("converted")), else_=label("open")),
            at=rows.c.registered_at,
            happened_at=rows.c.registered_at,
            month=month_of(rows.c.registered_at, c.registered_at, question, view),
        )
    ]


SUMS = (Sum("tried", "one", TRIED), Sum("converted", "one", CONVERTED))
SUMS_OF_ORDERS = (Sum("tried", "one", TRIED), Sum("converted", "one", frozenset({"order"})))


def columns(tried: str, of: Label, converted: str, to: Label) -> tuple[Column, ...]:
    """How many tried, how many converted, the one over the other and the other over the one."""
    each = tried.removesuffix("s")
    one = converted.removesuffix("s")
    per = Label(f"{of.fr} par {to.fr.lower()}", f"{of.en} per {to.en.lower()}")
    return (
        figure(tried, "count", of, "tried"),
        figure(converted, "count", to, "converted"),
        ratio("conversion", Label("Conversion", "Conversion"), "converted", "tried"),
        ratio(f"{each}s_per_{one}", per, "tried", "converted"),
    )
