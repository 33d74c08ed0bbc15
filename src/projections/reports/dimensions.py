"""The dimensions that `by` and `where` name, and what each joins to tell a line's value.

Owner, kind and product are the line's own; region, country, channel and campaign its own or else its customer's;
segment its customer's; team its owner's. Merged customers are one, settled at the pair for all dates (EVENTS).
Month, quarter, year and product are told after the query: `LATE`.
"""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Text, and_, bindparam, cast, func, literal, or_, select

from projections import intervals
from projections.reports.definition import DAYS, PRODUCT, STATE, TIME
from projections.reports.periods import month_first, month_number
from projections.tables import CUSTOMER_MERGED, customer_versions, person_versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, FromClause

    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

LATE = STATE | PRODUCT | TIME
"""What a line is told apart by once it has been read."""

MONTHS = {"month": 1, "quarter": 3, "year": 12}

OWN = frozenset({"owner", "kind", "stage", "pipeline", "reason", "competitor"})
_OWN_OR_CUSTOMERS = frozenset({"region", "country", "channel", "campaign"})
OF_CUSTOMER = _OWN_OR_CUSTOMERS | {"customer", "segment"}
"""What a customer's stream may tell."""

DEAL_DIMENSIONS = (
    "owner", "team", "region", "country", "kind", "channel", "campaign", "product", "product_range", "segment",
    "customer", "stage", "pipeline",
)  # fmt: skip
"""What a deal can be told apart by, beside time and state."""

QUOTE_DIMENSIONS = ("owner", "team", "region", "country", "channel", "campaign", "segment", "customer")


class Joined:
    """A source with the tables joined that its dimensions need; `frm` grows as columns are asked for."""

    def __init__(self, source: Source, question: Question, view: View) -> None:
        self.frm: FromClause = source.frm
        self._source = source
        self._question = question
        self.view = view
        self._people: FromClause | None = None
        self._customers: FromClause | None = None
        self._customer: ColumnElement[Any] | None = None

    def column(self, name: str) -> ColumnElement[Any]:
        """The value of a dimension that a query can tell."""
        own = self._source.columns
        if name in OWN:
            return own[name]
        if name in _OWN_OR_CUSTOMERS:
            return func.coalesce(own[name], self._its_customer().c[name])
        if name == "segment":
            return self._its_customer().c.segment
        if name == "customer":
            return self._survivor()
        assert name == "team", name
        return self._team()

    def restricted(self, name: str, values: frozenset[str | None]) -> ColumnElement[bool]:
        """Whether a dimension has one of the values."""
        return among(self.column(name), values)

    def _team(self) -> ColumnElement[Any]:
        if self._people is None:
            people = person_versions.alias("people")
            its_owner = and_(
                people.c.stream == literal("person-", Text) + self._source.columns["owner"],
                intervals.holds(people, self._source.at, self._question.pair, self.view),
            )
            self.frm = self.frm.outerjoin(people, its_owner)
            self._people = people
        return self._people.c.team

    def _its_customer(self) -> FromClause:
        if self._customers is None:
            customers = customer_versions.alias("customers")
            same = and_(
                customers.c.stream == literal("customer-", Text) + self._survivor(),
                intervals.holds(customers, self._source.happened_at, self._question.pair, self.view),
            )
            self.frm = self.frm.outerjoin(customers, same)
            self._customers = customers
        return self._customers

    def _survivor(self) -> ColumnElement[Any]:
        if self._customer is None:
            self._customer = self._source.columns["customer"]
            if found := survivors(merged(self._question, self.view)):
                table = as_table(found, self.view)
                self.frm = self.frm.outerjoin(table, table.c.key == self._customer)
                self._customer = func.coalesce(table.c.value, self._customer)
        return self._customer


def among(column: ColumnElement[Any], values: frozenset[str | None]) -> ColumnElement[bool]:
    """Whether a column has one of the values."""
    return passes(column, sorted(value for value in values if value is not None), or_none=None in values)


def passes(column: ColumnElement[Any], named: Any, *, or_none: bool) -> ColumnElement[bool]:
    """Whether a column has one of the texts `named`, a list or a parameter, or else none at all."""
    found: ColumnElement[bool] = column.in_(named)
    return or_(column.is_(None), found) if or_none else found


def merged(question: Question, view: View) -> dict[str, str]:
    """Each customer that is merged at the pair, with the one that it was merged into."""
    rows = intervals.at_pair(customer_versions, question.settled or question.pair, view, CUSTOMER_MERGED)
    prefix = len("customer-")
    return {row.stream[prefix:]: row.merged_into for row in view.rows(select(rows.c.stream, rows.c.merged_into))}


