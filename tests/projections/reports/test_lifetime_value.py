"""What customers are worth."""

from __future__ import annotations

from tests.support.book import eur, money


def won(book, customer, at, margin=0, currency="EUR"):
    deal = f"{customer}-{at}"
    value, its_margin = money(1_000, currency), money(margin, currency)
    return book.deal(deal, at, value, customer=customer, margin=its_margin).won(deal, at)


def test_observed_and_expected(book):
    """Four customers of the year before, one lost: 4 years left; 6 wins in 8 years; margin 100 a win."""
    for customer in ("a", "b", "c", "d"):
        book.customer(customer, "2023-01-01")
        won(book, customer, "2024-07-01", 100)
    won(book, "a", "2026-01-10", 150)
    won(book, "b", "2025-07-10", 50)
    book.say("customer-d", "customer.churned", "2026-03-01", reason="price")
    totals = book.totals("lifetime_value", as_of="2026-06-30", rule="declared")
    assert [totals[name] for name in ("customers", "active", "wins", "observed_minor")] == [4, 3, 6, 600]
    assert [totals[name] for name in ("margin_per_win_minor", "wins_per_year", "yearly_churn", "years_left")] == [
        100, 0.75, 0.25, 4
    ]  # fmt: skip
    assert [totals[name] for name in ("expected_minor", "lifetime_minor", "average_minor")] == [900, 1_500, 375]


def test_who_has_just_begun_counts_for_a_year_and_nobody_stays_more_than_five(book):
    won(book, "old", "2025-01-10", 100)
    won(book, "new", "2026-06-01", 100)
    totals = book.totals("lifetime_value", as_of="2026-06-30", rule="declared", where="customer=new")
    assert [totals[name] for name in ("wins_per_year", "years_left", "expected_minor")] == [1, None, None]
    everyone = book.totals("lifetime_value", as_of="2026-06-30", rule="declared")
    assert (everyone["yearly_churn"], everyone["years_left"]) == (0, 5)


def test_a_margin_that_nobody_told_is_no_margin_of_nothing(book):
    """Two wins a year of a customer that stays: 100 is the margin per win, though only one win says it."""
    book.deal("told", "2025-01-10", eur(1_000), customer="c", margin=eur(100)).won("told", "2025-07-01")
    book.deal("silent", "2025-01-10", eur(1_000), customer="c").won("silent", "2026-01-10")
    book.deal("before", "2025-01-10", eur(1_000), customer="d").won("before", "2025-06-30")
    asked = {"as_of": "2026-06-30", "rule": "declared"}
    of_c = book.totals("lifetime_value", where="customer=c", **asked)
    assert [of_c[name] for name in ("margin_per_win_minor", "wins_per_year", "expected_minor")] == [100, 2, None]
    everyone = book.totals("lifetime_value", **asked)
    assert (everyone["margin_per_win_minor"], everyone["expected_minor"]) == (100, 1_498)
    of_d = book.totals("lifetime_value", where="customer=d", **asked)
    assert [of_d[name] for name in ("observed_minor", "margin_per_win_minor", "wins_per_year")] == [
        None,
        None,
        365 / 366,
    ]


def test_twelve_months_before_the_eve_of_the_leap_day(book):
    won(book, "c", "2023-02-28", 100)
    assert book.totals("lifetime_value", as_of="2024-02-27", rule="declared")["yearly_churn"] is None
    assert book.totals("lifetime_value", as_of="2024-02-28", rule="declared")["yearly_churn"] == 0
    assert book.totals("lifetime_value", as_of="2024-02-29", rule="declared")["yearly_churn"] == 0


def test_by_channel_and_in_the_rate_of_each_win(book):
    book.rate("USD", "2024-01-01", "0.5").rate("USD", "2026-01-01", "2")
    book.customer("a", "2024-01-01", channel="web").customer("b", "2024-01-01", channel="fair")
    won(book, "a", "2025-01-10", 101, "USD")
    won(book, "a", "2026-01-10", 101, "USD")
    won(book, "b", "2026-01-10", 30)
    rows = book.rows("lifetime_value", "channel", "customers", "observed_minor", by="channel", as_of="2026-06-30")
    assert rows == [("fair", 1, 30), ("web", 1, 252)]


def test_a_lapsed_customer_brings_nothing_more(book):
    won(book, "c", "2024-12-10", 100)
    by_both = book.totals("lifetime_value", as_of="2026-06-30")
    assert [by_both[name] for name in ("active", "yearly_churn", "expected_minor", "lifetime_minor")] == [0, 1, 0, 100]


def test_learnt_late_and_retracted(book):
    won(book, "c", "2026-01-10", 10)
    book.deal("late", "2026-01-11", eur(1), customer="c", margin=eur(7)).won(
        "late", "2026-01-12", recorded="2026-05-10"
    )
    asked = {"as_of": "2026-02-28"}
    assert book.totals("lifetime_value", **asked)["observed_minor"] == 10
    assert book.totals("lifetime_value", known_at="now", **asked)["observed_minor"] == 17
    book.retracted("deal-late", 2, "2026-06-10")
    assert book.totals("lifetime_value", known_at="now", **asked)["observed_minor"] == 10


def test_an_empty_book(empty_book):
    totals = empty_book.totals("lifetime_value")
    assert [totals[name] for name in ("customers", "observed_minor", "expected_minor", "wins_per_year", "yearly_churn")] == [
        0, 0, None, None, None
    ]  # fmt: skip
