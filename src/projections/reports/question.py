"""A question in full: the report, its pair of dates, and every parameter read and defaulted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ledger.errors import BadRequest
from ledger.money import is_currency
from ledger.times import day_end, day_start, is_date, local_date
from projections.pairs import Pair, Present
from projections.reports import parameters, periods
from projections.reports.definition import PRODUCT, STATE, TIME
from projections.reports.dimensions import moved_on
from projections.reports.settings import book_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projections.reports.definition import Report
    from projections.reports.periods import Period
    from projections.reports.rates import Missing
    from projections.store import View

MAX_HORIZON_MONTHS = 120
LAPSE_AFTER_DAYS = 365
BEYOND = 2**62
_HORIZON = re.compile(r"(\d{1,3})( ?months?)?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True)
class Book:
    """The settings that reports read, as they were at the pair."""

    currency: str = "EUR"
    time_zone: str = "Europe/Paris"
    fiscal_month: int = 1
    lapse_after_days: int = LAPSE_AFTER_DAYS


@dataclass(frozen=True)
class Question:
    """What is asked of a report. `today` is the local date of `as_of`; instants are microseconds.

    `missing` takes the rates that are, where all of them are asked for. `since` is the instant from which changes are told, in a report of these. `settled` is the pair at which it is settled
    who is who, where that is not the question's own.
    """

    report: Report
    given: Mapping[str, str]
    pair: Pair
    present: Present
    book: Book
    today: date
    period: Period | None
    currency: str
    by: tuple[str, ...]
    where: Mapping[str, frozenset[str | None]]
    horizon_months: int
    since: int | None = None
    settled: Pair | None = None
    missing: Missing | None = None

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The dimensions that head every row."""
        return self.report.fixed + self.by

    @cached_property
    def dimensions(self) -> frozenset[str]:
        """Every dimension that the answer needs of a line."""
        return frozenset(self.heads) | frozenset(self.where)

    @cached_property
    def needs_month(self) -> bool:
        return not self.dimensions.isdisjoint(TIME)

    @cached_property
    def told_early(self) -> tuple[str, ...]:
        """The dimensions that the query of a line tells."""
        return tuple(sorted(self.dimensions - STATE - PRODUCT - TIME))

    @cached_property
    def told_late(self) -> tuple[str, ...]:
        """The dimensions that a line's state and month tell."""
        return tuple(sorted(self.dimensions & (STATE | TIME)))

    @cached_property
    def told_by_products(self) -> tuple[str, ...]:
        """The dimensions that a line's products tell."""
        return tuple(sorted(self.dimensions & PRODUCT))

    @cached_property
    def period_from(self) -> int:
        """First instant of the period; before all time without one."""
        return day_start(self.period.first, self.book.time_zone) if self.period else -BEYOND

    @cached_property
    def period_to(self) -> int:
        """First instant after the period; after all time without one."""
        if self.period is None:
            return BEYOND
        return day_start(self.period.last + timedelta(days=1), self.book.time_zone)

    def choice(self, name: str) -> str:
        return parameters.choice(self.report, self.given, name)

    def over(self, period: Period) -> Question:
        """The same question over another period."""
        return replace(self, period=period)

    def beside(self, period: Period) -> Question:
        """The same question over a period to compare with, filters on months and the like moved onto it."""
        assert self.period is not None
        starts = self.period.first, period.first
        where = {
            name: frozenset(moved_on(name, value, *starts) for value in values) for name, values in self.where.items()
        }
        return replace(self, period=period, where=where)

    def seen(self, as_of: int, known_at: int) -> Question:
        """The same question at another pair, with merged customers as this one settles them."""
        today = local_date(as_of, self.book.time_zone)
        return replace(self, pair=Pair(as_of, known_at), today=today, settled=self.settled or self.pair)

    def on(self, instant: int, view: View, *, as_known_then: bool = False) -> Question:
        """The same question as of another instant, by the book's settings there."""
        pair = Pair(instant, instant if as_known_then else self.pair.known_at)
        book = read_book(view, pair, self.book.time_zone)
        return replace(self, pair=pair, book=book, today=local_date(instant, book.time_zone))


