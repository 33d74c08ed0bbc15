"""Deals open at a pair with what is told of each, for the hot reports: `intervals.open_deals` with its statement kept.

Building some thirty arms takes longer than running them. So a statement is built once for each set of length classes,
columns and words, with the instants and days as parameters, which `values` gives at every use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from projections.intervals import OPEN_ENDED
from projections.tables import DEAL_CORRECTED, DEAL_KNOWN, DEAL_LATE, OPEN_DEAL, deal_versions, stage_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, FromClause, Subquery

    from projections.pairs import Pair
    from projections.store import View

Axis = Literal["reported", "effective"]
Mode = Literal["reported", "restated", "general"]

_AS_OF = bindparam("open_as_of", type_=BigInteger)
_KNOWN_AT = bindparam("open_known_at", type_=BigInteger)
_STAGES_AS_OF = bindparam("stages_as_of", type_=BigInteger)
_STAGES_KNOWN_AT = bindparam("stages_known_at", type_=BigInteger)
_CURRENCY = bindparam("reporting_currency", type_=Text)
_TODAY = bindparam("due_today", type_=Text)
_LAST = bindparam("due_last", type_=Text)
_PARAMETERS = {
    each.key: each for each in (_AS_OF, _KNOWN_AT, _STAGES_AS_OF, _STAGES_KNOWN_AT, _CURRENCY, _TODAY, _LAST)
}
_BEFORE_ALL = -(2**62)
_d = deal_versions.c


class Shape(NamedTuple):
    """What makes one statement another; `horizon` puts the words overdue, later and undated for months.

    `schema` is where the tables are, if not where every table is looked for.
    """

    mode: Mode
    known_classes: int
    late_classes: int
    columns: frozenset[str]
    horizon: bool
    dialect: str
    schema: str | None


def open_rows(pair: Pair, view: View, columns: frozenset[str], *, horizon: bool) -> Subquery:
    """These columns of the deals open at the pair, and told of each:

    `state` its category and `chance_bp` its probability, its own or else its stage's at `as_of`; `due` the month it is
    due; `alone` its stream if it is not in the reporting currency. What executes this must pass `values`.
    """
    happened = pair.happened
    mode: Mode = "general"
    if happened.known_at >= view.newest:
        mode = "restated"
    elif happened.as_of == happened.known_at:
        mode = "reported"
    dialect = view.connection.dialect.name
    schema = view.connection.get_execution_options().get("schema_translate_map", {}).get(None)
    return _statement(Shape(mode, view.effective_classes, view.reported_classes, columns, horizon, dialect, schema))


def values(pair: Pair, currency: str, today: str, last: str) -> dict[str, int | str]:
    """The parameters of `open_rows`; the days are those of `as_of` and the end of the horizon."""
    return {
        _AS_OF.key: pair.happened.as_of,
        _KNOWN_AT.key: pair.happened.known_at,
        _STAGES_AS_OF.key: pair.as_of,
        _STAGES_KNOWN_AT.key: pair.known_at,
        _CURRENCY.key: currency,
        _TODAY.key: today,
        _LAST.key: last,
    }


@lru_cache(maxsize=128)
def _statement(shape: Shape) -> Subquery:
    if shape.dialect == "sqlite":  # which is twice as quick when each arm joins the stages itself
        query: Select[Any] | CompoundSelect[Any] = union_all(
            *(_told(arm, deal_versions, shape) for arm in _arms(shape))
        )
    else:
        rows = union_all(*(arm.with_only_columns(*_named(deal_versions, shape)) for arm in _arms(shape)))
        union = rows.subquery(deal_versions.name)
        query = _told(select(union), union, shape)
    return _as_text(query, shape)


def _as_text(query: Select[Any] | CompoundSelect[Any], shape: Shape) -> Subquery:
    """The query as its own text: SQLAlchemy looks through all that it is given each time it is executed.

    The databases' own dialects, not their drivers': psycopg's writes `:name::TYPE`, where a text has no parameter.
    """
    named = {"sqlite": SQLiteDialect, "postgresql": PGDialect}[shape.dialect](paramstyle="named")
    placed: dict[str, Any] = {}
    if shape.schema is not None:
        placed = {"schema_translate_map": {None: shape.schema}, "render_schema_translate": True}
    compiled = query.compile(dialect=named, **placed)
    columns = [column(each.name, each.type) for each in query.selected_columns]
    parameters = [_PARAMETERS[name] for name in compiled.params]
    return text(str(compiled)).bindparams(*parameters).columns(*columns).subquery("open_deals")


def _told(query: Select[Any], rows: FromClause, shape: Shape) -> Select[Any]:
    stages = _STAGES
    in_stage = and_(stages.c.pipeline == rows.c.pipeline, stages.c.stage == rows.c.stage)
    due = rows.c.expected_close_on
    month: ColumnElement[Any] = func.substr(due, _integer(1), _integer(7))
    if shape.horizon:
        month = case(
            (due.is_(None), _word("undated")),
            (due < _TODAY, _word("overdue")),
            (due > _LAST, _word("later")),
            else_=month,
        )
    return query.with_only_columns(
        *_named(rows, shape),
        func.coalesce(rows.c.category, stages.c.category).label("state"),
        func.coalesce(rows.c.probability_bp, stages.c.probability_bp, _integer(0)).label("chance_bp"),
        month.label("due"),
        case((rows.c.currency != _CURRENCY, rows.c.stream)).label("alone"),
    ).select_from(rows.outerjoin(stages, in_stage))


def _named(rows: FromClause, shape: Shape) -> list[ColumnElement[Any]]:
    return [rows.c[name] for name in sorted(shape.columns)]


def _stages() -> Any:
    """The stages of the day, worked out once: left to itself SQLite reads them anew for every deal."""
    s = stage_versions.c
    at_pair = (
        s.effective_from <= _STAGES_AS_OF,
        s.effective_to > _STAGES_AS_OF,
        s.known_from <= _STAGES_KNOWN_AT,
        s.known_to > _STAGES_KNOWN_AT,
    )
    pipeline = func.substr(s.stream, literal_column(str(len("pipeline-") + 1))).label("pipeline")
    return (
        select(pipeline, s.stage, s.probability_bp, s.category)
        .where(*at_pair)
        .cte("stages")
        .prefix_with("MATERIALIZED")
    )


_STAGES = _stages()


def _arms(shape: Shape) -> list[Select[Any]]:
    known = [_arm("effective", each).where(DEAL_KNOWN) for each in _classes(shape.known_classes)]
    if shape.mode == "restated":
        return known
    if shape.mode == "reported":
        in_time = [arm.where(_d.known_from <= _d.effective_from) for arm in known]
        return [*in_time, *(_arm("reported", each).where(DEAL_LATE) for each in _classes(shape.late_classes))]
    corrected = and_(DEAL_CORRECTED, _d.known_from <= _KNOWN_AT, _d.known_to > _KNOWN_AT)
    by_then = [arm.where(_d.known_from <= _KNOWN_AT) for arm in known]
    return [*by_then, *(_arm("effective", each).where(corrected) for each in _classes(shape.known_classes))]


def _arm(axis: Axis, length_class: int) -> Select[Any]:
    """The rows of one length class.

    The end is not to be looked for in the index, where PostgreSQL 18 would expect to skip from start to start and
    rather read the whole table: hence its `+ 0`.
    """
    since = _integer(_BEFORE_ALL)
    if length_class < OPEN_ENDED:
        since = _AS_OF - _integer((1 << length_class) - 1)
    return select(deal_versions).where(
        OPEN_DEAL,
        _d[f"{axis}_class"] == _integer(length_class),
        _d[f"{axis}_from"].between(since, _AS_OF),
        _d[f"{axis}_to"] + _integer(0) > _AS_OF,
    )


def _classes(bits: int) -> Iterator[int]:
    yield from (each for each in range(OPEN_ENDED) if bits >> each & 1)
    yield OPEN_ENDED


def _integer(value: int) -> ColumnElement[int]:
    return literal_column(str(value), BigInteger)


def _word(word: str) -> ColumnElement[str]:
    return literal_column(f"'{word}'", Text)
