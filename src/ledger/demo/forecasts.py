"""What reps, managers and the director say will be won in a quarter: as far off as each of them is optimistic."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final

from ledger.demo.calendar import HOUR_US, quarters
from ledger.times import SECOND_US

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Data
    from ledger.demo.calendar import Calendar, Chance, Quarter
    from ledger.demo.people import People, Rep

_ROUNDS: Final = ((6, 1.25, 1.0), (38, 1.08, 0.5), (66, 1.0, 0.25))
"""Days into the quarter; what a forecast adds for deals that nobody has yet; how many say something new."""

_NOTES: Final = (
    "Hors affaire en attente de validation juridique.",
    "Sous réserve du comité d'investissement du client.",
    "Deux signatures attendues la dernière semaine.",
)


class Forecasts:
    """Each quarter, three rounds of calls, by what will really be won and how people see it; who has nothing is silent."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance, people: People) -> None:
        self._agenda, self._calendar, self._chance, self._people = agenda, calendar, chance, people
        self._to_come: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._hopes = {team: 0.1 + 0.12 * chance.normal() for team in [rep.team for rep in people.reps]}
        for quarter in quarters(calendar):
            for number, (after, _, _) in enumerate(_ROUNDS):
                if quarter.first + after < quarter.last:
                    day = calendar.workday[quarter.first + after]
                    agenda.call(day, partial(self._submit, quarter, day, number))

    def won(self, rep: Rep, day: int, minor: int) -> None:
        """A deal that is open, and known to be won on a day by whoever makes the story up."""
        self._to_come[rep.id, self._calendar.quarter_end[day]] += minor

    def _submit(self, quarter: Quarter, day: int, number: int) -> None:
        calendar, chance = self._calendar, self._chance
        _, unseen, share = _ROUNDS[number]
        at = calendar.morning[day] + 2 * HOUR_US
        sums: defaultdict[str, float] = defaultdict(float)
        for index, rep in enumerate(self._people.reps):
            if not rep.joined <= quarter.first < day < rep.left:
                continue
            real = unseen * self._to_come[rep.id, quarter.last]
            if not real:
                continue
            sums[rep.team] += real
            if chance.random() < share:
                seen = real * (1 + rep.optimism * (0.6 + 0.8 * chance.random()) + 0.08 * chance.normal())
                stream = f"call-{quarter.name}-{rep.id}"
                self._say(stream, quarter, at + index * SECOND_US, {"person": rep.id}, category="commit", minor=seen)
                if number == 0 and rep.left <= quarter.last:
                    gone = calendar.morning[rep.left] + 11 * HOUR_US
                    self._agenda.put(stream, "forecast.withdrawn", {}, gone)
        at += HOUR_US
        for index, (team, real) in enumerate(sums.items()):
            hope = 1 + self._hopes[team] + 0.05 * chance.normal()
            for category, more in (("commit", 1.0), ("best_case", 1.28)):
                if category == "commit" or number == 0:
                    stream = f"call-{quarter.name}-{team}-{category.replace('_', '-')}"
                    self._say(
                        stream,
                        quarter,
                        at + index * SECOND_US,
                        {"team": team},
                        category=category,
                        minor=more * hope * real,
                    )
        whole = sum(sums.values()) * (1.02 + 0.04 * chance.normal())
        if whole:
            self._say(
                f"call-{quarter.name}-societe", quarter, at + HOUR_US, {"company": True}, category="commit", minor=whole
            )

    def _say(self, stream: str, quarter: Quarter, at: int, scope: Data, *, category: str, minor: float) -> None:
        value = {"minor": max(0, round(minor / 100_000) * 100_000), "currency": "EUR"}
        data: Data = {"scope": scope, "period": quarter.period, "category": category, "value": value}
        if self._chance.random() < 0.08:
            data["note"] = _NOTES[self._chance.below(3)]
        self._agenda.put(stream, "forecast.submitted", data, at)
