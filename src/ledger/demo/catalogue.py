"""What the company sells: four ranges, prices that change every January, a model that replaces another."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.demo.agenda import Agenda
from ledger.demo.amounts import Data
from ledger.demo.calendar import HOUR_US, MINUTE_US, Calendar, Chance, new_years


class Offer(NamedTuple):
    """A product as sold on a day: unit price and cost in euro cents, and how many a usual deal takes."""

    product: str
    price_minor: int
    cost_minor: int
    usual: int


_PRODUCTS: Final = (
    # id, name, range, price in euros, cost as a share of the price, usual quantity, from, until (fractions of history)
    ("cap-100", "Capteur de température Alizé 100", "capteurs", 189, 0.52, 24, 0.0, 0.62),
    ("cap-200", "Capteur multi-mesures Alizé 200", "capteurs", 329, 0.5, 18, 0.0, 1.0),
    ("cap-300", "Capteur sans fil Alizé 300", "capteurs", 249, 0.46, 26, 0.55, 1.0),
    ("cpt-10", "Compteur communicant Relève 10", "capteurs", 460, 0.55, 10, 0.0, 1.0),
    ("pas-5", "Passerelle radio Balise 5", "capteurs", 1_150, 0.48, 3, 0.0, 1.0),
    ("log-site", "Licence Horizon par site", "logiciels", 2_400, 0.14, 4, 0.0, 1.0),
    ("log-poste", "Licence Horizon par poste", "logiciels", 420, 0.12, 16, 0.0, 1.0),
    ("log-prev", "Module Prévision", "logiciels", 5_800, 0.15, 1, 0.3, 1.0),
    ("srv-audit", "Audit énergétique (jour)", "services", 1_080, 0.62, 6, 0.0, 1.0),
    ("srv-pose", "Installation (jour)", "services", 780, 0.7, 8, 0.0, 1.0),
    ("srv-form", "Formation (jour)", "services", 1_240, 0.5, 3, 0.0, 1.0),
    ("mnt-base", "Maintenance Essentielle (an)", "maintenance", 1_900, 0.35, 3, 0.0, 1.0),
    ("mnt-plus", "Maintenance Sérénité (an)", "maintenance", 3_900, 0.38, 3, 0.0, 1.0),
)
_MAINTENANCE: Final = ("mnt-", "log-")
_CUSTOM = ("srv-mesure", "Étude sur mesure", "services")


class Catalogue:
    """What is on sale today."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance) -> None:
        self._changes: dict[int, list[tuple[int, Offer | None]]] = {}
        self._on_sale: dict[int, Offer] = {}
        self._calendar, self._chance = calendar, chance
        for index, product in enumerate(_PRODUCTS):
            self._plan(agenda, index, product)
        name, kind = _CUSTOM[1:]
        start = calendar.midnight[0] + 6 * HOUR_US + 30 * MINUTE_US
        agenda.put(
            f"product-{_CUSTOM[0]}", "product.listed", {"name": name, "range": kind}, calendar.midnight[0], start
        )
        self.offers: list[Offer] = []
        self.contracts: list[Offer] = []
        self.open(0)

    def _plan(self, agenda: Agenda, index: int, product: tuple[str, str, str, int, float, int, float, float]) -> None:
        identity, name, kind, euros, cost_share, usual, start, end = product
        stream, calendar = f"product-{identity}", self._calendar
        listed = calendar.share(start) if start else 0
        retired = calendar.share(end) if end < 1 else None
        price = euros * 100
        offer = Offer(identity, price, round(price * cost_share), usual)
        listing = {"name": name, "range": kind} | _prices(offer)
        known = calendar.midnight[listed] + 6 * HOUR_US + (30 + index) * MINUTE_US
        agenda.put(stream, "product.listed", listing, calendar.midnight[listed], known)
        self._changes.setdefault(listed, []).append((index, offer))
        for day in new_years(calendar):
            if day > listed + 100 and (retired is None or day < retired):
                price = round(price * (1.01 + 0.04 * self._chance.random()) / 100) * 100
                offer = Offer(identity, price, round(price * cost_share), usual)
                decided = calendar.morning[calendar.workday[max(day - 20, 1)]] + (60 + index) * MINUTE_US
                agenda.put(stream, "product.changed", _prices(offer), calendar.midnight[day], decided)
                self._changes.setdefault(day, []).append((index, offer))
        if retired is not None:
            agenda.put(stream, "product.retired", {}, calendar.morning[retired] + HOUR_US)
            self._changes.setdefault(retired, []).append((index, None))

    def open(self, day: int) -> None:
        """Bring prices and what is on sale up to a day; days come in order."""
        changes = self._changes.pop(day, None)
        if changes is None:
            return
        for index, offer in changes:
            if offer is None:
                del self._on_sale[index]
            else:
                self._on_sale[index] = offer
        self.offers = [self._on_sale[index] for index in sorted(self._on_sale)]
        self.contracts = [offer for offer in self.offers if offer.product.startswith(_MAINTENANCE)]


def _prices(offer: Offer) -> Data:
    return {
        "unit_price": {"minor": offer.price_minor, "currency": "EUR"},
        "unit_cost": {"minor": offer.cost_minor, "currency": "EUR"},
    }
