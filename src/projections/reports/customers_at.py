"""Customers as they were at an instant: what tells them apart."""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from projections import intervals
from projections.reports.customers import CUSTOMER_DIMENSIONS
from projections.reports.listed import columns_of
from projections.tables import customer_versions, person_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import ColumnElement

    from projections.reports.listed import Columns
    from projections.reports.question import Question
    from projections.store import View


def places(question: Question, view: View, at: int) -> Callable[[str], dict[str, str | None]]:
    """What tells a customer apart at an instant: the dimensions that the question needs of it."""
    names = names_of_places(question)
    found = {stream: (*its,) for stream, *its in _rows_at(question, view, at, *columns_of_places(names))}
    nothing = (None,) * len(names)
    as_customer = "customer" in question.dimensions
    told = told_of_places(names, question, view, at)

    def place(customer: str) -> dict[str, str | None]:
        where = told(found.get(f"customer-{customer}", nothing) if names else nothing)
        return where | {"customer": customer} if as_customer else where

    return place


class CustomersAt:
    """Customers at an instant: the dimensions that the question needs of them, as `places`, and `more` columns.

    `streams` are those of all that were known then, if anything is to be told of them.
    """

    def __init__(self, question: Question, view: View, at: int, **more: ColumnElement[Any]) -> None:
        places = names_of_places(question)
        self._names = ("stream", *places, *more)
        rows = _rows_at(question, view, at, *columns_of_places(places), *more.values())
        self._found = dict(zip(map(itemgetter(0), rows), rows, strict=True))
        self._teams = _teams(question, view, at) if "team" in places else {}
        self.streams = list(self._found)

    def columns(self, streams: Iterable[str]) -> Columns:
        """What is told of these customers, in their order; nothing of one that was not known."""
        nothing = (None,) * len(self._names)
        told = columns_of(self._names, [self._found.get(stream, nothing) for stream in streams])
        del told["stream"]
        return told | ({"team": list(map(self._teams.get, told["team"]))} if "team" in told else {})


def _rows_at(question: Question, view: View, at: int, *columns: ColumnElement[Any]) -> Sequence[Any]:
    if not columns:
        return ()
    in_force = intervals.holds(customer_versions, at, question.pair, view)
    return view.tuples(select(customer_versions.c.stream, *columns).where(in_force))


def names_of_places(question: Question) -> list[str]:
    """The dimensions that the question needs of customers, but for the customer itself."""
    return sorted(question.dimensions.intersection(CUSTOMER_DIMENSIONS) - {"customer"})


def columns_of_places(names: Sequence[str]) -> list[ColumnElement[Any]]:
    """The columns of `customer_versions` that tell these dimensions, with `told_of_places`."""
    c = customer_versions.c
    return [c.owner if name == "team" else c[name] for name in names]


def told_of_places(
    names: Sequence[str], question: Question, view: View, at: int
) -> Callable[[tuple[str | None, ...]], dict[str, str | None]]:
    """Tells the dimensions by what their columns hold of a customer at an instant."""
    teams = _teams(question, view, at) if "team" in names else {}

    @cache
    def told(its: tuple[str | None, ...]) -> dict[str, str | None]:
        where = dict(zip(names, its, strict=True))
        return where | {"team": teams.get(where["team"])} if "team" in where else where

    return told


def _teams(question: Question, view: View, at: int) -> dict[str | None, str | None]:
    """The team of each person at an instant."""
    people = person_versions.c
    in_force = intervals.holds(person_versions, at, question.pair, view)
    theirs: Sequence[Any] = view.rows(select(people.stream, people.team).where(in_force))
    return {stream.removeprefix("person-"): team for stream, team in theirs}
