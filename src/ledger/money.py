"""Exact arithmetic on integer minor units: rounding half to even, sharing by largest remainder."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache, lru_cache

MAX_MINOR = 10**12
"""The largest amount of one event, either way, in minor units (DESIGN 7)."""

BASIS_POINTS = 10_000
"""The whole, in the unit of probabilities and rates."""

E6 = 1_000_000
"""Quantities are kept as integer millionths."""


_NO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_FOUR_DECIMALS = frozenset("CLF UYW".split())


def decimals(currency: str) -> int:
    """How many decimals a currency has, after ISO 4217 list one (CLDR differs: it counts those in daily use).

    >>> [decimals(code) for code in ("EUR", "JPY", "TND")]
    [2, 0, 3]
    """
    if currency in _NO_DECIMALS:
        return 0
    if currency in _THREE_DECIMALS:
        return 3
    return 4 if currency in _FOUR_DECIMALS else 2


@cache
def is_currency(code: str) -> bool:
    """Whether ISO 4217 has, or had, the code (history is written in francs too)."""
    from babel.core import get_global  # noqa: PLC0415 (babel is slow to import, and rarely asked)

    return code in get_global("all_currencies")


def half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded to the nearest integer, ties to even; exact at any size.

    >>> [half_even(n, 2) for n in (1, 3, 5, -1, -3)]
    [0, 2, 2, 0, -2]
    """
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


def convert(minor: int, rate: Fraction) -> int:
    """An amount in minor units at a rate given in minor units per minor unit, rounded half to even."""
    return half_even(minor * rate.numerator, rate.denominator)


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Split an integer over weights by largest remainder; the parts add up to the total.

    Equal remainders go to the earlier part; all-zero weights share equally.

    >>> share(100, [1, 1, 1])
    [34, 33, 33]
    """
    if not weights:
        return []
    whole = sum(weights)
    if whole == total and whole:
        return list(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [total * weight // whole for weight in weights]
    if left := total - sum(parts):
        remainders = [total * weight % whole for weight in weights]
        for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:left]:
            parts[index] += 1
    return parts


@lru_cache(maxsize=4096)
def quantity_e6(text: str) -> int:
    """Millionths of a decimal string that has passed `ledger.checks`.

    >>> quantity_e6("2.5")
    2500000
    """
    whole, _, fraction = text.lstrip("-").partition(".")
    value = int(whole or "0") * E6 + int(fraction.ljust(6, "0") or "0")
    return -value if text.startswith("-") else value
