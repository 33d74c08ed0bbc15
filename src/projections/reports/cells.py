"""Cells: lines added up by the dimensions that head a row, and over all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any

from projections.reports import exact, exchange, in_parts, lines
from projections.reports.definition import SAID, counted, lines_and_said
from projections.reports.exact import Bases, Line, Piece, wanted
from projections.reports.rates import Rates, naming_the_earliest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from projections.reports.definition import Base, Column, Exact, Item, Key, Report, Sums, Text
    from projections.reports.listed import ByColumn
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


class Cells:
    """The sums of each row by its key, and of the whole; how many lines there were, and how many of them late.

    A report of very many rows tells them `by_column`, without a key of each. `known` are, by what tells that they say it,
    the lines whose amount is added up and how many of them say one.
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self._key_of = key_of(question.heads)
        self._sums = counted(question.report.sums)
        self.by_column: ByColumn | None = None
        self.totals: Sums = self._nothing()
        self.lines = self.late = 0
        self.known: dict[Base, tuple[int, int]] = {}
        self.notes: Sequence[Text] = ()
        self._taken: dict[str | None, list[tuple[str, str]]] = {}

    @cached_property
    def rows(self) -> dict[Key, Sums]:
        """The sums of each row by its key. Those told by column are made rows when they are asked for, and stay so."""
        told, self.by_column = self.by_column, None
        return {} if told is None else told.rows()

    def tell(self, rows: ByColumn, totals: Sums, *, late: int) -> None:
        """Rows that are a line each, by column; the figures of them all; and how many are late."""
        self.by_column, self.totals = rows, totals
        self.lines, self.late = len(rows), late

    def add_lines(self, found: Iterable[Line]) -> None:
        """Add lines: each counts once in each cell that it has pieces in, and once in the totals.

        What lines of one state bring is added up first, and counted then.
        """
        to_cells: dict[tuple[str | None, Key], Bases] = {}
        wholes: dict[str | None, Bases] = {}
        for line in found:
            parts = self._parts(line.pieces)
            for key, bases in parts.items():
                _increase(to_cells.setdefault((line.state, key), {}), bases)
            if parts:
                _increase(wholes.setdefault(line.state, {}), exact.together(parts.values()))
                self.lines += 1
                self.late += line.late
        for (state, key), bases in to_cells.items():
            self._count(self.row(key), state, bases)
        for state, whole in wholes.items():
            self._count(self.totals, state, whole)

    def add_parts(self, state: str | None, pieces: Iterable[Piece]) -> None:
        """Add a line, or many, to its cells alone."""
        for key, bases in self._parts(pieces).items():
            self._count(self.row(key), state, bases)

    def add_to_one(self, state: str | None, dimensions: Mapping[str, str | None], bases: Bases) -> None:
        """Add lines that pass the filters to their cell alone."""
        self._count(self.row(self._key_of(dimensions)), state, bases)

    def _parts(self, pieces: Iterable[Piece]) -> dict[Key, Bases]:
        """What the pieces of a line bring to each cell, of those that the filters let pass."""
        found: dict[Key, list[Bases]] = {}
        for piece in pieces:
            if wanted(self._question, piece.dimensions):
                found.setdefault(self._key_of(piece.dimensions), []).append(piece.bases)
        return {key: exact.together(some) for key, some in found.items()}

    def add_whole(self, state: str | None, whole: Bases, *, lines: int, late: int) -> None:
        """Add lines to the totals alone."""
        self.lines += lines
        self.late += late
        self._count(self.totals, state, whole)

    def row(self, key: Key) -> Sums:
        """The sums of a row, which is there from now on."""
        if key not in self.rows:
            self.rows[key] = self._nothing()
        return self.rows[key]

    def _count(self, sums: Sums, state: str | None, bases: Bases) -> None:
        if state not in self._taken:
            self._taken[state] = [(each.name, each.of) for each in self._sums if each.takes(state)]
        for name, of in self._taken[state]:
            sums[name] += bases.get(of, 0)

    def summarise(self, items: Iterable[Item]) -> list[Item]:
        """Work the figures out from a report's items; those that the filters let pass."""
        found = [item for item in items if not self._question.where or wanted(self._question, item.dimensions)]
        by_key: dict[Key, list[Item]] = {}
        for item in found:
            by_key.setdefault(self._key_of(item.dimensions), []).append(item)
        summary = self._question.report.summary
        assert summary is not None
        self.rows = {key: dict(summary(self._question, some)) for key, some in by_key.items()}
        self.totals = dict(summary(self._question, found))
        self.lines, self.late = sum(item.lines for item in found), sum(item.late for item in found)
        return found

    def settle(self) -> None:
        """Once all lines are added: a sum of amounts is unknown in a cell none of whose lines says one."""
        for each in self._question.report.sums:
            if each.of in SAID:
                lines, said = lines_and_said(each)
                for sums in (*self.rows.values(), self.totals):
                    if sums[lines] and not sums[said]:
                        sums[each.name] = None
                of = SAID[each.of]
                self.known[of] = max(self.known.get(of, (0, 0)), (self.totals[lines], self.totals[said]))

    def _nothing(self) -> Sums:
        summary = self._question.report.summary
        return dict(summary(self._question, ())) if summary else {each.name: 0 for each in self._sums}


