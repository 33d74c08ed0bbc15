"""The forecast of periods as known at past instants, all of them by one query: open deals and wins, snapshot by snapshot.

At a snapshot's instant `as_of` and `known_at` are that instant, so rows hold on their diagonal, and what they join is
read there too. A deal is due in a period as the forecast has it: overdue ones in the month of the snapshot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    select,
    union_all,
    values,
)

from ledger.money import BASIS_POINTS
from ledger.times import day_start, local_date
from projections import intervals
from projections.pairs import Pair
from projections.reports import calibration, exact, lines
from projections.reports.cells import work_out
from projections.reports.definition import Sum
from projections.reports.lines import asked
from projections.reports.rates import Rates, rates_then
from projections.reports.sources import Source, closed, instant, label
from projections.tables import stage_versions, wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy import CTE, ColumnElement, Select

    from projections.reports.periods import Period
    from projections.reports.question import Question
    from projections.store import View

WON = "won"
ACTUAL = "actual"
"""The state of what a forecast period became, beside those of the deals at a snapshot."""

OPEN_COLUMNS = frozenset({
    "stream", "position", "appended_at", "owner", "customer", "pipeline", "stage", "probability_bp", "category",
    "value_minor", "margin_minor", "currency",
})  # fmt: skip
OPEN_DIMENSIONS = frozenset({"kind", "region", "country", "channel", "campaign"})
"""What is read of an open deal: always, and when asked for."""

THEN = ("name", "at", "since", "until")
"""What is read along of the snapshot that a deal is in."""


class Snapshot(NamedTuple):
    """An instant at which a period was forecast, under a name of its own."""

    name: str
    at: int
    period: Period


class Seen(NamedTuple):
    """Deals that count alike in a snapshot, or one of them: their value, and what of it was expected, unless unknown.

    `state` is `WON` or the category of open deals; `came`: they were won in the period, at the question's pair.
    `stream` and `position` are those of one that was asked for by itself.
    """

    snapshot: str
    state: str | None
    dimensions: Mapping[str, str | None]
    value: int | None
    expected: int | None
    probability_bp: int
    came: bool
    deals: int
    stream: str
    position: int
    late: bool


def measured(question: Question) -> Question:
    """The question of the deals alone: without the dimension that tells snapshots, with the sums that are measured."""
    by_margin = question.given.get("measure") == "margin"
    sums = (
        (Sum("value", "margin"), Sum("expected", "weighted_margin"))
        if by_margin
        else (Sum("value", "value"), Sum("expected", "weighted"))
    )
    fixed = question.report.fixed
    return replace(
        question,
        report=replace(question.report, sums=sums, fixed=()),
        by=tuple(name for name in question.by if name not in fixed),
        where={name: allowed for name, allowed in question.where.items() if name not in fixed},
    )


def asked_for(question: Question, snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Those that the filters let pass."""
    [name] = question.report.fixed
    allowed = question.where.get(name)
    return [each for each in snapshots if allowed is None or each.name in allowed]


def rates_of(question: Question, snapshots: Sequence[Snapshot], view: View) -> dict[str, Rates]:
    """Each snapshot's exchange rates, as they were known then."""
    return rates_then({each.name: question.seen(each.at, each.at) for each in snapshots}, view)


def deals(
    question: Question,
    snapshots: Sequence[Snapshot],
    rates: Mapping[str, Rates],
    view: View,
    *,
    each: bool,
    outcomes: bool = False,
) -> Iterator[Seen]:
    """The open deals due in each snapshot's period and the wins in it, added up by their dimensions, or `each` alone.

    With `outcomes` also by their probability and whether they came. Raises `MissingRate`.
    """
    if snapshots:
        then = _table(question, snapshots)
        yield from _told(_open(question, snapshots, then, view), question, rates, view, each=each, outcomes=outcomes)
        yield from _told(_won(snapshots, then), question, rates, view, each=each, outcomes=outcomes)


