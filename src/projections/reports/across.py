"""What a row is among the others: its share of the whole, its rank."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from projections.reports.definition import Exact, Key, Sums


def tell_shares(rows: Mapping[Key, Sums], totals: Sums, of: str) -> None:
    """Tell each row, and the totals, the `share` of a sum that is theirs; none of a whole that is not positive or known."""
    whole = totals[of] or 0
    for sums in (*rows.values(), totals):
        sums["share"] = Fraction(sums[of], whole) if whole > 0 and sums[of] is not None else None


def tell_ranks(rows: Iterable[Sums], by: Callable[[Sums], Exact]) -> None:
    """Tell each row its `rank`, 1 for the greatest; equal ones share theirs, and the next are as many places down."""
    found = list(rows)
    above = sorted((value for sums in found if (value := by(sums)) is not None), reverse=True)
    first: dict[Exact, int] = {}
    for place, value in enumerate(above, start=1):
        first.setdefault(value, place)
    for sums in found:
        sums["rank"] = first.get(by(sums))
