"""The rules of campaigns and channels."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, eur, retracted, say

CAMPAIGN, CHANNEL = "campaign-spring", "channel-web"
COUNTS = ["sent", "delivered", "opened", "clicked", "answered", "unsubscribed", "called", "reached"]


def launched(**more):
    return say(
        CAMPAIGN, "campaign.launched", **({"name": "Spring", "channel": "web", "starts_on": "2026-03-01"} | more)
    )


def counted(**counts):
    return say(CAMPAIGN, "campaign.responses_counted", **counts)


def day(on="2026-01-01", **counts):
    return say(CHANNEL, "channel.counted", on=on, **counts)


LAUNCHED = launched()
SPENT = say(CAMPAIGN, "campaign.spent", value=eur(100), what="printing")
CLOSED = say(CAMPAIGN, "campaign.closed")
AT = {"effective_at": "2026-01-01T00:30:00Z"}


def test_a_campaign_is_launched_once():
    book = given().when(launched(ends_on="2026-03-31", budget=eur(500))).then("campaign.launched", {"closed": False})
    book.when(launched(ends_on="2026-03-31", budget=eur(500))).nothing()
    book.when(launched(ends_on="2026-04-30")).refused("already_launched", "event.corrected")


def test_it_ends_on_the_day_it_starts_or_later():
    given().when(launched(ends_on="2026-03-01")).then("campaign.launched")
    given().when(launched(ends_on="2026-02-28")).refused("bad_value", "ends_on 2026-02-28 is before starts_on")
    book = given(launched(ends_on="2026-03-31"))
    book.when(corrected(CAMPAIGN, 1, launched(ends_on="2026-02-28")["data"])).refused(
        "bad_value", "is before starts_on"
    )


@pytest.mark.parametrize("line", [SPENT, counted(sent=1), CLOSED], ids=lambda line: line["type"])
def test_launched_first(line):
    given().when(line).refused("not_launched", "campaign.launched first")


def test_spendings_add_up_and_the_same_one_at_the_same_time_is_one():
    book = given(LAUNCHED | {"effective_at": "2025-12-01"})
    book.when(SPENT | AT).then("campaign.spent")
    book.when(SPENT | AT).nothing()
    book.when(SPENT).then("campaign.spent")
    book.when(SPENT).then("campaign.spent")
    assert [each.value.minor for each in book.stream(CAMPAIGN).state.spent] == [100, 100, 100]


def test_history_keeps_what_it_says_twice():
    book = given(LAUNCHED | {"effective_at": "2025-12-01"}, SPENT | AT)
    book.when(SPENT | AT, history=True).then("campaign.spent")
    assert len(book.stream(CAMPAIGN).state.spent) == 2


@pytest.mark.parametrize("name", COUNTS)
def test_a_running_total_stays_or_grows(name):
    book = given(LAUNCHED).when(counted(**{name: 10})).then("campaign.responses_counted", {f"responses.{name}": 10})
    book.when(counted(**{name: 10})).nothing()
    book.when(counted(**{name: 9})).refused("count_goes_down", f"{name} is a running total and was 10 already")
    book.when(counted(**{name: 11})).then("campaign.responses_counted", {f"responses.{name}": 11})


def test_totals_that_are_not_named_stay():
    book = given(LAUNCHED, counted(sent=100, opened=40), counted(opened=50, clicked=0))
    responses = book.stream(CAMPAIGN).state.responses
    assert (responses.sent, responses.opened, responses.clicked, responses.answered) == (100, 50, 0, None)
    book.when(counted(clicked=0)).nothing()
    book.when(counted()).nothing()


def test_a_count_that_was_too_high_is_corrected():
    book = given(LAUNCHED, counted(sent=1_000), counted(sent=1_200))
    book.when(corrected(CAMPAIGN, 2, {"sent": 1_300})).refused("count_goes_down", "then campaign.responses_counted")
    book.when(corrected(CAMPAIGN, 3, {"sent": 1_050})).then("event.corrected", {"responses.sent": 1_050})
    book.when(counted(sent=1_100)).then("campaign.responses_counted", {"responses.sent": 1_100})


def test_a_back_dated_count_must_fit_between_its_neighbours():
    book = given(LAUNCHED | {"effective_at": "2025-06-01"})
    for at, sent in (("2025-06-10", 100), ("2025-06-20", 200)):
        book.when(counted(sent=sent) | {"effective_at": at}).then("campaign.responses_counted")
    book.when(counted(sent=250) | {"effective_at": "2025-06-15"}).refused("count_goes_down", "then campaign.responses")
    book.when(counted(sent=50) | {"effective_at": "2025-06-15"}).refused("count_goes_down")
    book.when(counted(sent=150) | {"effective_at": "2025-06-15"}).then(
        "campaign.responses_counted", {"responses.sent": 200}
    )


def test_nothing_follows_its_closing_but_what_came_before_may_be_said_later():
    book = given(LAUNCHED | {"effective_at": "2025-06-01"}, CLOSED | {"effective_at": "2025-12-31"})
    book.when(CLOSED).nothing()
    book.when(CLOSED, history=True).refused("campaign_closed")
    for line in (SPENT, counted(sent=1)):
        book.when(line).refused("campaign_closed", "give its effective_at")
        book.when(line | {"effective_at": "2025-11-30"}).then(line["type"], {"closed": True})
    book.when(retracted(CAMPAIGN, 2)).then("event.retracted", {"closed": False})
    book.when(SPENT).then("campaign.spent")


def test_money_spent_again_after_the_closing_is_refused_not_forgotten():
    book = given(LAUNCHED | {"effective_at": "2025-12-01"}, SPENT | AT, CLOSED)
    book.when(SPENT).refused("campaign_closed")
    book.when(SPENT | AT).nothing()


def test_what_happened_cannot_lie_ahead():
    given().when(LAUNCHED | {"effective_at": "2026-03-01"}).refused("in_the_future")


# Channels -------------------------------------------------------------------------------------------------------------


def test_a_channel_needs_no_opening_and_its_costs_add_up():
    spent = say(CHANNEL, "channel.spent", value=eur(100), what="search_ads")
    book = given().when(spent | AT).then("channel.spent")
    book.when(spent | AT).nothing()
    book.when(spent).then("channel.spent")
    assert len(book.stream(CHANNEL).state.spent) == 2


def test_the_latest_counts_of_a_day_count():
    book = given().when(day(visits=10, carts=2)).then("channel.counted")
    book.when(day(visits=10, carts=2)).nothing()
    book.when(day("2026-01-02", visits=4)).then("channel.counted")
    book.when(day(visits=10, carts=2)).nothing()
    book.when(day(visits=8, orders=1)).then("channel.counted")
    days = book.stream(CHANNEL).state.days
    assert (days["2026-01-01"].visits, days["2026-01-01"].carts, days["2026-01-01"].orders) == (8, None, 1)
    assert days["2026-01-02"].visits == 4


def test_an_earlier_count_of_a_day_changes_nothing_of_the_later_one():
    book = given(day(visits=10))
    book.when(day(visits=3) | {"effective_at": "2025-12-31"}).then("channel.counted")
    assert book.stream(CHANNEL).state.days["2026-01-01"].visits == 10
    book.when(retracted(CHANNEL, 1)).then("event.retracted")
    assert book.stream(CHANNEL).state.days["2026-01-01"].visits == 3
