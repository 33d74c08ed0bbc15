"""The history of a forecast the second way: the forecast of each date, asked of what was known then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.model import naive_reports
from tests.model.naive import add_months, day_of, midnight
from tests.model.naive_reports import Book, Line, Question, Row, closings, grouped, in_period, wanted
from tests.second_ways.plain import Rows, added

FIGURES = {
    "amount": ("amount_minor", "weighted_minor"),
    "margin": ("margin_minor", "weighted_margin_minor"),
}


class Settled(Book):
    """The same book, in which who is who is settled once for all."""

    def __init__(self, book: Book, question: Question) -> None:
        super().__init__(())
        self.streams, self._seen, self._states = book.streams, book._seen, book._states
        self._settled_by = question

    def survivor(self, customer: str | None, question: Question) -> str | None:
        del question
        return super().survivor(customer, self._settled_by)


def forecast_history(book: Book, question: Question, since: int, measure: str = "amount") -> tuple[Rows, Row]:
    """The end of each month from `since` on, and the last day of what has been of the period.

    In margins only by what has neither objectives nor submitted forecasts: those read here are of amounts.
    """
    assert question.period is not None
    zone = book.settings(question)["time_zone"]
    last = min(day_of(question.as_of, zone), question.period[1] - timedelta(days=1))
    days, day = {last}, day_of(since, zone)
    while day <= last:
        end_of_month = add_months(day, 1) - timedelta(days=1)
        days |= {end_of_month} if end_of_month <= last else set()
        day = end_of_month + timedelta(days=1)
    book = Settled(book, question)
    amount, weighted = FIGURES[measure]
    won = [
        line for line in closings(book, question, {"won"}) if in_period(line.figures["effective_at"], question, book)
    ]
    became = grouped(wanted(won, question), question.by)
    rows: Rows = {}
    for day in sorted(days):
        at = min(midnight(day + timedelta(days=1), zone) - 1, question.as_of)
        lines, _ = naive_reports.forecast(book, replace(question, as_of=at, known_at=at))
        then = grouped(lines, question.by)
        for key in then.keys() | became.keys() | (set() if question.by else {()}):
            row = _forecast(then.get(key, []), amount, weighted)
            rows[day.isoformat(), *key] = row | {"actual_minor": added(became.get(key, []), amount)}
    return rows, {}


def _forecast(lines: list[Line], amount: str, weighted: str) -> Row:
    coming = [line for line in lines if line.figures.get("category") not in {None, "omitted"}]
    of: dict[str, list[Line]] = {
        status: [line for line in lines if line.figures.get("status") == status]
        for status in ("won", "objective", "call")
    }
    commit = [line for line in coming if line.figures["category"] == "commit"]
    row: dict[str, Any] = {
        "won_minor": added(of["won"], amount),
        "weighted_minor": added(coming, weighted),
        "open_minor": added(coming, amount),
        "commit_minor": added(commit, amount),
    }
    for status in ("objective", "call"):
        row[f"{status}_minor"] = added(of[status], "amount_minor") if of[status] else None
    return row
