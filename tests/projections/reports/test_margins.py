"""A margin that nobody gave is unknown, never nothing; one that some gave is theirs, and a note says of how many."""

from __future__ import annotations

import pytest

from tests.support.book import eur, line, money

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
NOTE = "the margin of 1 of 2 lines is known: sums of margins count these alone"


@pytest.fixture
def silent(book):
    """An open deal and a win of one customer, nobody having said a margin of either."""
    book.customer("c", "2026-01-02", channel="web").rate("USD", "2026-01-01", "0.5")
    book.deal("open", "2026-01-05", eur(100), customer="c", expected_close_on="2026-12-15")
    book.deal("won", "2026-01-05", lines=[line("bolt", eur(100))], customer="c").won("won", "2026-02-10")
    book.say("objective-m", "objective.set", "2026-01-01", scope={"company": True}, metric="margin", period=YEAR,
             target=eur(100))  # fmt: skip
    return book


MARGINS = {
    "pipeline": ({}, ("margin_minor",)),
    "forecast": ({}, ("margin_minor", "weighted_margin_minor")),
    "sales": ({"by": "month,product"}, ("margin_minor", "margin_rate")),
    "win_rate": ({}, ("average_won_margin_minor",)),
    "products": ({}, ("margin_minor", "margin_rate")),
    "bonus": ({"basis": "margin"}, ("gross_minor", "base_minor")),
    "leaderboard": ({"metric": "margin"}, ("achieved_minor", "share")),
    "trend": ({"measure": "margin", "period": "2026-02"}, ("value_minor",)),
    "new_revenue": ({"measure": "margin"}, ("new_minor", "new_share")),
    "loyalty": ({}, ("margin_minor",)),
    "lifetime_value": ({}, ("observed_minor", "expected_minor", "lifetime_minor", "average_minor")),
    "acquisition": ({}, ("margin_minor", "roi")),
}
"""Under what parameters a report tells margins, and in which columns."""


@pytest.mark.parametrize("report", MARGINS)
def test_a_margin_that_nobody_gave_is_null(silent, report):
    asked, columns = MARGINS[report]
    answer = silent.report(report, **asked)
    assert answer.rows
    for row in (*answer.rows, answer.totals):
        assert {row[column] for column in columns} == {None}
    assert not [note for note in answer.notes if "margin" in note]


def test_the_forecast_by_margin_is_unknown_too(silent):
    totals = silent.totals("forecast", measure="margin")
    names = ("pipeline_minor", "cum_open_minor", "shortfall_minor", "coverage")
    assert {totals[name] for name in names} == {None}
    assert (totals["commit_minor"], totals["objective_minor"], totals["amount_minor"]) == (0, 8, 100)


def test_an_objective_of_margin_has_nothing_known_achieved(silent):
    [row] = silent.report("objectives").rows
    assert (row["target_minor"], row["achieved_minor"], row["progress"], row["status"]) == (100, None, None, None)
    silent.deal("m", "2026-01-05", eur(100), margin=eur(30), customer="c").won("m", "2026-02-10")
    [row] = silent.report("objectives").rows
    assert (row["achieved_minor"], row["progress"]) == (30, 0.3)


def test_what_is_known_of_some_is_added_up_with_a_note(silent):
    silent.deal("known", "2026-01-05", eur(100), margin=eur(30)).won("known", "2026-02-10")
    answer = silent.report("sales")
    assert (answer.totals["margin_minor"], answer.totals["margin_rate"]) == (30, 0.15)
    assert NOTE in answer.notes
    assert any("marge connue pour 1 ligne(s) sur 2" in note for note in silent.report("sales", lang="fr").notes)
    assert silent.rows("sales", "customer", "margin_minor", by="customer") == [("c", None), (None, 30)]
    assert silent.rows("products", "product", "margin_minor") == [("bolt", None), (None, 30)]


def test_nothing_sold_has_no_margin_and_that_is_known(silent):
    assert silent.totals("sales", period="2026-05")["margin_minor"] == 0
    assert silent.totals("loyalty", as_of="2026-01-31")["margin_minor"] == 0


def test_in_other_currencies_alike(silent):
    silent.deal("d", "2026-01-05", money(40, "USD"), region="west").won("d", "2026-02-10")
    assert silent.totals("sales", where="region=west")["margin_minor"] is None
    assert silent.totals("sales", where="region=west", by="product")["margin_minor"] is None
    assert silent.totals("loyalty", currency="USD")["margin_minor"] is None
    silent.deal("e", "2026-01-05", money(40, "USD"), margin=money(0, "USD"), region="west").won("e", "2026-02-10")
    answer = silent.report("sales", where="region=west")
    assert (answer.totals["margin_minor"], NOTE in answer.notes) == (0, True)


def test_the_lines_behind_say_which_have_none(silent):
    silent.deal("known", "2026-01-05", eur(100), margin=eur(30)).won("known", "2026-02-10")
    explained = silent.explained("sales")
    assert explained.figures["margin_minor"] == 30
    assert [each.figures["margin_minor"] for each in explained.lines] == [30, None]
    assert silent.explained("sales", {"customer": "c"}).figures["margin_minor"] is None
