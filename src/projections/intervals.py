"""Which rows hold at a pair: the three ways of asking, each over the index made for it (DESIGN 6).

- as reported (`known_at = as_of`): the diagonal interval holds the instant;
- restated (`known_at` not before anything was recorded): among rows still known, the effective interval holds it;
- else: both intervals.

What happened is read at `pair.happened`, what is planned at the pair itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    Alias,
    BigInteger,
    ColumnElement,
    Subquery,
    and_,
    bindparam,
    column,
    literal_column,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.selectable import FromClause, NamedFromClause

from projections.rectangle import OPEN_ENDED
from projections.tables import DEAL_CORRECTED, DEAL_KNOWN, DEAL_LATE, FOREVER_SQL, OPEN_DEAL, PLANNED, deal_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import CTE, Table

    from projections.pairs import Pair
    from projections.store import View


Seen = Literal["restated", "reported", "general"]
"""What a pair asks: with all that is known, what was known then, or with what was known at another time."""


AS_OF, KNOWN_BY = (bindparam(f"pair_{name}", type_=BigInteger) for name in ("as_of", "known_at"))
"""The instants of a pair as what happened is read: `values` gives them."""


def at_pair(table: Table, pair: Pair, view: View, *where: ColumnElement[bool]) -> Subquery:
    """The rows of `table` that hold at the pair and satisfy `where`, as a subquery named like the table.

    For open deals use `open_deals`, which has an index of its own.
    """
    return select(table).where(in_force(table, pair, view), *where).subquery(table.name)


def in_force(rows: NamedFromClause, pair: Pair, view: View) -> ColumnElement[bool]:
    """Whether a row of a table or its alias holds at the pair."""
    table: Any = rows.element if isinstance(rows, Alias) else rows
    asked = pair if table.name in PLANNED else pair.happened
    return _at(rows, asked.as_of, asked.known_at, _seen(asked, view))


def in_force_kept(table: Table, pair: Pair, view: View) -> ColumnElement[bool]:
    """The same of what happened, built once at parameters: what executes it must pass `values`."""
    return _in_force_kept(table, _seen(pair.happened, view))


def held(rows: FromClause) -> ColumnElement[bool]:
    """The same of a table or its alias whichever way the pair asks, by its effective interval and when it was known."""
    return _at(rows, AS_OF, KNOWN_BY, "general")


def values(pair: Pair) -> dict[str, int]:
    """The parameters of `in_force_kept` and `held`: `AS_OF` and `KNOWN_BY`."""
    return {AS_OF.key: pair.happened.as_of, KNOWN_BY.key: pair.happened.known_at}


def holds(rows: FromClause, as_of: ColumnElement[int] | int, pair: Pair, view: View) -> ColumnElement[bool]:
    """Whether a row of a table or its alias holds at a business instant of its own, known as the pair knows.

    For joins: a win takes its owner's team at `holds(person_versions, wins.c.effective_from, pair, view)`, an open
    deal at `holds(person_versions, pair.as_of, pair, view)`. Where a query asks at many pairs, the pair's instants are
    columns. The instant may not lie after `pair.known_at` where
    `rows` is of what happened (a fact's own instant never does).
    """
    return _at(rows, as_of, pair.known_at, "restated" if _is_newest(pair.known_at, view) else "general")


def holds_at_one(rows: FromClause, instants: Sequence[int], pair: Pair, view: View) -> ColumnElement[bool]:
    """Whether a row of a table or its alias holds at one of the instants, given in their order; as `holds`.

    It holds at none that lies between two of them.
    """
    c = rows.c
    at_one = [or_(c.effective_from <= before, c.effective_to > after) for before, after in pairwise(instants)]
    within = (c.effective_from <= instants[-1], c.effective_to > instants[0])
    return and_(*within, *at_one, *_known(rows, pair.known_at, is_newest=_is_newest(pair.known_at, view)))


@dataclass(frozen=True, eq=False)
class Rows:
    """What to select from, and the columns there of the rows that are meant."""

    frm: FromClause
    c: ReadOnlyColumnCollection[str, Any]


def open_deals(pair: Pair, view: View, *columns: str) -> list[Rows]:
    """The rows of `deal_versions` open at the pair, in one part or two, each from one index by length class.

    On PostgreSQL both are asked for at once, and with `columns` these alone, since each takes its time, read or not.

    As reported, most rows were recorded as they happened, and their diagonal is their effective interval: those come
    from the index of what is known, and last the late and corrected ones from one of their own. What executes them must
    pass `open_values`: the parts are built once, since that takes as long as reading some thousand rows.
    """
    pair = pair.happened
    if pair.known_at >= view.newest:
        parts = ["known"]
    elif pair.as_of == pair.known_at:
        parts = ["known in time", "late"]
    else:
        parts = ["known by then", "corrected since"]
    found = [_by_class(part, view, columns=columns) for part in parts]
    return found if len(found) == 1 or view.connection.dialect.name == "sqlite" else [_at_once(*found)]


def open_values(pair: Pair) -> dict[str, int]:
    """The parameters of `open_deals`."""
    as_of, known_at = pair.happened.as_of, pair.happened.known_at
    return {_SINCE.key: as_of, _UNTIL.key: as_of, _KNOWN_AT.key: known_at}


def open_between(view: View) -> list[Rows]:
    """The rows of `deal_versions` open, as reported, at some instant between two; as `open_deals`.

    What executes them must pass `between_values`.
    """
    return [_by_class("known in time", view), _by_class("late", view)]


def open_at_each(instants: FromClause, view: View) -> list[Rows]:
    """The rows of `deal_versions` open, as reported, `at` each of the instants, which are selected from beside them.

    Late ones are few, and read for all instants at once: what executes it must pass `between_values`.
    """
    late = _by_class("late", view)
    held = and_(late.c.reported_from <= instants.c.at, late.c.reported_to > instants.c.at)
    return [_by_class("known in time", view, instants), Rows(late.frm.join(instants, held), late.c)]


def between_values(since: int, until: int) -> dict[str, int]:
    """The parameters of `open_between`."""
    return {_SINCE.key: since, _UNTIL.key: until}


@lru_cache(maxsize=256)
def _in_force_kept(table: Table, seen: Seen) -> ColumnElement[bool]:
    return _at(table, AS_OF, KNOWN_BY, seen)


_d = deal_versions.c
_SINCE, _UNTIL, _KNOWN_AT = (bindparam(f"open_{name}", type_=BigInteger) for name in ("since", "until", "known_at"))
_PARTS: dict[str, tuple[str, ColumnElement[bool]]] = {
    "known": ("effective", DEAL_KNOWN),
    "known in time": ("effective", and_(DEAL_KNOWN, _d.known_from <= _d.effective_from)),
    "late": ("reported", DEAL_LATE),
    "known by then": ("effective", and_(DEAL_KNOWN, _d.known_from <= _KNOWN_AT)),
    "corrected since": ("effective", and_(DEAL_CORRECTED, _d.known_from <= _KNOWN_AT, _d.known_to > _KNOWN_AT)),
}
"""Of each part of the open deals: the interval that is to hold the instant, and what else is asked of a row."""


def _seen(pair: Pair, view: View) -> Seen:
    if _is_newest(pair.known_at, view):
        return "restated"
    return "reported" if pair.as_of == pair.known_at else "general"


def _is_newest(known_at: ColumnElement[int] | int, view: View) -> bool:
    """Whether all that is known is known by then."""
    return isinstance(known_at, int) and known_at >= view.newest


def _at(
    rows: FromClause, as_of: ColumnElement[int] | int, known_at: ColumnElement[int] | int, seen: Seen
) -> ColumnElement[bool]:
    c = rows.c
    if seen == "reported":
        return and_(c.reported_from <= as_of, c.reported_to > as_of)
    return and_(
        c.effective_from <= as_of, c.effective_to > as_of, *_known(rows, known_at, is_newest=seen == "restated")
    )


def _known(rows: FromClause, known_at: ColumnElement[int] | int, *, is_newest: bool) -> tuple[ColumnElement[bool], ...]:
    if is_newest:
        return (rows.c.known_to == FOREVER_SQL,)
    return (rows.c.known_from <= known_at, rows.c.known_to > known_at)


def _by_class(part: str, view: View, instants: FromClause | None = None, columns: tuple[str, ...] = ()) -> Rows:
    axis, _ = _PARTS[part]
    bits = view.reported_classes if axis == "reported" else view.effective_classes
    dialect = view.connection.dialect.name
    return _built(part, bits, dialect, columns) if instants is None else _by_length(part, bits, dialect, (), instants)


@lru_cache(maxsize=256)
def _at_once(*parts: Rows) -> Rows:
    rows = union_all(*(select(*part.c).select_from(part.frm) for part in parts)).subquery(deal_versions.name)
    return Rows(rows, rows.c)


@lru_cache(maxsize=256)
def _built(part: str, bits: int, dialect: str, columns: tuple[str, ...]) -> Rows:
    return _by_length(part, bits, dialect, columns, None)


def _by_length(part: str, bits: int, dialect: str, columns: tuple[str, ...], instants: FromClause | None) -> Rows:
    """A row is looked for class by class, between the earliest start from which it still reaches the instant, and that.

    PostgreSQL is not to guess how many rows a class has, and sort or hash them all for that: each class is a query of
    its own there.
    """
    axis, more = _PARTS[part]
    classes = _classes(axis, bits)
    since, until = (_SINCE, _UNTIL) if instants is None else (instants.c.at, instants.c.at)
    held = and_(
        *(OPEN_DEAL, more, _d[f"{axis}_class"] == classes.c.column1),
        *(_d[f"{axis}_from"].between(since - classes.c.column2, until), _d[f"{axis}_to"] > since),
    )
    each = classes if instants is None else instants.join(classes, true())
    if dialect == "sqlite":
        return Rows(each.join(deal_versions, held), deal_versions.c)
    told = [_d[name] for name in columns] or _d
    of_class = select(*told).where(held).offset(literal_column("0")).lateral(deal_versions.name)
    return Rows(each.join(of_class, true()), of_class.c)


@lru_cache(maxsize=256)
def _classes(axis: str, bits: int) -> CTE:
    """Each length class present, and how long before an instant a row of it that still holds may have begun."""
    spans = [(each, (1 << each) - 1) for each in range(OPEN_ENDED) if bits >> each & 1]
    listed = text("VALUES " + ", ".join(map(str, [*spans, (OPEN_ENDED, 2**62)])))
    return listed.columns(column("column1", BigInteger), column("column2", BigInteger)).cte(f"{axis}_classes")
