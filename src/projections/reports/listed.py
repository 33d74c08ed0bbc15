"""Things that are each a row of their own, told by column: of tens of thousands that is sooner done than of each in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress, repeat
from operator import and_
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.reports.definition import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from projections.reports.cells import Cells
    from projections.reports.definition import Key, Sums
    from projections.reports.question import Question

Columns = dict[str, "Sequence[Any]"]
"""By name what is told of each, all in one order."""


@dataclass(frozen=True)
class ByColumn:
    """Rows told by column: what heads them, their figures as the report's columns have them, and names known already.

    Unless they are `in_order`, what heads them tells how they stand.
    """

    heads: Mapping[str, Sequence[Any]]
    figures: Mapping[str, Sequence[Any]]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    in_order: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.figures.values())))

    def rows(self) -> dict[Key, Sums]:
        """The figures of each row by its key."""
        return dict(zip(zip(*self.heads.values(), strict=True), rows_of(self.figures), strict=True))

    def ordered(self, order: Sequence[int]) -> ByColumn:
        """The rows with these numbers, in this order."""
        heads, figures, names = (
            {name: list(map(its.__getitem__, order)) for name, its in columns.items()}
            for columns in (self.heads, self.figures, self.names)
        )
        return ByColumn(heads, figures, names, in_order=True)


class Listed(NamedTuple):
    """What an `Item` says of each: its dimensions, its figures, and what else it says, by the names there."""

    dimensions: Columns
    figures: Columns
    more: Columns

    def wanted(self, question: Question) -> Listed:
        """Those that the filters let pass."""
        if not question.where:
            return self
        passes: Iterable[bool] = repeat(True)
        for name, values in question.where.items():
            passes = map(and_, passes, map(values.__contains__, self.dimensions[name]))
        kept = list(passes)
        return Listed._make({name: [*compress(its, kept)] for name, its in columns.items()} for columns in self)

    def items(self) -> Iterator[Item]:
        """Each as a line."""
        for dimensions, figures, more in zip(*map(rows_of, self), strict=True):
            yield Item(dimensions=dimensions, figures=figures, **more)

    def tell(self, cells: Cells, question: Question, figures: Columns, totals: Sums) -> None:
        """Make each a row of these figures."""
        heads = {name: self.dimensions[name] for name in question.heads}
        cells.tell(ByColumn(heads, figures), totals, late=sum(self.more["late"]))


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The rows of some columns; a copy filled in is made sooner than a row of its own."""
    blank: dict[str, Any] = dict.fromkeys(columns)
    rows = [blank.copy() for _ in next(iter(columns.values()))]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def columns_of(names: Iterable[str], rows: Iterable[Sequence[Any]]) -> Columns:
    """The columns of some rows."""
    told: Columns = dict.fromkeys(names, ())
    return told | dict(zip(told, zip(*rows, strict=True), strict=False))
