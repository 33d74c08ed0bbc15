"""The objectives in force at the pair, and who is in which team there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from ledger.money import E6, convert
from projections import intervals
from projections.reports import exact
from projections.reports.definition import Item
from projections.reports.dimensions import among
from projections.reports.metrics import MONEY, OF_WINS, tells_kind, tells_range
from projections.reports.periods import Period
from projections.tables import objective_versions, person_versions, team_versions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy import ColumnElement

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

OBJECTIVE = "objective"
"""The state of an objective's own line."""


@dataclass(frozen=True)
class Objective:
    """An objective in force; `takes` tells which lines count towards it, by the dimensions that it reads of them.

    `may_take` tells the same of open deals: whose team is whose at the pair is known without reading it of each.
    """

    item: Item
    metric: str
    first: str
    last: str
    takes: Mapping[str, frozenset[str]]
    may_take: Mapping[str, frozenset[str]]

    def counts(self, of: Mapping[str, str | None]) -> bool:
        """Whether a line with these dimensions counts; its `day` is the one it is of, or a stretch's first."""
        if not self.first <= (of["day"] or "") <= self.last:
            return False
        return all(of[name] in values for name, values in self.takes.items())

    def brings(self, name: str, amount: int | None) -> dict[str, Any]:
        """An amount as its figure: minor units, or the number that so many millionths are; or unknown."""
        if self.metric in MONEY:
            return {f"{name}_minor": amount}
        return {name: None if amount is None else Fraction(amount, E6)}


class Teams:
    """Who is in which team at the pair, and which team is below which."""

    def __init__(self, people: Mapping[str, str], parents: Mapping[str, str | None]) -> None:
        self._people = people
        self._below: dict[str, set[str]] = defaultdict(set)
        for team in parents:
            above: str | None = team
            while above is not None and team not in self._below[above]:
                self._below[above].add(team)
                above = parents.get(above)

    def of(self, person: str | None) -> str | None:
        return None if person is None else self._people.get(person)

    def members(self, teams: Collection[str | None]) -> frozenset[str]:
        """Those who are in one of these teams."""
        return frozenset(person for person, team in self._people.items() if team in teams)

    def below(self, team: str) -> frozenset[str]:
        """The team and all that are below it."""
        return frozenset(self._below.get(team, ())) | {team}


def in_force(question: Question, view: View, rates: Rates) -> Iterator[Objective]:
    """The objectives of the period, or else of the day of `as_of`, that pass the filters."""
    today = Period("today", question.today, question.today)
    days = question.period if question.period and "period" in question.given else today
    o = objective_versions.c
    touch = (o.period_to >= days.first.isoformat(), o.period_from <= days.last.isoformat(), o.cancelled == 0)
    rows = intervals.at_pair(objective_versions, question.pair, view, *touch, *_stored(question))
    teams = teams_at(question, view)
    for row in view.rows(select(rows).order_by(rows.c.stream)):
        item = _objective(row, question, rates, teams)
        if not exact.wanted(question, item.dimensions):
            continue
        takes = _takes(row, teams)
        yield Objective(
            item=item,
            metric=row.metric,
            first=row.period_from,
            last=row.period_to,
            takes=takes,
            may_take=_by_owner(takes, teams),
        )


def _stored(question: Question) -> Iterator[ColumnElement[bool]]:
    """Those of the filters that an objective's own columns settle."""
    o, where = objective_versions.c, question.where
    for name, column in {"scope": o.scope_kind, "metric": o.metric}.items():
        if name in where:
            yield among(column, where[name])
    if None not in where.get("owner", {None}):
        yield and_(o.scope_kind == "person", among(o.scope, where["owner"]))


def _takes(row: Any, teams: Teams) -> dict[str, frozenset[str]]:
    """Which lines count: those of a person, or of a team and all that are below it; of a kind of sale, of a range."""
    said = {
        "owner": frozenset({row.scope}) if row.scope_kind == "person" else None,
        "team": teams.below(row.scope) if row.scope_kind == "team" else None,
        "kind": None if row.kind is None else frozenset({row.kind}),
        "product_range": None if row.product_range is None else frozenset({row.product_range}),
    }
    return {name: values for name, values in said.items() if values is not None}


def _by_owner(takes: Mapping[str, frozenset[str]], teams: Teams) -> dict[str, frozenset[str]]:
    """What is taken of teams, taken of those who are in them at the pair."""
    by_owner = dict(takes)
    of_teams = by_owner.pop("team", None)
    return by_owner if of_teams is None else {"owner": teams.members(of_teams), **by_owner}


def _objective(row: Any, question: Question, rates: Rates, teams: Teams) -> Item:
    """`is_counted`: whether its metric knows what it is narrowed to; `is_forecast`: whether open deals may add to it."""
    person = row.scope if row.scope_kind == "person" else None
    counted = (row.kind is None or tells_kind(row.metric)) and (row.product_range is None or tells_range(row.metric))
    figures: dict[str, Any] = {
        "kind": row.kind,
        "product_range": row.product_range,
        "from": row.period_from,
        "to": row.period_to,
        "is_counted": int(counted),
        "is_forecast": int(counted and row.metric in OF_WINS),
    }
    joined: tuple[str, ...] = ()
    if row.target_minor is not None:
        figures["target_minor"] = convert(row.target_minor, rates.factor(row.currency, question.pair.as_of))
        joined = () if row.currency == question.currency else rates.streams(row.currency)
    else:
        figures["target"] = Fraction(row.target_e6, E6)
    return Item(
        stream=row.stream,
        position=row.position,
        at=question.pair.as_of,
        dimensions={
            "objective": row.stream.removeprefix("objective-"),
            "scope": row.scope_kind,
            "owner": person,
            "team": row.scope if row.scope_kind == "team" else teams.of(person),
            "metric": row.metric,
        },
        figures=figures,
        state=OBJECTIVE,
        joined=joined,
        late=row.appended_at > question.pair.known_at,
    )


def teams_at(question: Question, view: View) -> Teams:
    """People and teams at the pair."""
    found: Teams = view.once(("teams", question.pair), lambda: _teams_at(question, view))
    return found


def _teams_at(question: Question, view: View) -> Teams:
    people, teams = (
        view.tuples(select(table.c.stream, above).where(intervals.in_force(table, question.pair, view)))
        for table, above in ((person_versions, person_versions.c.team), (team_versions, team_versions.c.parent))
    )
    return Teams(
        {stream.removeprefix("person-"): team for stream, team in people},
        {stream.removeprefix("team-"): parent for stream, parent in teams},
    )
