"""Open deals at `from`, as known then and as known now, and as they are or last were: what a waterfall needs of each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from projections.reports import exact, lines, open_states
from projections.reports.definition import TIME
from projections.reports.dimensions import OWN, Joined
from projections.reports.sources import instant, label
from projections.reports.standing import PartName, PartOf, Places, held_at, pairs, unmoved
from projections.tables import deal_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.pairs import Pair
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.reports.standing import Which
    from projections.reports.waterfall import Place
    from projections.store import View

OF_ROW = OWN | TIME
"""Dimensions that a deal's own row tells: while it stands, the deal stays where it is."""

State = tuple[str, str | None, int, str | None, int, int, int, int]
"""A deal's stream, what tells where it stands, its amount and in which currency if another, the instant it is read at,
whether it rests on an event appended after `known_at`, and what else its row stands for. Last how many deals these are:
those that did not move are one where they stand alike, of their amounts together, and as many late as are."""
NOWHERE: State = ("", None, 0, None, 0, 0, 0, 1)

Products = list[tuple[PartName, int]]
"""The product lines of a deal, by the part of it that each counts towards, and what each weighs."""

_THEN, _LAST = 1, 2
"""The row of a deal open at `from` as known now is also that as known then, or even its last, too."""


class Moment(NamedTuple):
    """Deals by their streams."""

    states: dict[str, State]
    products: dict[str, Products]


def moments(question: Question, view: View) -> tuple[Moment, Moment, Moment]:
    """At `from` as known then, and as known now; and as they are or last were while open.

    Where their rows tell where deals stand, and no products are asked for, those `unmoved` are told together.
    """
    then, known, end = pairs(question)
    at_then, at_known = question.seen(then.as_of, then.known_at), question.seen(known.as_of, known.known_at)
    read = _Reading(question, view)
    opening, learnt, lasting = (open_states.open_deals_of(each, view) for each in (at_then, at_known, question))
    closed = open_states.closed_since(then.as_of, question, view)
    if not question.dimensions <= OF_ROW | {"product"}:
        at_from = read.moment(at_then, opening)
        since = at_from if known == then else read.moment(at_known, learnt)
        return at_from, since, read.moment(question, [*lasting, closed])
    held, understood = held_at(then, known, end), held_at(then, known)
    if known.known_at >= then.known_at:
        opening = opening[-1:]  # those recorded as they happened and never corrected are known as they were
    stayed: dict[str, State] = {}
    if not exact.splits(question):
        which = unmoved(question, then, known, end)
        stayed, learnt = read.together(question, lasting, which), _but(which, learnt)
    states = stayed | read.states(at_known, learnt, {_LAST: held, _THEN: understood})
    products = read.products_at((then, known, end), learnt)
    before = read.moment(at_then, _but(understood, opening))
    last = read.moment(question, [*_but(held, lasting), closed])
    return (
        _with(states, products[0], _THEN, before),
        Moment(states, products[1]),
        _with(states, products[2], _LAST, last),
    )


def _with(states: Mapping[str, State], products: dict[str, Products], stands_for: int, others: Moment) -> Moment:
    """Deals whose rows as known now stand for another moment too, and the others."""
    same = {stream: state for stream, state in states.items() if state[-2] >= stands_for}
    its_products = {stream: products[stream] for stream in same.keys() & products.keys()}
    return Moment(same | others.states, its_products | others.products)


def _but(which: Which, sources: Sequence[Source]) -> list[Source]:
    return [each.narrowed(not_(which(each.columns))) for each in sources]


_YES, _NO = (literal_column(each, Text) for each in ("'1'", "''"))


