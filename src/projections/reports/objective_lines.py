"""What objectives are made of: each one's target, what counts towards it, and the open deals that may yet.

Every metric is read once for all its objectives, told apart by whose it is and by the stretches of days into which the
objectives' periods cut the time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import chain, product
from operator import itemgetter, mul
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs
from sqlalchemy import Text, func, literal, null, select

from ledger.money import BASIS_POINTS, E6
from ledger.times import day_end, day_start
from projections.reports import exact
from projections.reports.cells import key_of, work_out
from projections.reports.definition import PRODUCT, SAID, Item, Sum, known, says
from projections.reports.dimensions import merged
from projections.reports.lines import used
from projections.reports.metrics import MONEY, OF_WINS, base_of, lines_of
from projections.reports.objectives_in_force import in_force
from projections.reports.periods import Period
from projections.reports.sources import OMITTED, bisect, open_deals
from projections.tables import product_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from projections.reports.definition import Base, Key
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
    """What the lines of each place bring, found again by those of its dimensions that an objective reads."""

    def __init__(self, names: Sequence[str], found: Mapping[Key, Any]) -> None:
        """What lines bring is `found` by what they have for `names`, in their order."""
        self._names = names
        self._found = found
        self._placed: dict[tuple[str, ...], dict[Key, list[tuple[str, Any]]]] = {}

    def to(self, objective: Objective) -> Iterator[Any]:
        """What counts towards an objective, a place each."""
        names = tuple(objective.takes)
        if names not in self._placed:
            placed = self._placed[names] = defaultdict(list)
            of, on = [self._names.index(name) for name in names], self._names.index("day")
            for place, brings in self._found.items():
                placed[tuple([place[index] for index in of])].append((place[on] or "", brings))
        for key in product(*objective.takes.values()):
            for day, brings in self._placed[names].get(key, ()):
                if objective.first <= day <= objective.last:
                    yield brings


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each objective, and what counts towards it added up."""
    found = list(in_force(question, view, rates))
    yield from _reached(question, view, found, counted=True)
    due = _due(question, view, [replace(each, takes=each.may_take) for each in found])
    if due.sources:
        yield from _may_come(due, view, rates)


def _may_come(due: _Due, view: View, rates: Rates) -> Iterator[Item]:
    """What open deals may bring to each objective, added up."""
    of_lines = [name for name in due.asked.heads if name not in PRODUCT]
    place_of, place_of_line = key_of(due.asked.heads), key_of(of_lines)
    of_ranges: dict[Key, list[Sequence[int]]] = defaultdict(list)
    wholes: dict[Key, list[Sequence[int]]] = defaultdict(list)
    for source in due.sources:
        for alike in exact.in_brief(source.in_state(null()), due.asked, view, rates):
            wholes[place_of_line(alike.parts[0][0])] += alike.wholes
            for dimensions, parts in alike.parts:
                if dimensions.get("product_range") is not None:
                    of_ranges[place_of(dimensions)] += parts
    by_range, whole = _Brought(due.asked.heads, of_ranges), _Brought(of_lines, wholes)
    names = (*used(due.asked, due.sources[0]), "chance_bp", "late")
    for each in due.objectives:
        deals = list(chain.from_iterable((by_range if _is_of_range(each) else whole).to(each)))
        if deals:
            brings = _by_name(names, deals)
            late = sum(brings("late"))
            yield structs.replace(each.item, state=OPEN, figures=_may_bring(each, brings), lines=len(deals), late=late)


def _by_name(names: Sequence[str], deals: Sequence[Sequence[int]]) -> Callable[[str], Sequence[int]]:
    """Of what deals bring, told for each in the order of the names, that of one name."""
    return lambda name: list(map(itemgetter(names.index(name)), deals))


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
        brought = _Brought(asked.heads, cells.rows)
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
    due = _due(question, view, found)
    by_owner = _by_owner(due.objectives)
    for source in due.sources:
        for line in exact.read(source, due.asked, view, rates, merged=into):
            for each in by_owner(line.pieces[0].dimensions.get("owner")):
                for of, bases in _by_range(line) if _is_of_range(each) else _whole(line):
                    if each.counts(of):
                        brings = _by_name((*bases, "chance_bp"), [(*bases.values(), line.probability_bp or 0)])
                        yield _line(line, each, OPEN, _may_bring(each, brings))


