"""Periods as people write them, in whole days: `2026-Q3`, `FY2026-S1`, `2026-07-01..2026-09-30`, `last-quarter`.

A fiscal year is named after the calendar year in which it ends; its quarters and halves count from its first month.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ledger.errors import BadRequest, Refused
from ledger.times import FIRST_YEAR, LAST_YEAR, is_date, parse_date

if TYPE_CHECKING:
    from collections.abc import Callable

WRITE = (
    "write 2026, 2026-Q3, 2026-S1, 2026-09, 2026-W14, FY2026, FY2026-Q3, 2026-07-01..2026-09-30, "
    "today, yesterday, or this-, last- or next- before week, month, quarter, half, year, "
    "fiscal-quarter, fiscal-half or fiscal-year"
)
MAX_DATES = 400
"""How many dates one series may ask for."""

_UNIT_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_NAMED = re.compile(r"(FY)?(\d{4})(?:-(?:(Q)([1-4])|(S)([12])|(W)(\d\d)|(\d\d)))?", re.ASCII)
_RELATIVE = re.compile(r"(this|last|next)-(fiscal-)?(week|month|quarter|half|year)")
_STEP = {"last": -1, "this": 0, "next": 1}


@dataclass(frozen=True)
class Period:
    """Whole local days, both ends included, under the name it was asked by."""

    name: str
    first: date
    last: date

    @property
    def whole_months(self) -> bool:
        return self.first.day == 1 and self.last.day == _month_days(self.last)

    @property
    def months(self) -> int:
        """How many calendar months the period touches."""
        return month_number(self.last) - month_number(self.first) + 1

    def shifted(self, months: int) -> Period:
        """The same stretch so many months later; whole months stay whole months."""
        first = add_months(self.first, months)
        last = add_months(self.last, months)
        if self.whole_months:
            last = last.replace(day=_month_days(last))
        return _range(first, last)

    def previous(self) -> Period:
        """What lies just before, of the same length: the quarter before a quarter, ten days before ten days."""
        if self.whole_months:
            return self.shifted(-self.months)
        days = self.last - self.first + timedelta(days=1)
        return _range(self.first - days, self.last - days)


def month_number(day: date) -> int:
    """Months since year 0, so that neighbours differ by one."""
    return day.year * 12 + day.month - 1


def month_first(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last day where it has fewer."""
    first = month_first(month_number(day) + months)
    return first.replace(day=min(day.day, _month_days(first)))


def parse_period(text: str, *, today: date, fiscal_month: int) -> Period:
    """The days that `text` names, its words relative to `today`. Raises `BadRequest`."""
    first, dots, last = text.partition("..")
    try:
        if dots:
            start = _single(first, today, fiscal_month).first
            end = _single(last, today, fiscal_month).last
            if start > end:
                raise BadRequest(f"the period {text[:60]!r} ends before it begins")
            return Period(text, start, end)
        return _single(text, today, fiscal_month)
    except Refused as refused:
        raise BadRequest(f"unknown period {text[:60]!r}: {refused}") from None
    except (ValueError, OverflowError):
        raise BadRequest(f"the period {text[:60]!r} is not between {FIRST_YEAR} and {LAST_YEAR}") from None


def series(period: Period, every: str, *, until: date) -> tuple[date, ...]:
    """The last day of each day, week or month of the period, and of the period itself, up to `until`.

    Raises `BadRequest` beyond `MAX_DATES`.
    """
    ends: dict[str, Callable[[date], date]] = {
        "day": lambda day: day,
        "week": lambda day: day + timedelta(days=6 - day.weekday()),
        "month": lambda day: day.replace(day=_month_days(day)),
    }
    last = min(period.last, until)
    dates: list[date] = []
    day = period.first
    while day <= last:
        dates.append(min(ends[every](day), last))
        day = dates[-1] + timedelta(days=1)
        if len(dates) > MAX_DATES:
            raise BadRequest(
                f"every={every} over {period.name} is more than {MAX_DATES} dates; "
                "take a shorter period or a longer step"
            )
    return tuple(dates)


def _single(text: str, today: date, fiscal_month: int) -> Period:
    if relative := _RELATIVE.fullmatch(text):
        step, fiscal, unit = _STEP[relative[1]], relative[2], relative[3]
        if unit == "week":
            return _week(text, today + timedelta(weeks=step))
        return _unit(text, today, step, _UNIT_MONTHS[unit], fiscal_month if fiscal else 1)
    if text in {"today", "yesterday"}:
        day = today - timedelta(days=int(text == "yesterday"))
        return Period(text, day, day)
    if named := _NAMED.fullmatch(text):
        return _named(text, named, fiscal_month)
    if is_date(text):
        day = parse_date(text)
        return Period(text, day, day)
    raise BadRequest(f"unknown period {text[:60]!r}: {WRITE}")


def _named(text: str, match: re.Match[str], fiscal_month: int) -> Period:
    fiscal, year = match[1], int(match[2])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError
    month, length = 1, 12
    if match[3]:
        month, length = int(match[4]) * 3 - 2, 3
    elif match[5]:
        month, length = int(match[6]) * 6 - 5, 6
    elif fiscal and (match[7] or match[9]):
        raise BadRequest(f"unknown period {text!r}: a fiscal year has quarters and halves; {WRITE}")
    elif match[7]:
        try:
            return _week(text, date.fromisocalendar(year, int(match[8]), 1))
        except ValueError:
            raise BadRequest(f"the week {text} does not exist") from None
    elif match[9]:
        month, length = int(match[9]), 1
        if not 1 <= month <= 12:
            raise BadRequest(f"the month {text} does not exist")
    number = year * 12 + month - 1
    if fiscal:
        number += fiscal_month - 1 - (12 if fiscal_month > 1 else 0)
    return _months(text, number, length)


def _unit(text: str, today: date, step: int, length: int, first_month: int) -> Period:
    number = month_number(today)
    number -= (number - (first_month - 1)) % length
    return _months(text, number + step * length, length)


def _months(name: str, number: int, length: int) -> Period:
    return Period(name, month_first(number), month_first(number + length) - timedelta(days=1))


def _week(name: str, day: date) -> Period:
    monday = day - timedelta(days=day.weekday())
    return Period(name, monday, monday + timedelta(days=6))


def _range(first: date, last: date) -> Period:
    return Period(f"{first}..{last}", first, last)


def _month_days(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
