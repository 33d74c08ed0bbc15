"""Customers whose buying changed."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from itertools import pairwise

import pytest

from tests.projections.reports.plain_customers import PlainCustomers, random_book
from tests.support.book import eur, money

FIRST = date(2025, 1, 1)


def bought(book, customer, *wins):
    """Wins given as (days since the first day, value)."""
    for days, value in wins:
        at = (FIRST + timedelta(days=days)).isoformat()
        book.deal(f"{customer}-{days}", at, eur(value), customer=customer).won(f"{customer}-{days}", at)


def on(days):
    return (FIRST + timedelta(days=days)).isoformat()


MONTHLY = [(0, 100), (30, 100), (60, 100), (90, 100), (120, 100)]


def test_rising_falling_silent_and_steady(book):
    bought(book, "steady", *MONTHLY, (150, 100), (180, 101))
    bought(book, "often", *MONTHLY, (135, 100), (150, 100), (165, 100))
    bought(book, "dearer", *MONTHLY, (150, 140), (180, 160))
    bought(book, "cheaper", *MONTHLY, (150, 60), (180, 40))
    bought(book, "seldom", *MONTHLY, (165, 100), (210, 100))
    bought(book, "gone", *MONTHLY)
    bought(book, "few", (0, 1), (30, 1), (60, 1_000), (61, 1_000))
    rows = dict(book.rows("buying_patterns", "customer", "pattern", as_of=on(185)))
    assert rows == {"often": "rising", "dearer": "rising", "cheaper": "falling", "gone": "silent"}
    assert dict(book.rows("buying_patterns", "customer", "pattern", as_of=on(211)))["seldom"] == "falling"


def test_the_figures_of_one_customer(book):
    bought(book, "c", (0, 100), (28, 110), (60, 90), (90, 100), (120, 100), (135, 160), (150, 200))
    [row] = book.report("buying_patterns", as_of=on(155)).rows
    assert [row[name] for name in ("pattern", "wins", "last_win", "silent_days")] == ["rising", 7, on(150), 5]
    assert (row["usual_interval_days"], row["recent_interval_days"], row["interval_z"]) == (30, 15, -5)
    assert (row["usual_value_minor"], row["recent_value_minor"], row["value_z"]) == (100, 180, 8)
    silence = 5 + 10 / 24  # from noon in UTC to midnight in Paris
    assert row["silence_z"] == pytest.approx((silence - 29) / (1.4826 * 2))


def test_values_are_in_the_reporting_currency(book):
    book.rate("USD", "2024-01-01", "0.5")
    bought(book, "c", *MONTHLY)
    for days in (150, 180):
        book.deal(f"usd{days}", on(days), money(400, "USD"), customer="c").won(f"usd{days}", on(days))
    [row] = book.report("buying_patterns", as_of=on(185)).rows
    assert (row["pattern"], row["recent_value_minor"]) == ("rising", 200)


def test_merged_customers_are_one(book):
    book.customer("a", "2024-01-01").customer("b", "2024-01-01")
    bought(book, "a", *MONTHLY)
    bought(book, "b", (150, 200), (180, 200))
    book.say("customer-b", "customer.merged", on(190), into="a")
    assert book.rows("buying_patterns", "customer", "pattern", as_of=on(195)) == [("a", "rising")]
    assert book.rows("buying_patterns", "customer", "pattern", as_of=on(185)) == [("a", "silent")]


def test_learnt_late_and_retracted(book):
    bought(book, "c", *MONTHLY)
    book.deal("late", on(149), eur(100), customer="c").won("late", on(150), recorded=on(300))
    asked = {"as_of": on(175)}
    assert book.rows("buying_patterns", "pattern", **asked) == [("silent",)]
    assert book.rows("buying_patterns", "pattern", known_at="now", **asked) == []
    book.retracted("deal-late", 2, on(350))
    assert book.rows("buying_patterns", "pattern", known_at="now", **asked) == [("silent",)]


def test_an_empty_book_and_totals(empty_book, book):
    assert empty_book.report("buying_patterns").totals["customers"] == 0
    bought(book, "gone", *MONTHLY)
    bought(book, "lost", *MONTHLY)
    totals = book.totals("buying_patterns", as_of=on(200))
    assert [totals[name] for name in ("customers", "wins", "value_z")] == [2, 10, None]


@pytest.mark.parametrize("seed", [11, 12])
def test_the_same_worked_out_with_floats(book, seed):
    random_book(book, seed, customers=4, deals=60)
    plain = PlainCustomers(book, book.clock, book.clock)
    rows = book.report("buying_patterns").rows
    assert rows
    for row in rows:
        mine = sorted(win.at for win in plain.wins(book.clock) if win.customer == row["customer"])
        gaps = [(after - before) / 86_400e6 for before, after in pairwise(mine)]
        usual = statistics.median(gaps[:-2])
        spread = max(1.4826 * statistics.median(abs(each - usual) for each in gaps[:-2]), usual / 10)
        assert row["wins"] == len(mine)
        assert row["usual_interval_days"] == pytest.approx(usual)
        assert row["interval_z"] == pytest.approx((sum(gaps[-2:]) / 2 - usual) / spread)
