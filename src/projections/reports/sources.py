"""Where a report's lines come from: open deals, wins, losses and quotes at the pair, one row each.

A fact's row tells its own instant, at which what it joins is read; an open deal's is read at `as_of` (DESIGN 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
)

from ledger.errors import BadRequest
from ledger.times import day_start, local_date
from projections import intervals
from projections.intervals import Rows
from projections.reports import calibration
from projections.reports.definition import DAYS
from projections.reports.periods import MAX_DATES, month_first, month_number
from projections.tables import (
    deal_lines,
    deal_versions,
    interactions,
    losses,
    quote_versions,
    stage_versions,
    win_lines,
    wins,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import CTE, ColumnElement, FromClause, Subquery, Table

    from projections.reports.periods import Period
    from projections.reports.question import Question
    from projections.store import View

    Stretches = tuple[tuple[int, ...], tuple[str, ...]]

OMITTED = "omitted"
"""The category of open deals that nothing is expected of."""


@dataclass(frozen=True, eq=False)
class Source:
    """Rows that count as lines.

    `frm` is what is selected from and `columns` its columns by name; `state` says what became of a line, or in which
    forecast category it is (null in a stage that nobody has defined). What a line joins is read at the instant `at`,
    or `happened_at` for what happened. `month` is the line's month as `YYYY-MM`. `values` are parameters of all these,
    `kept` the same source for other values, of what its sums are made of alone: None once it differs in anything else.
    `product_lines` is a table, read at the pair, or rows of `frm`'s lines alone, each with the instant `at` which it held.
    `of_products` are products, by their ids, one of which a line must ever have had; `ranges` those that are told apart
    where the lines' products are all of one instant, the others being none.
    """

    frm: FromClause
    columns: dict[str, ColumnElement[Any]]
    state: ColumnElement[Any]
    at: ColumnElement[int] | int
    happened_at: ColumnElement[int] | int
    month: ColumnElement[Any]
    probability_bp: ColumnElement[Any] | None = None
    product_lines: Table | Subquery | None = None
    of_products: frozenset[str] | None = None
    ranges: frozenset[str] | None = None
    where: tuple[ColumnElement[bool], ...] = ()
    values: Mapping[str, int | str] = field(default_factory=dict)
    kept: Source | None = None

    @property
    def only_state(self) -> str | None:
        """The state of all its lines, where it is known to be one."""
        return self.state.value if isinstance(self.state, BindParameter) else None

    def narrowed(self, *where: ColumnElement[bool]) -> Source:
        """Those of its rows that satisfy this too."""
        return replace(self, where=(*self.where, *where), kept=None)

    def in_state(self, state: ColumnElement[Any]) -> Source:
        """The same rows, counted as lines of another state."""
        return replace(self, state=state, kept=None)


def instant(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)


def label(value: str) -> ColumnElement[Any]:
    return literal(value, Text)


def word(value: str) -> ColumnElement[Any]:
    """A word of ours in the statement itself, where it is the same each time."""
    return literal_column(f"'{value}'", Text)


def open_deals(
    question: Question,
    view: View,
    *,
    horizon: Period | None = None,
    within: bool = False,
    staged: bool = True,
) -> list[Source]:
    """Deals open at the pair, each with its probability and category: its own if set, else its stage's.

    With `probabilities=calibrated` a stage's probability is what `calibration` makes of experience.

    `horizon` puts the words overdue, later and undated for the months outside of it; with `within` those alone are told
    that are due in it, overdue ones today. Unless `staged` they come without what only their stages tell, and have
    neither of the two.
    """
    calibrated = calibration.estimates(question, view) if calibration.is_asked(question) else None
    values: dict[str, int | str] = {
        **intervals.open_values(question.pair),
        _STAGES_AS_OF.key: question.pair.as_of,
        _STAGES_KNOWN_AT.key: question.pair.known_at,
        _TODAY.key: question.today.isoformat(),
    }
    if horizon is not None:
        has_today = horizon.first <= question.today <= horizon.last
        values[_FIRST.key] = "" if has_today else max(horizon.first, question.today).isoformat()
        values[_LAST.key] = horizon.last.isoformat()
    at, happened_at = question.pair.as_of, question.pair.happened.as_of
    found = []
    for rows, added_up in zip(
        intervals.open_deals(question.pair, view), intervals.open_deals(question.pair, view, *_ADDED_UP), strict=True
    ):
        shape = {"horizon": horizon is not None, "within": within, "staged": staged}
        built, kept = (_open(each, **shape) for each in (rows, added_up))
        source = replace(built, at=at, happened_at=happened_at, values=values, kept=kept)
        if calibrated is not None:
            chance = calibration.chance(calibrated, rows.c.probability_bp, rows.c.pipeline, rows.c.stage)
            source = replace(source, probability_bp=chance, kept=None)
        found.append(source)
    return found


_STAGES_AS_OF, _STAGES_KNOWN_AT = (bindparam(f"stages_{name}", type_=BigInteger) for name in ("as_of", "known_at"))
_TODAY, _FIRST, _LAST = (bindparam(f"due_{name}", type_=Text) for name in ("today", "first", "last"))
_ADDED_UP = (
    *("stream", "appended_at", "owner", "kind", "pipeline", "stage", "category", "probability_bp"),
    *("value_minor", "margin_minor", "quantity_e6", "currency", "expected_close_on"),
)
"""The columns of open deals that their sums are made of where they are kept."""


@lru_cache(maxsize=256)
def _open(rows: Rows, *, horizon: bool, within: bool, staged: bool) -> Source:
    """Open deals at parameters of this module's; its instants are for `open_deals` to say."""
    c = rows.c
    found = Source(
        frm=rows.frm,
        columns=dict(c.items()),
        state=null(),
        at=0,
        happened_at=0,
        month=_due(c.expected_close_on, horizon=horizon),
        product_lines=deal_lines,
        where=(c.expected_close_on.between(_FIRST, _LAST),) if within else (),
    )
    if not staged:
        return found
    stages = _stages()
    in_stage = and_(stages.c.pipeline == c.pipeline, stages.c.stage == c.stage)
    return replace(
        found,
        frm=rows.frm.outerjoin(stages, in_stage),
        state=func.coalesce(c.category, stages.c.category),
        probability_bp=func.coalesce(c.probability_bp, stages.c.probability_bp, literal_column("0")),
    )


