"""Teams and the people in them: who joins, moves, is promoted and leaves, and how well each one sells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from ledger.demo import words
from ledger.demo.agenda import Agenda
from ledger.demo.calendar import HOUR_US, Calendar, Chance
from ledger.demo.teams import REMOTE, build_teams
from ledger.times import SECOND_US

if TYPE_CHECKING:
    from ledger.demo.customers import Customer

_SKILLS: Final = NormalDist()
NEVER: Final = 10**6
"""A day beyond every calendar."""


@dataclass(slots=True, eq=False)
class Rep:
    """Somebody who sells.

    `skill` is in standard deviations of the chance of winning; `optimism` is the share by which values are first
    overstated (and dates understated); `delay_days` is how long a missed date stays before it is moved.
    """

    id: str
    team: str
    joined: int
    skill: float
    optimism: float
    delay_days: float
    load: float
    left: int = NEVER
    successor: Rep | None = None
    moves: list[tuple[int, str]] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)

    def standing_in(self, day: int) -> Rep:
        """Whoever looks after this person's things on a day."""
        rep = self
        while rep.left <= day and rep.successor is not None:
            rep = rep.successor
        return rep


class People:
    """The sales force; its whole story is planned when the company is founded."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance, deals: int) -> None:
        self._agenda, self._calendar, self._chance = agenda, calendar, chance
        self._hired = 0
        count = 30 if deals <= 5_000 else min(300, 30 + (deals - 5_000) // 350)
        self.teams = build_teams(agenda, calendar, extra=max(0, count // 8 - 5))
        for team in ("ventes", *self.teams, REMOTE):
            self._join(team, 0, "director" if team == "ventes" else "manager")
        self.reps = list(self._hire(count))
        self._plan_leaving()
        self._plan_moves()
        self._plan_promotion()
        self._active: list[Rep] = []
        self._loads: list[float] = []
        self.open(0)

    def open(self, day: int) -> list[Rep]:
        """Bring teams and who is there up to a day; returns those who have just left."""
        changed = day == 0
        leavers = []
        for rep in self.reps:
            changed = changed or day in (rep.joined, rep.left)
            if rep.left == day:
                leavers.append(rep)
            if rep.moves and rep.moves[0][0] <= day:
                rep.team = rep.moves.pop(0)[1]
        if changed:
            self._active = [rep for rep in self.reps if rep.joined <= day < rep.left]
            self._loads = list(accumulate(rep.load for rep in self._active))
        return leavers

    def somebody(self) -> Rep:
        """One of today's reps, by how much each takes on."""
        return self._active[self._chance.weighted(self._loads)]

    def colleague(self, rep: Rep) -> Rep:
        """Another rep of the same team, else of any."""
        for _ in range(12):
            other = self._active[self._chance.below(len(self._active))]
            if other is not rep and other.team == rep.team:
                return other
        return self.somebody()

    def _join(self, team: str, day: int, role: str) -> str:
        self._hired += 1
        identity = f"p{self._hired:03d}"
        first, last = words.person(self._chance)
        data = {
            "team": team,
            "role": role,
            "name": f"{first} {last}",
            "email": words.email(first, last, "lumerys.example"),
        }
        since = self._calendar.midnight[day]
        self._agenda.put(
            f"person-{identity}", "person.joined", data, since, since + 7 * HOUR_US + self._hired * SECOND_US
        )
        return identity

    def _hire(self, count: int) -> Iterator[Rep]:
        founders = count * 23 // 30
        skills = [_SKILLS.inv_cdf((number + 0.5) / count) for number in range(count)]
        self._chance.shuffle(skills)
        for number in range(count):
            seat = [*self.teams, *self.teams[:4], REMOTE][number % (len(self.teams) + 5)]
            day = 0
            if number >= founders:
                day = self._calendar.share(
                    0.05 + 0.75 * (number - founders + self._chance.random()) / (count - founders)
                )
                seat = self.teams[number % len(self.teams)]
            chance = self._chance
            yield Rep(
                id=self._join(seat, day, "rep"),
                team=seat,
                joined=day,
                skill=max(-1.8, min(1.8, skills[number])),
                optimism=max(-0.12, min(0.9, 0.22 + 0.24 * chance.normal())),
                delay_days=max(-4.0, 12 + 11 * chance.normal()),
                load=max(0.5, min(1.7, 1 + 0.3 * chance.normal())),
            )

    def _plan_leaving(self) -> None:
        founders = [rep for rep in self.reps if rep.joined == 0]
        leavers = founders[2::6]
        for number, rep in enumerate(leavers):
            rep.left = self._calendar.share(0.22 + 0.7 * (number + self._chance.random()) / len(leavers))
            self._agenda.put(f"person-{rep.id}", "person.left", {}, self._calendar.morning[rep.left] + 10 * HOUR_US)
        for rep in leavers:
            there = [each for each in self.reps if each.joined < rep.left - 10 and each.left == NEVER]
            near = [each for each in there if each.team == rep.team] or there
            rep.successor = near[self._chance.below(len(near))]

    def _plan_moves(self) -> None:
        """The remote team is closed and its people spread; a fifth of the others move once, mid-quarter as often as not."""
        closing = self._calendar.share(0.45)
        for number, rep in enumerate(self.reps):
            if rep.team == REMOTE:
                if rep.left > closing + 5:
                    self._move(rep, closing, self.teams[number % len(self.teams)])
            elif number % 5 == 3:
                day = self._calendar.share(0.2 + 0.7 * self._chance.random())
                if rep.joined + 60 < day < rep.left - 30:
                    self._move(rep, day, self.teams[(self.teams.index(rep.team) + 1) % len(self.teams)])

    def _move(self, rep: Rep, day: int, team: str) -> None:
        rep.moves.append((day, team))
        calendar, planned = self._calendar, self._chance.random() < 0.6
        known = calendar.morning[max(day - 14, 1)] if planned else calendar.morning[day] + 30 * HOUR_US
        moved = min(calendar.midnight[day], known) if not planned else calendar.midnight[day]
        self._agenda.put(f"person-{rep.id}", "person.moved", {"team": team}, moved, known)

    def _plan_promotion(self) -> None:
        """The manager of the remote team leaves with it; a rep becomes manager of the first team two thirds through."""
        calendar = self._calendar
        closing = calendar.morning[calendar.share(0.45)] + 9 * HOUR_US
        self._agenda.put(f"person-p{len(self.teams) + 2:03d}", "person.left", {}, closing)
        staying = [rep for rep in self.reps if rep.joined == 0 and rep.left == NEVER]
        promoted = next((rep for rep in staying if rep.team == self.teams[0]), staying[0])
        day = calendar.share(0.66)
        self._agenda.put("person-p002", "person.left", {}, calendar.morning[day] + 9 * HOUR_US)
        self._agenda.put(
            f"person-{promoted.id}",
            "person.role_changed",
            {"role": "manager"},
            calendar.midnight[day],
            calendar.morning[day],
        )