def ask(view: View, report: Report, given: Mapping[str, str], *, clock: int) -> Question:
    """Read the parameters of a question to the read store. Raises `BadRequest` with what is allowed."""
    given = parameters.check(report, given)
    for name in report.parameters:
        if parameters.choices(report, name) and name not in {"by", "where"}:
            parameters.choice(report, given, name)
    report = variant(report, given)
    if "measure" in given and report.sums_of:
        report = replace(report, sums=report.sums_of[given["measure"]])
    present = Present(view.stamp, clock, view.time_zone)
    if "to" in given and "as_of" in given:
        raise BadRequest("give to or as_of, not both: they are the same")
    pair = present.pair(given.get("to", given.get("as_of")), given.get("known_at"))
    book = read_book(view, pair, present.time_zone)
    today = local_date(pair.as_of, book.time_zone)
    period, said = None, given.get("period", report.default_period)
    if said is not None:
        period = periods.parse_period(said, today=today, fiscal_month=book.fiscal_month)
    if report.snapshot and period is not None and "every" not in given:
        raise BadRequest("period only spans the dates of every here; add every=day|week|month, or leave period out")
    if "every" in given and period is None:
        raise BadRequest("every needs a period, in which its dates lie")
    question = Question(
        report=report,
        given=given,
        pair=pair,
        present=present,
        book=book,
        today=today,
        period=period,
        currency=_currency(given.get("currency", book.currency)),
        by=parameters.dimensions(report, given.get("by", "")),
        where=parameters.filters(report, given.get("where", "")),
        horizon_months=_horizon(given.get("horizon", "12")),
    )
    return since_its_first(question)


def since_its_first(question: Question) -> Question:
    """The question with the instant from which its report tells changes, where it tells any. Raises `BadRequest`."""
    first_day = question.report.first_day
    return question if first_day is None else replace(question, since=_since(question, first_day))


def variant(report: Report, given: Mapping[str, str]) -> Report:
    """The report under the values of its parameters."""
    for name, value in given.items():
        report = report.variants.get(f"{name}={value}", report)
    return report


def read_book(view: View, pair: Pair, time_zone: str) -> Book:
    """The book's settings at the pair, by `book_at`."""
    found = book_at(pair, view)
    if found is None:
        return Book(time_zone=time_zone)
    lapse_after_days = found.lapse_after_days or LAPSE_AFTER_DAYS
    return Book(found.currency, time_zone, found.fiscal_year_start_month, lapse_after_days)


def compared(question: Question, view: View) -> Question | None:
    """The question that `compare` sets beside this one, if any. Raises `BadRequest`."""
    asked = question.given.get("compare")
    if asked is None:
        return None
    if is_date(asked):
        instant = question.present.instant(asked, "compare")
        return question.on(instant, view)
    if question.period is None or "period" not in question.report.parameters:
        raise BadRequest(f"compare={asked[:40]} needs a period to compare with; give one, or a date")
    if asked == "previous_period":
        return question.beside(question.period.previous())
    if asked == "previous_year":
        return question.beside(question.period.shifted(-12))
    other = periods.parse_period(asked, today=question.today, fiscal_month=question.book.fiscal_month)
    return question.beside(other)


def years_before(question: Question) -> list[Question]:
    """The question over the same period of the years before, as many as `years` sets side by side."""
    count = int(question.given.get("years", "1"))
    if count == 1:
        return []
    if question.period is None:
        raise BadRequest("years needs a period to set side by side")
    return [question.beside(question.period.shifted(-12 * back)) for back in range(1, count)]


def dates(question: Question, view: View) -> list[tuple[date, Question]]:
    """The question at each date that `every` asks for: as known then, unless `known_at` was given."""
    assert question.period is not None
    every = question.choice("every")
    fixed = "known_at" in question.given
    found = []
    for day in periods.series(question.period, every, until=question.today):
        end = min(day_end(day, question.book.time_zone), question.pair.as_of)
        found.append((day, question.on(end, view, as_known_then=not fixed)))
    return found


def _currency(code: str) -> str:
    if not _CURRENCY.fullmatch(code) or not is_currency(code):
        raise BadRequest(f"unknown currency {code[:40]!r}; write an ISO 4217 code such as EUR")
    return code


def _since(question: Question, first_day: Callable[[Question], date]) -> int:
    """The instant meant by `from`; by default the end of the day before the report's first."""
    text = question.given.get("from")
    if text is None:
        since = day_start(first_day(question), question.book.time_zone) - 1
        return min(since, question.pair.as_of)
    since = question.present.instant(text, "from")
    if since > question.pair.as_of:
        raise BadRequest(f"from {text} lies after the end of the report; give an earlier date, or a later to")
    return since


def _horizon(text: str) -> int:
    match = _HORIZON.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= MAX_HORIZON_MONTHS:
        raise BadRequest(f"horizon={text[:40]} is not a number of months from 1 to {MAX_HORIZON_MONTHS}")
    return int(match[1])
