"""Probabilities that experience gives the stages: counted by hand, and without a glance ahead."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from ledger.money import half_even
from tests.support.book import GivenBook, eur

CALIBRATED = {"as_of": "2026-03-31", "probabilities": "calibrated"}


def experience(book: GivenBook) -> GivenBook:
    """Leads: 1 of 3 won, 1 abandoned among them; demos: 1 of 2. One is still open, one was opened too long ago."""
    book.deal("w", "2026-01-05", eur(1)).moved("w", "2026-01-10", "demo").won("w", "2026-02-01")
    book.deal("l", "2026-01-05", eur(1)).moved("l", "2026-01-10", "demo").moved("l", "2026-01-12", "lead")
    book.moved("l", "2026-01-14", "demo").lost("l", "2026-02-01")
    book.deal("a", "2026-01-05", eur(1)).abandoned("a", "2026-02-01")
    book.deal("old", "2024-01-05", eur(1), stage="offer").won("old", "2024-02-01")
    book.deal("twin", "2026-01-05", eur(1)).say("deal-twin", "deal.merged", "2026-02-01", into="w")
    return book


def chances(book, **asked: str) -> dict[str, int]:
    """What the probability of an open deal of 10,000 in each stage is, in basis points."""
    rows = book.rows("pipeline", "stage", "weighted_minor", where="owner=eve", **(CALIBRATED | asked))
    return dict(rows)


@pytest.fixture
def open_deals(book):
    for stage in ("lead", "demo", "offer"):
        book.deal(f"open-{stage}", "2025-06-05", eur(10_000), stage=stage, owner="eve", expected_close_on="2026-04-30")
    return experience(book)


def test_each_deal_counts_once_in_every_stage_it_entered(open_deals):
    """(1 + 1) / (3 + 2) of leads, (1 + 1) / (2 + 2) of demos, a half where nothing has closed."""
    assert chances(open_deals) == {"lead": 4_000, "demo": 5_000, "offer": 5_000}
    assert chances(open_deals, lookback="36") == {"lead": 4_000, "demo": 5_000, "offer": half_even(20_000, 3)}
    assert chances(open_deals, probabilities="stage") == {"lead": 2_500, "demo": 5_000, "offer": 7_500}


def test_the_forecast_and_what_explains_it_use_them_too(open_deals):
    row = open_deals.report("forecast", where="owner=eve", **CALIBRATED, distribution="yes").rows[0]
    assert row["weighted_minor"] == 14_000
    explained = open_deals.explained("forecast", {"stage": "lead", "owner": "eve"}, **CALIBRATED)
    assert [each.probability_bp for each in explained.lines] == [4_000]


def test_a_deal_keeps_the_probability_set_for_it(open_deals):
    open_deals.say("deal-open-lead", "deal.probability_set", "2026-03-01", probability_bp=1_234)
    assert chances(open_deals)["lead"] == 1_234


def test_each_pipeline_has_its_own_experience(open_deals):
    stages = [{"stage": "lead", "name": "Lead", "probability_bp": 2_500, "category": "pipeline"}]
    open_deals.say("pipeline-other", "pipeline.defined", "2020-01-01", name="Other", stages=stages)
    open_deals.deal("o", "2026-01-05", eur(10_000), pipeline="other", owner="eve")
    found = open_deals.rows(
        "pipeline", "pipeline", "weighted_minor", by="pipeline", where="stage=lead,owner=eve", **CALIBRATED
    )
    assert found == [("other", 5_000), ("sales", 4_000)]


def test_nothing_later_leaks_in(open_deals):
    """Facts that come later, or become known later, move no earlier figure; restated, what was learnt counts."""
    dates = ("2026-01-31", "2026-02-15", "2026-03-31")
    asked = [{"as_of": day} for day in dates] + [{"as_of": "2026-03-31", "known_at": "2026-02-28"}]
    before = [chances(open_deals, **each) for each in asked]
    accuracy = {"periods": "1", "as_of": "2026-03-31", "probabilities": "calibrated"}
    forecast = open_deals.rows("forecast_accuracy", "forecast_minor", **accuracy)
    for number in range(5):
        open_deals.deal(f"later{number}", "2026-01-06", eur(1), recorded="2026-04-02")
        open_deals.won(f"later{number}", "2026-01-20", recorded="2026-04-03")
    open_deals.reopened("l", "2026-04-05").won("l", "2026-04-06")
    open_deals.retracted("deal-a", 2, "2026-04-07")
    assert [chances(open_deals, **each) for each in asked] == before
    assert open_deals.rows("forecast_accuracy", "forecast_minor", **accuracy) == forecast
    assert chances(open_deals, known_at="now")["lead"] == half_even((1 + 5 + 1) * 10_000, 1 + 5 + 1 + 2)


def test_the_lookback_is_of_calibration_only(book):
    for asked, message in (
        ({"lookback": "12"}, "lookback is of probabilities=calibrated"),
        ({"lookback": "ages", "probabilities": "calibrated"}, "lookback=ages is not a number of months"),
        ({"probabilities": "guess"}, "write stage or calibrated"),
    ):
        with pytest.raises(BadRequest, match=message):
            book.report("forecast", **asked)
