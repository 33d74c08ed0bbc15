"""When a customer is active: from its first win until declared lost, or until it has not bought for too long.

By the rule `declared` a customer is lost from its declaration until it is taken back or wins again; by `lapsed`, from
the midnight after `lapse_after_days` days (as set at the pair) since its last win or invoice; by `both`, by either.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ledger.times import day_start, local_date
from projections.reports.customers import declared, invoiced
from projections.reports.question import BEYOND

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from projections.reports.question import Question
    from projections.store import View

    IsActive = Callable[[str, int | None], bool]


class Span(NamedTuple):
    """The last instant before a question's period, and the last of it up to `as_of`; or any two instants."""

    opening: int
    closing: int


def span(question: Question) -> Span | None:
    """The instants of a question's opening and closing state; None when its period has not begun."""
    happened = question.pair.happened.as_of
    if question.period is None:
        return Span(-BEYOND, happened)
    if question.period_from > happened:
        return None
    return Span(question.period_from - 1, min(happened, question.period_to - 1))


def activity(question: Question, view: View, rule: str, instants: Sequence[int]) -> list[IsActive]:
    """Who is active at each of the instants: told a customer and the instant of its last win in force then, if any."""
    lost = [{} for _ in instants] if rule == "lapsed" else declared(question, view, instants)
    enough = [-BEYOND if rule == "declared" else since(question, at) for at in instants]
    spans = [] if rule == "declared" else [Span(*each) for each in zip(enough, instants, strict=True)]
    billed = invoiced(question, view, spans) if spans else [frozenset[str]() for _ in instants]

    def at(lost: Mapping[str, int], enough: int, billed: Container[str]) -> IsActive:
        def is_active(customer: str, last_win: int | None) -> bool:
            if last_win is None or last_win <= lost.get(customer, -BEYOND):
                return False
            return last_win >= enough or customer in billed

        return is_active

    return [at(*each) for each in zip(lost, enough, billed, strict=True)]


def since(question: Question, at: int) -> int:
    """The first instant of the earliest day on which a last win or invoice still keeps a customer at `at`."""
    if at <= -BEYOND:
        return -BEYOND
    zone = question.book.time_zone
    return day_start(local_date(at, zone) - timedelta(days=question.book.lapse_after_days), zone)
