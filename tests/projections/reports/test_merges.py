"""Who is who among customers is settled once, at the pair, for all dates; a duplicate deal vanishes from its time on."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from ledger.codec import Recorded
from ledger.events import CustomerMerged
from ledger.times import parse_instant
from projections import intervals
from projections.findings import findings
from projections.pairs import Pair
from projections.tables import CUSTOMER_MERGED, customer_versions
from tests.projections.logs import put
from tests.support.book import eur

COUNTED = {
    "pipeline": "deals",
    "forecast": "deals",
    "win_rate": "won",
    "sales": "won",
    "conversion": "quotes",
}
"""Every report that tells customers apart, and what it counts of each."""


@pytest.fixture
def told(book):
    """Three customers, each with a win, an open deal and a quote of January."""
    for number, customer in enumerate(("a", "b", "c")):
        book.customer(customer, "2025-01-01", region=f"r{number}")
        book.deal(f"{customer}1", "2026-01-05", eur(100), customer=customer).won(f"{customer}1", "2026-01-20")
        book.deal(f"{customer}2", "2026-01-05", eur(10), customer=customer)
        book.quote(f"{customer}3", "2026-01-06", eur(1), customer=customer)
    return book


def merged(book, customer: str, into: str, at: str, recorded: str | None = None):
    return book.say(f"customer-{customer}", "customer.merged", at, recorded=recorded, into=into)


def counted(book, report: str, **pair: str) -> dict[str, int]:
    """What a report counts of each customer in the first quarter."""
    period = {} if report in {"pipeline", "forecast"} else {"period": "2026-Q1"}
    found: dict[str, int] = {}
    for customer, count in book.rows(report, "customer", COUNTED[report], by="customer", **period, **pair):
        found[customer] = found.get(customer, 0) + count
    return found


ALL = pytest.mark.parametrize("report", COUNTED)


@ALL
def test_a_merge_of_a_merge_leads_to_the_last(told, report):
    merged(told, "a", "b", "2026-02-01")
    merged(told, "b", "c", "2026-03-01")
    assert counted(told, report, as_of="2026-01-31") == {"a": 1, "b": 1, "c": 1}
    assert counted(told, report, as_of="2026-02-01") == {"b": 2, "c": 1}
    assert counted(told, report, as_of="2026-03-01") == {"c": 3}


@ALL
def test_a_merge_recorded_after_as_of_shows_restated_only(told, report):
    merged(told, "a", "b", "2026-02-01", recorded="2026-04-01")
    assert counted(told, report, as_of="2026-02-28") == {"a": 1, "b": 1, "c": 1}
    assert counted(told, report, as_of="2026-02-28", known_at="2026-04-01") == {"b": 2, "c": 1}
    assert counted(told, report, as_of="2026-01-31", known_at="2026-04-01") == {"a": 1, "b": 1, "c": 1}


@ALL
def test_a_retracted_merge_sets_both_apart_again(told, report):
    merged(told, "a", "b", "2026-02-01").retracted("customer-a", 2, "2026-03-01")
    assert counted(told, report, as_of="2026-02-28") == {"b": 2, "c": 1}
    assert counted(told, report, as_of="2026-03-01") == {"a": 1, "b": 1, "c": 1}
    assert counted(told, report, as_of="2026-02-28", known_at="2026-03-01") == {"a": 1, "b": 1, "c": 1}


@ALL
def test_customers_merged_in_a_circle_are_the_first_of_them(told, report):
    """Two processes that merge at once may do what neither would have been allowed to after the other."""
    at = parse_instant("2026-02-01T12:00:00Z")
    put(
        told.ledger,
        [
            Recorded(0, f"customer-{one}", 2, "customer.merged", at, at, at, CustomerMerged(into=other), "test")
            for one, other in (("a", "c"), ("b", "c"), ("c", "b"))
        ],
    )
    assert counted(told, report, as_of="2026-02-01") == {"b": 3}
    with told.folded().view() as view:
        assert any("customer-b is merged in a circle" in finding.text for finding in findings(view))


def test_a_customer_merged_into_one_that_nobody_registered_is_that_one(told):
    merged(told, "a", "ghost", "2026-02-01")
    assert counted(told, "sales", as_of="2026-02-28") == {"b": 1, "c": 1, "ghost": 1}
    rows = told.rows("sales", "customer", "region", by="customer,region", where="customer=ghost", as_of="2026-02-28")
    assert rows == [("ghost", None)]


def test_a_sale_of_a_merged_customer_is_explained_by_every_merge_on_the_way(told):
    merged(told, "a", "b", "2026-02-01")
    merged(told, "b", "c", "2026-03-01")
    explained = told.explained("sales", {"customer": "c", "region": "r2"}, by="customer", as_of="2026-03-31")
    joined = {
        line.stream: sorted(stream for stream in line.events if stream != line.stream) for line in explained.lines
    }
    assert joined == {
        "deal-a1": ["customer-a", "customer-b", "customer-c"],
        "deal-b1": ["customer-b", "customer-c"],
        "deal-c1": ["customer-c"],
    }


def test_a_duplicate_deal_vanishes_from_its_merging_on(told):
    told.say("deal-a2", "deal.merged", "2026-02-01", into="b2")
    for as_of, deals in (("2026-01-31", 3), ("2026-02-01", 2)):
        assert told.totals("pipeline", as_of=as_of)["deals"] == deals
        assert told.totals("forecast", as_of=as_of)["deals"] == deals
        assert told.totals("win_rate", period="2026-Q1", as_of=as_of)["in_progress"] == deals + 3
        assert told.totals("win_rate", period="2026-Q1", basis="cohort", as_of=as_of)["in_progress"] == deals + 3


def test_a_book_without_merges_is_asked_by_the_index_of_merged_customers(told):
    with told.folded().view() as view:
        rows = intervals.at_pair(customer_versions, Pair(2**61, 2**61), view, CUSTOMER_MERGED)
        query = select(rows.c.stream, rows.c.merged_into)
        assert view.rows(query) == []
        if view.connection.dialect.name == "sqlite":
            plan = query.compile(view.connection, compile_kwargs={"literal_binds": True})
            steps = [row.detail for row in view.rows(text(f"EXPLAIN QUERY PLAN {plan}"))]
            assert any("customers_merged" in step for step in steps), steps
