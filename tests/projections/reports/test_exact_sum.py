"""Sums beyond 64 bits: quantities of twelve digits are taken, and ten of them are more than SQLite adds up."""

from __future__ import annotations

import pytest

from tests.support.book import eur

MOST = 999_999_999_999
DEALS = 24


@pytest.fixture
def large(book):
    book.product("bolt", "2026-01-01")
    for number in range(DEALS):
        deal = f"d{number}"
        lines = [{"product": "bolt", "quantity": str(MOST), "value": eur(10)}]
        book.deal(deal, "2026-01-02", eur(10), quantity=str(MOST), lines=lines, expected_close_on="2026-06-01")
        if number % 2:
            book.won(deal, "2026-02-01")
    return book


@pytest.mark.parametrize("by", [{}, {"by": "owner"}, {"by": "product"}, {"by": "customer,product_range"}])
@pytest.mark.parametrize("report", ["pipeline", "forecast", "sales"])
def test_quantities_add_up_at_any_size(large, report, by):
    answer = large.report(report, as_of="2026-03-01", **by)
    assert answer.totals["quantity"] == DEALS // 2 * MOST
    assert sum(row["quantity"] for row in answer.rows) == DEALS // 2 * MOST


def test_products_add_theirs_up_too(large):
    assert large.rows("products", "product", "quantity", as_of="2026-03-01") == [("bolt", DEALS // 2 * MOST)]


def test_an_objective_of_quantity_is_reached_by_what_no_integer_of_the_database_holds(large):
    large.say(
        "objective-o",
        "objective.set",
        "2026-01-01",
        scope={"company": True},
        metric="quantity",
        period={"from": "2026-01-01", "to": "2026-12-31"},
        target=str(MOST),
    )
    [(achieved, status)] = large.rows("objectives", "achieved", "status", as_of="2026-03-01")
    assert (achieved, status) == (DEALS // 2 * MOST, "met")
