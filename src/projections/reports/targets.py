"""Objectives, and the forecasts that people submit, as lines: each one's part in each month that a report shows.

A target counts where its scope is exactly the row's: the company's where nothing but time tells rows apart, a team's or
person's where team or owner alone does. One over several months is spread over them by days, by largest remainder. Of
several that cover a day the one of the shortest period counts there, of those the latest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from ledger.money import convert, share
from projections import intervals
from projections.reports.definition import TIME
from projections.reports.dimensions import time_label
from projections.reports.exact import Line, Piece, wanted
from projections.reports.periods import month_first, month_number
from projections.tables import call_versions, objective_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from sqlalchemy import ColumnElement, Table

    from projections.reports.periods import Period
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

OBJECTIVE, CALL = "objective", "call"
"""The states of these lines."""

SCOPES = {"owner": "person", "team": "team"}
"""The dimension that tells whose a target is, and what its scope is called."""


class Target(NamedTuple):
    """What is to be reached, or is forecast, from the first day to the last; `minor` is in the currency of its line.

    `whose` is the id of a team or person; the latest of several has the greatest `said`.
    """

    whose: str | None
    first: date
    last: date
    minor: int
    said: tuple[int, int]
    line: Line


def scope_of(question: Question) -> tuple[str, str | None] | None:
    """The scope that a question's rows have, and the dimension that tells whose; None where no target has it."""
    told = question.dimensions - TIME
    if not told:
        return "company", None
    name = next(iter(told))
    return (SCOPES[name], name) if len(told) == 1 and name in SCOPES else None


def lines(question: Question, view: View, rates: Rates, days: Period, metric: str) -> Iterator[Line]:
    """The parts of objectives of a metric of money, and of forecasts of category commit, in the months of `days`."""
    scope = scope_of(question)
    if scope is None:
        return
    kind, name = scope
    o, c = objective_versions.c, call_versions.c
    whole = (
        o.metric == metric,
        o.target_minor.is_not(None),
        o.kind.is_(None),
        o.product_range.is_(None),
        o.cancelled == 0,
    )
    for read, where in (
        (_Read(OBJECTIVE, objective_versions, "target_minor"), whole),
        (_Read(CALL, call_versions, "value_minor"), (c.category == "commit",)),
    ):
        in_force = (read.table.c.scope_kind == kind, *_touching(read.table, days), *where)
        parts: dict[str, dict[int, int]] = {}
        for target, number, counted in counting(_targets(question, view, read, in_force), days):
            place = {each: time_label(each, f"{month_first(number):%Y-%m}") for each in question.dimensions & TIME}
            if name is not None:
                place[name] = target.whose
            if not wanted(question, place):
                continue
            line, currency = target.line, target.line.currency or question.currency
            if line.stream not in parts:
                parts[line.stream] = _parts(target, rates.factor(currency, line.at))
            rest = len(_days_in(number, target.first, target.last)) - counted
            minor = share(parts[line.stream][number], [counted, rest])[0]
            joined = () if currency == question.currency else rates.streams(currency)
            yield replace(line, pieces=(Piece(place, {"one": 1, "value": minor}),), joined=joined)


def counting(targets: Iterable[Target], days: Period) -> Iterator[tuple[Target, int, int]]:
    """On how many days of each month, by its number, each target counts."""
    by_whose: dict[str | None, list[Target]] = {}
    for target in targets:
        by_whose.setdefault(target.whose, []).append(target)
    for same in by_whose.values():
        ranked = sorted(same, key=lambda each: each.said, reverse=True)
        ranked.sort(key=lambda each: each.last - each.first)
        for number in range(month_number(days.first), month_number(days.last) + 1):
            free = set(_days_in(number, days.first, days.last))
            for target in ranked:
                if counted := free.intersection(_days_in(number, target.first, target.last)):
                    free -= counted
                    yield target, number, len(counted)


def _parts(target: Target, factor: Fraction) -> dict[int, int]:
    """What falls on each month, by days, converted once."""
    months = range(month_number(target.first), month_number(target.last) + 1)
    lengths = [len(_days_in(number, target.first, target.last)) for number in months]
    return dict(zip(months, share(convert(target.minor, factor), lengths), strict=True))


def _days_in(number: int, first: date, last: date) -> range:
    """The days of a month, as ordinals, from `first` to `last`."""
    after = month_first(number + 1).toordinal()
    return range(max(month_first(number).toordinal(), first.toordinal()), min(after, last.toordinal() + 1))


class _Read(NamedTuple):
    """What is read: the state of its lines, its table and the column of its amount."""

    state: str
    table: Table
    amount: str


def _touching(table: Table, days: Period) -> tuple[ColumnElement[bool], ...]:
    return table.c.period_to >= days.first.isoformat(), table.c.period_from <= days.last.isoformat()


def _targets(question: Question, view: View, read: _Read, where: Sequence[ColumnElement[bool]]) -> Iterator[Target]:
    pair = question.pair
    for row in view.rows(select(intervals.at_pair(read.table, pair, view, *where))):
        line = Line(
            stream=row.stream,
            position=row.position,
            at=pair.as_of,
            state=read.state,
            currency=row.currency,
            probability_bp=None,
            late=row.appended_at > pair.known_at,
            pieces=(),
        )
        is_call = read.state == CALL
        yield Target(
            whose=row.scope,
            first=date.fromisoformat(row.period_from),
            last=date.fromisoformat(row.period_to),
            minor=getattr(row, read.amount),
            said=(row.submitted_at, row.submitted_position) if is_call else (row.effective_from, row.position),
            line=line,
        )
