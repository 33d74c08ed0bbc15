"""Customers: leads that come in, contacts, who looks after them, duplicates that are merged, some that leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from ledger.demo import words
from ledger.demo.agenda import Agenda
from ledger.demo.amounts import Data
from ledger.demo.calendar import HOUR_US, MINUTE_US, Calendar, Chance
from ledger.demo.people import People, Rep
from ledger.demo.teams import Place, places

CHANNELS: Final = ("salon", "web", "recommandation", "prospection", "partenaire", "telephone")
_SEGMENTS: Final = ("pme", "pme", "eti", "eti", "grand-compte", "public")
_INDUSTRIES: Final = ("industrie", "agroalimentaire", "tertiaire", "sante", "hotellerie", "logistique", "collectivites")
_ROLES: Final = ("buyer", "technical", "director", "finance", "energy_manager")
_SIZES: Final = {"pme": 0.7, "eti": 1.1, "grand-compte": 1.9, "public": 1.2}
_CHANGES_A_DAY: Final = 0.002
"""How often something is noted about a customer that has nothing to do with a deal."""

_ALREADY_CUSTOMERS: Final = 0.3
"""Share of all customers that the company had when it opened its book."""


@dataclass(slots=True, eq=False)
class Customer:
    """What the generator remembers of a customer; `size` multiplies what it buys."""

    id: str
    name: str
    kind: str
    place: Place
    size: float
    owner: Rep
    data: Data
    contacts: int = 0
    last_contact_gone: bool = False
    kept_on: int = -1
    survivor: Customer | None = None
    churned: bool = False
    busy_until: int = 0

    def remaining(self) -> Customer:
        """Whoever it was merged into, by way of others perhaps; else itself."""
        customer = self
        while customer.survivor is not None:
            customer = customer.survivor
        return customer


class Customers:
    """Everybody who may buy, in the order in which they came."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance, people: People, total: int) -> None:
        self._agenda, self._calendar, self._chance, self._people = agenda, calendar, chance, people
        self._all: list[Customer] = []
        self._fresh: list[Customer] = []
        self._dull = 0.0
        night = calendar.midnight[0] + 7 * HOUR_US
        existing = max(5, round(total * _ALREADY_CUSTOMERS))
        self.to_come = max(0, total - existing)
        for number in range(existing):
            kind = "customer" if chance.random() < 0.7 else "prospect"
            self._register(night + number * (40 * MINUTE_US // existing), kind)

    def arrive(self, day: int, count: int) -> None:
        """New leads on a day; a few are companies that are already there, entered again."""
        chance, calendar = self._chance, self._calendar
        for _ in range(count):
            at = calendar.morning[day] + int(chance.random() * 9 * HOUR_US)
            if chance.random() < 0.03:
                self._duplicate(at, day)
            else:
                self._fresh.append(self._register(at, "lead" if chance.random() < 0.75 else "prospect"))

    def pick(self, day: int, *, known: bool) -> Customer:
        """Who opens a deal today: a new lead where there is one, else somebody `known`, the older the likelier."""
        chance = self._chance
        if self._fresh and not known:
            index = int(chance.random() ** 2 * len(self._fresh))
            self._fresh[index], self._fresh[-1] = self._fresh[-1], self._fresh[index]
            customer = self._fresh.pop()
        else:
            customer = self._all[int(chance.random() ** 1.4 * len(self._all))]
        customer = customer.remaining()
        if customer.churned:
            customer.churned = False
            self._agenda.put(f"customer-{customer.id}", "customer.reactivated", {}, self._morning(day) + 3 * HOUR_US)
        if customer.kind == "lead":
            self._become(customer, "prospect", self._morning(day) + 4 * HOUR_US)
        customer.busy_until = max(customer.busy_until, day + 200)
        return customer

    def won(self, customer: Customer, day: int, recorded_at: int) -> None:
        """A win makes a customer, on the day it is recorded."""
        self._agenda.call(day, partial(self._after_win, customer, day, recorded_at))

    def open(self, day: int, leavers: list[Rep]) -> None:
        """The day's changes: leavers' customers are handed over, some contacts come and go, some customers leave."""
        for rep in leavers:
            self._hand_over(rep, day)
        self._dull += len(self._all) * _CHANGES_A_DAY
        while self._dull >= 1:
            self._dull -= 1
            customer = self._all[self._chance.below(len(self._all))]
            if customer.survivor is None and self._calendar.workday[day] == day and customer.kept_on != day:
                customer.kept_on = day  # a second change of the same morning might come before the first
                self._housekeeping(customer, day)

    def _morning(self, day: int) -> int:
        return self._calendar.morning[day] + self._chance.below(10 * MINUTE_US)

    def _become(self, customer: Customer, kind: str, at: int) -> None:
        customer.kind = kind
        self._agenda.put(f"customer-{customer.id}", "customer.qualified", {"kind": kind}, at)

    def _after_win(self, customer: Customer, day: int, recorded_at: int) -> None:
        customer = customer.remaining()
        if customer.kind != "customer":
            self._become(customer, "customer", recorded_at + MINUTE_US)
        customer.busy_until = max(customer.busy_until, day + 200)

    def _register(self, at: int, kind: str) -> Customer:
        chance = self._chance
        owner = self._people.somebody()
        territory = places(owner.team)
        place = territory[int(chance.random() ** 1.3 * len(territory))]
        private = chance.random() < 0.02
        name = " ".join(words.person(chance)) if private else words.organisation(chance)
        segment = "pme" if private else _SEGMENTS[chance.below(6)]
        data: Data = {"name": name, "kind": kind, "country": place.country, "segment": segment, "owner": owner.id}
        if private:
            data["person"] = True
        if place.region is not None:
            data["region"] = place.region
        if chance.random() < 0.9:
            data["industry"] = _INDUSTRIES[int(chance.random() ** 1.3 * 7)]
        if chance.random() < 0.85:
            data["channel"] = CHANNELS[chance.below(6)]
        size = _SIZES[segment] * 2.0 ** (0.6 * chance.normal())
        customer = Customer(f"c{len(self._all) + 1:05d}", name, kind, place, size, owner, data)
        self._enter(customer, at)
        return customer

    def _enter(self, customer: Customer, at: int) -> None:
        self._all.append(customer)
        customer.owner.customers.append(customer)
        self._agenda.put(f"customer-{customer.id}", "customer.registered", customer.data, at)
        if "person" not in customer.data:
            for _ in range(1 + (self._chance.random() < 0.6)):
                at += MINUTE_US
                self._add_contact(customer, at)

    def _add_contact(self, customer: Customer, at: int) -> None:
        chance = self._chance
        customer.contacts += 1
        customer.last_contact_gone = False
        first, last = words.person(chance)
        data: Data = {
            "contact": f"{customer.id}-{customer.contacts}",
            "name": f"{first} {last}",
            "email": words.email(first, last, words.domain_of(customer.name)),
            "role": _ROLES[chance.below(5)],
        }
        if chance.random() < 0.6:
            data["phone"] = words.phone(chance)
        self._agenda.put(f"customer-{customer.id}", "contact.added", data, at)

    def _duplicate(self, at: int, day: int) -> None:
        """A colleague registers a known company again; weeks later the two are merged."""
        original = self._all[self._chance.below(len(self._all))]
        if original.survivor is not None or "person" in original.data:
            return
        data = original.data | {"name": words.respelt(original.name), "kind": "lead"}
        owner = self._people.colleague(original.owner)
        data["owner"] = owner.id
        copy = Customer(f"c{len(self._all) + 1:05d}", data["name"], "lead", original.place, original.size, owner, data)
        self._enter(copy, at)
        self._fresh.append(copy)
        merged = self._calendar.workday[day + 10 + self._chance.below(70)]
        self._agenda.call(merged, partial(self._merge, copy, original, merged))

    def _merge(self, copy: Customer, original: Customer, day: int) -> None:
        if original.survivor is None:
            copy.survivor = original
            at = self._calendar.morning[day] + 14 * HOUR_US + self._chance.below(30 * MINUTE_US)
            self._agenda.put(f"customer-{copy.id}", "customer.merged", {"into": original.id}, at)

    def _hand_over(self, rep: Rep, day: int) -> None:
        for customer in rep.customers:
            if customer.survivor is None and customer.owner is rep:
                customer.owner = rep.standing_in(day)
                customer.owner.customers.append(customer)
                at = self._morning(day) + HOUR_US
                self._agenda.put(f"customer-{customer.id}", "customer.assigned", {"owner": customer.owner.id}, at)
        rep.customers.clear()

    def _housekeeping(self, customer: Customer, day: int) -> None:
        stream, chance = f"customer-{customer.id}", self._chance
        at = self._morning(day) + 2 * HOUR_US
        draw = chance.random()
        if draw < 0.3 and customer.contacts:
            self._agenda.put(
                stream, "contact.changed", {"contact": f"{customer.id}-1", "phone": words.phone(chance)}, at
            )
        elif draw < 0.45 and "person" not in customer.data:
            self._add_contact(customer, at)
        elif draw < 0.55 and customer.contacts > 1 and not customer.last_contact_gone:
            data = {"contact": f"{customer.id}-{customer.contacts}"}
            self._agenda.put(stream, "contact.removed", data, at)
            customer.last_contact_gone = True
        elif draw < 0.75:
            data = {"segment": _SEGMENTS[chance.below(6)], "industry": _INDUSTRIES[chance.below(7)]}
            self._agenda.put(stream, "customer.reclassified", data, at)
        elif draw < 0.8 and "person" not in customer.data:
            customer.name = words.organisation(chance)
            self._agenda.put(stream, "customer.renamed", {"name": customer.name}, at)
        elif customer.kind == "customer" and not customer.churned and customer.busy_until < day:
            customer.churned = True
            reason = ("price", "competitor", "closure", "no_need")[chance.below(4)]
            self._agenda.put(stream, "customer.churned", {"reason": reason}, at)