def _alike(found: Iterable[Objective]) -> list[list[Objective]]:
    """Objectives whose lines are read at once, if they count anything: of the same lines, of ranges or not."""
    same: dict[tuple[str, bool], list[Objective]] = defaultdict(list)
    for each in found:
        if each.item.figures["is_counted"]:
            of = OF_WINS[0] if each.metric in OF_WINS else each.metric
            same[of, _is_of_range(each)].append(each)
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


def _is_of_range(objective: Objective) -> bool:
    return "product_range" in objective.takes


def _of_ranges(source: Source, some: Sequence[Objective], view: View) -> Source:
    """The lines told by the objectives' ranges, and if all have one those alone that have a product of these."""
    ranges = frozenset(name for each in some for name in each.takes.get("product_range", ()))
    if not ranges or source.product_lines is None:
        return source
    if not all(map(_is_of_range, some)):
        return replace(source, ranges=ranges, kept=None)
    listed = product_versions.c
    products = view.rows(select(listed.stream).where(listed.product_range.in_(sorted(ranges))).distinct())
    of_products = frozenset(row.stream.removeprefix("product-") for row in products)
    return replace(source, ranges=ranges, of_products=of_products, kept=None)


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


class _Due(NamedTuple):
    """The open deals due in what is left of the objectives' periods, and the question that they are lines of."""

    objectives: list[Objective]
    asked: Question
    sources: list[Source]


def _due(question: Question, view: View, found: Sequence[Objective]) -> _Due:
    """What is due for those objectives that something may still come to."""
    first = first_left(question).isoformat()
    some = [each for each in found if each.item.figures["is_forecast"] and each.last >= first]
    if not some:
        return _Due([], question, [])
    asked = _asked_due(question, some)
    assert asked.report.lines is not None
    return _Due(some, asked, list(asked.report.lines(asked, view)))


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


def _by_range(line: Line) -> Iterator[tuple[Mapping[str, str | None], Bases]]:
    """What a line brings, once for each range that it has parts of."""
    parts: dict[str | None, list[Piece]] = defaultdict(list)
    for piece in line.pieces:
        parts[piece.dimensions["product_range"]].append(piece)
    for some in parts.values():
        yield some[0].dimensions, exact.together(piece.bases for piece in some)


def _whole(line: Line) -> Iterator[tuple[Mapping[str, str | None], Bases]]:
    """What a line brings in all."""
    yield line.pieces[0].dimensions, exact.together(piece.bases for piece in line.pieces)


def _may_bring(objective: Objective, brings: Callable[[str], Sequence[int]]) -> dict[str, Any]:
    """What open deals are expected to bring to an objective, and what each may, in minor units or millionths.

    `brings` tells of each deal what it brings of a base, and as `chance_bp` how likely that is.
    """
    metric, base, chances_bp = objective.metric, base_of(objective.metric), brings("chance_bp")
    values = [E6] * len(chances_bp) if metric == "won_count" else brings(base)
    chances = list(zip(values, chances_bp, strict=True))
    is_known = base not in SAID or any(brings(SAID[base]))
    if metric in MONEY:
        expected = sum(brings(_WEIGHTED[metric])) if is_known else None
        return {**objective.brings("forecast", expected), "chances": chances}
    expected = sum(map(mul, values, chances_bp)) if is_known else None
    return {"forecast": None if expected is None else Fraction(expected, E6 * BASIS_POINTS), "chances": chances}


def _said(bases: Bases, base: Base) -> int | None:
    """What a line brings of this base; None if it does not say."""
    return bases[base] if says(bases, base) else None


def _line(line: Line, objective: Objective, state: str, figures: Mapping[str, Any]) -> Item:
    item = objective.item
    return Item(line.stream, line.position, line.at, item.dimensions, figures, state, line.joined, line.late)
