"""Objectives: what company, teams and people are to reach, quarter by quarter and year by year."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ledger.demo.calendar import HOUR_US, quarters
from ledger.demo.teams import REMOTE
from ledger.times import DAY_US, SECOND_US

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Data
    from ledger.demo.calendar import Calendar, Chance, Quarter
    from ledger.demo.people import People, Rep

_WON_MINOR: Final = 1_390_000
"""What a deal brings on average, those that are lost included."""

_MARGIN_PC: Final = 47
_GROWTH: Final = 0.13
_SEASONS: Final = (1.0, 1.02, 0.78, 1.2)
_VISITS_A_QUARTER: Final = 6
_LEAST_MINOR: Final = 300_000
"""Below that, nobody sets a person an objective for a quarter."""


class Objectives:
    """Sets a quarter's objectives some weeks ahead, when it is known who will be there."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance, people: People, total: int) -> None:
        self._agenda, self._calendar, self._chance, self._people = agenda, calendar, chance, people
        self._a_day = total * _WON_MINOR / (calendar.last + 1)
        self._closing = calendar.share(0.45)
        self._set = 0
        for quarter in quarters(calendar):
            day = max(0, quarter.first - 18)
            agenda.call(day, partial(self._decide, quarter, calendar.workday[day] if day else 0))

    def _decide(self, quarter: Quarter, day: int) -> None:
        calendar, people = self._calendar, self._people
        at = calendar.morning[day] + HOUR_US
        whole = self._expected(quarter)
        there = [rep for rep in people.reps if rep.joined <= quarter.first < rep.left]
        shares = [rep.load * (1 + 0.3 * rep.skill) for rep in there]
        sums: dict[str, float] = {}
        for number, (rep, share) in enumerate(zip(there, shares, strict=True)):
            target = whole * share / sum(shares)
            sums[rep.team] = sums.get(rep.team, 0) + target
            if target >= _LEAST_MINOR:
                self._for_rep(quarter, at, rep, target, number)
        for team, target in sums.items():
            self._for_team(quarter, at, team, 1.04 * target)
        self._for_company(quarter, at, whole)
        if quarter.opens_a_year or day == 0:
            self._for_year(quarter, at, 4 * whole)

    def _expected(self, quarter: Quarter) -> float:
        """What the quarter should bring, in euro cents, as the company grows and by season."""
        years = (quarter.first - self._calendar.last / 2) / 365
        length = quarter.last - quarter.first + 1
        season = _SEASONS[int(quarter.name[-1]) - 1]
        return float(self._a_day * length * season * (1 + _GROWTH) ** years)

    def _for_rep(self, quarter: Quarter, at: int, rep: Rep, target: float, number: int) -> None:
        calendar, chance, scope = self._calendar, self._chance, {"person": rep.id}
        stream = self._objective(quarter, at, scope, metric="amount", target=_euros(target))
        if rep.left <= quarter.last:
            gone = calendar.morning[rep.left] + 11 * HOUR_US
            self._agenda.put(stream, "objective.cancelled", {"reason": "person_left"}, gone)
        elif chance.random() < 0.06:
            self._revise(stream, quarter, _euros(target * (0.8 + 0.3 * chance.random())))
        if number % 3 == 0:
            visits = str(_VISITS_A_QUARTER + chance.below(7))
            self._objective(quarter, at, scope, metric="interactions:visit", target=visits)
        elif number % 9 == 1:
            self._objective(quarter, at, scope, metric="won_count", target=str(2 + chance.below(3)))

    def _for_team(self, quarter: Quarter, at: int, team: str, target: float) -> None:
        data: Data = {"statement": "Ouvrir un nouveau compte par mois"} if quarter.opens_a_year else {}
        stream = self._objective(quarter, at, {"team": team}, metric="amount", target=_euros(target))
        if team == REMOTE and quarter.last >= self._closing:
            closed = self._calendar.morning[self._closing] + 11 * HOUR_US
            self._agenda.put(stream, "objective.cancelled", {"reason": "team_closed"}, closed)
        self._objective(quarter, at, {"team": team}, metric="new_customers", target="3", more=data)

    def _for_company(self, quarter: Quarter, at: int, target: float) -> None:
        scope = {"company": True}
        said = {"statement": f"Tenir {round(target / 100_000)} k€ de commandes sur le trimestre"}
        stream = self._objective(quarter, at, scope, metric="amount", target=_euros(target), more=said)
        if self._chance.random() < 0.3:
            self._revise(stream, quarter, _euros(target * 0.94))
        self._objective(quarter, at, scope, metric="margin", target=_euros(target * _MARGIN_PC / 100))

    def _for_year(self, quarter: Quarter, at: int, target: float) -> None:
        """Planned for the first of January; each is about something that the quarters' amounts do not say."""
        period = {"from": f"{quarter.name[:4]}-01-01", "to": f"{quarter.name[:4]}-12-31"}
        count = max(1, round(target / _WON_MINOR))
        for metric, wanted, more in (
            ("invoiced_amount", _euros(0.95 * target), {}),
            ("delivered_amount", _euros(0.93 * target), {}),
            ("amount", _euros(0.3 * target), {"product_range": "logiciels"}),
            ("amount", _euros(0.2 * target), {"kind": "renewal"}),
            ("quantity", str(8 * count), {"product_range": "capteurs"}),
            ("quotes_issued", str(count), {"statement": "Répondre plus vite et plus souvent"}),
            ("won_count", str(max(1, count // 3)), {}),
            ("new_customers", str(max(1, count // 10)), {}),
        ):
            self._objective(
                quarter,
                at,
                {"company": True},
                metric=metric,
                target=wanted,
                more=more | {"period": period},
                from_the_first=True,
            )

    def _objective(
        self,
        quarter: Quarter,
        at: int,
        scope: Data,
        *,
        metric: str,
        target: Any,
        more: Data | None = None,
        from_the_first: bool = False,
    ) -> str:
        """Set one, in force at once or from the period's first day; few are typed with a nought too many."""
        self._set += 1
        stream = f"objective-{self._set}"
        data = {"scope": scope, "metric": metric, "period": quarter.period, "target": target} | (more or {})
        recorded_at = at + self._set * SECOND_US
        effective_at = self._calendar.midnight[quarter.first] if from_the_first else recorded_at
        if isinstance(target, dict) and not from_the_first and self._chance.random() < 0.01:
            wrong = data | {"target": target | {"minor": target["minor"] * 10}}
            self._agenda.put(stream, "objective.set", wrong, effective_at, recorded_at)
            right = {"version": 1, "reason": "typing_error", "data": data}
            noticed = recorded_at + DAY_US
            self._agenda.put(stream, "event.corrected", right, noticed)
        else:
            self._agenda.put(stream, "objective.set", data, effective_at, recorded_at)
        return stream

    def _revise(self, stream: str, quarter: Quarter, target: Data) -> None:
        day = self._calendar.workday[quarter.first + 25 + self._chance.below(30)]
        self._agenda.put(stream, "objective.revised", {"target": target}, self._calendar.morning[day] + 2 * HOUR_US)


def _euros(minor: float) -> Data:
    return {"minor": max(100_000, round(minor / 100_000) * 100_000), "currency": "EUR"}
