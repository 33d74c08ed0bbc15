"""Deals that fared alike between two dates, added up: they stood in the same places, and their amounts went one way.

What the waterfall says of one of them it says of them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Text, case, literal, literal_column, not_, select

from projections.reports import exact, lines, open_states
from projections.reports.definition import TIME, Item
from projections.reports.dimensions import OWN, Joined
from projections.reports.sources import instant, label, open_deals
from projections.reports.standing import Places, Worth, pairs, unmoved
from projections.reports.waterfall import Part, Parts, Story, waterfall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.reports.standing import Which
    from projections.reports.waterfall import Place
    from projections.store import View

OF_ROW = OWN | TIME
"""Dimensions that a deal's own row tells: while it stands, the deal stays where it is."""


class State(NamedTuple):
    """A deal at an instant: all that tells where it stands as one text, its amount, in which currency if another.

    `late` if it rests on an event appended after `known_at`; `is_so` is what was asked of its row.
    """

    told: str
    minor: int | None
    currency: str | None
    at: int
    late: int
    is_so: int


States = dict[str, State]
Way = tuple[str | None, str | None, str | None, int, int, int]
"""What tells where deals stood at each instant, and the signs of what their amounts changed by from one to the next."""


@dataclass(slots=True)
class Sums:
    """How many deals fared alike, how many of them are late, and their amounts, nothing of what is unknown."""

    deals: int = 0
    late: int = 0
    then: int = 0
    known: int = 0
    last: int = 0
    end: int = 0


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """An item for each row that deals alike touch. Raises `MissingRate`."""
    standing = _Standing(question)
    for (then, known, last, *_), sums in _alike(question, view, rates, standing).items():
        story = Story(known is not None, *standing.end(last), sums.deals)
        rows = waterfall(
            standing.parts(then, sums.then, sums.then),
            standing.parts(known, sums.known, sums.known),
            standing.parts(last, sums.last, sums.end),
            story,
        )
        for place, figures in rows.values():
            yield Item("", 0, question.pair.as_of, place.dimensions, figures, late=sums.late, lines=sums.deals)


def _alike(question: Question, view: View, rates: Rates, standing: _Standing) -> dict[Way, Sums]:
    opening, learnt, lasting = _states(question, view)
    worth = Worth(question, view, rates)
    found: dict[Way, Sums] = {}
    for stream in dict.fromkeys((*opening, *learnt, *lasting)):
        at_then, at_known, at_last = opening.get(stream), learnt.get(stream), lasting.get(stream)
        then = (at_then and worth.then(at_then.minor, at_then.currency)) or 0
        known = then
        if at_known is not at_then:
            known = (at_known and worth.known(at_known.minor, at_known.currency)) or 0
        last = end = 0
        if at_last:
            last = worth.last(at_last.minor, at_last.currency, at_last.at, was_open=at_known is not None) or 0
            end = last
            if at_last.currency and not standing.end(at_last.told)[1]:
                end = worth.end(at_last.minor, at_last.currency) or 0
        way = (
            at_then and at_then.told,
            at_known and at_known.told,
            at_last and at_last.told,
            (known > then) - (known < then),
            (last > known) - (last < known),
            (end > last) - (end < last),
        )
        sums = found.get(way)
        if sums is None:
            sums = found[way] = Sums()
        sums.deals += 1
        sums.late += (at_last or at_known or at_then).late  # type: ignore[union-attr]
        sums.then += then
        sums.known += known
        sums.last += last
        sums.end += end
    return found


