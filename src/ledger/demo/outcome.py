"""How a deal will end: won or not, when, and how far it gets; drawn when it opens, revealed as it goes."""

from __future__ import annotations

from bisect import bisect_left
from math import exp
from typing import Final, NamedTuple

from ledger.demo.calendar import Calendar, Chance
from ledger.demo.people import Rep

_ODDS: Final = {"new_business": -0.95, "extension": -0.3, "renewal": 0.95}
_MEDIAN_DAYS: Final = {"new_business": 98.0, "extension": 70.0, "renewal": 52.0}
_SPREAD: Final = 0.48

_STOPS: Final = [0.29, 0.55, 0.80, 0.95, 1.0]
"""Of the deals that are not won, running share that end in each stage of the path."""


class Outcome(NamedTuple):
    """`ending` is `won`, `lost` or `abandoned`; `stages` how many of the path it enters; `close_day` when it ends."""

    ending: str
    stages: int
    close_day: int


def decide(
    calendar: Calendar, chance: Chance, rep: Rep, *, kind: str, size: float, loyal: bool, stages: int, day: int
) -> Outcome:
    """Skill, loyalty and a modest size help to win; losing takes longer than winning, giving up longest."""
    odds = _ODDS[kind] + 0.5 * rep.skill + 0.3 * loyal - 0.12 * (size - 1)
    days = _MEDIAN_DAYS[kind] * exp(_SPREAD * chance.normal()) * (1.05 - 0.06 * rep.skill)
    days = min(max(days, 18), 330)
    if chance.random() < 1 / (1 + exp(-odds)):
        close_day = _closing_season(calendar, chance, day + int(days))
        return Outcome("won", stages, max(close_day, day + 8))
    draw = chance.random()
    stop = 1 + min(stages - 1, bisect_left(_STOPS, chance.random()))
    if draw < 0.13:
        return Outcome("abandoned", min(stop, 3), day + int(days * 1.7) + 20)
    if draw < 0.3:
        days *= 1.9
    return Outcome("lost", stop, _clearing_out(calendar, chance, day + int(days * (0.55 + 0.2 * stop))))


def _closing_season(calendar: Calendar, chance: Chance, day: int) -> int:
    """Signatures are hurried into the end of a quarter, above all of the year, and August waits for September."""
    if calendar.dates[day].month == 8 and chance.random() < 0.7:
        return calendar.workday[day + 22 + chance.below(20)]
    end = calendar.quarter_end[day]
    year_end = calendar.dates[end].month == 12
    if end - day < (48 if year_end else 38) and chance.random() < (0.4 if year_end else 0.5):
        early = 9 if year_end else 3
        return end - early - chance.below(11)
    if day > 60 and calendar.dates[day].month == 1 and chance.random() < 0.35:
        return calendar.quarter_end[day - 31] - 9 - chance.below(10)
    return day


def _clearing_out(calendar: Calendar, chance: Chance, day: int) -> int:
    """Some losses are only admitted when the next quarter begins."""
    if chance.random() < 0.14:
        return calendar.quarter_end[day] + 4 + chance.below(12)
    return day
