"""The open deals due in each of many snapshots, added up: each row of a deal is read once, for all snapshots it is in.

What tells a row apart, such as its stage's category or its owner's team, holds over runs of snapshots. Where all of it
does, the deal brings the same to each of them: it is added from the first on, and taken away after the last.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from itertools import accumulate, groupby, product
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import or_, select

from ledger.money import BASIS_POINTS, half_even
from ledger.times import day_start, local_date
from projections import intervals
from projections.reports import exact
from projections.reports.dimensions import OWN, among
from projections.reports.snapshots import Seen, alone_in
from projections.reports.sources import instant, label
from projections.tables import person_versions, stage_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Row

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.snapshots import Snapshot
    from projections.store import View

TELLS = OWN | {"team"}
"""The dimensions that deals may be told apart by here."""


class Run(NamedTuple):
    """What is told from one snapshot until before another, by their places in the series."""

    first: int
    after: int
    told: Any


class _Sums:
    """What deals that count alike bring to each snapshot: by how much it differs from the one before."""

    def __init__(self, snapshots: int) -> None:
        self._changes = [[0] * (snapshots + 1) for _ in range(5)]

    def add(self, first: int, after: int, amount: int | None, chance_bp: int, *, late: bool) -> None:
        """Add a deal to the snapshots from `first` until before `after`."""
        deals, lates, known, value, expected = self._changes
        deals[first] += 1
        deals[after] -= 1
        lates[first] += late
        lates[after] -= late
        if amount is not None:
            known[first] += 1
            known[after] -= 1
            value[first] += amount
            value[after] -= amount
            its_expected = half_even(amount * chance_bp, BASIS_POINTS)
            expected[first] += its_expected
            expected[after] -= its_expected

    def at_each(self) -> Iterator[tuple[int, ...]]:
        """How many deals there are, are late and say an amount; their value, and what of it is expected."""
        return zip(*map(accumulate, self._changes), strict=True)


def open_deals(
    question: Question, snapshots: Sequence[Snapshot], rates: Mapping[str, Rates], view: View
) -> Iterator[Seen]:
    """As `snapshots.deals` adds them up. Snapshots come in their order, dimensions from `TELLS`. Raises `MissingRate`."""
    if not snapshots:
        return
    instants, own = [each.at for each in snapshots], question.currency
    told_of, alone = _told_of(question, snapshots, view), alone_in(question, rates)
    teams, no_team = _teams(instants, view) if "team" in question.dimensions else {}, [Run(0, len(instants), None)]
    added: dict[tuple[str | None, ...], _Sums] = {}
    for row in _rows(question, snapshots, view):
        since, until, owner, *where, own_category, own_bp, currency, amount, appended_at = row[:11]
        start, end = bisect_left(instants, since), bisect_left(instants, until)
        if start == end:
            continue
        late = appended_at > question.pair.known_at
        for run, team in product(told_of(*where), teams.get(owner, no_team)):
            first, after = max(start, run.first, team.first), min(end, run.after, team.after)
            if first >= after:
                continue
            category, chance_bp = run.told
            state = category if own_category is None else own_category
            chance_bp = chance_bp if own_bp is None else own_bp
            same = (state, team.told, *row[11:])
            if currency is None or currency == own:
                if same not in added:
                    added[same] = _Sums(len(instants))
                added[same].add(first, after, amount, chance_bp, late=late)
                continue
            dimensions = _dimensions(question, row[11:], team.told)
            for each in snapshots[first:after]:
                amounts: Any = (None, None)
                if amount is not None:
                    amounts = alone[each.name](
                        exact.Said(state, currency, each.at, chance_bp, value=amount, margin=amount)
                    )
                yield _seen(each, state, dimensions, amounts, 1, late=late)
    for (state, its_team, *place), sums in added.items():
        dimensions = _dimensions(question, place, its_team)
        for each, (deals, lates, known, *amounts) in zip(snapshots, sums.at_each(), strict=False):
            if deals:
                yield _seen(each, state, dimensions, amounts if known else (None, None), deals, late=lates > 0)


def _seen(
    snapshot: Snapshot,
    state: str | None,
    dimensions: Mapping[str, str | None],
    amounts: Sequence[int | None],
    deals: int,
    *,
    late: bool,
) -> Seen:
    value, expected = amounts
    return Seen(snapshot.name, state, dimensions, value, expected, 0, False, deals, "", 0, late)


def _dimensions(question: Question, place: Sequence[str | None], team: str | None) -> dict[str, str | None]:
    return {**dict(zip(_own(question), place, strict=True)), "team": team}


def _own(question: Question) -> list[str]:
    """The dimensions that a deal's own row tells."""
    return sorted(question.dimensions & OWN)