class _Reading:
    def __init__(self, question: Question, view: View) -> None:
        assert question.since is not None
        self._view = view
        self._names = lines.asked(question)
        self._part_of = PartOf(question)
        self._split = self._part_of.names
        self._measure = "margin" if question.given.get("measure") == "margin" else "value"
        self._currency, self._known_at = label(question.currency), instant(question.pair.known_at)
        self._since, self._days = instant(question.since), question.period

    def moment(self, question: Question, sources: Sequence[Source]) -> Moment:
        """Deals at the question's pair, and their product lines where products are told apart."""
        products: dict[str, Products] = {}
        for source in sources if self._split else ():
            for stream, its in exact.products_of(source, question, self._view).items():
                products[stream] = [
                    (self._part_of(tuple([getattr(each, name) for name in self._split])), getattr(each, self._measure))
                    for each in its
                ]
        return Moment(self.states(question, sources), products)

    def states(
        self, question: Question, sources: Sequence[Source], stands_for: Mapping[int, Which] | None = None
    ) -> dict[str, State]:
        """Deals at the question's pair, and what else their rows stand for."""
        states: dict[str, State] = {}
        for source in sources:
            rows: Sequence[Any] = self._view.rows(self._query(source, question, stands_for), dict(source.values))
            states |= {row[0]: row for row in rows}
        return states

    def together(self, question: Question, sources: Sequence[Source], which: Which) -> dict[str, State]:
        """Some of the deals at the question's pair, in the reporting currency, added up where they stand alike."""
        states: dict[str, State] = {}
        for source in sources:
            chosen = self._query(source.narrowed(which(source.columns)), question, None)
            each = chosen.offset(literal_column("0")).subquery("states")
            stream, key, minor, _, _, late, *_ = each.c
            amount, are_late = (cast(func.sum(column), BigInteger) for column in (minor, late))
            query = select(func.min(stream), key, amount, are_late, func.count()).group_by(key)
            rows: Sequence[Any] = self._view.rows(query, dict(source.values))
            for name, told, total, how_many_late, deals in rows:
                states[name] = (name, told, total, None, question.pair.as_of, how_many_late, _LAST, deals)
        return states

    def products_at(self, moments: Sequence[Pair], sources: Sequence[Source]) -> list[dict[str, Products]]:
        """The product lines of a source's deals at each of three pairs."""
        then: dict[str, Products] = defaultdict(list)
        known: dict[str, Products] = defaultdict(list)
        last: dict[str, Products] = defaultdict(list)
        c = deal_lines.c
        held = [held_at(pair)(dict(c.items())) for pair in moments]
        columns = [c.stream, c.product, func.coalesce(c[f"{self._measure}_minor"], 0), *held]
        for source in sources if self._split else ():
            streams = select(source.columns["stream"]).select_from(source.frm).where(*source.where)
            query = select(*columns).where(c.stream.in_(streams), or_(*held)).order_by(c.stream, c.line_no)
            rows: Sequence[Any] = self._view.rows(query, dict(source.values))
            for stream, product, weight, in_then, in_known, in_last in rows:
                line = self._part_of((product,)), weight
                if in_then:
                    then[stream].append(line)
                if in_known:
                    known[stream].append(line)
                if in_last:
                    last[stream].append(line)
        return [then, known, last]

    def _query(self, source: Source, question: Question, stands_for: Mapping[int, Which] | None) -> Any:
        own, joined = source.columns, Joined(source, question, self._view)
        told = [*(joined.column(name) for name in self._names), *self._flags(own)]
        others = [(which(own), number) for number, which in (stands_for or {}).items()]
        query = select(
            own["stream"],
            lines.key_of(source, told, needs_month=question.needs_month),
            func.coalesce(own[f"{self._measure}_minor"], 0),
            case((own["currency"] != self._currency, own["currency"])),
            instant(source.at) if isinstance(source.at, int) else source.at,
            case((own["appended_at"] > self._known_at, 1), else_=0),
            case(*others, else_=0) if others else literal(0),
            literal(1),
        )
        return query.select_from(joined.frm).where(*source.where)

    def _flags(self, own: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        """How a deal ended, whether it was opened since `from`, is due in the period, and says its amount."""
        in_period: ColumnElement[Any] = _YES
        if self._days is not None:
            first, last = (label(day.isoformat()) for day in (self._days.first, self._days.last))
            in_period = case((own["expected_close_on"].between(first, last), _YES))
        is_new, is_said = own["opened_at"] > self._since, own[f"{self._measure}_minor"].is_not(None)
        return [own.get("ending", _NO), case((is_new, _YES)), in_period, case((is_said, _YES))]


class Told:
    """Reads what tells where a deal stands."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._names = lines.asked(question)
        self._split = question.told_by_products
        self._places = Places(question)
        self._told: dict[str, tuple[str | None, ...]] = {}
        self._of: dict[tuple[str, PartName], Place] = {}

    def ending(self, told: str) -> str | None:
        """How it ended: won, lost, abandoned or merged."""
        return self._parts(told)[-4]

    def is_new(self, told: str) -> bool:
        """Whether it was opened since `from`."""
        return self._parts(told)[-3] is not None

    def is_known(self, told: str) -> bool:
        """Whether it says its amount."""
        return self._parts(told)[-1] is not None

    def place(self, told: str, part: PartName) -> Place:
        """Where a part of it stands."""
        place = self._of.get((told, part))
        if place is None:
            state, month, *each = self._parts(told)
            dimensions = exact.placed(self._question, state, month, dict(zip(self._names, each, strict=False)))
            dimensions |= zip(self._split, part, strict=True)
            place = self._of[told, part] = self._places.of(dimensions, in_period=each[-2] is not None)
        return place

    def _parts(self, told: str) -> tuple[str | None, ...]:
        parts = self._told.get(told)
        if parts is None:
            parts = self._told[told] = lines.parts(told, len(self._names) + 4)
        return parts
