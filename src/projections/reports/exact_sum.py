"""The sum of integers at any size: SQLite's own ends at 64 bits, which ten quantities of twelve digits are beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import UserDefinedType

_HALF = 10**9


class _Integer(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:  # noqa: ARG002 (SQLAlchemy asks so)
        return "NUMERIC"

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int]:  # noqa: ARG002 (SQLAlchemy asks so)
        return _integer


class ExactSum(FunctionElement[int]):
    """The sum of an integer column, nothing where all is null. It is for the answer only: SQLite tells it as a text."""

    type = _Integer()
    inherit_cache = True


@compiles(ExactSum)
def _as_it_is(element: ExactSum, compiler: Any, **kw: Any) -> str:
    return f"coalesce(sum({compiler.process(element.clauses, **kw)}), 0)"


@compiles(ExactSum, "sqlite")
def _in_halves(element: ExactSum, compiler: Any, **kw: Any) -> str:
    each = compiler.process(element.clauses, **kw)
    return f"printf('%d %d', sum({each} / {_HALF}), sum({each} % {_HALF}))"


def _integer(told: Any) -> int:
    if not isinstance(told, str):
        return int(told)
    high, low = told.split()
    return int(high) * _HALF + int(low)
