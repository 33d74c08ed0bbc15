"""One history told to a real ledger, and every question put to both: to its reports and to the naive model."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy.util import LRUCache

from ledger.application import Ledger, open_ledger
from ledger.times import parse_instant
from projections.reports import MissingRate, find
from projections.reports.definition import Base, says
from projections.reports.exact import Bases, Line
from projections.reports.explain import _lines
from projections.reports.listed import rows_of
from projections.reports.question import ask
from projections.reports.table import tabulate
from projections.runner import run_batch
from projections.store import ReadStore
from tests.model import naive, naive_reports
from tests.model.histories import CLOCK, NEVER_LATER, Case

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.reports.definition import Report
    from projections.reports.question import Question
    from projections.store import View
    from tests.model.histories import Asked

NAIVE: dict[str, Callable[[naive_reports.Book, naive_reports.Question], Any]] = {
    "pipeline": naive_reports.pipeline,
    "forecast": naive_reports.forecast,
    "win_rate": naive_reports.win_rate,
    "sales": naive_reports.sales,
    "conversion": naive_reports.conversion,
}
FIGURES: dict[Base, str] = {
    "value": "amount_minor",
    "margin": "margin_minor",
    "quantity": "quantity_e6",
    "weighted": "weighted_minor",
    "weighted_margin": "weighted_margin_minor",
}
"""What a line brings, in the reports' words and in the naive model's."""

COMPILED = 1_000
"""Compiled statements kept; each takes a fifth of a megabyte."""

LineSet = Counter[tuple[Any, ...]]
Rows = dict[tuple[Any, ...], dict[str, Any]]


@dataclass
class Seen:
    """How much has been compared."""

    books: int = 0
    events: int = 0
    refused: int = 0
    pairs: int = 0
    questions: int = 0
    lines: int = 0
    rows: int = 0
    missing_rates: int = 0


class Comparison:
    """Histories told to one database, each in a book of its own, and compared."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen = Seen()
        self._compiled: LRUCache[Any, Any] = LRUCache(COMPILED)
        self._classes = 0

    def differences(self, case: Case) -> list[tuple[Asked, str]]:
        """The questions on which the reports and the naive model disagree, and how."""
        self.seen.books += 1
        self.seen.pairs += len(case.pairs)
        ledger = self._told(case)
        try:
            store = ReadStore.open(ledger)
            while run_batch(ledger, store):
                pass
            events = [naive.plain(event) for event in ledger.feed(0, 10_000)]
            self.seen.events += len(events)
            book = naive_reports.Book(events)
            with store.view() as view:
                cheaper = self._cheaper(view)
                found = [(asked, self._difference(asked, cheaper, book)) for asked in case.questions]
        finally:
            ledger.close()
        return [(asked, said) for asked, said in found if said]

    def _cheaper(self, view: View) -> View:
        """The view, with statements compiled for earlier books used again.

        They differ by the length classes of a book's deals: asking for some that are not there costs nothing. Every
        fourth book is asked for its own only.
        """
        view.connection.execution_options(compiled_cache=self._compiled)
        self._classes |= view.reported_classes | view.effective_classes
        if self.seen.books % 4 == 0:
            return view
        return replace(view, reported_classes=self._classes, effective_classes=self._classes)

    def _told(self, case: Case) -> Ledger:
        now = CLOCK
        ledger = open_ledger(self.url, f"book_{self.seen.books}", clock=lambda: now)
        history = [line for line in case.lines if "native" not in line]
        numbered = ((number, json.dumps(line).encode()) for number, line in enumerate(history, start=1))
        for outcome in ledger.append_each(numbered, actor="hypothesis", history=True):
            self.seen.refused += outcome.error is not None
        for line in case.lines[len(history) :]:
            now = max(now, line["native"])
            plain = {name: value for name, value in line.items() if name != "native"}
            for outcome in ledger.append_each([(1, json.dumps(plain).encode())], actor="hypothesis"):
                self.seen.refused += outcome.error is not None
        return ledger

    def _difference(self, asked: Asked, view: View, book: naive_reports.Book) -> str | None:
        self.seen.questions += 1
        report = find(asked.report)
        question = ask(view, report, asked.parameters, clock=NEVER_LATER)
        said = reported(report, question, view)
        wanted = replayed(asked, report, question, book)
        if said == wanted:
            self.seen.lines += sum(said[0].values()) if said else 0
            self.seen.rows += len(said[1]) if said else 0
            self.seen.missing_rates += not said
            return None
        return difference(said, wanted)


