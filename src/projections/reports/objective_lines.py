"""What objectives are made of: each one's target, what counts towards it, and the open deals that may yet.

Every metric is read once for all its objectives, told apart by whose it is and by the stretches of days into which the
objectives' periods cut the time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from operator import mul
from typing import TYPE_CHECKING, Any

from msgspec import structs
from sqlalchemy import Text, func, literal, null, select

from ledger.money import BASIS_POINTS, E6
from ledger.times import day_end, day_start
from projections.reports import exact
from projections.reports.cells import key_of, work_out
from projections.reports.definition import SAID, Item, Sum, known, says
from projections.reports.dimensions import merged
from projections.reports.lines import used
from projections.reports.metrics import MONEY, OF_WINS, base_of, lines_of
from projections.reports.objectives_in_force import in_force
from projections.reports.periods import Period
from projections.reports.sources import OMITTED, bisect, open_deals
from projections.tables import product_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from projections.reports.definition import Base
    from projections.reports.exact import Bases, Line, Piece
    from projections.reports.objectives_in_force import Objective
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

ACHIEVED, OPEN = "achieved", "open"
"""The states of what counts towards an objective, or may."""

_WEIGHTED: dict[str, Base] = {"amount": "weighted", "margin": "weighted_margin"}


class _Brought:
    """What lines bring, found again by those of their dimensions that an objective reads."""

    def __init__(self, names: Sequence[str], found: Iterable[tuple[tuple[str | None, ...], Iterable[Any]]]) -> None:
        """What some lines bring comes with what they have for `names`, in their order."""
        self._names = names
        self._found: dict[tuple[str | None, ...], list[Any]] = defaultdict(list)
        for place, brings in found:
            self._found[place].extend(brings)
        self._placed: dict[tuple[str, ...], dict[tuple[str | None, ...], list[tuple[str, list[Any]]]]] = {}

    def to(self, objective: Objective) -> Iterator[Any]:
        """What counts towards an objective."""
        names = tuple(objective.takes)
        if names not in self._placed:
            placed = self._placed[names] = defaultdict(list)
            for place, brings in self._found.items():
                of = dict(zip(self._names, place, strict=True))
                placed[tuple([of[name] for name in names])].append((of["day"] or "", brings))
        for key in product(*objective.takes.values()):
            for day, brings in self._placed[names].get(key, ()):
                if objective.first <= day <= objective.last:
                    yield from brings


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each objective, and what counts towards it added up."""
    found = list(in_force(question, view, rates))
    yield from _reached(question, view, found, counted=True)
    for some, asked, sources in _due(question, view, [replace(each, takes=each.may_take) for each in found]):
        place_of = key_of(asked.heads)
        needed = used(asked, sources[0])
        parts = (
            (place_of(dimensions), brings)
            for source in sources
            for alike in exact.in_brief(source.in_state(null()), asked, view, rates)
            for dimensions, brings in alike.parts
        )
        brought = _Brought(asked.heads, parts)
        for each in some:
            deals = list(brought.to(each))
            if deals:
                *amounts, chances_bp, late = zip(*deals, strict=True)
                brings: dict[str, Sequence[int]] = dict(zip(needed, amounts, strict=True))
                figures = _may_bring(each, brings, chances_bp)
                yield structs.replace(each.item, state=OPEN, figures=figures, lines=len(deals), late=sum(late))


