"""Amounts as plain tuples until their line is written, and as the data of events have them."""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]
Amounts = tuple[str, int, int, int, tuple[tuple[str, str, int, int], ...]]
"""Currency, value, margin, total quantity or 0, and lines of product, quantity, value, margin, or none.

Plain tuples: hundreds of thousands of them wait for their day, and the garbage collector need not look into these.
"""


def rounded(amounts: Amounts) -> Amounts:
    """Only a round value and a margin, as somebody writes who has not made a list yet."""
    currency, value, margin, _, _ = amounts
    value = max(50_000, round(value, -5))
    return currency, value, min(value, max(0, round(margin, -4))), 0, ()


def without_lines(amounts: Amounts) -> Amounts:
    return amounts[0], amounts[1], amounts[2], 0, ()


def for_quote(amounts: Amounts) -> Amounts:
    """A quote has lines but no total quantity."""
    return amounts[0], amounts[1], amounts[2], 0, amounts[4]


def scaled(amounts: Amounts, value: int) -> Amounts:
    """The same lines at another sum, the last taking what rounding leaves."""
    currency, whole, margin, total, lines = amounts
    parts = [line[2] * value // whole for line in lines]
    if parts:
        parts[-1] += value - sum(parts)
    changed = tuple(
        (product, quantity, part, gain + part - old)
        for (product, quantity, old, gain), part in zip(lines, parts, strict=True)
    )
    return currency, value, margin + value - whole, total, changed


def as_data(amounts: Amounts) -> Data:
    """`value`, `margin`, and if there are lines `quantity` and `lines`, as events have them."""
    currency, value, margin, total, lines = amounts
    data: Data = {
        "value": {"minor": value, "currency": currency},
        "margin": {"minor": margin, "currency": currency},
    }
    if total:
        data["quantity"] = str(total)
    if lines:
        data["lines"] = [
            {
                "product": product,
                "quantity": quantity,
                "value": {"minor": line, "currency": currency},
                "margin": {"minor": gain, "currency": currency},
            }
            for product, quantity, line, gain in lines
        ]
    return data
