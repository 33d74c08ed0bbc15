"""What is coming, month by month, at any pair of dates."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.support.book import eur

COLUMNS = ("month", "deals", "amount_minor", "weighted_minor")


def test_an_empty_book_has_no_rows(empty_book):
    answer = empty_book.report("forecast")
    assert (answer.rows, answer.notes) == ([], [])
    assert answer.totals["weighted_minor"] == 0
    assert answer.totals["coverage"] is None


def test_deals_stand_under_the_month_they_are_expected_to_close_in(book):
    due = {"a": None, "b": "2026-01-30", "c": "2026-01-31", "d": "2026-12-31", "e": "2027-01-01"}
    for deal, day in due.items():
        book.deal(deal, "2026-01-05", eur(100), expected_close_on=day)
    assert book.rows("forecast", *COLUMNS, as_of="2026-01-31") == [
        ("overdue", 1, 100, 25),
        ("2026-01", 1, 100, 25),
        ("2026-12", 1, 100, 25),
        ("later", 1, 100, 25),
        ("undated", 1, 100, 25),
    ]
    short = book.rows("forecast", "month", "deals", as_of="2026-01-31", horizon="3 months")
    assert short == [("overdue", 1), ("2026-01", 1), ("later", 2), ("undated", 1)]


def test_categories_add_up_to_the_cumulative_forecasts(book):
    for deal, stage in enumerate(("lead", "demo", "offer", "closing", "parked")):
        book.deal(f"d{deal}", "2026-01-05", eur(10**deal), stage=stage, expected_close_on="2026-02-28")
    book.deal("won", "2026-01-05", eur(500_000), expected_close_on="2026-09-30").won("won", "2026-02-10")
    row = book.report("forecast", as_of="2026-02-15").rows[0]
    names = ("pipeline", "best_case", "most_likely", "commit", "won")
    assert [row[f"{name}_minor"] for name in names] == [1, 10, 100, 1_000, 500_000]
    sums = ("commit", "most_likely", "best_case", "open")
    assert [row[f"cum_{name}_minor"] for name in sums] == [501_000, 501_100, 501_110, 501_111]
    assert row["deals"] == 5
    assert row["amount_minor"] == 11_111
    assert row["weighted_minor"] == 0 + 5 + 75 + 900  # a quarter, half to even; omitted counts for nothing
    unknown = ("call_minor", "objective_minor", "shortfall_minor", "coverage")
    assert [row[name] for name in unknown] == [None] * 4


def test_measured_by_margin_categories_and_wins_are_margins(book):
    book.deal("a", "2026-01-05", eur(100), margin=eur(40), expected_close_on="2026-02-28")
    book.deal("b", "2026-01-05", eur(300), margin=eur(90)).won("b", "2026-02-10")
    row = book.report("forecast", as_of="2026-02-15", measure="margin").rows[0]
    names = ("amount", "pipeline", "won", "cum_open", "weighted", "weighted_margin")
    assert [row[f"{name}_minor"] for name in names] == [100, 40, 90, 130, 25, 10]


def test_a_period_shows_what_is_due_in_it_and_what_it_has_won(book):
    for deal, day in {"a": "2026-06-30", "b": "2026-07-10", "c": "2026-09-30", "d": "2026-10-01", "e": None}.items():
        book.deal(deal, "2026-01-05", eur(100), expected_close_on=day)
    book.deal("w", "2026-01-05", eur(7)).won("w", "2026-07-02").deal("v", "2026-01-05", eur(9)).won("v", "2026-06-30")
    columns = ("month", "deals", "won_minor")
    during = book.rows("forecast", *columns, as_of="2026-08-05", period="2026-Q3")
    assert during == [("overdue", 2, 0), ("2026-07", 0, 7), ("2026-09", 1, 0)]
    before = book.rows("forecast", *columns, as_of="2026-06-30", period="2026-Q3")
    assert before == [("2026-07", 1, 0), ("2026-09", 1, 0)]


def test_a_series_shows_the_months_of_its_period_at_each_date(book):
    for deal, day in {"a": "2026-06-30", "b": "2026-08-10", "c": "2026-10-01", "d": None}.items():
        book.deal(deal, "2026-01-05", eur(100), expected_close_on=day)
    book.deal("w", "2026-01-05", eur(7)).won("w", "2026-07-02").deal("v", "2026-01-05", eur(9)).won("v", "2026-06-30")
    book.won("b", "2026-08-02")
    columns = ("date", "month", "deals", "won_minor")
    assert book.rows("forecast", *columns, as_of="2026-08-05", period="2026-Q3", every="month") == [
        ("2026-07-31", "overdue", 1, 0),
        ("2026-07-31", "2026-07", 0, 7),
        ("2026-07-31", "2026-08", 1, 0),
        ("2026-08-05", "overdue", 1, 0),
        ("2026-08-05", "2026-07", 0, 7),
        ("2026-08-05", "2026-08", 0, 100),
    ]


def test_a_past_forecast_as_reported_and_restated(book):
    book.deal("a", "2026-01-05", eur(100), expected_close_on="2026-03-31")
    book.won("a", "2026-03-20", recorded="2026-04-15")
    asked = ("forecast", "month", "deals", "won_minor")
    assert book.rows(*asked, as_of="2026-03-31") == [("2026-03", 1, 0)]
    assert book.rows(*asked, as_of="2026-03-31", known_at="2026-04-15") == [("2026-03", 0, 100)]
    assert book.rows(*asked, as_of="2026-03-31", known_at="2026-03-10") == [("2026-03", 1, 0)]


def test_by_stage_colours_wins_by_the_stage_they_were_won_from(book):
    book.deal("a", "2026-01-05", eur(100), expected_close_on="2026-02-28")
    book.deal("b", "2026-01-05", eur(50)).moved("b", "2026-02-01", "closing").won("b", "2026-02-10")
    assert book.rows("forecast", "month", "stage", "amount_minor", "won_minor", as_of="2026-02-15", by="stage") == [
        ("2026-02", "lead", 100, 0),
        ("2026-02", "closing", 0, 50),
    ]
    by_category = book.rows("forecast", "category", "won_minor", "amount_minor", as_of="2026-02-15", by="category")
    assert by_category == [("pipeline", 0, 100), ("won", 50, 0)]


def test_what_it_cannot_honour_is_refused(book):
    with pytest.raises(
        BadRequest, match="probabilities=guessed is not possible in forecast; write stage or calibrated"
    ):
        book.report("forecast", probabilities="guessed")
    with pytest.raises(BadRequest, match="horizon or period, not both"):
        book.report("forecast", horizon="3", period="2026")
    with pytest.raises(BadRequest, match="horizon or period, not both"):
        book.report("forecast", horizon="3", period="2026", every="month")
    with pytest.raises(BadRequest, match="from 1 to 120"):
        book.report("forecast", horizon="1000")
