"""Deals due in a period and put off beyond it, worked out by hand and the second way over the events."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.projections.reports.test_pipeline_changes import told as random_history
from tests.support.book import eur, money

FIGURES = ("deals_due", "pushed", "push_rate", "pushed_minor", "mean_push_days")
Q1 = {"period": "2026-Q1", "as_of": "2026-06-30"}


def due(book, deal: str, day: str | None, moved: str | None = None, at: str = "2026-02-05", **more):
    book.deal(deal, "2025-12-05", eur(100), expected_close_on=day, **more)
    if moved:
        book.say(f"deal-{deal}", "deal.close_date_changed", at, expected_close_on=moved)
    return book


def figures(book, **asked: str):
    totals = book.totals("slippage", **(Q1 | asked))
    return tuple(totals[name] for name in FIGURES)


def test_an_empty_book_slips_nothing(empty_book):
    totals = empty_book.totals("slippage")
    assert [totals[name] for name in FIGURES] == [0, 0, None, 0, None]


def test_deals_due_and_pushed_worked_out_by_hand(book):
    due(book, "kept", "2026-03-31")
    due(book, "within", "2026-02-01", "2026-03-31")
    due(book, "pushed", "2026-03-21", "2026-04-10")  # 20 days
    due(book, "won", "2026-03-31", "2026-05-10").won("won", "2026-03-01")  # 40 days, though won before
    due(book, "after", "2026-03-31", "2026-04-30", at="2026-04-02")  # only once the quarter was over
    due(book, "elsewhere", "2026-04-01", "2026-05-01")
    due(book, "undated", None)
    book.deal("new", "2026-01-02", eur(100), expected_close_on="2026-03-31")
    due(book, "gone", "2026-03-31").lost("gone", "2025-12-31")
    assert figures(book) == (5, 2, pytest.approx(0.4), 200, pytest.approx(30))
    assert figures(book, as_of="2026-02-04") == (5, 0, 0, 0, None)


def test_a_deal_is_its_owner_s_of_the_beginning(book):
    due(book, "a", "2026-03-31", "2026-04-10").say("deal-a", "deal.assigned", "2026-02-06", owner="bob")
    due(book, "b", "2026-03-31", owner="bob")
    rows = book.rows("slippage", "owner", "deals_due", "pushed", by="owner", **Q1)
    assert rows == [("ana", 1, 1), ("bob", 1, 0)]


def test_as_reported_and_restated(book):
    due(book, "a", "2026-03-31")
    book.say("deal-a", "deal.close_date_changed", "2026-03-20", recorded="2026-04-10", expected_close_on="2026-04-30")
    due(book, "b", "2026-03-31", "2026-04-30").retracted("deal-b", 2, "2026-04-11")
    asked = {"as_of": "2026-03-31"}
    assert figures(book, **asked)[:2] == (2, 1)
    assert figures(book, known_at="2026-04-10", **asked)[:2] == (2, 2)
    assert figures(book, known_at="now", **asked)[:2] == (2, 1)


def test_amounts_are_those_of_the_beginning(book):
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-02-01", "0.8")
    book.deal("a", "2025-12-05", money(100, "USD"), expected_close_on="2026-03-31")
    book.say("deal-a", "deal.revalued", "2026-02-02", value=money(500, "USD"))
    book.say("deal-a", "deal.close_date_changed", "2026-02-03", expected_close_on="2026-04-10")
    assert figures(book)[3] == 90
    assert figures(book, fx="constant")[3] == 80


def test_it_agrees_with_the_pipeline_at_the_beginning(book):
    """The second way: what was due is what the forecast of the months has, not overdue."""
    random_history(book, 8, 100)
    asked = {"period": "2026-02", "as_of": "2026-03-31", "known_at": "now"}
    for dimension in ("owner", "stage", "segment"):
        found = {row[dimension]: row["deals_due"] for row in book.report("slippage", by=dimension, **asked).rows}
        at = {"as_of": "2026-01-31T23:00:00Z", "known_at": "now", "where": "month=2026-02"}
        then = book.report("pipeline", by=f"{dimension},month", **at).rows
        assert found == {
            value: sum(row["deals"] for row in then if row[dimension] == value)
            for value in found.keys() | {row[dimension] for row in then}
        }


def test_the_deals_of_a_cell_account_for_it(book):
    due(book, "a", "2026-03-31", "2026-04-10")
    due(book, "b", "2026-03-31", owner="bob")
    for row in book.report("slippage", by="owner", **Q1).rows:
        explained = book.explained("slippage", {"owner": row["owner"]}, by="owner", **Q1)
        assert explained.figures == {name: row[name] for name in explained.figures}
        assert sum(each.figures.get("pushed_minor", 0) for each in explained.lines) == row["pushed_minor"]


def test_by_default_the_quarter_of_as_of(book):
    due(book, "a", "2026-03-31", "2026-04-10")
    answer = book.report("slippage", as_of="2026-02-20")
    assert (answer.parameters["period"], answer.totals["pushed"]) == ("2026-01-01..2026-03-31", 1)


def test_a_period_must_have_begun(book):
    with pytest.raises(BadRequest, match="the period 2026-Q3 begins after as_of"):
        book.report("slippage", period="2026-Q3", as_of="2026-06-30")
