"""What objectives are made of: each one's target, what counts towards it, and the open deals that may yet.

Every metric is read once for all its objectives, told apart by whose it is and by the stretches of days into which the
objectives' periods cut the time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, func, literal, select

from ledger.money import BASIS_POINTS, E6, convert
from ledger.times import day_start
from projections import intervals
from projections.reports import exact
from projections.reports.cells import work_out
from projections.reports.definition import OF_MARGIN, Item, Sum, known
from projections.reports.dimensions import merged
from projections.reports.metrics import MONEY, OF_WINS, base_of, lines_of, tells_kind, tells_range
from projections.reports.periods import Period
from projections.reports.sources import bisect, open_deals
from projections.tables import objective_versions, person_versions, product_versions, team_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from projections.reports.definition import Base
    from projections.reports.exact import Line, Piece
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

OBJECTIVE, ACHIEVED, OPEN = "objective", "achieved", "open"
"""The states of these lines."""

_WEIGHTED: dict[str, Base] = {"amount": "weighted", "margin": "weighted_margin"}
_TOLD = ("owner", "team", "kind", "product_range")


@dataclass(frozen=True)
class Objective:
    """An objective in force; `owners` and `teams` are whose it is, None anybody's."""

    item: Item
    metric: str
    first: str
    last: str
    owners: frozenset[str] | None
    teams: frozenset[str] | None
    kind: str | None
    product_range: str | None

    @property
    def reads(self) -> tuple[str, ...]:
        """The dimensions by which its lines are told."""
        said = (self.owners, self.teams, self.kind, self.product_range)
        return tuple(name for name, value in zip(_TOLD, said, strict=True) if value is not None)

    def counts(self, of: Mapping[str, str | None]) -> bool:
        """Whether a line with these dimensions counts; its `day` is the one it is of, or a stretch's first."""
        return (
            self.first <= (of["day"] or "") <= self.last
            and (self.owners is None or of["owner"] in self.owners)
            and (self.teams is None or of["team"] in self.teams)
            and (self.kind is None or of["kind"] == self.kind)
            and (self.product_range is None or of["product_range"] == self.product_range)
        )

    def brings(self, name: str, amount: int | None) -> dict[str, Any]:
        """An amount as its figure: minor units, or the number that so many millionths are. A margin may be unknown."""
        return {f"{name}_minor": amount} if self.metric in MONEY else {name: Fraction(amount or 0, E6)}


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each objective, and what counts towards it added up."""
    found = list(in_force(question, view, rates))
    yield from reached(question, view, found)
    yield from _forecast(question, view, rates, found)


def items_reached(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The same without what open deals may bring: as if nothing were forecast of any."""
    found = [_without_forecast(each) for each in in_force(question, view, rates)]
    yield from reached(question, view, found)


def _without_forecast(objective: Objective) -> Objective:
    item = objective.item
    return replace(objective, item=replace(item, figures={**item.figures, "is_forecast": 0}))


