"""Which rows hold at a pair: the three ways of asking, each over the index made for it (DESIGN 6).

- as reported (`known_at = as_of`): the diagonal interval holds the instant;
- restated (`known_at` not before anything was recorded): among rows still known, the effective interval holds it;
- else: both intervals.

What happened is read at `pair.happened`, what is planned at the pair itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, Subquery, and_, literal, select, union_all
from sqlalchemy.sql.selectable import FromClause

from projections import timeline
from projections.tables import DEAL_CORRECTED, DEAL_KNOWN, DEAL_LATE, FOREVER_SQL, OPEN_DEAL, PLANNED, deal_versions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table

    from projections.pairs import Pair
    from projections.store import View

OPEN_ENDED = timeline.OPEN_ENDED


def at_pair(table: Table, pair: Pair, view: View, *where: ColumnElement[bool]) -> Subquery:
    """The rows of `table` that hold at the pair and satisfy `where`, as a subquery named like the table.

    For open deals use `open_deals`, which has an index of its own.
    """
    as_asked = pair if table.name in PLANNED else pair.happened
    return select(table).where(_holds(table, as_asked, view), *where).subquery(table.name)


def holds(rows: FromClause, as_of: ColumnElement[int] | int, pair: Pair, view: View) -> ColumnElement[bool]:
    """Whether a row of a table or its alias holds at a business instant of its own, known as the pair knows.

    For joins: a win takes its owner's team at `holds(person_versions, wins.c.effective_from, pair, view)`, an open
    deal at `holds(person_versions, pair.as_of, pair, view)`. Where a query asks at many pairs, the pair's instants are
    columns. The instant may not lie after `pair.known_at` where
    `rows` is of what happened (a fact's own instant never does).
    """
    return and_(rows.c.effective_from <= as_of, rows.c.effective_to > as_of, *_known(rows, pair.known_at, view))


def open_deals(pair: Pair, view: View, *where: ColumnElement[bool]) -> Subquery:
    """The rows of `deal_versions` open at the pair, by length class; `where` is applied inside, before any join.

    As reported, most rows were recorded as they happened, and their diagonal is their effective interval: those come
    from the index of what is known, the late and corrected ones from one of their own.
    """
    pair = pair.happened
    as_of, known_at = pair.as_of, pair.known_at
    known = [arm.where(DEAL_KNOWN) for arm in _effective(as_of, view)]
    if known_at >= view.newest:
        return _union(known, where)
    if as_of == known_at:
        in_time = [arm.where(_d.known_from <= _d.effective_from) for arm in known]
        return _union([*in_time, *(arm.where(DEAL_LATE) for arm in _reported(as_of, view))], where)
    by_then = [arm.where(_d.known_from <= known_at) for arm in known]
    since_corrected = [
        arm.where(DEAL_CORRECTED, _d.known_from <= known_at, _d.known_to > known_at) for arm in _effective(as_of, view)
    ]
    return _union([*by_then, *since_corrected], where)


_d = deal_versions.c
_open = select(deal_versions).where(OPEN_DEAL)


def _holds(rows: FromClause, pair: Pair, view: View) -> ColumnElement[bool]:
    if pair.as_of == pair.known_at and pair.known_at < view.newest:
        return and_(rows.c.reported_from <= pair.as_of, rows.c.reported_to > pair.as_of)
    return holds(rows, pair.as_of, pair, view)


def _known(rows: FromClause, known_at: ColumnElement[int] | int, view: View) -> tuple[ColumnElement[bool], ...]:
    if isinstance(known_at, int) and known_at >= view.newest:
        return (rows.c.known_to == FOREVER_SQL,)
    return (rows.c.known_from <= known_at, rows.c.known_to > known_at)


def _reported(instant: int, view: View) -> list[Select[tuple[int]]]:
    return [
        _open.where(_d.reported_class == each, _d.reported_from.between(since, instant))
        .where(_d.reported_to > instant)
        for each, since in _classes(instant, view.reported_classes)
    ]  # fmt: skip


def _effective(instant: int, view: View) -> list[Select[tuple[int]]]:
    return [
        _open.where(_d.effective_class == each, _d.effective_from.between(since, instant))
        .where(_d.effective_to > instant)
        for each, since in _classes(instant, view.effective_classes)
    ]  # fmt: skip


def _classes(instant: int, bits: int) -> Iterable[tuple[ColumnElement[int], int]]:
    """Each length class present, with the earliest start from which it still reaches the instant."""
    for each in range(OPEN_ENDED):
        if bits >> each & 1:
            yield literal(each), instant - (1 << each) + 1
    yield literal(OPEN_ENDED), -(2**62)


def _union(arms: list[Select[tuple[int]]], where: tuple[ColumnElement[bool], ...]) -> Subquery:
    return union_all(*(arm.where(*where) for arm in arms)).subquery(deal_versions.name)
