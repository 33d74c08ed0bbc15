"""What a second way is: lines found by walking the plain list of events, and what a cell makes of those in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.model.naive import DAY_US, State
from tests.model.naive_reports import Book, Line, Question, grouped, wanted

Row = dict[str, Any]
Rows = dict[tuple[Any, ...], Row]

NOTHING = dict.fromkeys(("owner", "customer", "kind", "stage", "region", "country", "channel", "campaign"))
"""What tells a line apart, where its stream says nothing of it."""


@dataclass(frozen=True)
class Way:
    """`figures` are those of a cell's lines, told all lines too; `heads` are the dimensions that always head a row."""

    lines: Callable[[Book, Question], list[Line]]
    figures: Callable[[list[Line], list[Line]], Row]
    heads: tuple[str, ...] = ()

    def tell(self, book: Book, question: Question) -> tuple[Rows, Row]:
        """The rows by what heads them, and the totals."""
        lines = wanted(self.lines(book, question), question)
        cells = grouped(lines, (*self.heads, *question.by))
        return {key: self.figures(cell, lines) for key, cell in cells.items()}, self.figures(lines, lines)


def labels(book: Book, question: Question, state: State, at: int) -> dict[str, Any]:
    """What tells something apart that happened at an instant."""
    return book.dimensions(NOTHING | {name: state.get(name) for name in NOTHING}, at, question)


def added(lines: list[Line], figure: str) -> Any:
    """The sum of a figure over the lines that have it; None where it is unknown of all that do."""
    found = [line.figures[figure] for line in lines if figure in line.figures]
    told = [each for each in found if each is not None]
    return sum(told) if told or not found else None


def quantile(values: Sequence[int], level: Fraction) -> Fraction | None:
    """Between the two neighbours of its place in proportion."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = level * (len(ordered) - 1)
    below, rest = int(place), place - int(place)
    return ordered[below] + rest * (ordered[min(below + 1, len(ordered) - 1)] - ordered[below])


def mean(values: Sequence[int]) -> Fraction | None:
    return Fraction(sum(values), len(values)) if values else None


def in_days(duration_us: Fraction | None) -> Fraction | None:
    return None if duration_us is None else duration_us / DAY_US


def shown(row: Row) -> Row:
    """As a report shows it: quantities in units, fractions as decimals."""
    quantity = row.get("quantity")
    exact = row if quantity is None else row | {"quantity": Fraction(quantity, 1_000_000)}
    return {name: float(each) if isinstance(each, Fraction) else each for name, each in exact.items()}
