"""Which deals come in: whose, for whom and about what; and the ones that were entered twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.demo import basket, mishaps, outcome, words
from ledger.demo.agenda import AMOUNTS, DATA, TYPE
from ledger.demo.calendar import MINUTE_US
from ledger.demo.customers import CHANNELS
from ledger.demo.deal import Deal
from ledger.demo.life import Life
from ledger.demo.quotes import Quotes
from ledger.times import DAY_US

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Data
    from ledger.demo.calendar import Calendar, Chance
    from ledger.demo.catalogue import Catalogue
    from ledger.demo.company import Pipeline
    from ledger.demo.customers import Customer, Customers
    from ledger.demo.people import People, Rep
    from ledger.demo.sequel import Sequel

_TWICE: Final = 0.022
"""Share of deals that somebody enters a second time."""

_VALUE_SCALE: Final = 2.3


class Deals:
    """Opens deals day by day and tells each one's whole life."""

    def __init__(
        self,
        agenda: Agenda,
        calendar: Calendar,
        chance: Chance,
        *,
        catalogue: Catalogue,
        people: People,
        customers: Customers,
        pipelines: tuple[Pipeline, Pipeline],
        sequel: Sequel,
        total: int,
    ) -> None:
        self._agenda, self._calendar, self._chance = agenda, calendar, chance
        self._catalogue, self._people, self._customers, self._pipelines = catalogue, people, customers, pipelines
        self.quotes = Quotes(agenda, calendar, chance)
        self._sequel = sequel
        self._total, self._opened, self._due = total, 0, 0

    def arrive(self, day: int, count: int, *, backlog: bool = False) -> None:
        """Open a day's deals; duplicates count, so that there are as many deals as were asked for."""
        self._due += count
        while self._opened < self._due:
            head_start = 0.75 * self._chance.random() if backlog and self._chance.random() < 0.8 else 0.0
            deal = self._open(day, head_start)
            if self._opened < self._total and day + 12 < self._calendar.last and self._chance.random() < _TWICE:
                self._enter_twice(deal, day)

    def _open(self, day: int, head_start: float) -> Deal:
        chance, calendar = self._chance, self._calendar
        customer = self._customers.pick(day, known=chance.random() < 0.5)
        owner = self._owner(customer, day)
        kind = self._kind(customer)
        pipeline = self._pipelines[kind == "renewal"]
        size = customer.size * 2.0 ** (0.7 * chance.normal()) * _VALUE_SCALE
        ending = outcome.decide(
            calendar,
            chance,
            owner,
            kind=kind,
            size=size,
            loyal=customer.kind == "customer",
            stages=len(pipeline.stages),
            day=day,
        )
        self._opened += 1
        deal = Deal(
            self._opened,
            self._agenda,
            calendar,
            chance,
            customer=customer,
            owner=owner,
            pipeline=pipeline,
            kind=kind,
            wanted=basket.fill(chance, self._catalogue, kind, size),
            outcome=ending,
            start=day,
            head_start=head_start,
        )
        opened = mishaps.open_deal(deal)
        self._tell_more(opened[DATA], day)
        if chance.random() < 0.12:
            mishaps.small_changes(deal, self._people.colleague(owner).id, words.title(chance, kind))
        deal.walk()
        self._end(deal)
        self._sequel.of(deal)
        deal.tell()
        return deal

    def _end(self, deal: Deal) -> None:
        ending = deal.outcome.ending
        if deal.recorded_at <= self._calendar.until:
            if ending == "abandoned":
                deal.abandon(deal.outcome.close_day)
            else:
                mishaps.win_too_soon(deal)
                won = ending == "won"
                closed = mishaps.win(deal, self._calendar) if won else deal.lose(deal.outcome.close_day)
                if mishaps.reopen(deal, closed, self._calendar) and deal.events[-1][TYPE] == "deal.won":
                    self._customers.won(deal.customer, deal.day_of_record(), deal.recorded_at)
        if deal.proposed is not None:
            self.quotes.for_deal(deal, ending)

    def _owner(self, customer: Customer, day: int) -> Rep:
        owner = customer.owner.standing_in(day)
        return self._people.colleague(owner) if self._chance.random() < 0.06 else owner

    def _kind(self, customer: Customer) -> str:
        draw = self._chance.random()
        if customer.kind != "customer" or draw < 0.45:
            return "new_business"
        return "extension" if draw < 0.75 else "renewal"

    def _tell_more(self, data: Data, day: int) -> None:
        """Where the deal came from, when that is not as for its customer."""
        draw = self._chance.random()
        if draw < 0.25:
            data["channel"] = CHANNELS[self._chance.below(6)]
        elif draw < 0.4:
            opened = self._calendar.dates[day]
            season = "printemps" if opened.month < 7 else "automne"
            data["channel"], data["campaign"] = "salon", f"salon-{opened.year}-{season}"
        if draw > 0.96:
            data["country"], data["region"] = "FR", "FR-COR"

    def _enter_twice(self, original: Deal, day: int) -> None:
        """A colleague enters the same thing: found out at once and retracted, or later and merged."""
        self._opened += 1
        chance, calendar = self._chance, self._calendar
        again = day + 1 + chance.below(8)
        copy = Life(f"deal-{self._opened}", self._agenda, calendar, chance)
        data = original.events[0][DATA] | {"owner": self._people.colleague(original.owner).id}
        data["pipeline"], data["stage"] = original.pipeline.name, original.pipeline.stages[0]
        opened = copy.say(again, "deal.opened", data, original.events[0][AMOUNTS])
        if chance.random() < 0.5:
            undone_at = opened[0] + MINUTE_US + int(6 * chance.random() * DAY_US)
            copy.fix(opened, undone_at, "event.retracted", {"reason": "entered_twice"})
        else:
            copy.say(again + 6 + chance.below(30), "deal.merged", {"into": str(original.number)})
        copy.tell()