def reached(question: Question, view: View, found: Sequence[Objective]) -> Iterator[Item]:
    """Each of these objectives, and what has counted towards it added up, without what still may."""
    yield from (each.item for each in found)
    for some in _alike(found):
        asked, by_owner = _asked(question, some), _by_owner(some)
        base = base_of(some[0].metric)
        cells = work_out(asked, view)
        achieved: dict[str, list[int | None]] = defaultdict(list)
        for key, sums in cells.rows.items():
            of = dict(zip(asked.heads, key, strict=True))
            for each in by_owner(of.get("owner")):
                if each.counts(of):
                    achieved[each.item.stream].append(sums["counted"] * E6 if base == "one" else sums["counted"])
        lines, late = cells.lines, cells.late
        for each in some:
            figures = each.brings("achieved", known(achieved[each.item.stream]))
            yield replace(each.item, state=ACHIEVED, figures=figures, lines=lines, late=late)
            lines = late = 0  # said once, of them all


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each objective, and every line that counts towards it."""
    found = list(in_force(question, view, rates))
    yield from (each.item for each in found)
    into = merged(question, view)
    for some in _alike(found):
        asked, by_owner = _asked(question, some), _by_owner(some)
        base = base_of(some[0].metric)
        assert asked.report.lines is not None
        for source in asked.report.lines(asked, view):
            for line in exact.read(source, asked, view, rates, merged=into):
                for each in by_owner(line.pieces[0].dimensions.get("owner")):
                    parts = [part for part in line.pieces if each.counts(part.dimensions)]
                    if parts:
                        amount = E6 if base == "one" else _sum(parts, base)
                        yield _line(line, each, ACHIEVED, each.brings("achieved", amount))
    yield from _forecast(question, view, rates, found, into)


def in_force(question: Question, view: View, rates: Rates) -> Iterator[Objective]:
    """The objectives of the period, or else of the day of `as_of`, that pass the filters."""
    today = Period("today", question.today, question.today)
    days = question.period if question.period and "period" in question.given else today
    o = objective_versions.c
    touch = (o.period_to >= days.first.isoformat(), o.period_from <= days.last.isoformat(), o.cancelled == 0)
    rows = intervals.at_pair(objective_versions, question.pair, view, *touch)
    teams = teams_at(question, view)
    for row in view.rows(select(rows).order_by(rows.c.stream)):
        item = _objective(row, question, rates, teams)
        if not exact.wanted(question, item.dimensions):
            continue
        yield Objective(
            item=item,
            metric=row.metric,
            first=row.period_from,
            last=row.period_to,
            owners=frozenset({row.scope}) if row.scope_kind == "person" else None,
            teams=teams.below(row.scope) if row.scope_kind == "team" else None,
            kind=row.kind,
            product_range=row.product_range,
        )


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

    def below(self, team: str) -> frozenset[str]:
        """The team and all that are below it."""
        return frozenset(self._below.get(team, ())) | {team}


def teams_at(question: Question, view: View) -> Teams:
    """People and teams at the pair."""
    people = intervals.at_pair(person_versions, question.pair, view)
    teams = intervals.at_pair(team_versions, question.pair, view)
    return Teams(
        {row.stream.removeprefix("person-"): row.team for row in view.rows(select(people.c.stream, people.c.team))},
        {row.stream.removeprefix("team-"): row.parent for row in view.rows(select(teams.c.stream, teams.c.parent))},
    )


def _alike(found: Iterable[Objective]) -> list[list[Objective]]:
    """Objectives whose lines are read at once: of one metric, of ranges or not, if they count anything."""
    same: dict[tuple[str, bool], list[Objective]] = defaultdict(list)
    for each in found:
        if each.item.figures["is_counted"]:
            same[each.metric, each.product_range is not None].append(each)
    return list(same.values())


def _asked(question: Question, some: Sequence[Objective]) -> Question:
    """The lines of a metric in all these periods, told by what the objectives ask and, for day, by the stretch."""
    metric, zone = some[0].metric, question.book.time_zone
    names = sorted({each.first for each in some} | {_day_after(each.last) for each in some})
    cuts = [date.fromisoformat(day) for day in names]
    starts = [day_start(day, zone) for day in cuts]

    def lines(asked: Question, view: View) -> list[Source]:
        source = lines_of(metric, replace(asked, report=replace(asked.report, fixed=())), view)
        assert not isinstance(source.at, int)
        return [_of_ranges(replace(source, month=bisect(source.at, starts, names)), some)]

    days = Period("objectives", cuts[0], cuts[-1] - timedelta(days=1))
    return _of_lines(question.over(days), _heads(some), (Sum("counted", base_of(metric)),), lines)


def _by_owner(some: Sequence[Objective]) -> Callable[[str | None], list[Objective]]:
    """Of an owner: the objectives that their lines may count towards."""
    anybody = [each for each in some if each.owners is None]
    own: dict[str | None, list[Objective]] = {}
    for each in some:
        for owner in each.owners or ():
            own.setdefault(owner, list(anybody)).append(each)
    return lambda owner: own.get(owner, anybody)


def _of_ranges(source: Source, some: Sequence[Objective]) -> Source:
    """Of the lines those that have a product of the objectives' ranges, if they have such."""
    ranges = {each.product_range for each in some if each.product_range is not None}
    if not ranges or source.product_lines is None:
        return source
    listed = product_versions.c
    product = func.substr(listed.stream, len("product-") + 1)
    products = select(product).where(listed.product_range.in_(sorted(ranges)))
    lines = source.product_lines.c
    has_one = source.columns["stream"].in_(select(lines.stream).where(lines.product.in_(products)))
    return source.narrowed(has_one)


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _heads(some: Iterable[Objective]) -> tuple[str, ...]:
    return (*sorted({name for each in some for name in each.reads}), "day")


