"""The other way to what customers bought and when they were active: each event of each stream, one instant at a time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ledger import events as e
from ledger.history import visible
from ledger.times import local_date
from tests.support.book import ZONE, GivenBook, eur, money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.codec import Recorded

FIRST_DAY = date(2024, 1, 1)
DAYS = 900
LAST = 1_090
"""In number of days since the first: those in which things begin, and the last on which anything happens."""


@dataclass(frozen=True)
class Win:
    """A sale: whose, when, and for how much in its own currency."""

    customer: str
    at: int
    minor: int
    currency: str
    stream: str


class PlainCustomers:
    """A book's events, asked about one pair."""

    def __init__(self, book: GivenBook, as_of: int, known_at: int) -> None:
        self.known_at = known_at
        self.as_of = min(as_of, known_at)
        self.streams: dict[str, list[Recorded]] = {}
        for event in book.ledger.feed(0, 100_000):
            self.streams.setdefault(event.stream, []).append(event)
        self.into = {stream[9:]: said.data.into for stream, said in self._all(e.CustomerMerged, self.as_of)}

    def survivor(self, customer: str) -> str:
        met: list[str] = []
        while customer in self.into and customer not in met:
            met.append(customer)
            customer = self.into[customer]
        return min(met[met.index(customer) :]) if customer in met else customer

    def wins(self, at: int) -> list[Win]:
        """The wins in force at an instant, of whom they are now."""
        sales = (self._win(stream, at) for stream in self.streams if stream.startswith(("deal-", "quote-")))
        return [win for win in sales if win is not None]

    def invoices(self, at: int) -> list[tuple[str, int]]:
        """Who was sent an invoice, and when."""
        found = []
        for stream in self.streams:
            customer = None
            for said in self._visible(stream, at):
                match said.data:
                    case e.DealOpened() | e.DealReclassified():
                        customer = said.data.customer or customer
                    case e.DealInvoiced() if customer is not None:
                        found.append((self.survivor(customer), said.effective_at))
                    case _:
                        pass
        return found

    def declared(self, at: int) -> dict[str, int]:
        """Who is declared lost, since when."""
        found: dict[str, int] = {}
        for stream in self.streams:
            since = None
            for said in self._visible(stream, at):
                if isinstance(said.data, e.CustomerChurned) and since is None:
                    since = said.effective_at
                elif isinstance(said.data, e.CustomerReactivated):
                    since = None
            if since is not None:
                customer = self.survivor(stream[9:])
                found[customer] = max(since, found.get(customer, since))
        return found

    def active(self, at: int, rule: str, lapse_after_days: int, wins: list[Win] | None = None) -> set[str]:
        """Who is active at an instant, by the wins in force then or those given."""
        invoices, declared = self.invoices(at), self.declared(at)
        wins = self.wins(at) if wins is None else [win for win in wins if win.at <= at]
        found = set()
        for customer in {win.customer for win in wins}:
            last_win = max(win.at for win in wins if win.customer == customer)
            last = max([last_win, *(when for whose, when in invoices if whose == customer)])
            lapsed = local_date(at, ZONE) > local_date(last, ZONE) + timedelta(days=lapse_after_days)
            lost = customer in declared and last_win <= declared[customer]
            if not ((lapsed and rule != "declared") or (lost and rule != "lapsed")):
                found.add(customer)
        return found

    def _win(self, stream: str, at: int) -> Win | None:
        customer: str | None = None
        value: Any = None
        deal = won_at = None
        for said in self._visible(stream, at):
            match said.data:
                case e.DealOpened() | e.QuoteIssued():
                    customer, value, deal = said.data.customer, said.data.value, getattr(said.data, "deal", None)
                case e.DealReclassified() if won_at is None:
                    customer = said.data.customer or customer
                case e.DealWon() | e.QuoteAccepted():
                    won_at, value = said.effective_at, getattr(said.data, "value", None) or value
                case e.DealReopened() | e.DealLost() | e.DealAbandoned():
                    won_at = None
                case _:
                    pass
        if won_at is None or customer is None or deal is not None:
            return None
        minor, currency = (0, "EUR") if value is None else (value.minor, value.currency)
        return Win(self.survivor(customer), won_at, minor, currency, stream)

    def _visible(self, stream: str, at: int) -> Iterator[Any]:
        return (said for said in visible(self.streams[stream], self.known_at) if said.effective_at <= at)

    def _all(self, kind: type[e.Event], at: int) -> Iterator[tuple[str, Any]]:
        for stream in self.streams:
            for said in self._visible(stream, at):
                if isinstance(said.data, kind):
                    yield stream, said


def random_book(book: GivenBook, seed: int, customers: int = 9, deals: int = 24) -> None:
    """A book in which everything happens that makes customers active or not, some of it recorded late or mistaken."""
    chance = random.Random(seed)

    def day(since: int = 0) -> int:
        return chance.randrange(since, DAYS)

    book.rate("USD", "2023-01-01", "0.9").rate("USD", "2025-03-01", "0.8").person("ana", "2023-01-01", "north")
    for number in range(customers):
        name, at = f"c{number}", _day(chance.randrange(60))
        book.customer(name, at, segment=chance.choice(["small", "large"]), owner=chance.choice(["ana", None]))
    for number in range(deals):
        opened = day()
        value = money(chance.randrange(1, 10_000), chance.choice(["EUR", "EUR", "USD"]))
        customer = f"c{chance.randrange(customers)}"
        if number % 8 == 0:
            book.quote(f"q{number}", _day(opened), value, customer=customer).accepted(f"q{number}", _day(opened + 3))
            continue
        deal, won = f"d{number}", opened + chance.randrange(40)
        book.deal(deal, _day(opened), value, customer=customer, margin=eur(7) if value["currency"] == "EUR" else None)
        late = _day(won + 200) if number % 5 == 0 else None
        book.won(deal, _day(won), recorded=late)
        match number % 6:
            case 1:
                book.say(f"deal-{deal}", "deal.invoiced", _day(won + day() // 3), invoice=deal, value=value)
            case 2:
                book.reopened(deal, _day(won + 150), recorded=late and _day(won + 210))
                if number % 4 == 0:
                    book.won(deal, _day(won + 260))
            case 3:
                book.retracted(f"deal-{deal}", 2, _day(won + 230))
            case _:
                pass
    for number in range(0, customers, 2):
        churned = 60 + day() // 2
        book.say(f"customer-c{number}", "customer.churned", _day(churned), reason="price")
        if number % 4 == 0:
            book.say(f"customer-c{number}", "customer.reactivated", _day(churned + 100))
    book.say("customer-c1", "customer.merged", _day(500), into="c2")
    book.say("customer-c3", "customer.merged", _day(700), into="c1")


def _day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=min(number, LAST))).isoformat()
