"""Objectives and submitted forecasts beside what the pipeline says, worked out by hand."""

from __future__ import annotations

import pytest

from projections.reports import MissingRate
from tests.support.book import eur, money

COMPANY, NORTH, ANA = {"company": True}, {"team": "north"}, {"person": "ana"}
Q1 = ("2026-01-01", "2026-03-31")
FIGURES = ("objective_minor", "shortfall_minor", "coverage")


def objective(book, name: str, scope, minor: int, days=Q1, **more):
    """An objective in euros, of amount and set on 1 December unless it says otherwise."""
    at = more.pop("at", "2025-12-01")
    said = {"metric": "amount", "target": eur(minor), "period": {"from": days[0], "to": days[1]}} | more
    return book.say(f"objective-{name}", "objective.set", at, scope=scope, **said)


def call(book, name: str, minor: int, at: str, **more):
    """The company's forecast of the first quarter, of category commit unless it says otherwise."""
    said = {"scope": COMPANY, "period": {"from": Q1[0], "to": Q1[1]}, "category": "commit", "value": eur(minor)}
    return book.say(f"call-{name}", "forecast.submitted", at, **(said | more))


def months(book, column: str = "objective_minor", **parameters: str) -> dict[str, int | None]:
    return dict(book.rows("forecast", "month", column, **parameters))


def test_an_objective_is_spread_over_its_months_by_days(book):
    objective(book, "q1", COMPANY, 100)
    assert months(book, as_of="2026-01-31") == {"2026-01": 35, "2026-02": 31, "2026-03": 34}
    # 31, 28 and 31 of 90 days: 34.44, 31.11 and 34.44; the odd cent goes to the earlier of the largest remainders.


def test_a_forecast_of_80_against_an_objective_of_100_is_20_short(book):
    """30 won, and 200 at 25 % to come."""
    objective(book, "feb", COMPANY, 100_00, ("2026-02-01", "2026-02-28"))
    book.deal("won", "2026-01-05", eur(30_00)).won("won", "2026-02-03")
    book.deal("lead", "2026-01-05", eur(200_00), expected_close_on="2026-02-27")
    [row] = book.report("forecast", period="2026-02", as_of="2026-02-10").rows
    assert row["won_minor"] + row["weighted_minor"] == 80_00
    assert [row[name] for name in FIGURES] == [100_00, 20_00, pytest.approx(200 / 70)]


def test_shortfall_and_coverage_are_what_won_and_open_deals_leave_open(book):
    objective(book, "feb", COMPANY, 1_000, ("2026-02-01", "2026-02-28"))
    book.deal("won", "2026-01-05", eur(300)).won("won", "2026-02-03")
    book.deal("lead", "2026-01-05", eur(400), expected_close_on="2026-02-27")  # 25 %
    book.deal("parked", "2026-01-05", eur(999), stage="parked", expected_close_on="2026-02-27")  # omitted
    row = book.report("forecast", as_of="2026-02-10").rows[0]
    assert row["month"] == "2026-02"
    assert [row[name] for name in FIGURES] == [1_000, 1_000 - 300 - 100, pytest.approx(400 / 700)]
    totals = book.totals("forecast", as_of="2026-02-10")
    assert [totals[name] for name in FIGURES] == [1_000, 600, pytest.approx(400 / 700)]


def test_an_objective_that_is_met_has_no_shortfall_and_needs_no_coverage(book):
    objective(book, "feb", COMPANY, 300, ("2026-02-01", "2026-02-28"))
    book.deal("won", "2026-01-05", eur(300)).won("won", "2026-02-03")
    totals = book.totals("forecast", as_of="2026-02-10")
    assert [totals[name] for name in FIGURES] == [300, 0, None]


def test_without_an_objective_there_is_neither_shortfall_nor_coverage(book):
    book.deal("lead", "2026-01-05", eur(400), expected_close_on="2026-02-27")
    totals = book.totals("forecast", as_of="2026-02-10")
    assert [totals[name] for name in (*FIGURES, "call_minor")] == [None] * 4


def test_an_objective_counts_where_its_scope_is_exactly_the_row_s(book):
    feb = ("2026-02-01", "2026-02-28")
    for name, scope, minor in (("a", COMPANY, 1_000), ("b", NORTH, 600), ("c", ANA, 250)):
        objective(book, name, scope, minor, feb)
    objective(book, "range", COMPANY, 7, feb, product_range="iron")
    objective(book, "kind", ANA, 7, feb, kind="new")
    objective(book, "margin", ANA, 40, feb, metric="margin")
    book.person("ana", "2025-01-01", "north")
    asked = {"as_of": "2026-02-10", "horizon": "1"}
    assert book.rows("forecast", "objective_minor", **asked) == [(1_000,)]
    assert book.rows("forecast", "team", "objective_minor", by="team", **asked) == [("north", 600)]
    assert book.rows("forecast", "owner", "objective_minor", by="owner", **asked) == [("ana", 250)]
    assert book.rows("forecast", "owner", "objective_minor", by="owner", measure="margin", **asked) == [("ana", 40)]
    assert book.totals("forecast", where="owner=ana", **asked)["objective_minor"] == 250
    assert book.totals("forecast", where="owner=bob", **asked)["objective_minor"] is None
    assert book.rows("forecast", "objective_minor", by="owner,team", **asked) == []
    assert book.totals("forecast", where="owner=ana,kind=new", **asked)["objective_minor"] is None
    assert book.totals("forecast", by="stage", **asked)["objective_minor"] is None


