"""The days of the demo company: numbered from its first, in Paris time, with working days and seasons."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import Final, NamedTuple

from ledger.times import DAY_US, SECOND_US, day_start

TIME_ZONE: Final = "Europe/Paris"
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US

_FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)})
_DAYS_AHEAD = 1_500
"""Days known after `until`: lives are simulated to their end, and dates are promised beyond it."""

_OPENINGS = (0, 1.05, 1.0, 1.1, 1.0, 0.9, 1.1, 0.8, 0.4, 1.25, 1.15, 1.1, 0.7)
"""How busy new business is in each month; August is asleep."""

_MINUTES = [f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440)]
_SECONDS = [f"{second:02d}." for second in range(60)]


class Calendar:
    """Tables by day number, 0 being the company's first; instants are microseconds since 1970."""

    def __init__(self, until: int, years: int) -> None:
        last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=until)).date()
        following = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
        first = following.replace(year=following.year - years)
        self.until = until
        self.last = (last - first).days
        self.dates = [first + timedelta(days=day) for day in range(self.last + _DAYS_AHEAD)]
        self.epoch_day = (first - date(1970, 1, 1)).days
        self.text = [day.isoformat() for day in self.dates]
        self._utc_text = [(first - timedelta(days=1)).isoformat(), *self.text]
        self.midnight = [day_start.__wrapped__(day, TIME_ZONE) for day in self.dates]
        self.morning = [start + 8 * HOUR_US for start in self.midnight]
        self.workday = self._workdays()
        self.month_end = self._period_ends(lambda day: (day.year, day.month))
        self.quarter_end = self._period_ends(lambda day: (day.year, (day.month - 1) // 3))

    def _workdays(self) -> list[int]:
        following = [len(self.dates) - 1] * len(self.dates)
        for number in range(len(self.dates) - 2, -1, -1):
            day = self.dates[number]
            off = day.weekday() > 4 or (day.month, day.day) in _FIXED_HOLIDAYS
            following[number] = following[number + 1] if off else number
        return following

    def _period_ends(self, period: Callable[[date], tuple[int, int]]) -> list[int]:
        ends = [len(self.dates) - 1] * len(self.dates)
        for number in range(len(self.dates) - 2, -1, -1):
            same = period(self.dates[number]) == period(self.dates[number + 1])
            ends[number] = ends[number + 1] if same else number
        return ends

    def instant_text(self, instant: int) -> str:
        """As `ledger.times.format_instant`, several times faster: history is mostly instants."""
        day, rest = divmod(instant, DAY_US)
        minute, rest = divmod(rest, MINUTE_US)
        second, rest = divmod(rest, SECOND_US)
        return f"{self._utc_text[day - self.epoch_day + 1]}{_MINUTES[minute]}{_SECONDS[second]}{rest:06d}Z"

    def share(self, fraction: float) -> int:
        """The working day at a fraction of the history."""
        return self.workday[int(self.last * fraction)]

    def spread(self, total: int, rng: Random, *, growth: float, backlog_days: float = 0) -> list[int]:
        """How many of `total` openings fall on each day before the last.

        Seasonal, growing by `growth` a year, noisy from week to week. With `backlog_days`, what that many days would
        bring is added to the first ten working days: a company enters what it already has in hand.
        """
        weights = [
            _OPENINGS[self.dates[day].month] * (1 + growth) ** (day / 365) * (0.6 + 0.8 * rng.random())
            if self.workday[day] == day and day < self.last
            else 0.0
            for day in range(self.last + 1)
        ]
        working = [day for day, weight in enumerate(weights) if weight]
        for day in working[:10]:
            weights[day] += backlog_days * 5 / 7 / 10
        sums = list(accumulate(weights))
        if not sums or not sums[-1]:
            return [total if day == 0 else 0 for day in range(self.last + 1)]
        reached = [round(total * each / sums[-1]) for each in sums]
        return [reached[0], *(later - earlier for earlier, later in pairwise(reached))]


def every_month(calendar: Calendar) -> list[int]:
    """The first day of each month of the history."""
    return [day for day in range(calendar.last + 1) if calendar.dates[day].day == 1]


def new_years(calendar: Calendar) -> list[int]:
    """Each 1 January after the first day, up to the next one that prices are already fixed for."""
    return [day for day in range(1, calendar.last + 60) if calendar.dates[day].timetuple().tm_yday == 1]


class Quarter(NamedTuple):
    """Its first day that the history has, its last, its whole period as events have it, and its name in ids."""

    first: int
    last: int
    period: dict[str, str]
    name: str

    @property
    def opens_a_year(self) -> bool:
        return self.period["from"].endswith("-01-01")


def quarters(calendar: Calendar) -> list[Quarter]:
    """The quarters of the history, and the one that is planned when it ends."""
    found, first = [], 0
    while first <= calendar.last + 92:
        day, last = calendar.dates[first], calendar.quarter_end[first]
        number = (day.month - 1) // 3
        period = {"from": day.replace(month=3 * number + 1, day=1).isoformat(), "to": calendar.text[last]}
        found.append(Quarter(first, last, period, f"{day.year}t{number + 1}"))
        first = last + 1
    return found


class Chance:
    """Draws that Python's `random` makes too slowly for a million events."""

    def __init__(self, rng: Random) -> None:
        self.random = rng.random
        self.shuffle = rng.shuffle
        normals = [rng.gauss(0, 1) for _ in range(4_096)]
        self._normals = normals

    def normal(self) -> float:
        """One of 4,096 standard normal values."""
        return self._normals[int(self.random() * 4_096)]

    def below(self, limit: int) -> int:
        """An integer from 0 to `limit` − 1."""
        return int(self.random() * limit)

    def weighted(self, sums: list[float]) -> int:
        """An index, given running sums of weights."""
        return bisect_left(sums, self.random() * sums[-1])