def _rows(question: Question, snapshots: Sequence[Snapshot], view: View) -> Iterator[Any]:
    """The rows of deals that may be due in a snapshot; filters by team are left to who adds them up."""
    measured = "margin_minor" if question.report.sums[0].of == "margin" else "value_minor"
    names = (
        *("reported_from", "reported_to", "owner", "expected_close_on", "pipeline", "stage"),
        *("category", "probability_bp", "currency", measured, "appended_at"),
    )
    first, last = (min(each.period.first for each in snapshots), max(each.period.last for each in snapshots))
    begins = day_start(first, question.book.time_zone)
    values = intervals.between_values(snapshots[0].at, snapshots[-1].at)
    for rows in intervals.open_between(view):
        on, until = rows.c.expected_close_on, rows.c.reported_to
        due = (on <= label(last.isoformat()), or_(on >= label(first.isoformat()), until > instant(begins)))
        wanted = [among(rows.c[name], question.where[name]) for name in _own(question) if name in question.where]
        query = select(*(rows.c[name] for name in (*names, *_own(question)))).select_from(rows.frm).where(*due, *wanted)
        yield from view.tuples(query, values)


def _told_of(question: Question, snapshots: Sequence[Snapshot], view: View) -> Callable[[str, str, str], list[Run]]:
    """Where a deal due on a day, in a pipeline's stage, is due: there the stage's category and probability."""
    zone, stages = question.book.time_zone, _stages([each.at for each in snapshots], view)
    undefined = [Run(0, len(snapshots), None)]
    due_on = cache(lambda day: _due(day, snapshots, zone))

    @cache
    def told(day: str, pipeline: str, stage: str) -> list[Run]:
        found = []
        for due, its in product(due_on(day), stages.get((pipeline, stage), undefined)):
            first, after = max(due.first, its.first), min(due.after, its.after)
            if first < after:
                found.append(Run(first, after, its.told or (None, 0)))
        return found

    return told


def _due(day: str, snapshots: Sequence[Snapshot], zone: str) -> list[Run]:
    """Where a deal expected to close on a day is due in the snapshots' periods."""
    then = ((max(day, local_date(each.at, zone).isoformat()), each.period) for each in snapshots)
    runs = _runs([days.first.isoformat() <= due <= days.last.isoformat() for due, days in then])
    return [each for each in runs if each.told]


def _stages(instants: Sequence[int], view: View) -> dict[Any, list[Run]]:
    """The category and probability of each pipeline's stages."""
    s, prefix = stage_versions.c, len("pipeline-")
    rows = view.rows(select(s.stream, s.stage, s.category, s.probability_bp, s.reported_from, s.reported_to))
    told = (((row.stream[prefix:], row.stage), (row.category, row.probability_bp or 0), row) for row in rows)
    return _told(instants, told)


def _teams(instants: Sequence[int], view: View) -> dict[Any, list[Run]]:
    """The team of each person."""
    p, prefix = person_versions.c, len("person-")
    rows = view.rows(select(p.stream, p.team, p.reported_from, p.reported_to))
    return _told(instants, ((row.stream[prefix:], row.team, row) for row in rows))


def _told(instants: Sequence[int], rows: Iterable[tuple[Any, Any, Row[Any]]]) -> dict[Any, list[Run]]:
    """By their keys what rows tell while they are reported; None between them."""
    found: dict[Any, list[Any]] = {}
    for key, told, row in rows:
        first, after = bisect_left(instants, row.reported_from), bisect_left(instants, row.reported_to)
        found.setdefault(key, [None] * len(instants))[first:after] = [told] * (after - first)
    return {key: _runs(told) for key, told in found.items()}


def _runs(told: Sequence[Any]) -> list[Run]:
    """Equal neighbours as one run.

    >>> _runs(["a", "a", None])
    [Run(first=0, after=2, told='a'), Run(first=2, after=3, told=None)]
    """
    found: list[Run] = []
    for each, equal in groupby(told):
        first = found[-1].after if found else 0
        found.append(Run(first, first + len(list(equal)), each))
    return found
