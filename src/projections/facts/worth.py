"""What a deal or quote is worth, as integers, with product lines that add up to it.

Where lines are given they are authoritative for what they say; the deal's value, margin and quantity are what people
said of the whole, or else the lines' sums. What the lines leave unexplained stands on a line of product null, so that
a report by product adds up to the same total as one by anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.money import quantity_e6, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Line, Money
    from projections.rectangle import Payloads


class Worth(msgspec.Struct, frozen=True, gc=False):
    """Amounts in minor units of `currency`, quantity in millionths; None is unknown, never 0.

    `said` are the lines as given; `lines` the payloads `line_no, product, value_minor, margin_minor, quantity_e6,
    currency`.
    """

    value_minor: int | None = None
    margin_minor: int | None = None
    quantity_e6: int | None = None
    currency: str | None = None
    said: tuple[Line, ...] = ()
    lines: Payloads = ()


NOTHING = Worth()


def revalue(
    before: Worth,
    value: Money | None,
    margin: Money | None,
    quantity: str | None,
    lines: Sequence[Line] | None,
    *,
    keep_lines: bool = False,
) -> Worth:
    """The worth after an event that names some of it; what it does not name stays.

    Another value without lines drops the lines, unless `keep_lines` (winning): then the difference is a line of
    product null. An amount in another currency than the new value's is no longer known.
    """
    if lines is None:
        if value is None and margin is None and quantity is None:
            return before
        said = before.said
        if value is not None and (
            value.currency != before.currency or (value.minor != before.value_minor and not keep_lines)
        ):
            said = ()
    else:
        said = tuple(lines)
    if lines and value is None:
        value_minor: int | None = sum([line.value.minor for line in lines])
        currency: str | None = lines[0].value.currency
    elif value is not None:
        value_minor, currency = value.minor, value.currency
    else:
        value_minor, currency = before.value_minor, before.currency
    if currency is None and margin is not None:
        currency = margin.currency
    margin_minor = before.margin_minor if currency == before.currency else None
    if margin is not None:
        margin_minor = margin.minor if margin.currency == currency else None
    elif lines:
        margins = [line.margin.minor for line in lines if line.margin is not None]
        margin_minor = sum(margins) if len(margins) == len(lines) else margin_minor
    if quantity is not None:
        total: int | None = quantity_e6(quantity)
    else:
        total = sum([quantity_e6(line.quantity) for line in lines]) if lines else before.quantity_e6
    laid = _lines(said, value_minor, margin_minor, total, currency) if said else ()
    return Worth(value_minor, margin_minor, total, currency, said, laid)


def _lines(
    said: tuple[Line, ...], value: int | None, margin: int | None, quantity: int | None, currency: str | None
) -> Payloads:
    products = [line.product for line in said]
    values = [line.value.minor for line in said]
    margins = [None if line.margin is None else line.margin.minor for line in said]
    quantities = [quantity_e6(line.quantity) for line in said]
    value_left = 0 if value is None else value - sum(values)
    quantity_left = 0 if quantity is None else quantity - sum(quantities)
    known = [each for each in margins if each is not None]
    margin_left = 0 if margin is None else margin - sum(known)
    shared = len(known) < len(margins)
    if value_left or quantity_left or (margin_left and not shared):
        products.append(None)
        values.append(value_left)
        quantities.append(quantity_left)
        margins.append(None if shared else margin_left)
    if shared and margin is not None:
        open_lines = [index for index, each in enumerate(margins) if each is None]
        parts = share(margin_left, [max(values[index], 0) for index in open_lines])
        for index, part in zip(open_lines, parts, strict=True):
            margins[index] = part
    count = len(products)
    return tuple(zip(range(1, count + 1), products, values, margins, quantities, [currency] * count, strict=True))
