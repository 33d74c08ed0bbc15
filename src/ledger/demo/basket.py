"""What a deal or quote is about: product lines and the amounts that follow from them."""

from __future__ import annotations

from typing import Final

from ledger.demo.amounts import Amounts
from ledger.demo.calendar import Chance
from ledger.demo.catalogue import Catalogue, Offer

_PER_EURO: Final = {"EUR": 100, "USD": 108, "GBP": 87}
"""The price list abroad, in hundredths of the price at home."""

_TWO, _THREE, _FOUR = 0.3, 0.68, 0.9

Basket = list[tuple[Offer, int]]


def fill(chance: Chance, catalogue: Catalogue, kind: str, size: float) -> Basket:
    """One to four products, and how many of each; a renewal is about contracts."""
    offers = catalogue.contracts if kind == "renewal" else catalogue.offers
    draw = chance.random()
    count = 1 + (draw > _TWO) + (draw > _THREE) + (draw > _FOUR)
    if kind != "new_business":
        count = min(count, 2)
    start, step = chance.below(len(offers)), 1 + chance.below(len(offers) // 2)
    chosen = {(start + step * number) % len(offers) for number in range(count)}
    return [
        (offers[index], max(1, round(offers[index].usual * size * (0.5 + chance.random())))) for index in sorted(chosen)
    ]


def overstate(basket: Basket, factor: float) -> Basket:
    """The same basket as an optimist (or somebody cautious) first writes it."""
    return [(offer, max(1, round(quantity * factor))) for offer, quantity in basket]


def priced(basket: Basket, currency: str, discount_pc: int) -> Amounts:
    """What a basket comes to; the lines add up to the rest."""
    lines = []
    value = margin = total = 0
    abroad = _PER_EURO[currency]
    per_euro = abroad * (100 - discount_pc)
    for (product, price_minor, cost_minor, _), quantity in basket:
        line = quantity * price_minor * per_euro // 10_000
        gain = line - quantity * cost_minor * abroad // 100
        value += line
        margin += gain
        total += quantity
        lines.append((product, str(quantity), line, gain))
    return currency, value, margin, total, tuple(lines)