def _increase(into: Bases, bases: Bases) -> None:
    """Add what a line brings to what others do."""
    for base, amount in bases.items():
        into[base] = into.get(base, 0) + amount


def key_of(heads: Sequence[str]) -> Callable[[Mapping[str, str | None]], Key]:
    """The row that dimensions belong to."""
    if len(heads) > 1:
        return itemgetter(*heads)
    return lambda dimensions: tuple([dimensions[name] for name in heads])


@dataclass(slots=True)
class _Group:
    """Lines that count alike: their state and dimensions, the sums `needed` of them, and how many of them are late."""

    state: str | None
    dimensions: Mapping[str, str | None]
    needed: tuple[Base, ...]
    amounts: list[int]
    late: int

    @property
    def bases(self) -> Bases:
        return dict(zip(self.needed, self.amounts, strict=True))


def work_out(question: Question, view: View, *, totals: bool = True) -> Cells:
    """The report's cells: sums told by the database, and one by one what it cannot round or share.

    Without `totals` these are left out, and how many lines there were, where they would take a query of their own.
    Raises `MissingRate`.
    """
    cells = naming_the_earliest(partial(_worked_out, view=view, totals=totals), question)
    if question.report.across is not None:
        cells.notes = question.report.across(question, cells.rows, cells.totals)
    return cells


def total(question: Question, column: Column, view: View) -> Exact:
    """One figure over all lines, of which nothing else is read where it can do without."""
    return column.value(work_out(alone(question, column), view).totals)


def alone(question: Question, column: Column) -> Question:
    """The question without what a figure is not made of, where figures are made of nothing but lines."""
    report = question.report
    if not column.of or report.items or report.completed or report.across:
        return question
    return replace(question, report=_of_sums(report, column.of))


def _of_sums(report: Report, names: Collection[str]) -> Report:
    """The report with these sums alone, of the lines that they take."""
    sums = tuple(each for each in report.sums if each.name in names)

    def lines(question: Question, view: View) -> list[Source]:
        sources = report.lines(question, view) if report.lines else ()
        return [each for each in sources if each.only_state is None or any(of.takes(each.only_state) for of in sums)]

    return replace(report, sums=sums, lines=lines)