def won(question: Question, snapshots: Sequence[Snapshot], rates: Mapping[str, Rates], view: View) -> Iterator[Seen]:
    """The wins in each snapshot's period, added up by their dimensions. Raises `MissingRate`."""
    if snapshots:
        yield from _told(_won(snapshots, _table(question, snapshots)), question, rates, view, each=False)


def alone_in(question: Question, rates: Mapping[str, Rates]) -> dict[str, exact.Alone]:
    """What deals in other currencies bring to each snapshot, by its name: their value and what of it was expected."""
    needed = [each.of for each in question.report.sums]
    return {name: exact.Alone(question, found, needed) for name, found in rates.items()}


def _told(
    source: Source,
    question: Question,
    rates: Mapping[str, Rates],
    view: View,
    *,
    each: bool,
    outcomes: bool = False,
) -> Iterator[Seen]:
    then = source.columns
    at: Any = then["at"]
    as_then = replace(question, pair=Pair(at, at), settled=question.settled or question.pair)
    came = _came(source, question, view) if outcomes else literal_column("0")
    query = lines.query(source, as_then, view)
    measured = then["margin_minor" if question.report.sums[0].of == "margin" else "value_minor"]
    query = query.add_columns(measured.label("value"), then["name"].label("snapshot"), came.label("came"))
    wanted = query if each else _grouped(query, question, outcomes=outcomes)
    rows = view.rows(wanted, lines.values(source, question))
    yield from _read(rows, question, rates, each)


def _came(source: Source, question: Question, view: View) -> ColumnElement[int]:
    """Whether a deal was won in the period, as known at the question's own pair."""
    then, won = source.columns, select(intervals.at_pair(wins, question.pair, view)).subquery("came").c
    in_period = (won.effective_from >= then["since"], won.effective_from < then["until"])
    its = select(won.stream).where(won.stream == then["stream"], *in_period)
    return case((its.exists(), 1), else_=0)


def _read(
    rows: Sequence[Any],
    question: Question,
    rates: Mapping[str, Rates],
    each: bool,  # noqa: FBT001 (as `deals` was asked)
) -> Iterator[Seen]:
    alone = alone_in(question, rates)
    for row in rows:
        value = expected = None
        if row.value is not None and (each or row.alone is not None):
            amount = int(row.value)
            said = exact.Said(row.state, row.currency, row.at, row.probability_bp, value=amount, margin=amount)
            value, expected = alone[row.snapshot](said)
        elif row.value is not None:
            value, expected = int(row.value), int(row.expected)
        yield Seen(
            snapshot=row.snapshot,
            state=row.state,
            dimensions={name: getattr(row, name) for name in asked(question)},
            value=value,
            expected=expected,
            probability_bp=row.probability_bp,
            came=bool(row.came),
            deals=1 if each else row.deals,
            stream=row.stream if each else "",
            position=row.position if each else 0,
            late=row.appended_at > question.pair.known_at,
        )


def _grouped(query: Select[Any], question: Question, *, outcomes: bool) -> Select[Any]:
    """Deals in the reporting currency added up, the few others each alone.

    They are read apart (`OFFSET 0`): SQLite would work out twice what they are grouped by.
    """
    rows = query.offset(literal_column("0")).subquery("deals")
    told = ("probability_bp", "came") if outcomes else ()
    keys = [rows.c[name] for name in ("snapshot", "alone", "state", *told, *asked(question))]
    of_one = ("appended_at", "at", "currency", "probability_bp", "came")
    expected = lines.half_even(rows.c.value * rows.c.probability_bp, BASIS_POINTS)
    return select(
        *keys,
        func.sum(rows.c.value).label("value"),
        func.sum(expected).label("expected"),
        func.count().label("deals"),
        *(func.max(rows.c[name]).label(name) for name in of_one if name not in told),
    ).group_by(*keys)


