"""Deals as they stood while open, one row each, to be compared between two instants: open at a pair, or closed since.

Rows are those of the line query, unfiltered, so that what left a filter is told from what closed; `exact.told` gives
their dimensions. They bring besides `expected_close_on`, `opened_at`, `own_owner`, `own_customer` and `ending`: won,
lost, abandoned, merged, or null while open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, case, cast, func, literal_column, null, select, union_all

from projections import intervals
from projections.reports import lines
from projections.reports.definition import PRODUCT
from projections.reports.dimensions import OF_CUSTOMER, merged
from projections.reports.exact import Product, products_of
from projections.reports.sources import Source, instant, label, open_deals
from projections.tables import (
    DEAL_MERGED,
    OPEN_DEAL,
    deal_lines,
    deal_versions,
    losses,
    stage_versions,
    wins,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Subquery

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

States = dict[str, Any]
"""A row for each stream."""
Products = dict[str, list[Product]]


def open_deals_of(question: Question, view: View) -> list[Source]:
    """The deals open at the question's pair; their category is told where it is asked for."""
    return open_deals(question, view, staged="category" in question.dimensions)


def open_at(question: Question, view: View) -> tuple[States, Products]:
    """The deals open at the question's pair, and their product lines where products are told apart."""
    return _read(open_deals_of(question, view), _unfiltered(question), view)


def last_of(since: int, question: Question, view: View) -> tuple[States, Products]:
    """The deals open at the pair, and as they last were those that closed after an instant."""
    states, products = open_at(question, view)
    closed, their_products = _read([closed_since(since, question, view)], _unfiltered(question), view)
    return states | closed, products | their_products


def closed_since(since: int, question: Question, view: View) -> Source:
    """The deals that closed or merged after an instant and are not open at the pair, as they last were while open.

    What they join is read when they ceased to be open.
    """
    rows = _last_open(since, question, view)
    stages = stage_versions.alias("stages")
    in_stage = and_(
        stages.c.stream == label("pipeline-") + rows.c.pipeline,
        stages.c.stage == rows.c.stage,
        intervals.holds(stages, rows.c.effective_to, question.pair, view),
    )
    return Source(
        frm=rows.outerjoin(stages, in_stage) if "category" in question.dimensions else rows,
        columns=dict(rows.c.items()),
        state=func.coalesce(rows.c.category, stages.c.category) if "category" in question.dimensions else null(),
        at=rows.c.effective_to,
        happened_at=rows.c.effective_to,
        month=func.substr(rows.c.expected_close_on, literal_column("1"), literal_column("7")),
        product_lines=_lines_of(rows, question, view),
    )


class Joined:
    """Tells the dated streams that told something of a row."""

    def __init__(self, question: Question, view: View, rates: Rates) -> None:
        self._rates = rates
        self._currency = question.currency
        self._stage = "category" in question.dimensions
        self._team = "team" in question.dimensions
        self._customer = not question.dimensions.isdisjoint(OF_CUSTOMER)
        self._merged = merged(question, view) if self._customer else {}

    def __call__(self, row: Any) -> tuple[str, ...]:
        streams: list[str] = []
        if self._stage:
            streams.append(f"pipeline-{row.own_pipeline}")
        if self._team:
            streams.append(f"person-{row.own_owner}")
        if self._customer:
            customer = row.own_customer
            while customer is not None and f"customer-{customer}" not in streams:
                streams.append(f"customer-{customer}")
                customer = self._merged.get(customer)
        if row.currency != self._currency and row.currency is not None:
            streams += self._rates.streams(row.currency)
        return tuple(streams)


def _unfiltered(question: Question) -> Question:
    """The question without its filters, their dimensions being told all the same."""
    return replace(question, by=tuple(sorted(question.dimensions.difference(question.report.fixed))), where={})


def _read(sources: Sequence[Source], question: Question, view: View) -> tuple[States, Products]:
    states: States = {}
    products: Products = {}
    for source in sources:
        own = source.columns
        query = lines.query(source, question, view).add_columns(
            own["expected_close_on"],
            own["opened_at"],
            own["owner"].label("own_owner"),
            own["customer"].label("own_customer"),
            own["pipeline"].label("own_pipeline"),
            own.get("ending", cast(null(), Text)).label("ending"),
        )
        rows = view.rows(query, lines.values(source, question))
        states |= {row.stream: row for row in rows}
        if not question.dimensions.isdisjoint(PRODUCT):
            products |= products_of(source, question, view, [row.stream for row in rows])
    return states, products


def _last_open(since: int, question: Question, view: View) -> Subquery:
    """The last open row of each deal whose closing in force lies between the instants, with how it ended.

    One that was lost and is merged since ended by being merged.
    """
    pair = question.pair.happened
    d = deal_versions.c
    soonest, latest = instant(since + 1), instant(pair.as_of)
    won = intervals.at_pair(wins, pair, view, wins.c.effective_from.between(soonest, latest))
    lost = intervals.at_pair(losses, pair, view, losses.c.effective_from.between(soonest, latest))
    gone = intervals.at_pair(deal_versions, pair, view, DEAL_MERGED, d.effective_from.between(soonest, latest))
    ended = union_all(
        select(won.c.stream, label("won").label("ending")),
        select(lost.c.stream, lost.c.outcome.label("ending")),
        select(gone.c.stream, label("merged").label("ending")),
    ).subquery("ended")
    known = intervals.holds(deal_versions, d.effective_to - 1, pair, view)
    while_open = (OPEN_DEAL, d.effective_to > instant(since), d.effective_to <= instant(pair.as_of), known)
    merged_first = case((ended.c.ending == label("merged"), 0), else_=1)
    latest_first = func.row_number().over(partition_by=d.stream, order_by=(d.effective_to.desc(), merged_first))
    rows = (
        select(*d, ended.c.ending, latest_first.label("number"))
        .join_from(ended, deal_versions, d.stream == ended.c.stream)
        .where(*while_open)
        .subquery("while_open")
    )
    return select(rows).where(rows.c.number == literal_column("1")).subquery("closed_deals")


def _lines_of(rows: Subquery, question: Question, view: View) -> Subquery:
    """The product lines that deals had when they ceased to be open; `at` is when."""
    held = intervals.holds(deal_lines, rows.c.effective_to - 1, question.pair, view)
    return (
        select(*deal_lines.c, rows.c.effective_to.label("at"))
        .join_from(rows, deal_lines, deal_lines.c.stream == rows.c.stream)
        .where(held)
        .subquery("their_lines")
    )
