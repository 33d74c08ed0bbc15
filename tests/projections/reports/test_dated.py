"""Last quarter's reports with last quarter's teams, probabilities, rates, objectives and settings, worked out by hand.

In the quarter a seller changes team, a probability is redefined, a rate is fixed anew and an objective is revised; on
5 April another of each comes to light that had held since March; from April on all are different again.
"""

from __future__ import annotations

import pytest

from tests.support.book import STAGES, eur, money

AS_REPORTED = {"as_of": "2026-03-31", "period": "2026-Q1"}
RESTATED = AS_REPORTED | {"known_at": "2026-04-06"}
LATE = "2026-04-05"


def lead_at(probability_bp: int):
    return [STAGES[0] | {"probability_bp": probability_bp}, *STAGES[1:]]


@pytest.fixture
def quarter(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    book.say("person-ana", "person.moved", "2026-02-15", team="south")
    book.say("person-ana", "person.moved", "2026-03-25", recorded=LATE, team="west")
    book.say("person-ana", "person.moved", "2026-04-10", team="north")

    book.say("pipeline-sales", "pipeline.redefined", "2026-02-20", stages=lead_at(4_000))
    book.say("pipeline-sales", "pipeline.redefined", "2026-03-10", recorded=LATE, stages=lead_at(5_000))
    book.say("pipeline-sales", "pipeline.redefined", "2026-04-10", stages=lead_at(6_000))

    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-02-15", "0.8")
    book.say("rate-USD", "rate.fixed", "2026-03-20", recorded=LATE, base="EUR", rate="0.75")
    book.rate("USD", "2026-04-10", "0.7")

    north = {"scope": {"team": "north"}, "metric": "amount", "period": {"from": "2026-01-01", "to": "2026-03-31"}}
    book.say("objective-north", "objective.set", "2025-12-15", target=eur(1_000), **north)
    book.say("objective-north", "objective.revised", "2026-03-01", target=eur(900))
    book.say("objective-north", "objective.revised", "2026-03-15", recorded=LATE, target=eur(850))
    book.say("objective-north", "objective.revised", "2026-04-10", target=eur(800))
    book.say("book", "book.settings_changed", "2026-04-10", fiscal_year_start_month=4)

    dollars = money(1_000, "USD")
    for deal, day in (("w1", "2026-02-10"), ("w2", "2026-02-20"), ("w3", "2026-03-22")):
        book.deal(deal, "2026-01-05", dollars).won(deal, day)
    book.deal("w4", "2026-01-05", eur(500), expected_close_on="2026-03-31").won("w4", "2026-03-28", recorded=LATE)
    book.deal("open", "2026-01-05", money(2_000, "USD"), expected_close_on="2026-03-31")
    book.deal("own", "2026-01-05", eur(300), owner="bob", expected_close_on="2026-03-31")
    book.say("deal-own", "deal.probability_set", "2026-01-06", probability_bp=1_000)
    book.folded()
    return book


def test_sales_by_team_as_reported(quarter):
    """Each win in the team and at the rate of its own day: 1,000 USD at 0.9 in the north, two at 0.8 in the south."""
    assert quarter.rows("sales", "team", "amount_minor", by="team", **AS_REPORTED) == [("north", 900), ("south", 1_600)]


def test_sales_by_team_restated(quarter):
    """The win of 22 March at 0.75, still in the south; that of the 28th, unknown until April, in the west."""
    assert quarter.rows("sales", "team", "amount_minor", by="team", **RESTATED) == [
        ("north", 900),
        ("south", 800 + 750),
        ("west", 500),
    ]


def test_sales_of_the_quarter_are_the_same_whenever_they_are_asked_once_all_is_known(quarter):
    """What changed in April changes nothing of what was won before."""
    asked = {"by": "team", "period": "2026-Q1"}
    later = quarter.rows("sales", "team", "amount_minor", as_of="2026-06-30", **asked)
    assert later == quarter.rows("sales", "team", "amount_minor", **RESTATED, by="team")
    constant = quarter.rows("sales", "team", "amount_minor", as_of="2026-06-30", fx="constant", **asked)
    assert constant == [("north", 700), ("south", 1_400), ("west", 500)]


COLUMNS = ("month", "team", "deals", "amount_minor", "weighted_minor", "won_minor", "objective_minor")


def test_the_forecast_by_team_as_reported(quarter):
    """Open deals at the 0.8 and 40 % of that day, in the south with their owner; 900 to reach, 310, 280 and 310."""
    assert quarter.rows("forecast", *COLUMNS, by="team", **AS_REPORTED) == [
        ("2026-01", "north", 0, 0, 0, 0, 310),
        ("2026-02", "north", 0, 0, 0, 900, 280),
        ("2026-02", "south", 0, 0, 0, 800, None),
        ("2026-03", "north", 0, 0, 0, 0, 310),
        ("2026-03", "south", 3, 1_600 + 300 + 500, 640 + 30 + 200, 800, None),
    ]


def test_the_forecast_by_team_restated(quarter):
    """Open deals at 0.75 and 50 %, the seller's in the west; the deal of 500 is won; 850 to reach."""
    assert quarter.rows("forecast", *COLUMNS, by="team", **RESTATED) == [
        ("2026-01", "north", 0, 0, 0, 0, 293),
        ("2026-02", "north", 0, 0, 0, 900, 264),
        ("2026-02", "south", 0, 0, 0, 800, None),
        ("2026-03", "north", 0, 0, 0, 0, 293),
        ("2026-03", "south", 1, 300, 30, 750, None),
        ("2026-03", "west", 1, 1_500, 750, 500, None),
    ]


def test_the_forecast_at_the_quarter_s_beginning_as_it_was_then(quarter):
    """At 0.9 and 25 %, all in the north but what is the other seller's; 1,000 to reach: 345, 311 and 344."""
    asked = {"as_of": "2026-01-31", "period": "2026-Q1", "by": "team"}
    then = [
        ("2026-01", "north", 0, 0, 0, 0, 345),
        ("2026-02", "north", 0, 0, 0, 0, 311),
        ("2026-03", "north", 2, 1_800 + 500, 450 + 125, 0, 344),
        ("2026-03", "south", 1, 300, 30, 0, None),
    ]
    assert quarter.rows("forecast", *COLUMNS, **asked) == then
    assert quarter.rows("forecast", *COLUMNS, known_at="now", **asked) == then


def test_a_fiscal_quarter_is_that_of_the_settings_in_force(quarter):
    """The fiscal year begins in January until 10 April, and in April from then on."""
    for pair in ({"as_of": "2026-03-31"}, {"as_of": "2026-03-31", "known_at": "now"}):
        assert quarter.report("sales", period="FY2026-Q1", **pair).parameters["period"] == "2026-01-01..2026-03-31"
    later = quarter.report("sales", period="FY2026-Q1", as_of="2026-04-30")
    assert later.parameters["period"] == "2025-04-01..2025-06-30"