def _table(question: Question, snapshots: Sequence[Snapshot]) -> CTE:
    """The snapshots, each with its day and its period's days and instants."""
    zone = question.book.time_zone
    columns: list[Any] = [
        *(column(name, Text) for name in ("name", "day", "first", "last")),
        *(column(name, BigInteger) for name in ("at", "since", "until")),
    ]
    rows = [
        (
            *(each.name, local_date(each.at, zone).isoformat()),
            *(each.period.first.isoformat(), each.period.last.isoformat()),
            *(each.at, day_start(each.period.first, zone), _after(each.period.last, zone)),
        )
        for each in snapshots
    ]
    return values(*columns, name="snapshots").data(rows).cte("snapshots")


def _after(day: date, zone: str) -> int:
    return day_start(day.fromordinal(day.toordinal() + 1), zone)


def won_by_month(question: Question, days: Period, view: View) -> Iterator[tuple[Mapping[str, str | None], int]]:
    """What was won on these days at the question's own pair, added up by `month` and the question's dimensions."""
    report = replace(
        question.report,
        sums=question.report.sums[:1],
        lines=lambda question, view: [closed(question, view, wins)],
        items=None,
        completed=None,
        summary=None,
        fixed=("month",),
    )
    asked = replace(question.over(days), report=report, by=tuple(sorted(question.dimensions)))
    for key, sums in work_out(asked, view).rows.items():
        yield dict(zip(asked.heads, key, strict=True)), sums["value"]


def _open(question: Question, snapshots: Sequence[Snapshot], then: CTE, view: View) -> Source:
    """Deals open at each snapshot and due in its period."""
    wanted = OPEN_COLUMNS | question.dimensions & OPEN_DIMENSIONS
    earliest, latest = min(each.at for each in snapshots), max(each.at for each in snapshots)

    def due_in(rows: intervals.Rows) -> Select[Any]:
        on = rows.c.expected_close_on
        day = case((on < then.c.day, then.c.day), else_=on)
        found = select(*(rows.c[name] for name in sorted(wanted)), *(then.c[name] for name in THEN))
        return found.select_from(rows.frm).where(day >= then.c.first, day <= then.c.last)

    due = union_all(*map(due_in, intervals.open_at_each(then, view))).subquery("due")
    stages = stage_versions.alias("stages")
    in_stage = and_(
        *(stages.c.stream == label("pipeline-") + due.c.pipeline, stages.c.stage == due.c.stage),
        *(stages.c.reported_from <= due.c.at, stages.c.reported_to > due.c.at),
    )
    chance = func.coalesce(due.c.probability_bp, stages.c.probability_bp, literal_column("0"))
    if calibration.is_asked(question):
        found = {
            (each.name, *stage): bp
            for each in snapshots
            for stage, bp in calibration.estimates(question.seen(each.at, each.at), view).items()
        }
        chance = calibration.chance(found, due.c.probability_bp, due.c.name, due.c.pipeline, due.c.stage)
    return Source(
        frm=due.outerjoin(stages, in_stage),
        columns=dict(due.c.items()),
        state=func.coalesce(due.c.category, stages.c.category),
        at=due.c.at,
        happened_at=due.c.at,
        month=null(),
        probability_bp=chance,
        values=intervals.between_values(earliest, latest),
    )


def _won(snapshots: Sequence[Snapshot], then: CTE) -> Source:
    w = wins.c
    latest = max(each.at for each in snapshots)
    in_force = and_(
        *(w.effective_from >= then.c.since, w.effective_from < then.c.until),
        *(w.reported_from <= then.c.at, w.reported_to > then.c.at),
    )
    return Source(
        frm=wins.join(then, in_force),
        columns={**w, **{name: then.c[name] for name in THEN}},
        state=label(WON),
        at=w.effective_from,
        happened_at=w.effective_from,
        month=null(),
        probability_bp=cast(literal_column(str(BASIS_POINTS)), BigInteger),
        where=(w.effective_from <= instant(latest), w.reported_from <= instant(latest)),
    )
