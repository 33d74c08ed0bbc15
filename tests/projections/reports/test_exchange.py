"""Open deals in many currencies, converted by the database or one by one, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import BASIS_POINTS, MAX_MINOR, half_even
from projections.reports.exchange import MAX_INTEGER, converted
from projections.reports.rates import MissingRate
from tests.support.book import eur, money

RATES = {
    "USD": ("0.9217", 0),
    "JPY": ("0.00615", -2),
    "TND": ("0.2965", 1),
    "GBP": ("1.000000000001", 0),  # too fine for large amounts
    "BRL": ("0.5", 0),  # every odd amount is a tie
    "XAU": ("999999999999.9", 0),
}
"""What one unit is worth, and by how many decimals the currency differs from the euro."""


def worth(minor: int, currency: str, chance_bp: int = BASIS_POINTS, *, to: int = 1) -> int:
    """In minor units of a currency of which so many make a euro."""
    rate, decimals = RATES.get(currency, ("1", 0))
    exact = to * minor * Fraction(rate) / Fraction(10) ** decimals * Fraction(chance_bp, BASIS_POINTS)
    return half_even(*exact.as_integer_ratio())


@pytest.mark.parametrize("seed", range(3))
def test_open_deals_in_many_currencies_come_out_to_the_cent(book, seed):
    random = Random(seed)
    for currency, (rate, _) in RATES.items():
        book.rate(currency, "2025-01-01", rate)
    told = []
    for number in range(60):
        currency = random.choice([*RATES, "EUR"])
        value = random.choice((random.randrange(1_000), random.randrange(10**8), MAX_MINOR - number))
        margin = random.choice((None, -value // 3, value // 7))
        chance_bp = random.randrange(BASIS_POINTS + 1)
        book.deal(
            f"d{number}",
            "2026-01-05",
            money(value, currency),
            margin=None if margin is None else money(margin, currency),
        )
        book.say(f"deal-d{number}", "deal.probability_set", "2026-01-06", probability_bp=chance_bp)
        told.append((value, margin, currency, chance_bp))
    found = book.totals("forecast", as_of="2026-03-31")
    assert found["deals"] == len(told)
    assert found["amount_minor"] == sum(worth(value, currency) for value, _, currency, _ in told)
    assert found["margin_minor"] == sum(worth(margin or 0, currency) for _, margin, currency, _ in told)
    assert found["weighted_minor"] == sum(worth(value, currency, bp) for value, _, currency, bp in told)
    assert found["weighted_margin_minor"] == sum(worth(margin or 0, currency, bp) for _, margin, currency, bp in told)
    in_reais = book.totals("pipeline", as_of="2026-03-31", currency="BRL")
    assert in_reais["amount_minor"] == sum(worth(value, currency, to=2) for value, _, currency, _ in told)


def test_a_currency_that_nothing_converts_is_named(book):
    book.rate("USD", "2025-01-01", "0.9").deal("d1", "2026-01-05", money(100, "USD")).deal("d2", "2026-01-05", eur(5))
    assert book.totals("pipeline", as_of="2026-03-31")["amount_minor"] == 95
    book.deal("d3", "2026-01-05", money(100, "CHF"))
    with pytest.raises(Exception, match=r"no exchange rate from CHF to EUR .* rate-CHF with base EUR"):
        book.totals("pipeline", as_of="2026-03-31")


def test_of_several_missing_rates_the_earliest_is_named(book):
    for number, (currency, day) in enumerate((("USD", "2026-03-03"), ("CHF", "2026-02-02"), ("USD", "2026-02-04"))):
        book.deal(f"d{number}", "2026-01-05", money(100, currency), owner="bca"[number]).won(f"d{number}", day)
    book.deal("e", "2026-01-05", money(100, "GBP")).lost("e", "2026-02-01")
    whole, of_wins = r"from GBP to EUR on 2026-02-01", r"from CHF to EUR on 2026-02-02"
    for report, by, earliest in (("win_rate", "", whole), ("sales", "owner", of_wins), ("sales", "product", of_wins)):
        with pytest.raises(MissingRate, match=earliest):
            book.report(report, by=by, period="2026")
        with pytest.raises(MissingRate, match=earliest):
            book.explained(report, by=by, period="2026")
    changes = {"from": "2026-01-31", "to": "2026-03-31"}
    with pytest.raises(MissingRate, match="from CHF to EUR on 2026-01-31"):
        book.report("pipeline_changes", **changes)


def test_of_a_rate_through_the_book_s_currency_the_missing_part_is_named(book):
    """Fixing the other part anew, to a base of its own, would take the book's currency its rate."""
    book.rate("USD", "2025-01-01", "0.9").deal("d", "2026-01-05", money(100, "USD"))
    with pytest.raises(Exception, match=r"from USD to GBP on .* append rate.fixed to rate-GBP with base EUR"):
        book.report("pipeline", currency="GBP")
    assert book.rate("GBP", "2025-01-01", "1.2").totals("pipeline", currency="GBP")["amount_minor"] == 75


@given(st.fractions(min_value=Fraction(1, 10**15), max_value=10**15))
def test_what_is_converted_where_it_lies_fits_in_64_bits(factor):
    for _, over, under, most in converted(SimpleNamespace(factors=lambda _: {"USD": factor}), 0):  # type: ignore[arg-type]
        assert Fraction(over, under) == factor
        assert under % 2 == 0
        assert most * over * BASIS_POINTS + under * BASIS_POINTS <= MAX_INTEGER
        assert most * factor <= MAX_MINOR
