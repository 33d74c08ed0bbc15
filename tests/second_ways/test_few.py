"""What the demo's company does too seldom, against what a plain list of events says."""

from __future__ import annotations

import pytest

from tests.second_ways import loyalty, marketing, scores
from tests.second_ways.conftest import Told, plain_book
from tests.second_ways.few import DAYS, RESTATED, few
from tests.second_ways.test_second_ways import agrees, each_knowledge


@pytest.fixture
def told(database_url):
    given = few(database_url)
    yield Told("few", given.store, plain_book("few", given.ledger), DAYS, RESTATED)
    given.close()


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "both"])
def test_what_customers_are_worth_and_how_they_feel(told, restated, rule):
    """Also on the eve of a leap day, on the last day before silence tells, and where nobody says what a sale is worth."""
    by = ("", "segment,owner")
    agrees(told, "lifetime_value", loyalty.lifetime_value(rule).tell, restated=restated, by=by, rule=rule)
    agrees(told, "loyalty", loyalty.loyalty(rule).tell, restated=restated, by=by, rule=rule)
    agrees(told, "satisfaction", loyalty.SATISFACTION.tell, restated=restated, period="2026", by=(*by, "team,month"))


@each_knowledge
@pytest.mark.parametrize("rule", ["declared", "both"])
def test_what_was_spent_to_be_known_and_what_came_of_it(told, restated, rule):
    way = marketing.acquisition(rule).tell
    agrees(told, "acquisition", way, restated=restated, period="2026", by=("", "campaign"), rule=rule)
    agrees(told, "acquisition", way, restated=restated, period="2023", by=("campaign",), rule=rule)
    agrees(told, "campaigns", marketing.CAMPAIGNS.tell, restated=restated, period="2026", by=("", "channel"))


@each_knowledge
@pytest.mark.parametrize("of", ["customers", "prospects", "deals"])
def test_scores(told, restated, of):
    agrees(told, "scoring", scores.tell(of).tell, restated=restated, of=of)