def survivors(into: Mapping[str, str]) -> dict[str, str]:
    """The survivor of each customer merged: the end of its chain, or the first by id of a circle that it ends in.

    >>> survivors({"a": "b", "b": "c", "x": "z", "z": "y", "y": "z"})
    {'a': 'c', 'b': 'c', 'x': 'y', 'z': 'y', 'y': 'y'}
    """
    found: dict[str, str] = {}
    for customer in into:
        chain: list[str] = []
        met: set[str] = set()
        last = customer
        while last in into and last not in met and last not in found:
            chain.append(last)
            met.add(last)
            last = into[last]
        survivor = found.get(last, min(chain[chain.index(last) :]) if last in met else last)
        found |= dict.fromkeys(chain, survivor)
    return found


def time_label(name: str, month: str | None) -> str | None:
    """A month's own name, or that of its quarter or year; words such as `overdue` stay as they are.

    Of a day, its own name or that of its week too.

    >>> time_label("quarter", "2026-08"), time_label("year", "2026-08"), time_label("year", "undated")
    ('2026-Q3', '2026', 'undated')
    >>> time_label("week", "2027-01-03"), time_label("month", "2027-01-03")
    ('2026-W53', '2027-01')
    """
    if month is not None and len(month) == len("2026-08-31"):
        if name == "day":
            return month
        if name == "week":
            return week_label(date.fromisoformat(month))
        month = month[:7]
    if month is None or name == "month" or not month[:4].isdigit():
        return month
    return month[:4] if name == "year" else f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"


def week_label(day: date) -> str:
    """The ISO week of a day."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def moved_on(dimension: str, value: str | None, start: date, onto: date) -> str | None:
    """The day, week, month, quarter or year as far from `onto` as this one is from `start`.

    >>> from datetime import date
    >>> moved_on("quarter", "2025-Q3", date(2025, 1, 1), date(2026, 4, 1))
    '2026-Q4'

    What is no such time stays as it is.
    """
    if dimension not in TIME or value is None:
        return value
    try:
        return _moved_on(dimension, value, start, onto)
    except (ValueError, OverflowError):
        return value


def _moved_on(dimension: str, value: str, start: date, onto: date) -> str:
    if dimension in DAYS:
        day = (
            date.fromisoformat(value) if dimension == "day" else date.fromisocalendar(int(value[:4]), int(value[6:]), 1)
        )
        day += onto - start
        return day.isoformat() if dimension == "day" else week_label(day)
    size = MONTHS[dimension]
    month = 12 if dimension == "year" else int(value[5:]) if dimension == "month" else 3 * int(value[6:])
    number = (int(value[:4]) * 12 + month - 1) // size
    number += month_number(onto) // size - month_number(start) // size
    first = month_first(number * size)
    if dimension == "quarter":
        return f"{first.year}-Q{first.month // 3 + 1}"
    return f"{first:%Y-%m}" if dimension == "month" else str(first.year)


def one_of(column: ColumnElement[Any], values: Sequence[str], view: View) -> ColumnElement[bool]:
    """Whether a column has one of these values, passed as one parameter however many they are."""
    given = bindparam(None, json.dumps(values), Text, unique=True)
    if view.connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(given).table_valued("value").c.value))
    each = func.json_array_elements_text(cast(given, JSON)).table_valued("value", name="listed")
    return column.in_(select(each.c.value.collate("C")))


def as_table(pairs: Mapping[str, str], view: View, name: str = "survivors") -> Any:
    """The pairs as a table of `key` and `value`, passed as one parameter however many they are.

    Equal pairs are the same table, so that a statement may use it twice; others need another name there.
    """
    return _as_table(json.dumps(pairs), view.connection.dialect.name, name)


@lru_cache(maxsize=16)
def _as_table(pairs: str, dialect: str, name: str) -> Any:
    """Made once for a statement: else SQLite reads all pairs anew for every row."""
    given = bindparam(name, pairs, Text)
    if dialect == "sqlite":
        table = func.json_each(given).table_valued("key", "value")
        return select(table.c.key, table.c.value).cte(name).prefix_with("MATERIALIZED")
    table = func.json_each_text(cast(given, JSON)).table_valued("key", "value", name=name)
    byte_order = select(table.c.key.collate("C").label("key"), table.c.value.collate("C").label("value"))
    return byte_order.subquery(name)