def _stages() -> CTE:
    """The stages of the day, worked out once: left to itself SQLite reads them anew for every deal."""
    s = stage_versions.c
    pipeline = func.substr(s.stream, literal_column(str(len("pipeline-") + 1))).label("pipeline")
    in_force = (s.effective_from <= _STAGES_AS_OF, s.effective_to > _STAGES_AS_OF)
    known = (s.known_from <= _STAGES_KNOWN_AT, s.known_to > _STAGES_KNOWN_AT)
    return (
        select(pipeline, s.stage, s.probability_bp, s.category)
        .where(*in_force, *known)
        .cte("stages")
        .prefix_with("MATERIALIZED")
    )


def _due(day: ColumnElement[Any], *, horizon: bool) -> ColumnElement[Any]:
    month: ColumnElement[Any] = func.substr(day, literal_column("1"), literal_column("7"))
    if not horizon:
        return month
    return case(
        (day.is_(None), word("undated")),
        (day < _TODAY, word("overdue")),
        (day > _LAST, word("later")),
        else_=month,
    )


def in_progress(question: Question, view: View, state: str, *, cohort: bool) -> list[Source]:
    """Deals open when the period began, as they were then, and those opened in it, as they are at the pair.

    A duplicate opened in it and merged since is none.
    A deal closed at the period's first instant was in progress: its opening state is that of one microsecond before.
    With `cohort` only those opened in it.
    """
    opened = between(deal_versions.c.opened_at, question)
    rows = intervals.at_pair(deal_versions, question.pair, view, *opened, deal_versions.c.status != "merged")
    sources = [_deals(Rows(rows, rows.c), question, state)]
    if question.period and not cohort and question.period_from <= question.pair.happened.as_of:
        before = question.on(question.period_from - 1, view)
        values = intervals.open_values(before.pair)
        opening = [_deals(rows, before, state) for rows in intervals.open_deals(before.pair, view)]
        sources += [replace(each, values=values) for each in opening]
    return sources


def _deals(rows: Rows, question: Question, state: str) -> Source:
    return Source(
        frm=rows.frm,
        columns=dict(rows.c.items()),
        state=label(state),
        at=question.pair.as_of,
        happened_at=question.pair.happened.as_of,
        month=null(),
    )


def closed(question: Question, view: View, table: Table, *, cohort: bool = False) -> Source:
    """Wins or losses in force at the pair that closed in the period, or with `cohort` were opened in it."""
    since = table.c.opened_at if cohort else table.c.effective_from
    in_force = intervals.in_force_kept(table, question.pair, view)
    kept = _closed(table, since, in_force, _stretches(since, question, view))
    within = {_FIRST_CLOSED.key: question.period_from, _LAST_CLOSED.key: _last(question)}
    return replace(kept, values=intervals.values(question.pair) | within, kept=kept)


_FIRST_CLOSED, _LAST_CLOSED = (bindparam(f"closed_{name}", type_=BigInteger) for name in ("first", "last"))


