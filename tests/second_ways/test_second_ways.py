"""Fifteen reports at five dates, as reported and restated, against what a plain list of events says."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from ledger.events import EVENTS
from projections.reports import find
from tests.model import naive_reports
from tests.model.naive import day_of, days_of_period, midnight
from tests.model.naive_reports import Question
from tests.second_ways import customers, deals, doing
from tests.second_ways.changes import changes

if TYPE_CHECKING:
    from tests.second_ways.conftest import Told
    from tests.second_ways.plain import Row, Rows

each_knowledge = pytest.mark.parametrize("restated", [False, True], ids=["as_reported", "restated"])

QUARTER = 91
"""Days."""


def agrees(
    told: Told,
    report: str,
    way: Any,
    *,
    restated: bool,
    period: str = "",
    by: str = "",
    from_days: int = 0,
    **asked: str,
) -> None:
    """The report and the second way tell the same rows, and the same totals where the way tells some."""
    for day in told.dates:
        pair = {"as_of": day.isoformat()} | ({"known_at": "now"} if restated else {})
        given = pair | asked | ({"period": period} if period else {}) | ({"by": by} if by else {})
        if from_days:
            given["from"] = (day - timedelta(days=from_days)).isoformat()
        question = _question(told, day, restated=restated, period=period, by=by)
        rows, totals = way(told.book, question)
        answer = told.ask(report, **given)
        heads = [*find(report).fixed, *filter(None, by.split(","))]
        said = {tuple(row[head] for head in heads): row for row in answer.rows}
        assert len(said) == len(answer.rows)
        assert set(said) == set(rows), given
        for key, row in rows.items():
            assert {name: said[key][name] for name in row} == _shown(row), (given, key)
        assert {name: answer.totals[name] for name in totals} == _shown(totals), given


def _question(told: Told, day: date, *, restated: bool, period: str, by: str) -> Question:
    zone = told.book.settings(Question(told.head, told.head))["time_zone"]
    as_of = midnight(day + timedelta(days=1), zone) - 1
    question = Question(as_of, told.head if restated else as_of, by=tuple(filter(None, by.split(","))))
    if period:
        question.period = days_of_period(period, told.book.settings(question)["fiscal_year_start_month"], day)
    return question


def _shown(row: Row) -> Row:
    """As a report shows it: quantities in units, fractions as decimals."""
    exact = {name: Fraction(each, 1_000_000) if name == "quantity" else each for name, each in row.items()}
    return {name: float(each) if isinstance(each, Fraction) else each for name, each in exact.items()}


def of_rows(naive: Any) -> Any:
    """The second way of the model tests, which tells rows alone."""
    return lambda book, question: (naive(book, question)[1], {})


def test_the_demo_uses_every_kind_of_event_but_rare_ones(told):
    if told.name == "demo":
        assert set(EVENTS) - {event["type"] for event in told.events} <= {"book.history_closed", "forecast.withdrawn"}


@each_knowledge
@pytest.mark.parametrize("by", ["", "team,segment"])
def test_pipeline(told, restated, by):
    agrees(told, "pipeline", of_rows(naive_reports.pipeline), restated=restated, by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "owner"])
def test_forecast(told, restated, by):
    agrees(told, "forecast", of_rows(naive_reports.forecast), restated=restated, by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "month,team", "product"])
def test_sales(told, restated, by):
    agrees(told, "sales", of_rows(naive_reports.sales), restated=restated, period="this-year", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "owner"])
def test_win_rate(told, restated, by):
    agrees(told, "win_rate", of_rows(naive_reports.win_rate), restated=restated, period="this-quarter", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "month,region"])
def test_conversion(told, restated, by):
    agrees(told, "conversion", of_rows(naive_reports.conversion), restated=restated, period="this-year", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "team"])
def test_funnel(told, restated, by):
    agrees(told, "funnel", deals.FUNNEL.tell, restated=restated, period="this-year", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "owner"])
def test_cycle(told, restated, by):
    agrees(told, "cycle", deals.CYCLE.tell, restated=restated, period="this-quarter", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "team"])
def test_losses(told, restated, by):
    agrees(told, "losses", deals.LOSSES.tell, restated=restated, period="this-year", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "team"])
def test_products(told, restated, by):
    agrees(told, "products", deals.products, restated=restated, period="this-quarter", by=by)


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "lapsed", "both"])
def test_churn(told, restated, rule):
    way = customers.churn(rule).tell
    agrees(told, "churn", way, restated=restated, period="this-quarter", by="segment", rule=rule)


@each_knowledge
@pytest.mark.parametrize("by", ["", "region"])
def test_new_revenue(told, restated, by):
    agrees(told, "new_revenue", customers.NEW_REVENUE.tell, restated=restated, period="last-quarter", by=by)


@each_knowledge
@pytest.mark.parametrize("rule", ["lapsed", "both"])
def test_upsell(told, restated, rule):
    way = customers.upsell(rule).tell
    agrees(told, "upsell", way, restated=restated, period="this-year", by="team", rule=rule)


@each_knowledge
def test_objectives(told, restated):
    agrees(told, "objectives", doing.objectives, restated=restated)


@each_knowledge
@pytest.mark.parametrize("by", ["", "owner,month", "region"])
def test_activity(told, restated, by):
    agrees(told, "activity", doing.ACTIVITY.tell, restated=restated, period="this-quarter", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "owner", "category"])
def test_slippage(told, restated, by):
    agrees(told, "slippage", deals.SLIPPAGE.tell, restated=restated, period="this-quarter", by=by)


@each_knowledge
@pytest.mark.parametrize("by", ["", "owner", "stage,segment"])
def test_pipeline_changes(told, restated, by):
    """Since a quarter of a year before each date."""

    def way(book: naive_reports.Book, question: Question) -> tuple[Rows, Row]:
        zone = book.settings(question)["time_zone"]
        since = day_of(question.as_of, zone) - timedelta(days=QUARTER - 1)
        return changes(book, question, midnight(since, zone) - 1)

    agrees(told, "pipeline_changes", way, restated=restated, by=by, from_days=QUARTER)
