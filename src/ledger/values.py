"""What a deal or quote is worth: value, margin, quantity and product lines that agree with each other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.errors import Refused
from ledger.events import Line, Money
from ledger.money import MAX_MINOR


class Worth(msgspec.Struct, frozen=True, gc=False):
    """Value, margin and quantity in force, and the lines that make the value up."""

    value: Money | None = None
    margin: Money | None = None
    quantity: str | None = None
    lines: list[Line] | None = None


def revalue(
    worth: Worth,
    *,
    value: Money | None,
    margin: Money | None,
    quantity: str | None = None,
    lines: list[Line] | None,
) -> Worth:
    """The worth after an event names some of it; lines give the value when it is not said.

    A new value without lines drops the lines. Raises `Refused` when sums or currencies disagree.
    """
    if lines is not None:
        total = total_of(lines)
        if value is not None and value != total:
            raise Refused(
                "lines_do_not_add_up",
                f"the lines add up to {total.minor} {total.currency}, the value says {value.minor} {value.currency}",
            )
        value = total
    elif value is None or value == worth.value:
        lines = worth.lines
    new = Worth(value or worth.value, margin or worth.margin, quantity or worth.quantity, lines)
    if new.value is not None and new.margin is not None and new.value.currency != new.margin.currency:
        raise Refused("mixed_currencies", "value and margin must be in one currency; give both")
    return new


def total_of(lines: Sequence[Line]) -> Money:
    """The sum of the lines' values. Raises `Refused` for lines in several currencies or beyond the largest amount."""
    currencies = {line.value.currency for line in lines} | {line.margin.currency for line in lines if line.margin}
    if len(currencies) > 1:
        raise Refused("mixed_currencies", f"the lines are in several currencies: {', '.join(sorted(currencies))}")
    total = sum(line.value.minor for line in lines)
    if total > MAX_MINOR:
        raise Refused("bad_value", f"the lines add up to {total}; at most {MAX_MINOR} minor units")
    return Money(currency=currencies.pop(), minor=total)
