"""What is behind a figure: the lines of a cell, and for each the events it stands on.

The lines are those of the report's own line query with the cell as a filter; their sum is the cell.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.errors import BadRequest
from ledger.events import (
    CustomerRegistered,
    CustomerRenamed,
    DealOpened,
    DealRetitled,
    Erased,
    ForecastSubmitted,
    ObjectiveSet,
    QuoteIssued,
    Sealed,
)
from ledger.history import visible
from ledger.times import format_instant, local_date
from projections.pairs import Pair
from projections.reports import answer, exact
from projections.reports.cells import Cells, work_out
from projections.reports.definition import Item, says
from projections.reports.dimensions import merged
from projections.reports.exact import Line
from projections.reports.labels import ERASED
from projections.reports.question import ask, dates
from projections.reports.rates import Rates, naming_the_earliest
from projections.reports.table import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from ledger.application import Ledger
    from ledger.codec import Recorded
    from projections.reports.definition import Report, Sum
    from projections.reports.question import Question
    from projections.store import ReadStore, View

MONEY = frozenset({"value", "margin", "weighted", "weighted_margin"})


class Explained(msgspec.Struct, frozen=True):
    """One line: what it brings to each of the report's sums, and the positions of the visible events behind it.

    `events` has those of the line's own stream first, then of the dated streams it joined. `title` says so where
    it has been erased.
    """

    stream: str
    title: str | None
    state: str | None
    effective_at: str
    currency: str | None
    probability_bp: int | None
    dimensions: dict[str, str | None]
    figures: dict[str, Any]
    events: dict[str, list[int]]


class Explanation(msgspec.Struct, frozen=True):
    """The lines behind a cell; `figures` is the cell, `more` how many lines were left out of the list."""

    report: str
    title: str
    as_of: str
    known_at: str
    position: int
    generation: int
    parameters: dict[str, str]
    cell: dict[str, str | None]
    figures: dict[str, Any]
    lines: list[Explained]
    more: int

    def json(self) -> bytes:
        return msgspec.json.encode(self)


def explain_cell(
    report: Report,
    store: ReadStore,
    ledger: Ledger,
    params: Mapping[str, str],
    cell: Mapping[str, str | None],
    *,
    today: date | None = None,
    lang: str = "en",
    now: int | None = None,
    limit: int | None = None,
) -> Explanation:
    """The lines of the cell that `cell` names by its dimensions: all lines of the report when it names none.

    Any dimension of the report may be named, `date` too with `every`; null or empty stands for rows without one.
    Raises `BadRequest`.
    """
    answer.check_language(lang)
    with store.view() as view:
        now = ledger.now() if now is None else now
        today = today or local_date(now, view.time_zone)
        asked = ask(view, report, params, clock=answer.clock(view, today, now))
        question = _at_cell(asked, cell, view)
        found, cells = naming_the_earliest(partial(_lines, view=view), question)
        kept = _with_behind(question, view, found[:limit])
        _tell_across(asked, question, cell, cells, view)
        position, generation = view.position, view.generation
    return Explanation(
        report=report.name,
        title=report.title.in_(lang),
        as_of=format_instant(question.pair.as_of),
        known_at=format_instant(question.pair.known_at),
        position=position,
        generation=generation,
        parameters=answer.resolved(question),
        cell={name: value or None for name, value in cell.items()},
        figures={each.name: shown(each.type, each.value(cells.totals)) for each in question.report.columns},
        lines=_with_events(question, kept, ledger, lang),
        more=len(found) - len(kept),
    )


def _at_cell(question: Question, cell: Mapping[str, str | None], view: View) -> Question:
    where = dict(question.where)
    for name, value in cell.items():
        if name == "date" and "every" in question.given and not question.report.series:
            question = _on_date(question, value, view)
            continue
        if name not in question.report.dimensions:
            raise BadRequest(
                f"a cell of {question.report.name} is not told by {name[:40]!r}; "
                f"write one of {', '.join(question.report.dimensions)}"
            )
        only = frozenset({value or None})
        where[name] = where.get(name, only) & only
    return replace(question, where=where)


def _on_date(question: Question, value: str | None, view: View) -> Question:
    series = {day.isoformat(): then for day, then in dates(question, view)}
    if value not in series:
        raise BadRequest(f"date={str(value)[:40]} is none of the answer's dates; write one of {', '.join(series)}")
    return series[value]


def _lines(question: Question, view: View) -> tuple[list[Line | Item], Cells]:
    cells, rates = Cells(question), Rates(question, view)
    evidence = question.report.evidence or question.report.items
    if evidence is not None:
        items = cells.summarise(evidence(question, view, rates))
        return sorted(items, key=_order), cells
    into = merged(question, view)
    found: list[Line] = []
    for source in question.report.lines(question, view) if question.report.lines else ():
        for line in exact.read(source, question, view, rates, merged=into):
            pieces = tuple(piece for piece in line.pieces if exact.wanted(question, piece.dimensions))
            if pieces and any(each.takes(line.state) for each in question.report.sums):
                found.append(msgspec.structs.replace(line, pieces=pieces))
    if question.report.more_lines is not None:
        found += question.report.more_lines(question, view, rates)
    cells.add_lines(found)
    cells.settle()
    if question.report.completed is not None:
        question.report.completed(question, view, rates, cells)
    return sorted(found, key=_order), cells


def _order(line: Line | Item) -> tuple[str, int, int, str, list[str]]:
    """By stream, then by date and position; where these are the same by all that tells lines apart, whatever read them."""
    parts = [(line.dimensions, line.figures)] if isinstance(line, Item) else line.pieces
    told = [str([sorted(each.items()) for each in part]) for part in parts]
    return line.stream, line.at, line.position, line.state or "", sorted(told)


def _with_behind(question: Question, view: View, found: Sequence[Line | Item]) -> Sequence[Line | Item]:
    if question.report.behind is None:
        return found
    items = [each for each in found if isinstance(each, Item)]
    streams = question.report.behind(question, view, Rates(question, view), items)
    return [msgspec.structs.replace(item, joined=item.joined + streams.get(item.stream, ())) for item in items]


def _tell_across(asked: Question, question: Question, cell: Mapping[str, str | None], cells: Cells, view: View) -> None:
    """What a cell needs of the others, which are not among its lines."""
    across = question.report.across
    if across is None:
        return
    heads = {name: value or None for name, value in cell.items() if name != "date"}
    if not heads:
        across(question, cells.rows, cells.totals)
        return
    others = work_out(replace(asked, pair=question.pair, today=question.today), view)
    key = tuple(heads.get(name) for name in question.heads)
    across(question, others.rows | {key: cells.totals}, others.totals)


def _with_events(question: Question, found: Sequence[Line | Item], ledger: Ledger, lang: str) -> list[Explained]:
    streams = {line.stream for line in found} | {stream for line in found for stream in line.joined}
    events = ledger.streams(sorted(streams))
    titles = {
        line.stream: _title(events.get(line.stream, []), (*_pairs(question, line), question.pair)) for line in found
    }
    told: Mapping[str, Any] = ledger.reveal(title for title in titles.values() if isinstance(title, Sealed))
    return [_explained(question, line, events, _read(titles[line.stream], told, lang)) for line in found]


def _explained(
    question: Question, line: Line | Item, events: Mapping[str, Sequence[Recorded]], title: str | None
) -> Explained:
    pairs = _pairs(question, line)
    positions = {line.stream: _positions(events.get(line.stream, ()), [pair.happened for pair in pairs])}
    for stream in line.joined:
        read_at = [Pair(_read_at(question, line, stream, pair), pair.known_at) for pair in pairs]
        if found := _positions(events.get(stream, ()), read_at):
            positions[stream] = found
    return Explained(
        stream=line.stream,
        title=title,
        state=line.state,
        effective_at=format_instant(line.at),
        currency=line.currency if isinstance(line, Line) else None,
        probability_bp=line.probability_bp if isinstance(line, Line) else None,
        dimensions=dict(line.pieces[0].dimensions if isinstance(line, Line) else line.dimensions),
        figures=_figures(question, line),
        events=positions,
    )


def _figures(question: Question, line: Line | Item) -> dict[str, Any]:
    if isinstance(line, Item):
        return {name: float(each) if isinstance(each, Fraction) else each for name, each in line.figures.items()}
    return {
        _name(each): shown("quantity" if each.of == "quantity" else "money", _brings(line, each))
        for each in question.report.sums
        if each.takes(line.state)
    }


def brought(report: Report) -> set[str]:
    """The columns that are sums of what the lines bring under the same name."""
    sums = {_name(each) for each in (*report.sums, *(each for some in report.sums_of.values() for each in some))}
    return sums & {column.name for column in report.columns}


def _pairs(question: Question, line: Line | Item) -> tuple[Pair, ...]:
    """The pairs at which a line was read."""
    read_at = question.report.read_at
    return read_at(question, line) if read_at is not None and isinstance(line, Item) else (question.pair,)


def _read_at(question: Question, line: Line | Item, stream: str, pair: Pair) -> int:
    """When a dated stream told something of a line: merged customers at the pair, constant rates at `as_of`."""
    if stream.startswith("customer-"):
        return pair.happened.as_of
    constant = stream.startswith("rate-") and question.given.get("fx") == "constant"
    return pair.as_of if constant else min(line.at, pair.as_of)


def _name(each: Sum) -> str:
    return f"{each.name}_minor" if each.of in MONEY else each.name


def _brings(line: Line, each: Sum) -> int | None:
    if each.of == "one":
        return 1
    if not says(line.pieces[0].bases, each.of):
        return None
    return sum(piece.bases.get(each.of, 0) for piece in line.pieces)


def _positions(events: Iterable[Recorded], pairs: Sequence[Pair]) -> list[int]:
    """Of the events visible at one of the pairs, and of the corrections that made them what they are."""
    its = list(events)
    seen = [event for pair in pairs for event in visible(its, pair.known_at) if event.effective_at <= pair.as_of]
    return sorted({event.origin for event in seen} | {event.position for event in seen})


def _title(events: Sequence[Recorded], pairs: Iterable[Pair]) -> str | Sealed | None:
    """What it was called at the last of the pairs at which it was called anything."""
    title: str | Sealed | None = None
    for pair in pairs:
        for event in visible(events, pair.known_at):
            if event.effective_at <= pair.happened.as_of:
                match event.data:
                    case DealOpened(title=told) | DealRetitled(title=told) | QuoteIssued(number=told):
                        title = told
                    case CustomerRegistered(name=told) | CustomerRenamed(name=told):
                        title = told
                    case ObjectiveSet(statement=told) | ForecastSubmitted(note=told):
                        title = told
                    case _:
                        pass
    return title


def _read(title: str | Sealed | None, told: Mapping[str, Any], lang: str) -> str | None:
    if not isinstance(title, Sealed):
        return title
    found = told.get(title.commitment.c)
    if isinstance(found, Erased):
        return ERASED.in_(lang)
    return found if isinstance(found, str) else None