def smallest(comparison: Comparison, case: Case, asked: Asked, tries: int = 300) -> Case:
    """Fewer lines that still make the answers to one question differ: ever smaller pieces are left out."""
    lines, size = list(case.lines), len(case.lines) // 2
    while size and tries:
        start = 0
        while start < len(lines) and tries:
            tries -= 1
            fewer = Case(tuple(lines[:start] + lines[start + size :]), questions=(asked,))
            if comparison.differences(fewer):
                lines = list(fewer.lines)
            else:
                start += size
        size //= 2
    return Case(tuple(lines), questions=(asked,))


def reported(report: Report, question: Question, view: View) -> tuple[LineSet, Rows] | None:
    """Lines and rows of the real report; None where a rate is missing."""
    try:
        table = tabulate(question, view, None, "en")
        lines, _ = _lines(question, view)
    except MissingRate:
        return None
    names = sorted(question.dimensions)
    line_set: LineSet = Counter()
    for line in lines:
        assert isinstance(line, Line)
        taken = {each.of for each in report.sums if each.takes(line.state)}
        for piece in line.pieces:
            brings = [(FIGURES[base], _brought(piece.bases, base)) for base in FIGURES if base in taken]
            line_set[line.stream, line.state, *(piece.dimensions[name] for name in names), *brings] += 1
    unsaid = {*question.heads, *(f"{name}_name" for name in question.heads)}
    told = list(rows_of(table.values))
    rows = {
        tuple(row[name] for name in question.heads): {name: value for name, value in row.items() if name not in unsaid}
        for row in told
    }
    assert len(rows) == len(told)
    return line_set, rows


def _brought(bases: Bases, base: Base) -> int | None:
    """What nobody said is unknown."""
    return bases[base] if says(bases, base) else None


def replayed(asked: Asked, report: Report, question: Question, book: naive_reports.Book) -> tuple[LineSet, Rows] | None:
    """The same by plain replay; only which figures a line is compared by comes from the report."""
    parameters = asked.parameters
    period = parameters.get("period")
    filtered, _, value = parameters.get("where", "").partition("=")
    naive_question = naive_reports.Question(
        as_of=parse_instant(parameters["as_of"]),
        known_at=parse_instant(parameters["known_at"]),
        by=tuple(name for name in parameters.get("by", "").split(",") if name and name not in report.fixed),
        where={filtered: value or None} if filtered else {},
        currency=parameters.get("currency"),
        constant_rates=parameters.get("fx") == "constant",
        basis=parameters.get("basis", "closed"),
        months=int(parameters.get("horizon", 12)),
    )
    settings = book.settings(naive_question)
    today = naive.day_of(naive_question.as_of, settings["time_zone"])
    if period:
        naive_question.period = naive.days_of_period(period, settings["fiscal_year_start_month"], today)
    try:
        lines, rows = NAIVE[asked.report](book, naive_question)
    except naive_reports.MissingRate:
        return None
    names = sorted(question.dimensions)
    line_set: LineSet = Counter()
    for line in lines:
        state = line.figures.get("status", line.figures.get("category"))
        taken = {each.of for each in report.sums if each.takes(state)}
        brings = [(name, line.figures[name]) for base, name in FIGURES.items() if base in taken]
        line_set[line.stream, state, *(line.dimensions[name] for name in names), *brings] += 1
    return line_set, {key: {name: shown(name, value) for name, value in row.items()} for key, row in rows.items()}


def difference(said: tuple[LineSet, Rows] | None, wanted: tuple[LineSet, Rows] | None) -> str:
    """In words."""
    if said is None or wanted is None:
        return f"a rate is missing for the {'report' if said is None else 'naive model'} alone"
    return (
        f"lines only in the report: {dict(said[0] - wanted[0])}\nlines only in the replay: {dict(wanted[0] - said[0])}\n"
        + "\n".join(
            f"row {key}: {said[1].get(key)} but replay says {wanted[1].get(key)}"
            for key in said[1].keys() | wanted[1].keys()
            if said[1].get(key) != wanted[1].get(key)
        )
    )


def shown(name: str, value: Any) -> Any:
    """A figure of the naive model as a report shows it."""
    if name == "quantity" and value is not None:
        value = Fraction(value, 1_000_000)
        return int(value) if value.denominator == 1 else float(value)
    return float(value) if isinstance(value, Fraction) else value
