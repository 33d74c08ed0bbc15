"""What the demo's company never comes to, in a small book: no team, nobody, nothing said, instants within a day."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from ledger.times import parse_instant
from projections.reports import find
from tests.model.naive import day_of, days_of_period, plain
from tests.model.naive_reports import Book, Question
from tests.second_ways import alerts, targets
from tests.second_ways.history import forecast_history
from tests.second_ways.plain import shown
from tests.support.book import GivenBook, eur

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.second_ways.plain import Row, Rows

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
ZONE = "Europe/Paris"
NOW = "2026-12-31T12:00:00Z"
INSTANTS = (
    "2026-01-31T22:59:59.999999Z",
    "2026-02-10T11:00:00Z",
    "2026-03-29T21:59:59.999999Z",
    "2026-07-31T08:30:00Z",
    NOW,
)
THRESHOLDS = {
    "win_rate": "0.6",
    "conversion": "0.5",
    "overdue_tasks": 1,
    "stalled_deals": "1.5",
    "late_deals": 0,
    "expiring_quotes": 0,
    "open_complaints": 0,
    "behind_objectives": 2,
    "open_complaint_days": "2.5",
    "unheard_of": -1,
    "spoken_of": "often",
}


@pytest.fixture(scope="module", params=[pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)])
def small(request, tmp_path_factory) -> Iterator[tuple[GivenBook, Book]]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('small') / 'sales-ledger.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.url(made := server.create_database())
    given = GivenBook(url, now=NOW)
    _people(given)
    _deals(given)
    _quotes_and_talks(given)
    _tasks_and_objectives(given)
    yield given, Book(plain(event) for event in given.ledger.feed(0, 100_000))
    given.close()
    if request.param == "postgres":
        server.drop_database(made)


def _people(given: GivenBook) -> None:
    """Bob moves to the team above his, cat comes and goes; zoe sells and never joined."""
    given.say("team-all", "team.created", "2020-01-02", name="All")
    given.say("team-north", "team.created", "2020-01-02", name="North", parent="all")
    for person, since in (("ana", "2025-01-01"), ("bob", "2025-01-01"), ("cat", "2026-02-03")):
        given.person(person, since, "north")
    given.say("person-dan", "person.joined", "2025-01-01", team="all", role="manager", name="Dan")
    given.say("person-bob", "person.moved", "2026-03-01", team="all")
    given.say("person-cat", "person.left", "2026-07-15")
    given.say("book", "book.settings_changed", "2026-02-01", stalled_after_days=20, thresholds=THRESHOLDS)


def _deals(given: GivenBook) -> None:
    """Customers a and f turn out to be one in summer; what zoe sold is credited for more than its worth."""
    given.customer("ca", "2025-01-02", segment="big").customer("cf", "2025-01-02", segment="small")
    given.say("customer-cf", "customer.merged", "2026-07-20", into="ca")
    for name, owner, more in (
        ("a", "ana", {"expected_close_on": "2026-02-09", "margin": eur(40_00)}),
        ("b", "bob", {"expected_close_on": "2026-02-10", "quantity": "2.5"}),
        ("c", "zoe", {"margin": eur(0)}),
        ("d", "dan", {"expected_close_on": "2026-03-28"}),
        ("e", "bob", {"stage": "parked"}),
        ("f", "ana", {"expected_close_on": "2026-12-31"}),
    ):
        given.deal(name, "2026-01-12T22:30:00Z", eur(100_01), owner=owner, customer=f"c{name}", **more)
    given.deal("unsaid", "2025-06-05", owner="cat", customer="ca").won("unsaid", "2026-02-05")
    given.won("a", "2026-02-09").lost("b", "2026-02-09").abandoned("d", "2026-07-30").won("c", "2026-02-10")
    given.say("deal-a", "deal.invoiced", "2026-02-11", invoice="i1", value=eur(60_00), margin=eur(30_00))
    given.say("deal-a", "deal.delivered", "2026-02-12", quantity="1")
    given.say("deal-a", "deal.delivered", "2026-02-12", value=eur(50_00))
    given.say("deal-a", "deal.invoiced", "2026-03-11", invoice="i2", value=eur(40_00))
    given.say("deal-c", "deal.credited", "2026-03-12", value=eur(130_00), reason="returned")
    given.say("deal-a", "deal.credited", "2026-03-12", invoice="i1", value=eur(10_00), margin=eur(5_00), reason="price")
    given.reopened("a", "2026-07-01").won("a", "2026-07-31", eur(90_00))
    given.reopened("b", "2026-03-29", "demo")


def _quotes_and_talks(given: GivenBook) -> None:
    for name, deal, owner, until in (
        ("q1", "a", "ana", "2026-02-10"),
        ("q2", None, None, "2026-02-17"),
        ("q3", "b", "bob", "2026-02-18"),
        ("q4", None, "zoe", None),
        ("q5", None, "ana", "2026-04-05"),
    ):
        given.quote(name, "2026-01-31", eur(70_00), deal=deal, owner=owner, valid_until=until)
    given.accepted("q1", "2026-02-09").accepted("q2", "2026-02-15")
    for name, kind, at, owner, deal in (
        ("v1", "visit", "2026-01-20", "ana", "f"),
        ("v2", "visit", "2026-02-07T21:30:00Z", "bob", "e"),
        ("v3", "visit", "2026-03-09T22:30:00Z", None, "f"),
        ("s1", "support_request", "2026-03-20", "bob", "b"),
        ("k1", "complaint", "2026-02-07T23:30:00Z", "bob", None),
        ("k2", "complaint", "2026-03-27T10:30:00Z", None, None),
    ):
        given.say(f"interaction-{name}", "interaction.logged", at, kind=kind, direction="out", customer="ca", owner=owner,
                  deal=deal)  # fmt: skip
    given.say("interaction-k1", "interaction.resolved", "2026-02-10T11:00:00.000001Z")


def _tasks_and_objectives(given: GivenBook) -> None:
    for name, due, owner in (
        ("t1", "2026-02-10T11:00:00Z", "ana"),
        ("t2", "2026-02-10T11:00:00.000001Z", "zoe"),
        ("t3", "2026-02-10T23:00:00Z", "bob"),
        ("t4", "2026-01-30T11:00:00Z", "cat"),
    ):
        given.say(f"task-{name}", "task.planned", "2026-01-15", kind="call", due_at=due, owner=owner)
    given.say("task-t4", "task.rescheduled", "2026-02-01", due_at="2026-07-31T22:00:00Z")
    given.say("task-t1", "task.done", "2026-03-01", "2026-04-01")
    for name, scope, target in (
        ("all", {"company": True}, 1_000_00),
        ("north", {"team": "north"}, 500_00),
        ("top", {"team": "all"}, 1_00),
        ("ana", {"person": "ana"}, 0),
        ("bob", {"person": "bob"}, 300_00),
        ("zoe", {"person": "zoe"}, 300_00),
    ):
        given.say(f"objective-{name}", "objective.set", "2026-01-01", scope=scope, metric="amount", period=YEAR,
                  target=eur(target))  # fmt: skip
    given.say("objective-zoe", "objective.cancelled", "2026-03-20", reason="left")


def holds(
    small: tuple[GivenBook, Book],
    report: str,
    tell: Callable[[Book, Question], tuple[Rows, Row]],
    *,
    by: str = "",
    fixed: tuple[str, ...] | None = None,
    **asked: str,
) -> None:
    """The report and the second way tell the same at each instant, as reported and restated."""
    given, book = small
    heads = tuple(filter(None, by.split(",")))
    for as_of in INSTANTS:
        for known_at in {as_of, NOW}:
            question = Question(parse_instant(as_of), parse_instant(known_at), by=heads)
            if "period" in asked:
                question.period = days_of_period(asked["period"], 1, day_of(question.as_of, ZONE))
            if owner := asked.get("where", "").removeprefix("owner="):
                question.where = {"owner": owner}
            told = {name: each for name, each in asked.items() if each}
            answer = given.report(report, as_of=as_of, known_at=known_at, **told, **({"by": by} if by else {}))
            keys = (*(find(report).fixed if fixed is None else fixed), *heads)
            rows, totals = tell(book, question)
            said = {tuple(row[key] for key in keys): row for row in answer.rows}
            expected = {key: shown(row) for key, row in rows.items()}
            assert set(said) == set(expected), (as_of, known_at)
            for key, row in expected.items():
                assert {name: said[key][name] for name in row} == row, (as_of, known_at, key)
            totals = shown(totals)
            assert {name: answer.totals[name] for name in totals} == totals, (as_of, known_at)


@pytest.mark.parametrize("by", ["", "owner", "team"])
def test_required_sales(small, by):
    holds(small, "required_sales", targets.required_sales().tell, by=by, period="2026")
    holds(small, "required_sales", targets.required_sales().tell, by=by, period="2026", where="owner=bob")
    supposed = targets.required_sales(average=Fraction("12.5"), conversion=Fraction("0.3")).tell
    holds(small, "required_sales", supposed, by=by, period="2026", scenario="average=12.5,conversion=0.3")


def test_required_sales_without_a_period_are_those_of_the_quarter(small):
    tell = targets.required_sales().tell

    def of_the_quarter(book: Book, question: Question) -> tuple[Rows, Row]:
        return tell(book, replace(question, period=days_of_period("this-quarter", 1, day_of(question.as_of, ZONE))))

    holds(small, "required_sales", of_the_quarter, by="owner")


@pytest.mark.parametrize("metric", targets.METRICS)
@pytest.mark.parametrize("among", ["owner", "team"])
def test_the_leaderboard(small, metric, among):
    way = targets.leaderboard(metric, among)
    holds(small, "leaderboard", way, fixed=(among,), period="2026-S1", metric=metric, among=among)


@pytest.mark.parametrize("basis", ["amount", "margin", "invoiced", "delivered", "quantity"])
@pytest.mark.parametrize("by", ["", "customer,quarter"])
def test_bonuses(small, basis, by):
    holds(small, "bonus", targets.bonus(basis).tell, by=by, period="2026", basis=basis)


@pytest.mark.parametrize("period", ["2026", "2026-Q1", "last-month"])
def test_the_review_of_teams(small, period):
    holds(small, "team_review", targets.team_review, period=period)


@pytest.mark.parametrize("by", ["", "team"])
def test_alerts(small, by):
    holds(small, "alerts", alerts.ALERTS.tell, by=by)


@pytest.mark.parametrize("by", ["customer", "segment", "owner"])
def test_the_history_of_forecasts(small, by):
    def way(book: Book, question: Question) -> tuple[Rows, Row]:
        return forecast_history(book, question, parse_instant("2026-01-30T23:00:00Z"))

    holds(small, "forecast_history", way, by=by, period="2026", every="month", from_="2026-01-31")
