"""A believable company's history, as event lines for `sales-ledger append --history`.

Lumérys Énergie sells sensors, software and services for the energy of buildings, from a French head office. Each part
of the company is a module here; a new kind of event is a new module that `_days` lets act on its day.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from ledger.demo.aftersale import AfterSale
from ledger.demo.agenda import Agenda
from ledger.demo.calendar import Calendar, Chance
from ledger.demo.catalogue import Catalogue
from ledger.demo.company import fix_rates, found
from ledger.demo.customers import Customers
from ledger.demo.deals import Deals
from ledger.demo.forecasts import Forecasts
from ledger.demo.marketing import Marketing
from ledger.demo.objectives import Objectives
from ledger.demo.people import People
from ledger.demo.sequel import Sequel
from ledger.demo.talks import Talks
from ledger.demo.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_YEARS = 30
_GROWTH = 0.13
_BACKLOG_DAYS = 55
_QUOTES_ALONE = 0.09
"""Quotes without a deal, per deal."""


def history(*, deals: int = 2000, years: int = 3, seed: int = 7, until: int) -> Iterator[dict[str, Any]]:
    """Event lines of `deals` deals over the `years` before `until` (microseconds since 1970), by `recorded_at`.

    The same arguments give the same lines. Every line is legal when appended in this order; none is recorded after
    `until`. Lines may share parts of their data: read them, do not change them. Raises `ValueError`.
    """
    if deals < 0 or not 1 <= years <= MAX_YEARS:
        raise ValueError(f"a history has 0 or more deals and 1 to {MAX_YEARS} years")
    rng, beside = Random(seed), Random(f"beside {seed}")  # noqa: S311 (a story, not a secret)
    return _days(Calendar(until, years), rng, Chance(beside), deals)


def _days(calendar: Calendar, rng: Random, beside: Chance, total: int) -> Iterator[dict[str, Any]]:
    """`beside` is for what happens around the deals: more of it leaves the deals as they are."""
    agenda, chance = Agenda(calendar), Chance(rng)
    pipelines = found(agenda, calendar)
    fix_rates(agenda, calendar, chance)
    catalogue = Catalogue(agenda, calendar, chance)
    people = People(agenda, calendar, chance, total)
    customers = Customers(agenda, calendar, chance, people, total // 3)
    Marketing(agenda, calendar, beside, total)
    Objectives(agenda, calendar, beside, people, total)
    forecasts = Forecasts(agenda, calendar, beside, people)
    talks, tasks = Talks(agenda, calendar, beside), Tasks(agenda, calendar, beside, people)
    deals = Deals(
        agenda,
        calendar,
        chance,
        catalogue=catalogue,
        people=people,
        customers=customers,
        pipelines=pipelines,
        sequel=Sequel(talks, tasks, AfterSale(calendar, beside, talks), forecasts),
        total=total,
    )
    opened = calendar.spread(total, rng, growth=_GROWTH, backlog_days=_BACKLOG_DAYS)
    registered = calendar.spread(customers.to_come, rng, growth=_GROWTH)
    quoted = calendar.spread(int(total * _QUOTES_ALONE), rng, growth=_GROWTH)
    for day in range(calendar.last + 1):
        agenda.begin(day)
        catalogue.open(day)
        customers.open(day, people.open(day))
        deals.arrive(day, opened[day], backlog=day < 14)
        for _ in range(quoted[day]):
            deals.quotes.alone(day, customers, catalogue)
        customers.arrive(day, registered[day])
        yield from agenda.close(day)
