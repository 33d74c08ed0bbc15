"""What nobody says something is worth, or how much of it there is, is unknown, never nothing."""

from __future__ import annotations

import pytest

from tests.support.book import eur

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
NOTE = "the amount of 1 of 2 lines is known: sums of amounts count these alone"


@pytest.fixture
def silent(book):
    """Deals open, put off, won and lost, nobody having said what they are worth."""
    book.deal("open", "2026-01-05", expected_close_on="2026-12-15")
    book.deal("put-off", "2025-12-05", expected_close_on="2026-01-20")
    book.say("deal-put-off", "deal.close_date_changed", "2026-01-15", expected_close_on="2026-12-20")
    book.deal("won", "2026-01-05").won("won", "2026-02-10")
    book.deal("lost", "2026-01-05").lost("lost", "2026-02-10")
    for metric, target in (("amount", {"target": eur(100)}), ("quantity", {"target": "5"})):
        book.say(f"objective-{metric}", "objective.set", "2026-01-01", scope={"company": True}, metric=metric,
                 period=YEAR, **target)  # fmt: skip
    return book


UNKNOWN = {
    "pipeline": ({}, ("amount_minor", "weighted_minor", "quantity", "average_minor")),
    "forecast": ({}, ("amount_minor", "weighted_minor", "pipeline_minor", "cum_open_minor", "quantity")),
    "sales": ({"by": "month,product"}, ("amount_minor", "quantity", "average_minor", "margin_rate")),
    "win_rate": ({}, ("average_won_minor", "average_lost_minor", "win_rate_amount")),
    "losses": ({}, ("amount_minor",)),
    "products": ({"period": "2026"}, ("amount_minor", "quantity", "share", "previous_period_change_minor")),
    "bonus": ({}, ("gross_minor", "base_minor")),
    "leaderboard": ({"metric": "quantity"}, ("achieved", "share")),
    "required_sales": ({"period": "2026"}, ("achieved_minor", "remaining_minor", "average_minor", "sales")),
    "trend": ({"period": "2026-02"}, ("value_minor",)),
    "pipeline_changes": ({"from": "2026-01-10"}, ("opening_minor", "closing_minor", "won_minor", "lost_minor")),
    "slippage": ({"period": "2026-01", "as_of": "2026-02-01"}, ("pushed_minor",)),
    "cycle": ({}, ("velocity_minor_per_day",)),
    "team_review": ({}, ("amount_minor",)),
    "objectives": ({}, ("achieved", "achieved_minor", "progress", "status")),
}
"""Under what parameters a report tells amounts, and in which columns."""


@pytest.mark.parametrize("report", UNKNOWN)
def test_an_amount_that_nobody_gave_is_null(silent, report):
    asked, columns = UNKNOWN[report]
    answer = silent.report(report, **asked)
    found = [row for row in answer.rows if row.get("deals") != 0 and row.get("won") != 0]
    assert found
    for row in found:
        assert {column: row[column] for column in columns} == dict.fromkeys(columns)


def test_what_some_are_worth_is_added_up_and_averaged_over_them_with_a_note(silent):
    silent.deal("known", "2026-01-05", eur(80)).won("known", "2026-02-10")
    answer = silent.report("sales")
    assert (answer.totals["won"], answer.totals["amount_minor"], answer.totals["average_minor"]) == (2, 80, 80)
    assert NOTE in answer.notes
    assert silent.totals("win_rate")["average_won_minor"] == 80
    assert silent.rows("sales", "product", "amount_minor", by="product") == [(None, 80)]
    [amount] = [row for row in silent.report("objectives").rows if row["metric"] == "amount"]
    assert (amount["achieved_minor"], amount["progress"]) == (80, 0.8)


def test_a_deal_worth_nothing_is_worth_that(book):
    book.deal("free", "2026-01-05", eur(0), quantity="0")
    totals = book.totals("pipeline")
    assert (totals["amount_minor"], totals["weighted_minor"], totals["quantity"]) == (0, 0, 0)


def test_explain_says_that_it_is_not_said(silent):
    [line, _] = silent.explained("pipeline").lines
    assert line.figures == {
        "deals": 1, "amount_minor": None, "margin_minor": None, "quantity": None, "weighted_minor": None,
    }  # fmt: skip