def _worked_out(question: Question, view: View, *, totals: bool) -> Cells:
    cells = Cells(question)
    rates = Rates(question, view)
    if question.report.items is not None:
        cells.summarise(question.report.items(question, view, rates))
        return cells
    sources = question.report.lines(question, view) if question.report.lines else []
    if not exact.splits(question):
        _together(cells, sources, question, view, rates)
    else:
        for source in sources:
            if exact.adds_up(question, source):
                if totals:
                    _add_wholes(cells, _groups([source], question, view, rates))
                _by_product(cells, source, question, view, rates)
            else:
                in_parts.add_up(cells, source, question, view, rates)
    if question.report.more_lines is not None:
        cells.add_lines(question.report.more_lines(question, view, rates))
    cells.settle()
    if question.report.completed is not None:
        question.report.completed(question, view, rates, cells)
    return cells


def _together(cells: Cells, sources: Iterable[Source], question: Question, view: View, rates: Rates) -> None:
    """Lines that count once, summed by the database."""
    groups = _groups(sources, question, view, rates)
    for group in groups:
        cells.add_to_one(group.state, group.dimensions, group.bases)
    _add_wholes(cells, groups)


def _groups(sources: Iterable[Source], question: Question, view: View, rates: Rates) -> Collection[_Group]:
    """Lines that count alike and pass the filters. Those by themselves join the others once they are converted.

    Raises `MissingRate`.
    """
    found: dict[Any, _Group | None] = {}
    names = lines.asked(question)
    for source in sources:
        needed = lines.added_up(question, source)
        after = 1 + len(needed)
        constant = source.at if isinstance(source.at, int) else None
        convert = exact.Alone(question, rates, needed)
        exchanged = []
        if constant is not None and "alone" not in source.columns and not lines.MONEY.isdisjoint(needed):
            exchanged = exchange.converted(rates, constant)
        query = lines.summed(source, question, view, len(exchanged))
        for row in view.rows(query, lines.values(source, question) | exchange.values(exchanged)):
            amounts, (currency, chance_bp, at, late) = [int(each) for each in row[1:after]], row[after:]
            state, month, *told = parts = lines.parts(row[0], len(names))
            same = (needed, parts)
            if same not in found:
                dimensions = exact.placed(question, state, month, dict(zip(names, told, strict=True)))
                is_wanted = wanted(question, dimensions)
                found[same] = _Group(state, dimensions, needed, [0] * len(needed), 0) if is_wanted else None
            group = found[same]
            if group is not None:
                if currency is not None:
                    amounts = convert.of(state, currency, at if constant is None else constant, chance_bp, amounts)
                group.amounts = list(map(add, group.amounts, amounts))
                group.late += int(late)
    return [group for group in found.values() if group is not None]


def _add_wholes(cells: Cells, groups: Iterable[_Group]) -> None:
    """Add groups to the totals alone; all of one state at once."""
    by_state: dict[Any, list[_Group]] = {}
    for group in groups:
        by_state.setdefault((group.state, group.needed), []).append(group)
    for (state, needed), alike in by_state.items():
        amounts = map(sum, zip(*(each.amounts for each in alike), strict=True))
        whole: Bases = dict(zip(needed, amounts, strict=True))
        cells.add_whole(state, whole, lines=whole["one"], late=sum(each.late for each in alike))


def _by_product(cells: Cells, source: Source, question: Question, view: View, rates: Rates) -> None:
    """Lines in their cells by product alone, summed by the database but for those in other currencies."""
    needed = lines.added_up(question, source)
    own = lines.in_own_currency(source)
    names = (*lines.asked(question), *question.told_by_products)
    query = lines.summed_by_product(own, question, view, needed)
    rows: Sequence[Any] = view.rows(query, lines.values(own, question))
    for key, *amounts in rows:
        state, month, *told = lines.parts(key, len(names))
        dimensions = exact.placed(question, state, month, dict(zip(names, told, strict=True)))
        bases: Bases = dict(zip(needed, map(int, amounts), strict=True))
        cells.add_parts(state, [Piece(dimensions, bases)])
    for line in exact.read(lines.in_others(source), question, view, rates):
        cells.add_parts(line.state, line.pieces)