@lru_cache(maxsize=64)
def _closed(
    table: Table, since: ColumnElement[int], in_force: ColumnElement[bool], stretches: Stretches | None
) -> Source:
    return Source(
        frm=table,
        columns=dict(table.c.items()),
        state=table.c.outcome if table is losses else label("won"),
        at=table.c.effective_from,
        happened_at=table.c.effective_from,
        month=null() if stretches is None else bisect(since, *stretches),
        product_lines=win_lines if table is wins else deal_lines,
        where=(in_force, since >= _FIRST_CLOSED, since <= _LAST_CLOSED),
    )


def quotes(question: Question, view: View) -> Source:
    """Quotes issued in the period, by their state at the pair; past `valid_until` an open one counts as expired."""
    issued = between(quote_versions.c.issued_at, question)
    rows = intervals.at_pair(quote_versions, question.pair, view, *issued)
    today = local_date(question.pair.happened.as_of, question.book.time_zone).isoformat()
    still = rows.c.status == "issued"
    nothing = dict.fromkeys(("region", "country", "channel", "campaign"), cast(null(), Text))
    return Source(
        frm=rows,
        columns=nothing | dict(rows.c.items()),
        state=case(
            (and_(still, rows.c.valid_until < today), label("expired")), (still, label("open")), else_=rows.c.status
        ),
        at=rows.c.issued_at,
        happened_at=rows.c.issued_at,
        month=month_of(rows.c.issued_at, quote_versions.c.issued_at, question, view),
    )


def logged(question: Question, view: View, *where: ColumnElement[bool]) -> Source:
    """Interactions of the period that satisfy `where`, as they stand at the pair; none is worth anything."""
    rows = intervals.at_pair(interactions, question.pair, view, *between(interactions.c.logged_at, question), *where)
    nothing = dict.fromkeys(("region", "country", "channel", "currency"), cast(null(), Text))
    amounts = dict.fromkeys(("value_minor", "margin_minor"), cast(null(), BigInteger))
    return Source(
        frm=rows,
        columns=nothing | amounts | dict(rows.c.items()),
        state=rows.c.kind,
        at=rows.c.logged_at,
        happened_at=rows.c.logged_at,
        month=month_of(rows.c.logged_at, interactions.c.logged_at, question, view),
    )


def between(column: ColumnElement[int], question: Question) -> tuple[ColumnElement[bool], ...]:
    last = instant(_last(question))
    if question.period is None:
        return (column <= last,)
    return (column >= instant(question.period_from), column <= last)


def _last(question: Question) -> int:
    return min(question.period_to - 1, question.pair.happened.as_of)


def month_of(
    column: ColumnElement[int], stored: ColumnElement[int], question: Question, view: View
) -> ColumnElement[Any]:
    """The local month of an instant, told by comparing it with the first instants of the months there are.

    Where days or weeks are asked for, its local day. Raises `BadRequest` when these are too many.
    """
    stretches = _stretches(stored, question, view)
    return null() if stretches is None else bisect(column, *stretches)


def _stretches(stored: ColumnElement[int], question: Question, view: View) -> Stretches | None:
    """The first instants of the months, or days, that are told apart, and what they are called."""
    if not question.needs_month:
        return None
    zone, last = question.book.time_zone, _last(question)
    first = question.period_from
    if question.period is None:
        first = view.connection.scalar(select(func.min(stored))) or last
    if not question.dimensions.isdisjoint(DAYS):
        days = [date.fromordinal(day) for day in _ordinals(local_date(min(first, last), zone), local_date(last, zone))]
        return tuple(day_start(day, zone) for day in days), tuple(day.isoformat() for day in days)
    months = range(month_number(local_date(min(first, last), zone)), month_number(local_date(last, zone)) + 1)
    starts = tuple(day_start(month_first(month), zone) for month in months)
    return starts, tuple(f"{month_first(month):%Y-%m}" for month in months)


def _ordinals(first: date, last: date) -> range:
    days = range(first.toordinal(), last.toordinal() + 1)
    if len(days) > MAX_DATES:
        raise BadRequest(f"by day or week over {len(days)} days is more than {MAX_DATES}; take a shorter period")
    return days


def bisect(column: ColumnElement[Any], starts: Sequence[int | str], labels: Sequence[str]) -> ColumnElement[Any]:
    """The label of the stretch that a value lies in, each from its start on; the first one's of all before, too."""
    if len(labels) == 1:
        return label(labels[0])
    middle = len(labels) // 2
    return case(
        (column < literal(starts[middle], column.type), bisect(column, starts[:middle], labels[:middle])),
        else_=bisect(column, starts[middle:], labels[middle:]),
    )