def items_reached(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The same without what open deals may bring, as if nothing were forecast of any; nor how many lines there are."""
    found = [_without_forecast(each) for each in in_force(question, view, rates)]
    yield from _reached(question, view, found, counted=False)


def _without_forecast(objective: Objective) -> Objective:
    figures = {**objective.item.figures, "is_forecast": 0}
    return replace(objective, item=structs.replace(objective.item, figures=figures))


def _reached(question: Question, view: View, found: Sequence[Objective], *, counted: bool) -> Iterator[Item]:
    """Each of these objectives, and what has counted towards it added up, without what still may; lines are `counted`."""
    yield from (each.item for each in found)
    for some in _alike(found):
        asked = _asked(question, some)
        cells = work_out(asked, view, totals=counted)
        brought = _Brought(asked.heads, ((place, [sums]) for place, sums in cells.rows.items()))
        lines, late = cells.lines, cells.late
        for each in some:
            base = base_of(each.metric)
            achieved = known(sums[base] for sums in brought.to(each))
            figures = each.brings("achieved", achieved * E6 if base == "one" else achieved)
            yield structs.replace(each.item, state=ACHIEVED, figures=figures, lines=lines, late=late)
            lines = late = 0  # said once, of them all


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each objective, and every line that counts towards it."""
    found = list(in_force(question, view, rates))
    yield from (each.item for each in found)
    into = merged(question, view)
    for some in _alike(found):
        asked, by_owner = _asked(question, some), _by_owner(some)
        assert asked.report.lines is not None
        for source in asked.report.lines(asked, view):
            for line in exact.read(source, asked, view, rates, merged=into):
                for each in by_owner(line.pieces[0].dimensions.get("owner")):
                    parts = [part for part in line.pieces if each.counts(part.dimensions)]
                    if parts:
                        base = base_of(each.metric)
                        amount = E6 if base == "one" else _said(exact.together(part.bases for part in parts), base)
                        yield _line(line, each, ACHIEVED, each.brings("achieved", amount))
    for some, asked, sources in _due(question, view, found):
        by_owner = _by_owner(some)
        for source in sources:
            for line in exact.read(source, asked, view, rates, merged=into):
                for of, bases in _may_come(line):
                    for each in by_owner(of.get("owner")):
                        if each.counts(of):
                            brings = {base: (amount,) for base, amount in bases.items()}
                            yield _line(line, each, OPEN, _may_bring(each, brings, (line.probability_bp or 0,)))


def _alike(found: Iterable[Objective]) -> list[list[Objective]]:
    """Objectives whose lines are read at once, if they count anything: of the same lines, of ranges or not."""
    same: dict[tuple[str, bool], list[Objective]] = defaultdict(list)
    for each in found:
        if each.item.figures["is_counted"]:
            of = OF_WINS[0] if each.metric in OF_WINS else each.metric
            same[of, "product_range" in each.takes].append(each)
    return list(same.values())


def _asked(question: Question, some: Sequence[Objective]) -> Question:
    """The lines of these metrics in all the periods, told by what the objectives ask and, for day, by the stretch."""
    metric, zone = some[0].metric, question.book.time_zone
    *names, end = sorted(_borders(some))
    cuts = [date.fromisoformat(day) for day in names]
    starts = [day_start(day, zone) for day in cuts]

    def lines(asked: Question, view: View) -> list[Source]:
        source = lines_of(metric, replace(asked, report=replace(asked.report, fixed=())), view)
        assert not isinstance(source.at, int)
        alike = replace(source, state=null(), month=bisect(source.at, starts, names), kept=None)
        return [_of_ranges(alike, some, view)]

    days = Period("objectives", cuts[0], date.fromisoformat(end) - timedelta(days=1))
    bases = sorted({base_of(each.metric) for each in some})
    return _of_lines(question.over(days), some, bases, lines)


def _by_owner(some: Sequence[Objective]) -> Callable[[str | None], list[Objective]]:
    """Of an owner: the objectives that their lines may count towards."""
    anybody = [each for each in some if "owner" not in each.takes]
    own: dict[str | None, list[Objective]] = {}
    for each in some:
        for owner in each.takes.get("owner", ()):
            own.setdefault(owner, list(anybody)).append(each)
    return lambda owner: own.get(owner, anybody)


def _of_ranges(source: Source, some: Sequence[Objective], view: View) -> Source:
    """Of the lines those that have a product of the objectives' ranges, if they have such."""
    ranges = {name for each in some for name in each.takes.get("product_range", ())}
    if not ranges or source.product_lines is None:
        return source
    listed = product_versions.c
    products = view.rows(select(listed.stream).where(listed.product_range.in_(sorted(ranges))).distinct())
    of_products = frozenset(row.stream.removeprefix("product-") for row in products)
    return replace(source, of_products=of_products, kept=None)


def _borders(some: Iterable[Objective]) -> set[str]:
    """The days that begin a stretch, all of whose days lie in the same of the objectives' periods."""
    return {day for each in some for day in (each.first, _day_after(each.last))}


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _of_lines(question: Question, some: Sequence[Objective], bases: Sequence[Base], lines: Any) -> Question:
    """A question for the lines behind the objectives, told by what these take, at the same pair, rates and currency."""
    heads = (*sorted({name for each in some for name in each.takes}), "day")
    report = replace(
        question.report,
        fixed=heads,
        sums=tuple(Sum(base, base) for base in bases),
        lines=lines,
        items=None,
        evidence=None,
        summary=None,
        across=None,
    )
    return replace(question, report=report, by=(), where=_taken_by_all(some))


def _taken_by_all(some: Sequence[Objective]) -> dict[str, frozenset[str | None]]:
    """What lines must have to count towards any of the objectives; `_of_ranges` sees to their products."""
    names = set.intersection(*(set(each.takes) for each in some)) - {"product_range"}
    return {name: frozenset().union(*(each.takes[name] for each in some)) for name in sorted(names)}


def _due(
    question: Question, view: View, found: Sequence[Objective]
) -> Iterator[tuple[list[Objective], Question, list[Source]]]:
    """The open deals due in what is left of the objectives' periods, told as their lines: of ranges or not."""
    first = first_left(question).isoformat()
    left = [each for each in found if each.item.figures["is_forecast"] and each.last >= first]
    for in_ranges in (False, True):
        some = [each for each in left if ("product_range" in each.takes) == in_ranges]
        if some:
            asked = _asked_due(question, some)
            assert asked.report.lines is not None
            yield some, asked, list(asked.report.lines(asked, view))


def first_left(question: Question) -> date:
    """The first day that is not gone at `as_of`; a day is gone at its last microsecond."""
    today = question.today
    is_gone = question.pair.as_of >= day_end(today, question.book.time_zone)
    return today + timedelta(days=int(is_gone))


def _asked_due(question: Question, some: Sequence[Objective]) -> Question:
    """What is due in what is left of their periods, told for day by the stretch; what is overdue is due on its first day."""
    first, last = first_left(question).isoformat(), max(each.last for each in some)
    cuts = sorted({first, *(day for day in _borders(some) if first < day <= last)})

    def lines(asked: Question, view: View) -> list[Source]:
        found = []
        for each in open_deals(asked, view):
            due = each.columns["expected_close_on"]
            left = each.narrowed(due <= literal(last, Text), func.coalesce(each.state, "") != OMITTED)
            found.append(_of_ranges(replace(left, month=bisect(due, cuts, cuts)), some, view))
        return found

    bases = {base_of(each.metric) for each in some} | {_WEIGHTED.get(each.metric, "one") for each in some}
    return _of_lines(question, some, sorted(bases), lines)


def _may_come(line: Line) -> Iterator[tuple[Mapping[str, str | None], Bases]]:
    """What an open deal may bring, once for each range that it has parts of."""
    parts: dict[str | None, list[Piece]] = defaultdict(list)
    for piece in line.pieces:
        parts[piece.dimensions.get("product_range")].append(piece)
    for some in parts.values():
        yield some[0].dimensions, exact.together(piece.bases for piece in some)


def _may_bring(objective: Objective, brings: Mapping[str, Sequence[int]], chances_bp: Sequence[int]) -> dict[str, Any]:
    """What open deals are expected to bring to an objective, and what each may, in minor units or millionths.

    Deals come as what they bring of each base, and how likely that is, in basis points.
    """
    metric, base = objective.metric, base_of(objective.metric)
    values = [E6] * len(chances_bp) if metric == "won_count" else brings[base]
    chances = list(zip(values, chances_bp, strict=True))
    is_known = base not in SAID or any(brings[SAID[base]])
    if metric in MONEY:
        expected = sum(brings[_WEIGHTED[metric]]) if is_known else None
        return {**objective.brings("forecast", expected), "chances": chances}
    expected = sum(map(mul, values, chances_bp)) if is_known else None
    return {"forecast": None if expected is None else Fraction(expected, E6 * BASIS_POINTS), "chances": chances}


def _said(bases: Bases, base: Base) -> int | None:
    """What a line brings of this base; None if it does not say."""
    return bases[base] if says(bases, base) else None


def _line(line: Line, objective: Objective, state: str, figures: Mapping[str, Any]) -> Item:
    item = objective.item
    return Item(line.stream, line.position, line.at, item.dimensions, figures, state, line.joined, line.late)
