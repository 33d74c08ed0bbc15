"""By which settings of the book an answer is made: those at the pair, or else what was known, or said first, of them."""

from __future__ import annotations

import pytest

from tests.support.book import ZONE, GivenBook, eur

SETTINGS = {"time_zone": ZONE, "locale": "fr", "name": "Book"}


@pytest.fixture
def opened_late(empty_book):
    """Opened in March 2026 in euros; in April the opening is corrected: it was in dollars."""
    empty_book.say("book", "book.opened", "2026-03-01", currency="EUR", fiscal_year_start_month=4, **SETTINGS)
    right = {"currency": "USD", "fiscal_year_start_month": 4, **SETTINGS}
    return empty_book.corrected("book", 1, "2026-04-01", data=right)


def currency(book: GivenBook, **pair: str) -> str:
    return book.report("sales", **pair).parameters["currency"]


def test_before_it_was_opened_a_book_has_its_first_settings_as_known_at_the_pair(opened_late):
    assert currency(opened_late, as_of="2026-01-15", known_at="2026-03-15") == "EUR"
    assert currency(opened_late, as_of="2026-01-15", known_at="2026-04-15") == "USD"


def test_before_anything_was_known_of_it_what_was_first_said_holds_whatever_is_said_later(opened_late):
    assert currency(opened_late, as_of="2026-01-15") == "EUR"
    opened_late.say("book", "book.settings_changed", "2026-05-01", recorded="2026-05-01", fiscal_year_start_month=7)
    assert currency(opened_late, as_of="2026-01-15") == "EUR"


def test_an_opening_that_is_retracted_leaves_what_was_first_said(empty_book):
    empty_book.say("book", "book.opened", "2025-01-01", currency="CHF", fiscal_year_start_month=4, **SETTINGS)
    empty_book.quote("q", "2025-05-20", eur(100))
    empty_book.retracted("book", 1, "2026-02-01")
    answers = [
        empty_book.report("conversion", as_of="2026-01-15", known_at=known_at, period="FY2026")
        for known_at in ("2026-01-15", "2026-03-01")
    ]
    assert {answer.parameters["period"] for answer in answers} == {"2025-04-01..2026-03-31"}
    assert {currency(empty_book, as_of="2026-01-15", known_at=at) for at in ("2026-01-15", "2026-03-01")} == {"CHF"}
    assert [answer.totals["quotes"] for answer in answers] == [1, 1]
