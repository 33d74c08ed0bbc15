"""What becomes of the customers won in a month."""

from __future__ import annotations

import pytest

from ledger.times import day_start, local_date
from projections.reports.periods import month_first
from tests.projections.reports.plain_customers import PlainCustomers, random_book
from tests.support.book import ZONE, eur

FIGURES = ("cohort", "after", "customers", "active", "revenue_minor")


def won(book, customer, at, minor=1):
    deal = f"{customer}-{at}"
    return book.deal(deal, at, eur(minor), customer=customer).won(deal, at)


def test_customers_and_revenue_after_one_and_two_months(book):
    for customer in ("a", "b", "c"):
        book.customer(customer, "2025-01-01")
    won(book, "a", "2026-01-10", 100)
    won(book, "b", "2026-01-20", 300)
    won(book, "a", "2026-03-10", 50)
    won(book, "c", "2026-02-10", 70)
    book.say("customer-b", "customer.churned", "2026-02-15", reason="price")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert book.rows("cohorts", *FIGURES, **asked) == [
        ("2026-01", "0", 2, 2, 400),
        ("2026-01", "1", 2, 1, 0),
        ("2026-01", "2", 2, 1, 50),
        ("2026-02", "0", 1, 1, 70),
        ("2026-02", "1", 1, 1, 0),
    ]
    rates = book.rows("cohorts", "retention_rate", "revenue_retention", where="after=2", **asked)
    assert rates == [(0.5, 0.125)]
    totals = book.totals("cohorts", **asked)
    assert [totals[name] for name in ("customers", "active", "retention_rate", "revenue_minor")] == [
        3,
        None,
        None,
        None,
    ]
    assert book.totals("cohorts", where="after=1", **asked)["active"] == 2


def test_leads_of_the_month_that_have_become_customers_by_then(book):
    for lead, at in (("a", "2026-01-05"), ("b", "2026-01-06"), ("c", "2026-02-05")):
        book.customer(lead, at, kind="lead")
    book.customer("already", "2026-01-07")
    won(book, "b", "2026-02-20")
    won(book, "already", "2026-02-21")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert book.rows("cohorts", "cohort", "after", "customers", "leads", "converted", "lead_conversion", **asked) == [
        ("2026-01", "0", 0, 2, 0, 0.0),
        ("2026-01", "1", 0, 2, 1, 0.5),
        ("2026-01", "2", 0, 2, 1, 0.5),
        ("2026-02", "0", 2, 1, 0, 0.0),
        ("2026-02", "1", 2, 1, 0, 0.0),
    ]


def test_quarters_years_and_steps_in_order(book):
    won(book, "a", "2025-02-10", 5)
    quarters = book.rows("cohorts", "cohort", "after", period="2025", cohort="quarter", as_of="2026-02-28")
    assert quarters == [("2025-Q1", str(step)) for step in range(5)]
    assert book.rows("cohorts", *FIGURES, period="2025", cohort="year", rule="lapsed", as_of="2026-06-30") == [
        ("2025", "0", 1, 1, 5), ("2025", "1", 1, 0, 0)
    ]  # fmt: skip
    months = book.rows("cohorts", "after", period="2025-02", as_of="2026-02-28")
    assert months == [(str(step),) for step in range(13)]


def test_without_a_period_the_last_twelve_cohorts(book):
    won(book, "old", "2025-06-30")
    won(book, "new", "2025-07-01")
    found = book.rows("cohorts", "cohort", "after", as_of="2026-06-30")
    assert found == [("2025-07", str(step)) for step in range(12)]


def test_a_back_dated_and_a_retracted_first_win_move_a_customer(book):
    book.deal("late", "2026-01-05", eur(1), customer="c").won("late", "2026-01-10", recorded="2026-05-10")
    book.deal("wrong", "2026-01-05", eur(1), customer="d").won("wrong", "2026-02-10")
    book.retracted("deal-wrong", 2, "2026-06-10")
    won(book, "c", "2026-02-20")
    asked = {"period": "2026-Q1", "as_of": "2026-02-28"}
    assert book.rows("cohorts", "cohort", "after", "customers", **asked) == [("2026-02", "0", 2)]
    restated = book.rows("cohorts", "cohort", "after", "customers", known_at="now", **asked)
    assert restated == [("2026-01", "0", 1), ("2026-01", "1", 1)]


def test_an_empty_book(empty_book):
    answer = empty_book.report("cohorts", period="2026")
    assert (answer.rows, answer.totals["customers"], answer.totals["retention_rate"]) == ([], 0, None)


def test_an_explanation_lists_the_customers_of_a_step(book):
    won(book, "a", "2026-01-10", 100)
    won(book, "a", "2026-02-10", 50)
    explained = book.explained("cohorts", {"cohort": "2026-01", "after": "0"}, period="2026-01", as_of="2026-02-28")
    [only] = explained.lines
    assert (only.stream, only.figures["revenue_minor"]) == ("customer-a", 100)
    assert set(only.events) == {"customer-a", "deal-a-2026-01-10"}


@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_from_the_events_one_instant_at_a_time(book, seed):
    random_book(book, seed)
    for as_of, known_at in (("2026-05-31", "2026-05-31"), ("2026-05-31", "now")):
        last = 2026 * 12 + 4
        closing = _end(last)
        plain = PlainCustomers(book, closing, closing if known_at == as_of else book.clock)
        in_force = plain.wins(closing)
        for rule in ("declared", "both"):
            said = book.report("cohorts", as_of=as_of, known_at=known_at, rule=rule, period="2024..2026").rows
            wanted: dict[tuple[str, str], list[int]] = {}
            for customer in {win.customer for win in in_force}:
                first = min(win.at for win in in_force if win.customer == customer)
                born = _month(first)
                for month in range(born, last + 1):
                    cell = wanted.setdefault((f"{month_first(born):%Y-%m}", str(month - born)), [0, 0])
                    cell[0] += 1
                    cell[1] += customer in plain.active(min(_end(month), closing), rule, 365, in_force)
            found = {
                (row["cohort"], row["after"]): [row["customers"], row["active"]] for row in said if row["customers"]
            }
            assert found == wanted


def _end(month):
    return day_start(month_first(month + 1), ZONE) - 1


def _month(instant):
    day = local_date(instant, ZONE)
    return day.year * 12 + day.month - 1
