"""What the book has settled at the pair, and of it what steers: what is too long, thresholds, dashboards."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import select

from projections import intervals
from projections.tables import book_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.pairs import Pair
    from projections.reports.question import Question
    from projections.store import View

STALLED_AFTER_DAYS = 30


class Steering(NamedTuple):
    """`thresholds` by the name of an indicator; `dashboard` the indicators of a role."""

    stalled_after_days: int
    thresholds: Mapping[str, Fraction]
    dashboard: Mapping[str, tuple[str, ...]]


def book_at(pair: Pair, view: View) -> Any:
    """The row of `book_versions` that counts at the pair, if anything was ever said of the book.

    For dates before it was opened that of its first settings, as known at the pair; where nothing was known of it yet, or
    no more, that of what was first said of it.
    """
    return view.once(("book", pair), lambda: _book_at(pair, view))


def _book_at(pair: Pair, view: View) -> Any:
    b = book_versions.c
    known = select(book_versions).where(b.known_from <= pair.known_at, b.known_to > pair.known_at)
    found = (
        view.rows(select(book_versions).where(intervals.in_force(book_versions, pair, view)))
        or view.rows(known.order_by(b.effective_from).limit(1))
        or view.rows(select(book_versions).order_by(b.known_from, b.effective_from).limit(1))
    )
    return found[0] if found else None


def more_settings(book: Any) -> dict[str, Any]:
    """The settings of a book that have no column of their own."""
    found: dict[str, Any] = {} if book is None else msgspec.json.decode(book.settings)
    return found


def steering(question: Question, view: View) -> Steering:
    """The settings at the pair, or else their defaults; a threshold that is no number is none."""
    book = book_at(question.pair, view)
    rest = more_settings(book)
    thresholds = {name: _number(value) for name, value in rest.get("thresholds", {}).items()}
    return Steering(
        (book and book.stalled_after_days) or STALLED_AFTER_DAYS,
        {name: value for name, value in thresholds.items() if value is not None},
        {role: tuple(names) for role, names in rest.get("dashboard", {}).items()},
    )


def _number(value: object) -> Fraction | None:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