def test_of_two_objectives_the_one_of_the_shorter_period_counts_on_its_days(book):
    objective(book, "year", COMPANY, 3_650, ("2026-01-01", "2026-12-31"))
    objective(book, "feb", COMPANY, 500, ("2026-02-01", "2026-02-28"))
    objective(book, "half", COMPANY, 160, ("2026-03-01", "2026-03-16"))
    assert months(book, as_of="2026-01-31", horizon="3") == {"2026-01": 310, "2026-02": 500, "2026-03": 160 + 150}


def test_a_period_that_cuts_a_month_takes_its_part_of_the_month(book):
    objective(book, "q1", COMPANY, 900)
    found = months(book, as_of="2026-01-31", period="2026-02-15..2026-03-31")
    assert found == {"2026-02": 140, "2026-03": 310}


def test_an_objective_is_the_one_in_force_at_the_pair(book):
    objective(book, "q1", COMPANY, 900, at="2025-12-01")
    book.say("objective-q1", "objective.revised", "2026-02-01", recorded="2026-02-20", target=eur(600))
    book.say("objective-q1", "objective.cancelled", "2026-05-01", reason="merged")
    asked = {"period": "2026-Q1"}
    assert book.totals("forecast", as_of="2026-01-31", **asked)["objective_minor"] == 900
    assert book.totals("forecast", as_of="2026-02-10", **asked)["objective_minor"] == 900
    assert book.totals("forecast", as_of="2026-02-10", known_at="2026-03-01", **asked)["objective_minor"] == 600
    assert book.totals("forecast", as_of="2026-05-02", **asked)["objective_minor"] is None
    assert book.totals("forecast", as_of="2025-12-31", **asked)["objective_minor"] == 900


def test_the_forecast_submitted_last_counts_until_it_is_withdrawn(book):
    call(book, "f1", 900, "2026-01-02")
    call(book, "f2", 990, "2026-01-10", category="best_case")
    call(book, "f3", 600, "2026-02-01")
    call(book, "f1", 300, "2026-02-20", recorded="2026-03-05")
    book.say("call-f1", "forecast.withdrawn", "2026-03-20")
    asked = {"period": "2026-Q1"}
    for as_of, minor in (("2026-01-01", None), ("2026-01-15", 900), ("2026-02-28", 600), ("2026-03-10", 300)):
        assert book.totals("forecast", as_of=as_of, **asked)["call_minor"] == minor, as_of
    assert book.totals("forecast", as_of="2026-02-28", known_at="2026-03-10", **asked)["call_minor"] == 300
    assert book.totals("forecast", as_of="2026-03-25", **asked)["call_minor"] == 600
    assert book.totals("forecast", as_of="2026-02-28", measure="margin", **asked)["call_minor"] is None


def test_a_target_in_another_currency_takes_the_rate_of_as_of(book):
    objective(book, "q1", COMPANY, 0, target=money(1_000, "USD"))
    with pytest.raises(MissingRate, match="rate-USD"):
        book.totals("forecast", as_of="2026-01-31")
    assert book.totals("forecast", as_of="2026-01-31", where="owner=ana")["objective_minor"] is None
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-02-15", "0.8")
    assert book.totals("forecast", as_of="2026-01-31")["objective_minor"] == 900
    assert book.totals("forecast", as_of="2026-02-28", period="2026-Q1")["objective_minor"] == 800


def test_an_objective_is_among_the_lines_that_explain_its_cell(book):
    book.rate("USD", "2025-01-01", "0.9")
    objective(book, "q1", ANA, 0, target=money(1_000, "USD"), statement="Beat last year")
    book.say("objective-q1", "objective.revised", "2026-01-15", target=money(900, "USD"))
    book.deal("lead", "2026-01-05", eur(400), expected_close_on="2026-02-27")
    explained = book.explained("forecast", {"month": "2026-02", "owner": "ana"}, by="owner", as_of="2026-02-10")
    lines = {line.stream: line for line in explained.lines}
    assert lines.keys() == {"deal-lead", "objective-q1"}
    assert lines["objective-q1"].figures["objective_minor"] == explained.figures["objective_minor"] == 252
    assert lines["objective-q1"].title == "Beat last year"
    assert len(lines["objective-q1"].events["objective-q1"]) == 2
    assert len(lines["objective-q1"].events["rate-USD"]) == 1
    assert "objective_minor" not in lines["deal-lead"].figures
