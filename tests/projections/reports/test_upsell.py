"""How many customers bought again."""

from __future__ import annotations

import pytest

from ledger.times import day_start, parse_date
from tests.projections.reports.plain_customers import PlainCustomers, random_book
from tests.support.book import ZONE, eur

FIGURES = ("customers", "buyers", "repeat_buyers", "repeat_minor")


def won(book, customer, at, minor=1, margin=None):
    deal = f"{customer}-{at}"
    more = {} if margin is None else {"margin": eur(margin)}
    return book.deal(deal, at, eur(minor), customer=customer, **more).won(deal, at)


def test_five_of_fifty_is_ten_percent(book):
    for number in range(50):
        won(book, f"c{number:02}", "2025-06-10")
        if number < 5:
            won(book, f"c{number:02}", "2026-01-10", 100)
            won(book, f"c{number:02}", "2026-02-10", 30)
        elif number < 8:
            won(book, f"c{number:02}", "2026-02-20")
    totals = book.totals("upsell", period="2026-Q1", as_of="2026-04-30")
    assert [totals[name] for name in FIGURES] == [50, 8, 5, 650]
    assert (totals["upsell_rate"], totals["repeat_purchase_rate"]) == (0.1, 0.625)


def test_the_active_customers_are_those_of_the_rule(book):
    book.customer("gone", "2024-01-01")
    won(book, "gone", "2025-12-01")
    book.say("customer-gone", "customer.churned", "2026-01-05", reason="price")
    won(book, "old", "2024-06-01")
    won(book, "twice", "2026-01-10", 10, 4)
    won(book, "twice", "2026-01-12", 20, 5)

    def said(**more):
        totals = book.totals("upsell", period="2026-Q1", as_of="2026-04-30", **more)
        return totals["customers"], totals["repeat_buyers"], totals["repeat_minor"]

    assert said() == (2, 1, 30)
    assert said(rule="lapsed") == (2, 1, 30)
    assert said(rule="both") == (1, 1, 30)
    assert said(measure="margin") == (2, 1, 9)


def test_only_wins_up_to_the_date_count_and_merged_customers_are_one(book):
    book.customer("a", "2025-01-01").customer("b", "2025-01-01")
    won(book, "a", "2026-01-10")
    won(book, "b", "2026-03-10")
    book.say("customer-b", "customer.merged", "2026-04-10", into="a")

    def said(as_of, known_at="now"):
        totals = book.totals("upsell", period="2026-Q1", as_of=as_of, known_at=known_at)
        return tuple(totals[name] for name in FIGURES[:3])

    assert said("2026-02-28") == (1, 1, 0)
    assert said("2026-03-31", "2026-03-31") == (2, 2, 0)
    assert said("2026-04-30") == (1, 1, 1)


def test_restated_with_a_late_and_without_a_retracted_win(book):
    won(book, "c", "2026-01-10")
    book.deal("late", "2026-02-01", eur(1), customer="c").won("late", "2026-02-05", recorded="2026-05-10")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert book.totals("upsell", **asked)["repeat_buyers"] == 0
    assert book.totals("upsell", known_at="now", **asked)["repeat_buyers"] == 1
    book.retracted("deal-late", 2, "2026-06-10")
    assert book.totals("upsell", known_at="now", **asked)["repeat_buyers"] == 0
    assert book.totals("upsell", known_at="2026-05-31", **asked)["repeat_buyers"] == 1


def test_an_empty_book_has_null_rates(empty_book):
    totals = empty_book.totals("upsell", period="2026-Q1")
    assert [totals[name] for name in (*FIGURES, "upsell_rate", "repeat_purchase_rate")] == [0, 0, 0, 0, None, None]


@pytest.mark.parametrize("seed", [5, 6])
def test_the_same_from_the_events(book, seed):
    random_book(book, seed)
    first, at = (day_start(parse_date(day), ZONE) for day in ("2025-01-01", "2026-01-01"))
    for known_at in ("2025-12-31", "now"):
        plain = PlainCustomers(book, at - 1, at - 1 if known_at != "now" else book.clock)
        owners = [win.customer for win in plain.wins(at - 1) if win.at >= first]
        said = book.totals("upsell", period="2025", as_of="2025-12-31", known_at=known_at, rule="both")
        wanted = [
            len(plain.active(at - 1, "both", 365)),
            len(set(owners)),
            len({each for each in owners if owners.count(each) > 1}),
        ]
        assert [said[name] for name in FIGURES[:3]] == wanted
