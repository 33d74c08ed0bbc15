"""How figures spread: quantiles and means, exact; durations in days."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ledger.money import E6
from ledger.times import DAY_US

if TYPE_CHECKING:
    from collections.abc import Sequence

MEDIAN, P90 = Fraction(1, 2), Fraction(9, 10)


def quantile(values: Sequence[int | Fraction], level: Fraction) -> Fraction | None:
    """The value below which that part of the values lies, between two neighbours in proportion; none of no values.

    >>> quantile([1, 2, 10], MEDIAN), quantile([0, 10], P90), quantile([], MEDIAN)
    (Fraction(2, 1), Fraction(9, 1), None)
    """
    if not values:
        return None
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def mean(values: Sequence[int]) -> Fraction | None:
    return Fraction(sum(values), len(values)) if values else None


def days(duration_us: Fraction | int | None) -> Fraction | None:
    """A duration in microseconds as millionths of days of 24 hours, as columns of quantities take them."""
    return None if duration_us is None else Fraction(duration_us) * E6 / DAY_US
