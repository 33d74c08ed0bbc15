"""What came back from each campaign."""

from __future__ import annotations

import pytest

from tests.support.book import eur, money

RATES = ("delivery_rate", "open_rate", "click_rate", "answer_rate", "unsubscribe_rate", "reached_rate")


def launched(book, campaign, at="2026-01-02", channel="mail"):
    named = {"name": campaign.title(), "channel": channel, "starts_on": "2026-01-05"}
    return book.say(f"campaign-{campaign}", "campaign.launched", at, **named)


def counted(book, campaign, at, **counts):
    return book.say(f"campaign-{campaign}", "campaign.responses_counted", at, **counts)


def test_rates_of_a_mailing(book):
    launched(book, "spring")
    counted(book, "spring", "2026-01-10", sent=1_000, delivered=800, opened=200)
    counted(book, "spring", "2026-01-20", opened=400, clicked=80, answered=16, unsubscribed=8)
    book.say("campaign-spring", "campaign.spent", "2026-01-03", value=eur(4_001))
    [row] = book.report("campaigns", as_of="2026-02-28").rows
    assert (row["campaign_name"], row["sent"], row["opened"]) == ("Spring", 1_000, 400)
    assert [row[name] for name in RATES] == [0.8, 0.5, 0.1, 0.02, 0.01, None]
    assert (row["spent_minor"], row["cost_per_answer_minor"]) == (4_001, 250)
    [then] = book.report("campaigns", as_of="2026-01-15").rows
    assert [then[name] for name in RATES] == [0.8, 0.25, None, None, None, None]
    assert (then["clicked"], then["cost_per_answer_minor"]) == (None, None)


def test_rates_of_a_telephone_campaign_and_of_sent_mail_alone(book):
    launched(book, "phone", channel="phone")
    counted(book, "phone", "2026-01-10", called=200, reached=50, answered=5)
    launched(book, "mail")
    counted(book, "mail", "2026-01-10", sent=100, opened=20)
    rows = book.rows("campaigns", "campaign", "answer_rate", "reached_rate", "open_rate")
    assert rows == [("mail", None, None, 0.2), ("phone", 0.1, 0.25, None)]
    totals = book.totals("campaigns")
    assert [totals[name] for name in ("sent", "called", "open_rate", "reached_rate")] == [100, 200, 0.2, 0.25]


def test_leads_wins_and_costs_of_a_campaign(book):
    book.rate("USD", "2025-01-01", "0.5")
    launched(book, "spring").say("campaign-spring", "campaign.spent", "2026-01-03", value=money(101, "USD"))
    book.say("channel-mail", "channel.spent", "2026-01-03", value=eur(9_999))
    book.customer("lead", "2026-01-10", kind="lead", campaign="spring")
    book.customer("other", "2026-01-10", kind="lead")
    book.deal("own", "2026-02-01", eur(300), campaign="spring").won("own", "2026-03-01")
    book.deal("its", "2026-02-01", eur(50), customer="lead").won("its", "2026-03-01")
    book.deal("none", "2026-02-01", eur(7), customer="other").won("none", "2026-03-01")
    book.deal("open", "2026-02-01", eur(7), campaign="spring")
    assert book.rows("campaigns", "campaign", "leads", "wins", "won_minor", "spent_minor") == [
        ("spring", 1, 2, 350, 50)
    ]
    assert book.rows("sales", "campaign", "amount_minor", by="campaign", where="campaign=spring") == [("spring", 350)]


def test_what_nobody_says_a_win_is_worth_is_unknown(book):
    launched(book, "spring")
    book.deal("silent", "2026-02-01", campaign="spring").won("silent", "2026-03-01")
    assert book.rows("campaigns", "wins", "won_minor") == [(1, None)]
    book.deal("told", "2026-02-01", eur(50), campaign="spring").won("told", "2026-03-02")
    assert book.rows("campaigns", "wins", "won_minor") == [(2, 50)]


def test_only_campaigns_launched_in_the_period(book):
    launched(book, "old", "2025-12-31T22:59:59Z")
    launched(book, "new", "2025-12-31T23:00:00Z")
    assert book.rows("campaigns", "campaign", period="2026") == [("new",)]
    assert book.rows("campaigns", "campaign", period="2025") == [("old",)]
    assert book.rows("campaigns", "campaign", period="2026", as_of="2025-12-31") == []


def test_counts_learnt_late_and_retracted(book):
    launched(book, "spring")
    counted(book, "spring", "2026-01-10", sent=100, opened=20, recorded="2026-05-01")
    assert book.rows("campaigns", "opened", as_of="2026-01-31") == [(None,)]
    assert book.rows("campaigns", "opened", as_of="2026-01-31", known_at="now") == [(20,)]
    book.retracted("campaign-spring", 2, "2026-06-01")
    assert book.rows("campaigns", "opened", as_of="2026-01-31", known_at="now") == [(None,)]
    assert book.rows("campaigns", "opened", as_of="2026-01-31", known_at="2026-05-31") == [(20,)]


def test_a_merged_lead_counts_once(book):
    launched(book, "spring")
    for lead in ("a", "b"):
        book.customer(lead, "2026-01-10", kind="lead", campaign="spring")
    book.say("customer-a", "customer.merged", "2026-03-01", into="b")
    assert book.rows("campaigns", "leads", as_of="2026-02-28") == [(2,)]
    assert book.rows("campaigns", "leads") == [(1,)]


def test_an_empty_book(empty_book):
    answer = empty_book.report("campaigns")
    assert answer.rows == []
    assert [answer.totals[name] for name in ("sent", "leads", "spent_minor", "cost_per_answer_minor", *RATES)] == [
        None, 0, 0, None, *[None] * 6
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["campaign", "cost", "lead", "won"])
def test_an_explanation_lists_all_that_belongs_to_a_campaign(book, state):
    launched(book, "spring").say("campaign-spring", "campaign.spent", "2026-01-03", value=eur(5))
    book.customer("lead", "2026-01-10", kind="lead", campaign="spring")
    book.deal("own", "2026-02-01", eur(300), campaign="spring").won("own", "2026-03-01")
    explained = book.explained("campaigns", {"campaign": "spring"})
    assert state in {line.state for line in explained.lines}
    assert explained.figures["won_minor"] == 300
