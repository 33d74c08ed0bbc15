"""Exact arithmetic on money and quantities."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import convert, decimals, half_even, is_currency, quantity_e6, share

AMOUNTS = st.integers(-(10**15), 10**15)


@given(AMOUNTS, st.integers(1, 10**12))
def test_division_rounds_half_to_even_as_decimal_does(numerator, denominator):
    with localcontext(prec=60):
        exact = Fraction(numerator, denominator)
        found = half_even(numerator, denominator)
        assert abs(found - exact) <= Fraction(1, 2)
        if abs(found - exact) == Fraction(1, 2):
            assert found % 2 == 0


@given(AMOUNTS)
def test_ties_go_to_the_even_neighbour(amount):
    assert half_even(amount, 2) == int((Decimal(amount) / 2).quantize(Decimal(1), ROUND_HALF_EVEN))


@given(AMOUNTS, st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**6))
def test_conversion_is_exact_until_it_is_rounded(minor, rate):
    assert abs(convert(minor, rate) - minor * rate) <= Fraction(1, 2)
    assert convert(minor, Fraction(1)) == minor


@given(AMOUNTS, st.lists(st.integers(0, 10**9), max_size=20))
def test_parts_add_up_and_none_is_off_by_a_whole_unit(total, weights):
    parts = share(total, weights)
    assert len(parts) == len(weights)
    if weights:
        assert sum(parts) == total
        whole = sum(weights)
        for part, weight in zip(parts, weights, strict=True):
            exact = Fraction(total * weight, whole) if whole else Fraction(total, len(weights))
            assert abs(part - exact) < 1


def test_the_largest_remainder_goes_first_and_the_earlier_part_before_the_later():
    assert share(100, [1, 1, 1]) == [34, 33, 33]
    assert share(10, [1, 2, 3]) == [2, 3, 5]
    assert share(-100, [1, 1, 1]) == [-33, -33, -34]
    assert share(7, [0, 0]) == [4, 3]
    assert share(0, [5]) == [0]
    assert share(5, []) == []


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**6 - 1))
def test_quantities_are_millionths(whole, millionths):
    assert quantity_e6(f"{whole}.{millionths:06}") == whole * 10**6 + millionths
    assert quantity_e6(str(whole)) == whole * 10**6
    assert quantity_e6(f"{whole}.5") == whole * 10**6 + 500_000


@pytest.mark.parametrize(("currency", "wanted"), [("EUR", 2), ("JPY", 0), ("TND", 3), ("CLF", 4), ("ISK", 0)])
def test_currencies_have_their_own_decimals(currency, wanted):
    assert decimals(currency) == wanted


def test_currencies_are_those_of_iso_4217_past_ones_too():
    assert all(map(is_currency, ("EUR", "USD", "FRF")))
    assert not any(map(is_currency, ("EUX", "eur", "", "€")))
