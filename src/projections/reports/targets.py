"""Objectives, and the forecasts that people submit, as lines: each one's part in each month that a report shows.

A target counts where its scope is exactly the row's: the company's where nothing but time tells rows apart, a team's or
person's where team or owner alone does. One over several months is spread over them by days, by largest remainder. Of
several that cover a day the one of the shortest period counts there, of those the latest.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import BigInteger, CompoundSelect, Text, bindparam, literal, select, union_all

from ledger.money import convert, share
from projections.reports.definition import TIME
from projections.reports.dimensions import time_label
from projections.reports.exact import Line, Piece, wanted
from projections.reports.periods import month_first, month_number
from projections.tables import call_versions, objective_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from sqlalchemy import BindParameter, ColumnElement, FromClause, Select

    from projections.pairs import Pair
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
    found = _targets(question, view, days, {"target_scope": kind, "target_metric": metric})
    yield from _counted(found, question, rates, days, name)


def at_each(
    questions: Mapping[str, tuple[Question, Rates, Period]], question: Question, view: View, metric: str
) -> Iterator[tuple[str, Line]]:
    """The same for several questions that differ by their instant, read at once: each part under its question's name.

    Each question's `as_of` is its `known_at`. Where all of a scope's hold on at the next, and convert to themselves, they
    are not told anew.
    """
    scope = scope_of(question)
    if scope is None or not questions:
        return
    kind, name = scope
    first = min(days.first for _, _, days in questions.values())
    last = max(days.last for _, _, days in questions.values())
    asked = {"target_scope": kind, "target_metric": metric}
    rows = view.rows(_EVER, {**asked, "target_first": first.isoformat(), "target_last": last.isoformat()})
    by_scope: dict[str | None, list[Any]] = {}
    for row in rows:
        by_scope.setdefault(row.scope, []).append(row)
    told: dict[str | None, tuple[tuple[Any, ...], list[Line]]] = {}
    for named, (then, rates, days) in questions.items():
        at = then.pair.as_of
        for whose, its in by_scope.items():
            held = [row for row in its if row.reported_from <= at < row.reported_to]
            same = (days, *map(id, held))
            before, counted = told.get(whose, ((), []))
            if same != before:
                counted = list(_counted((_target(row, then.pair) for row in held), then, rates, days, name))
                is_lasting = all(row.currency in {None, then.currency} for row in held)
                told[whose] = (same if is_lasting else (), counted)
            late = {row.stream for row in held if row.appended_at > at}
            for line in counted:
                yield named, msgspec.structs.replace(line, at=at, late=line.stream in late)


def _counted(
    found: Iterable[Target], question: Question, rates: Rates, days: Period, name: str | None
) -> Iterator[Line]:
    by_state: dict[str, list[Target]] = {OBJECTIVE: [], CALL: []}
    for target in found:
        if target.first <= days.last and target.last >= days.first:
            by_state[target.line.state or ""].append(target)
    for targets in by_state.values():
        parts: dict[str, dict[int, int]] = {}
        for target, number, counted in counting(targets, days):
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
            yield msgspec.structs.replace(
                line, pieces=(Piece(place, {"one": 1, "value": minor, "value_said": 1}),), joined=joined
            )


def counting(targets: Iterable[Target], days: Period) -> Iterator[tuple[Target, int, int]]:
    """On how many days of each month, by its number, each target counts."""
    ranked = sorted(targets, key=lambda each: each.said, reverse=True)
    ranked.sort(key=lambda each: each.last - each.first)
    same: dict[tuple[str | None, int], list[Target]] = {}
    for target in ranked:
        first, last = max(target.first, days.first), min(target.last, days.last)
        for number in range(month_number(first), month_number(last) + 1):
            same.setdefault((target.whose, number), []).append(target)
    for (_, number), covering in same.items():
        free = set(_days_in(number, days.first, days.last))
        for target in covering:
            before = len(free)
            free.difference_update(_days_in(number, target.first, target.last))
            if len(free) < before:
                yield target, number, before - len(free)
            if not free:
                break


def _parts(target: Target, factor: Fraction) -> dict[int, int]:
    """What falls on each month, by days, converted once."""
    months = range(month_number(target.first), month_number(target.last) + 1)
    lengths = [len(_days_in(number, target.first, target.last)) for number in months]
    return dict(zip(months, share(convert(target.minor, factor), lengths), strict=True))


def _days_in(number: int, first: date, last: date) -> range:
    """The days of a month, as ordinals, from `first` to `last`."""
    after = month_first(number + 1).toordinal()
    return range(max(month_first(number).toordinal(), first.toordinal()), min(after, last.toordinal() + 1))


def _said(*, ever: bool) -> CompoundSelect[Any]:
    """Objectives and calls at the pair, or at any, that touch the days, built once: building takes longer than reading."""
    o, c = objective_versions.c, call_versions.c
    first, last = (bindparam(f"target_{name}", type_=Text) for name in ("first", "last"))
    scope, metric = (bindparam(f"target_{name}", type_=Text) for name in ("scope", "metric"))
    as_of, happened, known_at = (
        bindparam(f"target_{name}", type_=BigInteger) for name in ("as_of", "happened", "known_at")
    )

    def arm(
        state: str,
        rows: FromClause,
        at: BindParameter[int],
        said: Sequence[ColumnElement[int]],
        minor: ColumnElement[int],
    ) -> Select[Any]:
        r = rows.c
        return select(
            literal(state, Text).label("state"),
            *(r.stream, r.position, r.appended_at, r.scope, r.period_from, r.period_to, r.currency),
            *(r.reported_from, r.reported_to),
            *(column.label(name) for column, name in zip(said, ("said_at", "said_position"), strict=True)),
            minor.label("minor"),
        ).where(
            *(r.scope_kind == scope, r.period_to >= first, r.period_from <= last),
            *(() if ever else (r.effective_from <= at, r.effective_to > at)),
            *(() if ever else (r.known_from <= known_at, r.known_to > known_at)),
        )

    objectives = arm(OBJECTIVE, objective_versions, as_of, (o.effective_from, o.position), o.target_minor).where(
        o.metric == metric, o.target_minor.is_not(None), o.kind.is_(None), o.product_range.is_(None), o.cancelled == 0
    )
    calls = arm(CALL, call_versions, happened, (c.submitted_at, c.submitted_position), c.value_minor)
    return union_all(objectives, calls.where(c.category == "commit"))


_IN_FORCE, _EVER = _said(ever=False), _said(ever=True)


def _targets(question: Question, view: View, days: Period, asked: Mapping[str, str]) -> Iterator[Target]:
    pair = question.pair
    values: dict[str, Any] = {
        "target_as_of": pair.as_of,
        "target_happened": pair.happened.as_of,
        "target_known_at": pair.known_at,
        "target_first": days.first.isoformat(),
        "target_last": days.last.isoformat(),
    }
    for row in view.rows(_IN_FORCE, {**values, **asked}):
        yield _target(row, pair)


def _target(row: Any, pair: Pair) -> Target:
    line = Line(
        stream=row.stream,
        position=row.position,
        at=pair.as_of,
        state=row.state,
        currency=row.currency,
        probability_bp=None,
        late=row.appended_at > pair.known_at,
        pieces=(),
    )
    first, last = date.fromisoformat(row.period_from), date.fromisoformat(row.period_to)
    return Target(row.scope, first, last, row.minor, (row.said_at, row.said_position), line)
