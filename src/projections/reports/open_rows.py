"""The rows of deals open at a pair, for the hot reports: `intervals.open_deals` with its statement kept.

Building some thirty arms takes longer than running them. So the arms are built once for each set of length classes and
columns, with the two instants as parameters, which `values` gives at every use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BigInteger, Select, and_, bindparam, literal_column, select, union_all

from projections.intervals import OPEN_ENDED
from projections.tables import DEAL_CORRECTED, DEAL_KNOWN, DEAL_LATE, OPEN_DEAL, deal_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Subquery

    from projections.pairs import Pair
    from projections.store import View

Axis = Literal["reported", "effective"]

_AS_OF = bindparam("open_as_of", type_=BigInteger)
_KNOWN_AT = bindparam("open_known_at", type_=BigInteger)
_BEFORE_ALL = -(2**62)
_d = deal_versions.c


def open_rows(pair: Pair, view: View, columns: frozenset[str]) -> Subquery:
    """The rows open at the pair, of these columns; what executes it must pass `values`."""
    pair = pair.happened
    if pair.known_at >= view.newest:
        return _restated(view.effective_classes, columns)
    if pair.as_of == pair.known_at:
        return _reported(view.effective_classes, view.reported_classes, columns)
    return _general(view.effective_classes, columns)


def values(pair: Pair) -> dict[str, int]:
    """The parameters of `open_rows`."""
    pair = pair.happened
    return {_AS_OF.key: pair.as_of, _KNOWN_AT.key: pair.known_at}


@lru_cache(maxsize=64)
def _restated(bits: int, columns: frozenset[str]) -> Subquery:
    return _union(_known(bits, columns))


@lru_cache(maxsize=64)
def _reported(known: int, late: int, columns: frozenset[str]) -> Subquery:
    in_time = [arm.where(_d.known_from <= _d.effective_from) for arm in _known(known, columns)]
    return _union([*in_time, *(_arm("reported", each, columns).where(DEAL_LATE) for each in _classes(late))])


@lru_cache(maxsize=64)
def _general(bits: int, columns: frozenset[str]) -> Subquery:
    by_then = [arm.where(_d.known_from <= _KNOWN_AT) for arm in _known(bits, columns)]
    corrected = and_(DEAL_CORRECTED, _d.known_from <= _KNOWN_AT, _d.known_to > _KNOWN_AT)
    return _union([*by_then, *(_arm("effective", each, columns).where(corrected) for each in _classes(bits))])


def _known(bits: int, columns: frozenset[str]) -> list[Select[Any]]:
    return [_arm("effective", each, columns).where(DEAL_KNOWN) for each in _classes(bits)]


def _arm(axis: Axis, length_class: int, columns: frozenset[str]) -> Select[Any]:
    """The rows of one length class. The end is not to be looked for in the index, where PostgreSQL 18 would expect to
    skip from start to start and rather read the whole table: hence its `+ 0`.
    """
    since = _integer(_BEFORE_ALL)
    if length_class < OPEN_ENDED:
        since = _AS_OF - _integer((1 << length_class) - 1)
    return select(*(_d[name] for name in sorted(columns))).where(
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


def _union(arms: list[Select[Any]]) -> Subquery:
    return union_all(*arms).subquery(deal_versions.name)