def _of_lines(question: Question, heads: tuple[str, ...], sums: tuple[Sum, ...], lines: Any) -> Question:
    """A question for the lines behind the objectives, at the same pair, rates and currency."""
    report = replace(
        question.report, fixed=heads, sums=sums, lines=lines, items=None, evidence=None, summary=None, across=None
    )
    return replace(question, report=report, by=(), where={})


def _forecast(
    question: Question, view: View, rates: Rates, found: Sequence[Objective], into: Mapping[str, str] | None = None
) -> Iterator[Item]:
    """Each open deal that is due in what is left of an objective's period; overdue ones are due today."""
    today = question.today.isoformat()
    left = [each for each in found if each.item.figures["is_forecast"] and each.last >= today]
    for in_ranges in (False, True):
        some = [each for each in left if (each.product_range is not None) == in_ranges]
        if not some:
            continue
        asked, by_owner = _due(question, some), _by_owner(some)
        assert asked.report.lines is not None
        for source in asked.report.lines(asked, view):
            for line in exact.read(source, asked, view, rates, merged=into):
                if line.state == "omitted":
                    continue
                told = [{**part.dimensions, "day": max(part.dimensions["day"] or "", today)} for part in line.pieces]
                for each in by_owner(line.pieces[0].dimensions.get("owner")):
                    parts = [part for part, of in zip(line.pieces, told, strict=True) if each.counts(of)]
                    if parts:
                        yield _may_bring(line, each, parts)


def _due(question: Question, some: Sequence[Objective]) -> Question:
    last = literal(max(each.last for each in some), Text)

    def lines(asked: Question, view: View) -> list[Source]:
        sources = open_deals(asked, view, due_in=lambda due: due <= last)
        by_day = [replace(each, month=each.columns["expected_close_on"], kept=None) for each in sources]
        return [_of_ranges(each, some) for each in by_day]

    bases = {base_of(each.metric) for each in some} | {_WEIGHTED.get(each.metric, "one") for each in some}
    return _of_lines(question, _heads(some), tuple(Sum(base, base) for base in sorted(bases)), lines)


def _may_bring(line: Line, objective: Objective, parts: Sequence[Piece]) -> Item:
    """What an open deal may bring to an objective, in minor units or millionths, and how likely that is."""
    metric = objective.metric
    chance = line.probability_bp or 0
    if metric in MONEY:
        may_bring = sum(part.bases[base_of(metric)] for part in parts)
        figures = objective.brings("forecast", _sum(parts, _WEIGHTED[metric]))
    else:
        may_bring = E6 if metric == "won_count" else sum(part.bases["quantity"] for part in parts)
        figures = {"forecast": Fraction(may_bring * chance, E6 * BASIS_POINTS)}
    return _line(line, objective, OPEN, figures | {"may_bring": may_bring, "probability_bp": chance})


def _sum(parts: Sequence[Piece], base: Base) -> int | None:
    """What a line brings; None if that is a margin and it says none."""
    if base in OF_MARGIN and not parts[0].bases["margin_said"]:
        return None
    return sum(part.bases[base] for part in parts)


def _line(line: Line, objective: Objective, state: str, figures: Mapping[str, Any]) -> Item:
    item = objective.item
    return Item(line.stream, line.position, line.at, item.dimensions, figures, state, line.joined, line.late)
