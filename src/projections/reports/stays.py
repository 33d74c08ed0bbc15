"""How deals went through the stages: each deal's stays in a stage, from its first arrival there on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import select

from projections import intervals
from projections.reports import exact, lines
from projections.reports.definition import Item
from projections.reports.sources import Source, between, month_of
from projections.tables import deal_versions, stage_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

WAYS = {"won": "advanced", "lost": "lost_here", "abandoned": "lost_here"}
"""How a closed deal left the stage in which it was closed."""

Place = tuple[str, str]
"""A pipeline and a stage of it."""


class _Passage(NamedTuple):
    """A deal through a stage: its first row there, how it left last, and how long it was there in all if it left."""

    row: Any
    place: Place
    way: str
    stay_us: int | None
    appended_at: int

    def late(self, question: Question) -> int:
        return int(self.appended_at > question.pair.known_at)


@dataclass
class _Stay:
    """A deal in a stage without a break, from a row on until an instant, or until now."""

    place: Place
    row: Any
    until: int | None = None


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (as reports call it)
    """The lines of `evidence` added up where they are alike; `stays_us` has how long each was there that left."""
    order = _order(question, view)
    alike: dict[Any, list[_Passage]] = defaultdict(list)
    key_of = attrgetter("in_stage", "due" if question.needs_month else "in_stage", *lines.asked(question))
    for deal in _deals(question, view):
        for passage in _passages(deal, order):
            alike[key_of(passage.row), passage.way].append(passage)
    for some in alike.values():
        figures = {
            "entered": len(some),
            some[0].way: len(some),
            "stays_us": [each.stay_us for each in some if each.stay_us is not None],
        }
        late = sum(each.late(question) for each in some)
        yield msgspec.structs.replace(_item(some[0], question), figures=figures, lines=len(some), late=late)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (as above)
    """Each stage that each deal opened in the period has been in: one line for a deal and stage.

    Its figures say how it left the stage last (`advanced`, `lost_here`, `still_here`, or `went_back`) and, once it
    left, for how long it was there in all.
    """
    order = _order(question, view)
    for deal in _deals(question, view):
        for passage in _passages(deal, order):
            yield _item(passage, question)


def _deals(question: Question, view: View) -> Iterator[Sequence[Any]]:
    """The rows of each deal; a duplicate that has been merged is none."""
    for _, some in groupby(_rows(question, view), key=attrgetter("stream")):
        deal = list(some)
        if deal[-1].state != "merged":
            yield deal


def _rows(question: Question, view: View) -> Sequence[Any]:
    """Every version of the deals opened in the period, each with its own dimensions, in order."""
    d = deal_versions.c
    known = intervals.holds(deal_versions, d.effective_from, question.pair, view)
    until = d.effective_from <= question.pair.happened.as_of
    rows = select(deal_versions).where(known, until, *between(d.opened_at, question)).subquery("deals")
    source = Source(
        frm=rows,
        columns=dict(rows.c.items()),
        state=rows.c.status,
        at=rows.c.effective_from,
        happened_at=rows.c.effective_from,
        month=month_of(rows.c.opened_at, d.opened_at, question, view),
    )
    every = replace(question, report=replace(question.report, fixed=()), by=tuple(question.dimensions), where={})
    place = (rows.c.pipeline.label("in_pipeline"), rows.c.stage.label("in_stage"))
    told = lines.query(source, every, view).add_columns(*place)
    told = told.order_by(rows.c.stream, rows.c.effective_from)
    return view.rows(told, lines.values(source, every))


def _passages(deal: Sequence[Any], order: Mapping[Place, int]) -> Iterator[_Passage]:
    stays = _stays(deal)
    of_place: dict[Place, list[int]] = defaultdict(list)
    for index, stay in enumerate(stays):
        of_place[stay.place].append(index)
    newest = max(row.appended_at for row in deal)
    for place, found in of_place.items():
        last = found[-1]
        if stays[last].until is None:
            yield _Passage(stays[found[0]].row, place, "still_here", None, newest)
            continue
        if last == len(stays) - 1:
            way = WAYS[deal[-1].state]
        else:
            way = "advanced" if order.get(stays[last + 1].place, 0) > order.get(place, 0) else "went_back"
        stay_us = sum((stays[each].until or 0) - stays[each].row.at for each in found)
        yield _Passage(stays[found[0]].row, place, way, stay_us, newest)


def _item(passage: _Passage, question: Question) -> Item:
    row, stay_us = passage.row, passage.stay_us
    figures: dict[str, Any] = {"entered": 1, passage.way: 1, "stays_us": [] if stay_us is None else [stay_us]}
    return Item(
        stream=row.stream,
        position=row.position,
        at=row.at,
        dimensions=exact.told(question, row),
        figures=figures,
        state=passage.way,
        joined=(f"pipeline-{passage.place[0]}",),
        late=passage.late(question),
    )


def _stays(deal: Sequence[Any]) -> list[_Stay]:
    found: list[_Stay] = []
    for row in deal:
        place = (row.in_pipeline, row.in_stage)
        here = found[-1] if found and found[-1].until is None else None
        if row.state == "open" and here is not None and here.place == place:
            continue
        if here is not None:
            here.until = row.at
        if row.state == "open":
            found.append(_Stay(place, row))
    return found


def _order(question: Question, view: View) -> dict[Place, int]:
    """Where each stage stands in its pipeline; one that is gone where it last stood."""
    rows = intervals.at_pair(stage_versions, question.pair, view)
    query = select(rows.c.stream, rows.c.stage, rows.c.stage_no)
    return {(row.stream.removeprefix("pipeline-"), row.stage): row.stage_no for row in view.rows(query)}
