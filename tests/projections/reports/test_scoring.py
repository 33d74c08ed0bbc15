"""Deals, prospects and customers from 0 to 100, with the points behind each."""

from __future__ import annotations

import random

import pytest

from ledger.errors import BadRequest
from tests.support.book import eur

POINTS = ("path", "recency", "frequency", "value", "interactions", "fit")


def won(book, customer, at, minor=1):
    deal = f"{customer}-{at}"
    return book.deal(deal, at, eur(minor), customer=customer).won(deal, at)


def met(book, name, customer, at, kind="call"):
    return book.say(f"interaction-{name}", "interaction.logged", at, customer=customer, kind=kind, direction="in")


def weights(book, at="2025-01-01", **weights):
    return book.say("book", "book.settings_changed", at, score_weights=weights)


def scores(book, **asked):
    return dict(book.rows("scoring", "stream", "score", **asked))


def points(book, stream, **asked):
    [row] = book.report("scoring", where=f"stream={stream}", **asked).rows
    return {name: row[f"{name}_points"] for name in POINTS if row[f"{name}_points"] is not None}


def test_each_part_of_a_customer_s_score(book):
    weights(book, recency=30, frequency=20, value=30, interactions=20)
    for customer in ("low", "mid", "top"):
        book.customer(customer, "2024-01-01", segment="small", country="FR")
    won(book, "low", "2025-07-01T22:00:00Z", 10)
    won(book, "mid", "2026-01-01", 50)
    for month in (1, 2, 3):
        won(book, "top", f"2026-0{month}-10", 100)
    for number in range(3):
        met(book, f"i{number}", "mid", "2026-06-10")
    met(book, "old", "mid", "2026-01-10")
    assert points(book, "customer-low", as_of="2026-07-01") == {
        "recency": 0, "frequency": 3, "value": 0, "interactions": 0, "fit": 0
    }  # fmt: skip
    # 30 × (1 − 181.4/365), 20 × 1/6 of the wins, 30 × ½ of the customers brought less, 20 × 3/6 of the interactions
    assert points(book, "customer-mid", as_of="2026-07-01") == {
        "recency": 15, "frequency": 3, "value": 15, "interactions": 10, "fit": 0
    }  # fmt: skip
    assert scores(book, as_of="2026-07-01") == {"customer-low": 3, "customer-mid": 43, "customer-top": 61}


def test_prospects_by_where_they_are_and_what_passed(book):
    weights(book, path=60, interactions=20, recency=20, value=1_000)
    book.customer("lead", "2026-01-01", kind="lead").customer("near", "2026-01-01", kind="prospect")
    for number in range(6):
        met(book, f"i{number}", "near", "2026-06-30T21:59:59.999999Z")
    won(book, "bought", "2026-01-01")
    found = scores(book, of="prospects", as_of="2026-06-30")
    assert found == {"customer-lead": 20, "customer-near": 80}
    assert points(book, "customer-near", of="prospects", as_of="2026-06-30") == {
        "path": 40, "recency": 20, "interactions": 20, "fit": 0
    }  # fmt: skip


def test_deals_by_stage_and_value(book):
    weights(book, path=50, value=50)
    book.deal("d1", "2026-01-05", eur(100)).deal("d2", "2026-01-05", eur(300)).moved("d2", "2026-01-10", "offer")
    book.deal("d3", "2026-01-05", eur(200)).deal("closed", "2026-01-05", eur(1)).lost("closed", "2026-01-06")
    assert scores(book, of="deals") == {"deal-d1": 10, "deal-d2": 80, "deal-d3": 35}
    assert scores(book, of="deals", where="owner=bob") == {}


def test_a_filter_changes_no_score_of_a_deal(book):
    """Its value is told beside all open deals, whoever asks for which."""
    book.deal("d1", "2026-01-05", eur(100)).deal("d2", "2026-01-05", eur(300), owner="bob")
    everything = scores(book, of="deals")
    assert scores(book, of="deals", where="owner=bob") == {"deal-d2": everything["deal-d2"]}
    told = book.explained("scoring", {"stream": "deal-d2"}, of="deals").figures
    assert told["score"] == everything["deal-d2"]