def _states(question: Question, view: View) -> tuple[States, States, States]:
    """At `from` as known then, and as known now; and as they are or last were. Without those that stay, if rows tell."""
    then, known, end = pairs(question)
    at_then, at_known = question.seen(then.as_of, then.known_at), question.seen(known.as_of, known.known_at)
    read = _Reading(question, view)
    closed = open_states.closed_since(then.as_of, question, view)
    if not OF_ROW.issuperset(question.dimensions):
        opening = read.states(at_then, open_deals(at_then, view))
        learnt = opening if then == known else read.states(at_known, open_deals(at_known, view))
        return opening, learnt, read.states(question, [*open_deals(question, view), closed])
    stayed, understood = unmoved(question, then, known, end), unmoved(question, then, known)
    opening = read.states(at_then, _but(stayed, open_deals(at_then, view)), asked=understood)
    learnt = {stream: state for stream, state in opening.items() if state.is_so}
    learnt |= read.states(at_known, _but(understood, open_deals(at_known, view)))
    return opening, learnt, read.states(question, [*_but(stayed, open_deals(question, view)), closed])


def _but(which: Which, sources: Sequence[Source]) -> list[Source]:
    return [each.narrowed(not_(which(each.columns))) for each in sources]


_YES, _NO = (literal_column(each, Text) for each in ("'1'", "''"))


class _Reading:
    """Reads what tells where deals stand, and how they ended."""

    def __init__(self, question: Question, view: View) -> None:
        assert question.since is not None
        self._view = view
        self._names = lines.asked(question)
        self._amount = "margin_minor" if question.given.get("measure") == "margin" else "value_minor"
        self._currency, self._known_at = label(question.currency), instant(question.pair.known_at)
        self._since, self._days = instant(question.since), question.period

    def states(self, question: Question, sources: Sequence[Source], *, asked: Which | None = None) -> States:
        states: States = {}
        for source in sources:
            own, joined = source.columns, Joined(source, question, self._view)
            told = [*(joined.column(name) for name in self._names), *self._flags(own)]
            query = select(
                own["stream"],
                lines.key_of(source, told, needs_month=question.needs_month),
                own[self._amount],
                case((own["currency"] != self._currency, own["currency"])),
                instant(source.at) if isinstance(source.at, int) else source.at,
                case((own["appended_at"] > self._known_at, 1), else_=0),
                literal(0) if asked is None else case((asked(own), 1), else_=0),
            )
            query = query.select_from(joined.frm).where(*source.where)
            rows: Sequence[Any] = self._view.rows(query, dict(source.values))
            states |= {stream: State._make(state) for stream, *state in rows}
        return states

    def _flags(self, own: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        """How a deal ended, whether it was opened since `from`, is due in the period, and says the amount."""
        in_period: ColumnElement[Any] = _YES
        if self._days is not None:
            first, last = (label(day.isoformat()) for day in (self._days.first, self._days.last))
            in_period = case((own["expected_close_on"].between(first, last), _YES))
        is_new, is_said = own["opened_at"] > self._since, own[self._amount].is_not(None)
        return [own.get("ending", _NO), case((is_new, _YES)), in_period, case((is_said, _YES))]


class _Standing:
    """Tells where deals stand, and how they ended, of what `_read` tells of them."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._names = lines.asked(question)
        self._places = Places(question)
        self._told: dict[str, tuple[Place, str | None, bool, bool]] = {}

    def parts(self, told: str | None, at_from: int, at_end: int) -> Parts:
        if told is None:
            return {}
        place, _, _, is_said = self._of(told)
        return {(): Part(place, at_from, at_end) if is_said else Part(place, None, None)}

    def end(self, told: str | None) -> tuple[bool, str | None]:
        """Whether it was opened since `from`, and how it ended."""
        if told is None:
            return False, None
        _, ending, is_new, _ = self._of(told)
        return is_new, ending

    def _of(self, told: str) -> tuple[Place, str | None, bool, bool]:
        found = self._told.get(told)
        if found is None:
            count = len(self._names)
            state, month, *each = lines.parts(told, count + 4)
            named = dict(zip(self._names, each, strict=False))
            ending, is_new, in_period, is_said = each[count:]
            dimensions = exact.placed(self._question, state, month, named)
            place = self._places.of(dimensions, in_period=in_period is not None)
            found = self._told[told] = place, ending, is_new is not None, is_said is not None
        return found
