"""What was forecast for a period at each past date: each is what the forecast said then, beside what it became."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.projections.reports.test_pipeline_changes import told as random_history
from tests.projections.reports.test_targets import ANA, COMPANY, NORTH, call, objective
from tests.support.book import eur, money

Q1 = {"period": "2026-Q1"}
COLUMNS = ("date", "won_minor", "weighted_minor", "open_minor", "commit_minor", "call_minor", "objective_minor")


def test_the_last_weeks_of_a_quarter_worked_out_by_hand(book):
    objective(book, "q1", COMPANY, 900)
    call(book, "c", 700, "2026-03-20")
    book.deal("a", "2026-01-05", eur(400), expected_close_on="2026-03-31")  # 25 %
    book.deal("b", "2026-01-05", eur(100), stage="closing", expected_close_on="2026-03-10")  # overdue from the 11th
    book.deal("p", "2026-01-05", eur(9_999), stage="parked", expected_close_on="2026-03-31")  # omitted
    book.deal("n", "2026-01-05", eur(50), expected_close_on="2026-04-01").won("n", "2026-03-25")
    book.won("b", "2026-03-12", recorded="2026-03-30").lost("a", "2026-04-02")
    asked = Q1 | {"from": "2026-03-14", "as_of": "2026-04-30"}
    assert book.rows("forecast_history", *COLUMNS, "actual_minor", **asked) == [
        ("2026-03-15", 0, 100 + 90, 500, 100, None, 900, 150),
        ("2026-03-22", 0, 100 + 90, 500, 100, 700, 900, 150),
        ("2026-03-29", 50, 100 + 90, 500, 100, 700, 900, 150),
        ("2026-03-31", 150, 100, 400, 0, 700, 900, 150),
    ]
    assert set(book.totals("forecast_history", **asked).values()) == {None}
    before = asked | {"known_at": "2026-03-29"}
    assert {row["actual_minor"] for row in book.report("forecast_history", **before).rows} == {50}


def test_by_default_the_quarter_of_as_of_week_by_week_since_the_quarter_before(book):
    answer = book.report("forecast_history", as_of="2026-02-10")
    days = [row["date"] for row in answer.rows]
    assert (days[:3], days[-1], len(days)) == (["2025-10-05", "2025-10-12", "2025-10-19"], "2026-02-10", 20)


def test_an_empty_book_has_a_row_of_nothing_for_each_date(empty_book):
    rows = empty_book.report("forecast_history").rows
    assert {tuple(row[name] for name in COLUMNS[1:]) for row in rows} <= {(0, 0, 0, 0, None, None)}


@pytest.mark.parametrize("seed", [1, 2])
def test_each_date_says_what_the_forecast_said_then(book, seed):
    """The second way: the forecast itself, asked date by date."""
    objective(book, "q1", COMPANY, 100_000)
    objective(book, "ana", {"person": "a"}, 70_001)
    objective(book, "team", NORTH, 50_001, ("2026-02-01", "2026-05-31"), at="2026-02-02")
    call(book, "c", 77_777, "2026-02-20")
    random_history(book, seed, 90)
    names = [name for name in COLUMNS if name not in {"date", "open_minor"}]
    for asked in ({}, {"measure": "margin"}, {"where": "owner=a"}, {"where": "segment=a", "currency": "USD"}):
        given = Q1 | {"from": "2026-01-05"} | asked
        rows = book.report("forecast_history", every="week", **given).rows
        assert len(rows) == 13
        for row in rows:
            then = book.totals("forecast", as_of=row["date"], **Q1, **asked)
            then["weighted_minor"] = then["weighted_margin_minor" if "measure" in asked else "weighted_minor"]
            assert {name: row[name] for name in names} == {name: then[name] for name in names}, (asked, row)
            kinds = ("commit", "most_likely", "best_case", "pipeline")
            coming = [then[f"{name}_minor"] for name in kinds]
            assert (row["open_minor"] or 0) == sum(each or 0 for each in coming)
            sales = book.totals("sales", **Q1, **{name: each for name, each in asked.items() if name != "measure"})
            assert "measure" in asked or row["actual_minor"] == sales["amount_minor"]


def test_by_team_a_deal_is_its_owner_s_team_s_of_the_date(book):
    book.person("ana", "2025-01-01", "north").say("person-ana", "person.moved", "2026-02-15", team="south")
    book.deal("a", "2026-01-05", eur(400), expected_close_on="2026-03-31").won("a", "2026-03-05")
    objective(book, "north", NORTH, 90)
    asked = Q1 | {"from": "2026-01-31", "as_of": "2026-03-31", "every": "month", "by": "team"}
    columns = ("date", "team", "won_minor", "open_minor", "objective_minor", "actual_minor")
    assert book.rows("forecast_history", *columns, **asked) == [
        ("2026-01-31", "north", 0, 400, 90, 0),
        ("2026-01-31", "south", 0, 0, None, 400),
        ("2026-02-28", "north", 0, 0, 90, 0),
        ("2026-02-28", "south", 0, 400, None, 400),
        ("2026-03-31", "north", 0, 0, 90, 0),
        ("2026-03-31", "south", 400, 0, None, 400),
    ]


def test_a_deal_s_chance_is_its_stage_s_of_each_date_and_nought_before_the_stage_is_known(book):
    """The second way is the question by customer too, which is added up date by date."""
    stages = [{"stage": "talk", "name": "Talk", "probability_bp": 2_000, "category": "best_case"}]
    book.say("pipeline-other", "pipeline.defined", "2026-01-01", "2026-01-31", name="Other", stages=stages)
    later = [{**stages[0], "probability_bp": 5_000, "category": "commit"}]
    book.say("pipeline-other", "pipeline.redefined", "2026-02-20", stages=later)
    book.deal("a", "2026-01-05", eur(400), pipeline="other", stage="talk", expected_close_on="2026-03-31")
    book.person("ana", "2026-01-01", "north").say("person-ana", "person.moved", "2026-02-10", team="south")
    asked = Q1 | {"from": "2026-01-20", "as_of": "2026-03-05", "every": "week"}
    told = {("2026-01-25", 0, 0), ("2026-02-01", 80, 0), ("2026-02-15", 80, 0), ("2026-02-22", 200, 400)}
    for by in ("", "team", "owner", "customer"):
        rows = book.rows("forecast_history", "date", "weighted_minor", "commit_minor", by=by, **asked)
        assert told <= set(rows)
    teams = book.rows("forecast_history", "date", "team", "open_minor", by="team", **asked)
    assert {("2026-02-08", "north", 400), ("2026-02-15", "south", 400)} <= set(teams)


def test_rates_are_those_known_at_each_date(book):
    book.rate("USD", "2025-01-01", "0.9")
    book.say("rate-USD", "rate.fixed", "2026-02-10", recorded="2026-03-10", base="EUR", rate="0.8")
    book.deal("a", "2026-01-05", money(100, "USD"), expected_close_on="2026-03-31")
    book.deal("w", "2026-01-05", money(1_000, "USD")).won("w", "2026-02-20")
    asked = Q1 | {"from": "2026-02-28", "as_of": "2026-03-31", "every": "month"}
    columns = ("date", "won_minor", "open_minor", "actual_minor")
    assert book.rows("forecast_history", *columns, **asked) == [
        ("2026-02-28", 900, 90, 800),
        ("2026-03-31", 800, 80, 800),
    ]
    amounts = [
        row[name] for row in book.report("forecast_history", **asked, by="customer").rows for name in columns[1:]
    ]
    assert {type(each) for each in amounts} == {int}  # also where a database adds up to decimals


def test_the_lines_of_a_date_add_up_to_it(book):
    objective(book, "q1", COMPANY, 100_000)
    objective(book, "ana", ANA, 7)
    random_history(book, 4, 80)
    for by in ("", "owner"):
        asked = Q1 | {"from": "2026-02-01", "every": "month", "by": by}
        for row in book.report("forecast_history", **asked).rows:
            cell = {name: row[name] for name in ("date", by) if name}
            explained = book.explained("forecast_history", cell, **asked)
            assert explained.figures == {name: row[name] for name in explained.figures}
            assert all(each.stream for each in explained.lines)
            for name in ("won_minor", "weighted_minor", "actual_minor"):
                assert row[name] == sum(each.figures.get(name, 0) for each in explained.lines)


def test_the_dates_must_lie_before_as_of(book):
    with pytest.raises(BadRequest, match="from 2026-03-01 lies after the end"):
        book.report("forecast_history", **Q1, **{"from": "2026-03-01", "as_of": "2026-02-01"})
