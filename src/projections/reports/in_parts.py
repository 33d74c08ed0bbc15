"""Lines added up by product where the database cannot: what is worked out of a line's amounts is shared over its products."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from typing import TYPE_CHECKING, Any

from projections.reports import exact, lines
from projections.reports.definition import PRODUCT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.reports.cells import Cells
    from projections.reports.definition import Base
    from projections.reports.exact import Bases, Product
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

    Amounts = Sequence[int]


def add_up(cells: Cells, source: Source, question: Question, view: View, rates: Rates) -> None:
    """Add lines to the cells of their products, and to the totals; those in other currencies one by one.

    Raises `MissingRate`.
    """
    own, needed = lines.in_own_currency(source), lines.used(question, source)
    rows = view.tuples(lines.in_brief(own, question, view), lines.values(own, question))
    products = exact.products_of(own, question, view, [row[0] for row in rows])
    parts_of = _Parts(question, needed)
    in_cells: dict[tuple[str, Any], list[Amounts]] = defaultdict(list)
    wholes: dict[str, list[Amounts]] = defaultdict(list)
    late: dict[str, int] = defaultdict(int)
    for stream, key, *amounts, _, is_late in rows:
        parts = parts_of(amounts, products.get(stream, exact.NO_PRODUCTS))
        for of, its in parts.items():
            in_cells[key, of].append(its)
        if parts:
            wholes[key].append(reduce(parts_of.together, parts.values()))
            late[key] += is_late

    def added(some: Sequence[Amounts]) -> Bases:
        return dict(zip(needed, map(sum, zip(*some, strict=True)), strict=True))

    told = {key: exact.keyed(question, key) for key in wholes}
    taken = {key for key, (_, dimensions) in told.items() if exact.wanted(question, dimensions, but=PRODUCT)}
    for (key, of), some in in_cells.items():
        if key in taken:
            state, dimensions = told[key]
            cells.add_to_one(state, dimensions | dict(zip(parts_of.heads, of, strict=True)), added(some))
    for key in taken:
        cells.add_whole(told[key][0], added(wholes[key]), lines=len(wholes[key]), late=late[key])
    cells.add_lines(exact.read(lines.in_others(source), question, view, rates))


class _Parts:
    """Of a line, what its products that pass the filters bring of the `needed` amounts: together what lies in one cell.

    `heads` are the dimensions of products by which they are told, in the order of the keys.
    """

    def __init__(self, question: Question, needed: Sequence[Base]) -> None:
        self.heads = sorted(PRODUCT.intersection(question.heads))
        self._where = [(name, values) for name, values in question.where.items() if name in PRODUCT]
        self._needed = needed
        self._adds_up = [base not in exact.COUNTS for base in needed]

    def __call__(self, amounts: Amounts, products: Sequence[Product]) -> dict[Any, Amounts]:
        found: dict[Any, Amounts] = {}
        shares = [amounts] if len(products) == 1 else exact.shares(self._needed, amounts, products)
        for product, brings in zip(products, shares, strict=True):
            if self._where and not all(getattr(product, name) in values for name, values in self._where):
                continue
            of = tuple([getattr(product, name) for name in self.heads])
            before = found.get(of)
            found[of] = brings if before is None else self.together(before, brings)
        return found

    def together(self, one: Amounts, other: Amounts) -> Amounts:
        """What two parts of one line bring: each counts the line."""
        return [mine + its if adds_up else mine for mine, its, adds_up in zip(one, other, self._adds_up, strict=True)]
