"""The rules of exchange rates."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, retracted, say

AHEAD = "2027-01-01"


def fixed(rate="0.92", at=None, base="EUR", currency="USD"):
    return say(f"rate-{currency}", "rate.fixed", at, base=base, rate=rate)


def test_a_rate_holds_until_the_next():
    book = given(fixed())
    book.when(fixed()).nothing()
    book.when(fixed("0.95")).then("rate.fixed", {"rate": "0.95", "base": "EUR"})
    book.when(fixed("0.92")).then("rate.fixed", {"rate": "0.92"})


def test_a_rate_written_otherwise_is_news():
    """What was written stands; `0.92` and `0.920` are the same number and not the same statement."""
    given(fixed("0.92")).when(fixed("0.920")).then("rate.fixed", {"rate": "0.920"})


def test_rates_are_fixed_ahead_and_back():
    book = given(fixed(), fixed("0.80", AHEAD))
    book.when(fixed("0.85", "2026-06-01")).then("rate.fixed", {"rate": "0.80"})
    book.when(fixed("0.80", "2027-06-01")).nothing()
    book.when(fixed("0.99", "2019-01-01")).then("rate.fixed", {"rate": "0.80"})
    book.when(retracted("rate-USD", 2)).then("event.retracted", {"rate": "0.85"})
    book.when(corrected("rate-USD", 3, {"base": "EUR", "rate": "0.86"})).then("event.corrected", {"rate": "0.86"})


@pytest.mark.parametrize("rate", ["0", "0.000", "-1", "1e3", ".5", "1.", "", "1 000", "1,5", "NaN", "٣"])
def test_a_rate_is_a_positive_decimal(rate):
    given().when(fixed(rate)).refused("bad_value")
    given(fixed()).when(corrected("rate-USD", 1, {"base": "EUR", "rate": rate})).refused("bad_value")


@pytest.mark.parametrize("rate", ["0.000000000001", "999999999999", "1", "0.0061"])
def test_a_rate_may_be_tiny_or_huge(rate):
    given().when(fixed(rate, currency="JPY")).then("rate.fixed", {"rate": rate})


@pytest.mark.parametrize("currency", ["XYZ", "usd", "EURO", ""])
def test_a_rate_is_that_of_a_currency(currency):
    given().when(fixed(currency=currency)).refused("bad_id")
    given().when(fixed(base=currency)).refused("bad_value", "base must be an ISO 4217 currency")
