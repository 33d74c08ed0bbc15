"""What new customers bring, beside those there were."""

from __future__ import annotations

import pytest

from ledger.times import day_start, parse_date
from tests.projections.reports.plain_customers import PlainCustomers, random_book
from tests.support.book import ZONE, eur, money

FIGURES = ("new_customers", "new_minor", "existing_minor", "new_share")


def won(book, customer, at, minor=1, margin=0):
    deal = f"{customer}-{at}"
    return book.deal(deal, at, eur(minor), customer=customer, margin=eur(margin)).won(deal, at)


def said(book, **asked):
    totals = book.totals("new_revenue", **asked)
    return tuple(totals[name] for name in FIGURES)


def test_first_wins_in_the_period_make_new_customers(book):
    won(book, "old", "2025-06-10", 1_000)
    won(book, "old", "2026-01-10", 300, 30)
    won(book, "new", "2026-01-11", 60, 6)
    won(book, "new", "2026-03-11", 40, 24)
    won(book, "later", "2026-04-11", 9)
    book.deal("nobody", "2026-01-12", eur(5_000)).won("nobody", "2026-01-13")
    assert said(book, period="2026-Q1") == (1, 100, 300, 0.25)
    assert said(book, period="2026-Q1", measure="margin") == (1, 30, 30, 0.5)
    assert said(book, period="2026-Q1", as_of="2026-01-31") == (1, 60, 300, 60 / 360)
    assert said(book, period="2025") == (1, 1_000, 0, 1.0)
    assert said(book) == (3, 1_409, 0, 1.0)


def test_a_quote_accepted_without_a_deal_is_a_first_win(book):
    book.quote("q", "2025-12-01", money(100, "USD"), customer="c").accepted("q", "2025-12-20").rate(
        "USD", "2025-01-01", "0.9"
    )
    won(book, "c", "2026-02-10", 50)
    assert said(book, period="2026-Q1") == (0, 0, 50, 0.0)
    assert said(book, period="2025-Q4") == (1, 90, 0, 1.0)


def test_by_the_labels_that_customers_have_at_the_end(book):
    for customer, segment in (("a", "small"), ("b", "large")):
        book.customer(customer, "2025-01-01", segment=segment)
        won(book, customer, "2026-02-10", 10)
    book.say("customer-a", "customer.reclassified", "2026-03-01", segment="large")
    asked = {"period": "2026-Q1", "by": "segment"}
    assert book.rows("new_revenue", "segment", "new_minor", as_of="2026-02-28", **asked) == [
        ("large", 10),
        ("small", 10),
    ]
    assert book.rows("new_revenue", "segment", "new_minor", **asked) == [("large", 20)]


def test_an_earlier_win_learnt_late_makes_a_customer_an_existing_one(book):
    won(book, "c", "2026-02-10", 10)
    book.deal("late", "2025-02-01", eur(1), customer="c").won("late", "2025-02-05", recorded="2026-05-10")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert said(book, **asked) == (1, 10, 0, 1.0)
    assert said(book, known_at="now", **asked) == (0, 0, 10, 0.0)
    book.retracted("deal-late", 2, "2026-06-10")
    assert said(book, known_at="now", **asked) == (1, 10, 0, 1.0)


def test_a_win_reopened_after_the_period_is_none_as_in_sales(book):
    won(book, "c", "2026-02-10", 10)
    won(book, "c", "2026-03-10", 5)
    book.reopened("c-2026-03-10", "2026-05-10")
    for as_of, minor in (("2026-04-30", 15), ("2026-05-31", 10)):
        asked = {"period": "2026-Q1", "as_of": as_of}
        assert said(book, **asked) == (1, minor, 0, 1.0)
        assert book.totals("sales", **asked)["amount_minor"] == minor
        assert book.totals("upsell", **asked)["repeat_minor"] == (15 if minor == 15 else 0)


def test_an_empty_book_has_no_share(empty_book):
    assert said(empty_book, period="2026-Q1") == (0, 0, 0, None)


@pytest.mark.parametrize("seed", [7, 8])
def test_new_and_existing_are_the_sales_with_a_customer(book, seed):
    random_book(book, seed)
    first, at = (day_start(parse_date(day), ZONE) for day in ("2025-01-01", "2026-01-01"))
    for known_at in ("2025-12-31", "now"):
        asked = {"period": "2025", "as_of": "2025-12-31", "known_at": known_at}
        new, new_minor, existing_minor, _ = said(book, **asked)
        assert new_minor + existing_minor == book.totals("sales", **asked)["amount_minor"]
        plain = PlainCustomers(book, at - 1, at - 1 if known_at != "now" else book.clock)
        wins = plain.wins(at - 1)
        before = {win.customer for win in wins if win.at < first}
        assert new == len({win.customer for win in wins} - before)
