"""Cells: lines added up by the dimensions that head a row, and over all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports import exact, lines
from projections.reports.exact import Bases, Piece, wanted
from projections.reports.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.reports.definition import Sums
    from projections.reports.question import Question
    from projections.store import View

Key = tuple[str | None, ...]


class Cells:
    """The sums of each row by its key, and of the whole; how many lines there were, and how many of them late."""

    def __init__(self, question: Question) -> None:
        self.rows: dict[Key, Sums] = {}
        self.totals: Sums = self._nothing(question)
        self.lines = self.late = 0
        self._question = question
        self._taken: dict[str | None, list[tuple[str, str]]] = {}

    def add(self, state: str | None, pieces: Iterable[Piece], *, lines: int = 1, late: int = 0) -> None:
        """Add a line of one or more pieces, or many lines summed to one piece.

        A line counts once in each cell that it has pieces in, and once in the totals.
        """
        cells: dict[Key, Bases] = {}
        whole: Bases = {}
        for piece in pieces:
            if wanted(self._question, piece.dimensions):
                key = tuple(piece.dimensions[name] for name in self._question.heads)
                _merge(cells.setdefault(key, {}), piece.bases)
                _merge(whole, piece.bases)
        if not cells:
            return
        self.lines += lines
        self.late += late
        for key, bases in cells.items():
            if key not in self.rows:
                self.rows[key] = self._nothing(self._question)
            self._count(self.rows[key], state, bases)
        self._count(self.totals, state, whole)

    def _count(self, sums: Sums, state: str | None, bases: Bases) -> None:
        if state not in self._taken:
            taken: list[tuple[str, str]] = [
                (each.name, each.of) for each in self._question.report.sums if each.takes(state)
            ]
            self._taken[state] = taken
        for name, of in self._taken[state]:
            sums[name] += bases.get(of, 0)

    @staticmethod
    def _nothing(question: Question) -> Sums:
        return {each.name: 0 for each in question.report.sums}


def work_out(question: Question, view: View) -> Cells:
    """The report's cells: sums told by the database, and one by one what it cannot round or share."""
    cells = Cells(question)
    rates = Rates(question, view)
    for source in question.report.lines(question, view):
        if exact.splits(question):
            _one_by_one(cells, exact.read(source, question, view, rates))
            continue
        needed = lines.used(question, source)
        for row in view.rows(lines.summed(source, question, view), dict(source.values)):
            dimensions = exact.told(question, row)
            if not wanted(question, dimensions):
                continue
            if row.alone is None:
                bases: Bases = {base: int(getattr(row, base)) for base in needed}
            else:
                bases = exact.alone(row, question, rates, needed)
            cells.add(row.state, [Piece(dimensions, bases)], lines=bases["one"], late=int(row.late))
    if question.report.more_lines is not None:
        _one_by_one(cells, question.report.more_lines(question, view, rates))
    return cells


def _one_by_one(cells: Cells, found: Iterable[exact.Line]) -> None:
    for line in found:
        cells.add(line.state, line.pieces, late=int(line.late))


def _merge(into: Bases, bases: Bases) -> None:
    for base, amount in bases.items():
        into[base] = amount if base == "one" else into.get(base, 0) + amount
