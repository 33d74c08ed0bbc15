"""Twenty-eight reports at five dates, as reported and restated, against what a plain list of events says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from ledger.events import EVENTS
from projections.reports import find
from tests.model import naive_reports
from tests.model.naive import day_of, days_of_period, midnight
from tests.model.naive_reports import Book, Question
from tests.second_ways import alerts, customers, deals, doing, loyalty, marketing, scores, targets
from tests.second_ways.changes import changes
from tests.second_ways.history import forecast_history
from tests.second_ways.plain import Row, Rows, shown

if TYPE_CHECKING:
    from tests.second_ways.conftest import Told

Tell = Callable[[Book, Question], tuple[Rows, Row]]
each_knowledge = pytest.mark.parametrize("restated", [False, True], ids=["as_reported", "restated"])

QUARTER = 91
"""Days."""


def agrees(
    told: Told,
    report: str,
    tell: Tell,
    *,
    restated: bool,
    period: str = "",
    by: Sequence[str] = ("",),
    from_days: int = 0,
    fixed: Sequence[str] | None = None,
    **asked: str,
) -> None:
    """The report and the second way tell the same rows, and the same totals where the way tells some.

    The real data, which are many, are told apart in the last way only.
    """
    for day, heads in product(told.dates, by[-1:] if told.name == "real" else by):
        given = {"as_of": day.isoformat(), "by": heads, "period": period} | asked
        if restated:
            given["known_at"] = told.restated.isoformat()
        if from_days:
            given["from"] = (day - timedelta(days=from_days)).isoformat()
        question = _question(told, day, restated=restated, period=period, by=heads)
        rows, totals = _expected(told, report, tell, question, **asked)
        answer = told.ask(report, **{name: each for name, each in given.items() if each})
        keys = [*(find(report).fixed if fixed is None else fixed), *filter(None, heads.split(","))]
        said = {tuple(row[key] for key in keys): row for row in answer.rows}
        assert len(said) == len(answer.rows)
        assert set(said) == set(rows), given
        for key, row in rows.items():
            assert {name: said[key][name] for name in row} == row, (given, key)
        assert {name: answer.totals[name] for name in totals} == totals, given


_EXPECTED: dict[tuple[Any, ...], tuple[Rows, Row]] = {}


def _expected(told: Told, report: str, tell: Tell, question: Question, **asked: str) -> tuple[Rows, Row]:
    """What the second way tells, which is the same for both databases."""
    key = (told.name, report, question.as_of, question.known_at, question.period, question.by, *asked.values())
    if key not in _EXPECTED:
        rows, totals = tell(told.book, question)
        _EXPECTED[key] = {key: shown(row) for key, row in rows.items()}, shown(totals)
    return _EXPECTED[key]


def _question(told: Told, day: date, *, restated: bool, period: str, by: str) -> Question:
    as_of = _end_of(told, day)
    question = Question(as_of, _end_of(told, told.restated) if restated else as_of)
    question.by = tuple(filter(None, by.split(",")))
    if period:
        question.period = days_of_period(period, told.book.settings(question)["fiscal_year_start_month"], day)
    return question


def _end_of(told: Told, day: date) -> int:
    zone = "America/New_York" if told.name == "real" else "Europe/Paris"
    return midnight(day + timedelta(days=1), zone) - 1


def narrowed(tell: Tell, **asked: Any) -> Tell:
    """The same way, the question put otherwise."""
    return lambda book, question: tell(book, replace(question, **asked))


def rows_of(naive: Callable[[Book, Question], tuple[Any, Rows]]) -> Tell:
    """The second way of the model tests, which tells rows alone."""
    return lambda book, question: (naive(book, question)[1], {})


def test_every_kind_of_event_but_rare_ones_is_in_the_company_s_book(told):
    if told.name == "demo":
        types = {event["type"] for events in told.book.streams.values() for event in events}
        assert set(EVENTS) - types <= {"book.history_closed", "forecast.withdrawn", "subject.erased"}


@each_knowledge
def test_the_pipeline_is_what_the_events_say(told, restated):
    agrees(told, "pipeline", rows_of(naive_reports.pipeline), restated=restated, by=("", "team,segment"))


@each_knowledge
def test_the_forecast_is_what_the_events_say(told, restated):
    agrees(told, "forecast", rows_of(naive_reports.forecast), restated=restated, by=("", "owner"))


@each_knowledge
def test_sales_are_what_the_events_say(told, restated):
    agrees(
        told,
        "sales",
        rows_of(naive_reports.sales),
        restated=restated,
        period="this-year",
        by=("", "month,team", "product"),
    )


@each_knowledge
def test_the_win_rate_is_what_the_events_say(told, restated):
    agrees(
        told, "win_rate", rows_of(naive_reports.win_rate), restated=restated, period="this-quarter", by=("", "owner")
    )


@each_knowledge
def test_the_conversion_of_quotes_is_what_the_events_say(told, restated):
    agrees(
        told,
        "conversion",
        rows_of(naive_reports.conversion),
        restated=restated,
        period="this-year",
        by=("", "month,region"),
    )


@each_knowledge
def test_the_funnel_is_what_the_events_say(told, restated):
    agrees(told, "funnel", deals.FUNNEL.tell, restated=restated, period="this-year", by=("", "team"))


@each_knowledge
def test_the_sales_cycle_is_what_the_events_say(told, restated):
    agrees(told, "cycle", deals.CYCLE.tell, restated=restated, period="this-quarter", by=("", "owner"))


@each_knowledge
def test_losses_are_what_the_events_say(told, restated):
    agrees(told, "losses", deals.LOSSES.tell, restated=restated, period="this-year", by=("", "team"))


@each_knowledge
def test_products_sold_are_what_the_events_say(told, restated):
    agrees(told, "products", deals.products, restated=restated, period="this-quarter", by=("", "team"))


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "lapsed", "both"])
def test_churn_is_what_the_events_say_by_each_rule(told, restated, rule):
    way = customers.churn(rule).tell
    agrees(told, "churn", way, restated=restated, period="this-quarter", by=("segment",), rule=rule)


@each_knowledge
def test_new_revenue_is_what_the_events_say(told, restated):
    agrees(told, "new_revenue", customers.NEW_REVENUE.tell, restated=restated, period="last-quarter", by=("", "region"))


@each_knowledge
@pytest.mark.parametrize("rule", ["lapsed", "both"])
def test_upsell_is_what_the_events_say_by_each_rule(told, restated, rule):
    way = customers.upsell(rule).tell
    agrees(told, "upsell", way, restated=restated, period="this-year", by=("team",), rule=rule)


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "lapsed", "both"])
def test_lifetime_value_is_what_the_events_say_by_each_rule(told, restated, rule):
    way = loyalty.lifetime_value(rule).tell
    agrees(told, "lifetime_value", way, restated=restated, by=("", "segment", "team"), rule=rule)


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "both"])
def test_loyalty_is_what_the_events_say_by_each_rule(told, restated, rule):
    agrees(told, "loyalty", loyalty.loyalty(rule).tell, restated=restated, by=("team",), rule=rule)


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "both"])
def test_acquisition_is_what_the_events_say_by_each_rule(told, restated, rule):
    way = marketing.acquisition(rule).tell
    agrees(told, "acquisition", way, restated=restated, period="this-year", by=("", "campaign"), rule=rule)


@each_knowledge
def test_campaigns_are_what_the_events_say(told, restated):
    agrees(told, "campaigns", marketing.CAMPAIGNS.tell, restated=restated, period="this-year", by=("", "channel"))


@each_knowledge
def test_satisfaction_is_what_the_events_say(told, restated):
    by = ("", "month", "team,segment", "campaign")
    agrees(told, "satisfaction", loyalty.SATISFACTION.tell, restated=restated, period="this-year", by=by)


@each_knowledge
@pytest.mark.parametrize("of", ["customers", "prospects", "deals"])
def test_scores_are_what_the_events_say(told, restated, of):
    agrees(told, "scoring", scores.tell(of).tell, restated=restated, by=("team",), of=of)


@each_knowledge
def test_objectives_stand_where_the_events_say(told, restated):
    agrees(told, "objectives", doing.objectives, restated=restated)


@each_knowledge
def test_activity_is_what_the_events_say(told, restated):
    agrees(
        told,
        "activity",
        doing.ACTIVITY.tell,
        restated=restated,
        period="this-quarter",
        by=("", "owner,month", "region"),
    )


@each_knowledge
def test_slippage_is_what_the_events_say(told, restated):
    agrees(
        told, "slippage", deals.SLIPPAGE.tell, restated=restated, period="this-quarter", by=("", "owner", "category")
    )


@each_knowledge
def test_the_pipeline_changed_as_the_events_say(told, restated):
    """Since a quarter of a year before each date."""

    def way(book: naive_reports.Book, question: Question) -> tuple[Rows, Row]:
        zone = book.settings(question)["time_zone"]
        since = day_of(question.as_of, zone) - timedelta(days=QUARTER - 1)
        return changes(book, question, midnight(since, zone) - 1)

    agrees(told, "pipeline_changes", way, restated=restated, by=("", "owner", "stage,segment"), from_days=QUARTER)


@each_knowledge
@pytest.mark.parametrize(
    "scenario", ["", "average=4.25,conversion=0.5", "quotes_per_visit=1.5"], ids=["as_it_was", "average", "visits"]
)
def test_required_sales_are_what_the_events_say(told, restated, scenario):
    supposed = {name: Fraction(said) for name, said in (each.split("=") for each in scenario.split(",") if each)}
    way = targets.required_sales(**supposed).tell
    agrees(
        told, "required_sales", way, restated=restated, period="this-year", by=("", "owner", "team"), scenario=scenario
    )


@each_knowledge
@pytest.mark.parametrize("metric", targets.METRICS)
def test_owners_are_ranked_as_the_events_say(told, restated, metric):
    way = targets.leaderboard(metric, "owner")
    agrees(told, "leaderboard", way, restated=restated, period="this-quarter", by=("team", ""), metric=metric)


@each_knowledge
@pytest.mark.parametrize("metric", ["margin", "new_customers", "quotes_issued"])
def test_teams_are_ranked_as_the_events_say(told, restated, metric):
    way = targets.leaderboard(metric, "team")
    asked = {"period": "this-year", "metric": metric, "among": "team"}
    agrees(told, "leaderboard", way, restated=restated, fixed=("team",), **asked)


@each_knowledge
@pytest.mark.parametrize("basis", ["amount", "margin", "invoiced", "delivered", "quantity"])
def test_bonuses_are_what_the_events_say(told, restated, basis):
    way = targets.bonus(basis).tell
    agrees(told, "bonus", way, restated=restated, period="this-year", by=("", "month,team"), basis=basis)


@each_knowledge
@pytest.mark.parametrize("period", ["this-quarter", "last-quarter"])
def test_the_review_of_teams_is_what_the_events_say(told, restated, period):
    agrees(told, "team_review", targets.team_review, restated=restated, period=period)


@each_knowledge
def test_amounts_in_another_currency_at_one_rate_are_what_the_events_say(told, restated):
    if told.name != "demo":
        return
    ways: dict[str, tuple[Tell, dict[str, str]]] = {
        "required_sales": (targets.required_sales(average=Fraction(9)).tell, {"scenario": "average=9"}),
        "leaderboard": (targets.leaderboard("invoiced_amount"), {"metric": "invoiced_amount"}),
        "bonus": (targets.bonus("amount").tell, {}),
        "team_review": (targets.team_review, {}),
    }
    for report, (tell, more) in ways.items():
        way = narrowed(tell, currency="GBP", constant_rates=True)
        asked = more | {"currency": "GBP", "fx": "constant"}
        agrees(told, report, way, restated=restated, period="this-year", **asked)  # type: ignore[arg-type]


@each_knowledge
def test_what_one_owner_has_to_sell_is_what_the_events_say(told, restated):
    way = narrowed(targets.required_sales().tell, where={"owner": "p015"})
    agrees(told, "required_sales", way, restated=restated, period="this-quarter", where="owner=p015")


@each_knowledge
@pytest.mark.parametrize("team", ["", "est"])
def test_alerts_are_what_the_events_say(told, restated, team):
    """Of everybody, and of one team."""
    way = narrowed(alerts.ALERTS.tell, where={"team": team} if team else {})
    agrees(told, "alerts", way, restated=restated, by=("", "team"), where=team and f"team={team}")


@each_knowledge
@pytest.mark.parametrize(("measure", "by"), [("amount", ("", "owner", "segment,region")), ("margin", ("segment",))])
def test_forecasts_of_the_past_are_what_the_events_say(told, restated, measure, by):
    """At the ends of months, since some weeks before each date."""
    weeks = 7 * 7

    def way(book: Book, question: Question) -> tuple[Rows, Row]:
        zone = book.settings(question)["time_zone"]
        since = midnight(day_of(question.as_of, zone) - timedelta(days=weeks), zone)
        return forecast_history(book, question, since, measure)

    asked = {"period": "this-quarter", "every": "month", "measure": measure}
    agrees(told, "forecast_history", way, restated=restated, by=by, from_days=weeks, **asked)