def test_weights_are_those_of_the_pair(book):
    weights(book, "2026-01-01", path=1)
    weights(book, "2026-05-01", value=1)
    book.deal("d1", "2026-01-05", eur(100)).deal("d2", "2026-01-05", eur(300))
    assert scores(book, of="deals", as_of="2026-04-30") == {"deal-d1": 20, "deal-d2": 20}
    assert scores(book, of="deals", as_of="2026-05-31") == {"deal-d1": 0, "deal-d2": 100}


def test_a_book_that_gives_no_weight_to_what_applies_has_no_scores(book):
    weights(book, frequency=10)
    book.customer("lead", "2026-01-01", kind="lead")
    assert scores(book, of="prospects") == {"customer-lead": None}


def test_fit_is_being_like_those_who_bought(book):
    weights(book, fit=100)
    for customer, segment in (("a", "small"), ("b", "small"), ("c", "large")):
        book.customer(customer, "2024-01-01", segment=segment, country="FR")
        won(book, customer, "2026-01-01")
    book.customer("like", "2026-01-01", kind="lead", segment="large", country="FR")
    book.customer("unlike", "2026-01-01", kind="lead", segment="other", country="US")
    assert scores(book, of="prospects") == {"customer-like": 75, "customer-unlike": 0}


def test_what_nobody_says_a_customer_brought_is_unknown_and_no_more_than_nothing(book):
    weights(book, value=100)
    book.deal("silent", "2026-01-06", customer="c").won("silent", "2026-02-05")
    won(book, "old", "2023-01-01", 500)
    won(book, "d", "2026-01-01", 0)
    assert book.rows("scoring", "customer", "score", "revenue_24m_minor") == [
        ("c", 0, None),
        ("d", 0, 0),
        ("old", 0, 0),
    ]


def test_learnt_late_and_retracted(book):
    weights(book, frequency=100)
    won(book, "c", "2026-01-10")
    book.deal("late", "2026-01-11", eur(1), customer="c").won("late", "2026-01-12", recorded="2026-05-10")
    book.retracted("deal-late", 2, "2026-06-10")

    def score(known_at):
        return scores(book, as_of="2026-02-28", known_at=known_at)["customer-c"]

    assert [score("2026-02-28"), score("2026-05-31"), score("now")] == [17, 33, 17]


def test_merged_customers_are_one(book):
    weights(book, frequency=100)
    book.customer("a", "2025-01-01").customer("b", "2025-01-01")
    won(book, "a", "2026-01-10")
    won(book, "b", "2026-01-11")
    book.say("customer-a", "customer.merged", "2026-02-01", into="b")
    assert scores(book, as_of="2026-01-31") == {"customer-a": 17, "customer-b": 17}
    assert scores(book) == {"customer-b": 33}


@pytest.mark.parametrize("of", ["customers", "prospects", "deals"])
def test_points_add_up_to_the_score_between_0_and_100(book, of):
    chance = random.Random(1)
    for number in range(8):
        book.customer(f"c{number}", "2025-01-01", kind=chance.choice(["lead", "prospect"]), segment=f"s{number % 3}")
        for each in range(number):
            met(book, f"i{number}-{each}", f"c{number}", f"2026-0{1 + chance.randrange(6)}-1{each}")
            book.deal(f"d{number}-{each}", "2026-01-05", eur(chance.randrange(1_000)), customer=f"c{number}")
            if number > 3 and each % 2:
                book.won(f"d{number}-{each}", f"2026-0{1 + chance.randrange(6)}-2{each}")
    rows = book.report("scoring", of=of, as_of="2026-07-31").rows
    assert rows
    for row in rows:
        assert 0 <= row["score"] <= 100
        assert sum(row[f"{name}_points"] or 0 for name in POINTS) == row["score"]
        explained = book.explained("scoring", {"stream": row["stream"]}, of=of, as_of="2026-07-31")
        [line] = explained.lines
        assert {name: line.figures[f"{name}_points"] for name in POINTS} == {
            name: row[f"{name}_points"] for name in POINTS
        }
        assert "book" in line.events


def test_an_empty_book_and_a_wrong_word(empty_book):
    assert empty_book.totals("scoring")["scored"] == 0
    with pytest.raises(BadRequest, match="write customers or prospects or deals"):
        empty_book.report("scoring", of="people")
