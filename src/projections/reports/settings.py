"""What the book has settled about its own steering, at the pair: what is too long, thresholds, dashboards."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import select

from projections import intervals
from projections.tables import book_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.reports.question import Question
    from projections.store import View

STALLED_AFTER_DAYS = 30


class Steering(NamedTuple):
    """`thresholds` by the name of an indicator; `dashboard` the indicators of a role."""

    stalled_after_days: int
    thresholds: Mapping[str, Fraction]
    dashboard: Mapping[str, tuple[str, ...]]


def steering(question: Question, view: View) -> Steering:
    """The settings in force at the pair, or else their defaults; a threshold that is no number is none."""
    for row in view.rows(select(intervals.at_pair(book_versions, question.pair, view))):
        rest = msgspec.json.decode(row.settings)
        thresholds = {name: _number(value) for name, value in rest.get("thresholds", {}).items()}
        return Steering(
            row.stalled_after_days or STALLED_AFTER_DAYS,
            {name: value for name, value in thresholds.items() if value is not None},
            {role: tuple(names) for role, names in rest.get("dashboard", {}).items()},
        )
    return Steering(STALLED_AFTER_DAYS, {}, {})


def _number(value: object) -> Fraction | None:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
