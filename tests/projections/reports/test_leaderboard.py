"""Who is first."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.support.book import eur, money


def test_an_empty_book_ranks_nobody(empty_book):
    answer = empty_book.report("leaderboard", period="2026-Q1")
    assert answer.rows == []
    assert answer.totals == {"rank": None, "achieved_minor": 0, "achieved": None, "share": None}


@pytest.fixture
def race(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south").person("cyd", "2025-01-01", "south")
    book.person("dan", "2025-01-01", "north").say("person-dan", "person.moved", "2026-02-15", team="south")
    for name, owner, value, day in (
        ("a", "ana", 300, "2026-02-01"),
        ("b", "bob", 200, "2026-02-02"),
        ("c", "cyd", 150, "2026-02-03"),
        ("d", "cyd", 50, "2026-02-04"),
        ("e", "dan", 100, "2026-02-20"),
        ("f", "dan", 900, "2026-04-20"),
    ):
        book.deal(name, "2026-01-05", eur(value), owner=owner).won(name, day)
    return book


def test_ties_share_their_rank(race):
    rows = race.rows("leaderboard", "owner", "rank", "achieved_minor", "share", period="2026-Q1")
    assert rows == [("ana", 1, 300, 0.375), ("bob", 2, 200, 0.25), ("cyd", 2, 200, 0.25), ("dan", 4, 100, 0.125)]
    counted = race.rows("leaderboard", "owner", "rank", "achieved", period="2026-Q1", metric="won_count")
    assert counted == [("cyd", 1, 2), ("ana", 2, 1), ("bob", 2, 1), ("dan", 2, 1)]


def test_teams_add_up_what_was_achieved_by_their_members_of_the_day(race):
    assert race.rows("leaderboard", "team", "rank", "achieved_minor", period="2026-Q1", among="team") == [
        ("south", 1, 500), ("north", 2, 300),
    ]  # fmt: skip
    assert race.rows("leaderboard", "team", "achieved", period="2026-Q1", among="team", metric="won_count") == [
        ("south", 4), ("north", 1),
    ]  # fmt: skip


def test_any_metric_of_objectives(race):
    race.say("deal-a", "deal.invoiced", "2026-03-01", invoice="i1", value=eur(300))
    race.say("deal-a", "deal.credited", "2026-03-02", invoice="i1", value=eur(120), reason="returned")
    race.say("interaction-1", "interaction.logged", "2026-03-01", kind="visit", direction="out", customer="c1",
             owner="bob")  # fmt: skip
    assert race.rows("leaderboard", "owner", "achieved_minor", metric="invoiced_amount") == [("ana", 180)]
    assert race.rows("leaderboard", "owner", "achieved", metric="interactions:visit") == [("bob", 1)]
    with pytest.raises(BadRequest, match="metric=joy is not possible in leaderboard; write amount or margin"):
        race.report("leaderboard", metric="joy")


def test_what_is_nobody_s_is_not_ranked(race):
    race.quote("q", "2026-01-05", eur(1_000)).accepted("q", "2026-02-01")
    rows = race.rows("leaderboard", "owner", "rank", period="2026-Q1")
    assert rows == [("ana", 1), ("bob", 2), ("cyd", 2), ("dan", 4), (None, None)]


def test_invoices_of_one_deal_take_each_the_rate_of_their_day(book):
    book.rate("USD", "2025-01-01", "0.5").rate("USD", "2026-03-02", "0.25")
    book.deal("a", "2026-01-05", money(400, "USD")).won("a", "2026-02-01")
    for number, day in enumerate(("2026-03-01", "2026-03-05")):
        book.say("deal-a", "deal.invoiced", day, invoice=f"i{number}", value=money(200, "USD"))
    assert book.totals("leaderboard", metric="invoiced_amount")["achieved_minor"] == 150


def test_a_retracted_win_loses_its_place(race):
    race.retracted("deal-a", 2, "2026-05-01")
    assert race.rows("leaderboard", "owner", "rank", period="2026-Q1", as_of="2026-04-30")[0] == ("ana", 1)
    assert race.rows("leaderboard", "owner", "rank", period="2026-Q1")[0] == ("bob", 1)
    race.deal("z", "2026-01-05", eur(999), owner="dan").won("z", "2026-03-30", recorded="2026-06-01")
    rows = dict(race.rows("leaderboard", "owner", "rank", period="2026-Q1", as_of="2026-04-30", known_at="now"))
    assert rows["dan"] == 1
    assert dict(race.rows("leaderboard", "owner", "rank", period="2026-Q1", as_of="2026-04-30"))["dan"] == 4


def test_the_lines_behind_a_place(race):
    explained = race.explained("leaderboard", {"owner": "cyd"}, period="2026-Q1")
    assert [each.stream for each in explained.lines] == ["deal-c", "deal-d"]
    assert explained.figures == {"rank": 2, "achieved_minor": 200, "achieved": None, "share": 0.25}


def test_who_achieved_something_before_alone_is_ranked_among_the_rest(race):
    race.deal("z", "2025-01-05", eur(70), owner="eve").won("z", "2025-02-01")
    asked = {"period": "2026-Q1", "compare": "previous_year"}
    rows = race.rows("leaderboard", "owner", "rank", "share", "previous_rank", "previous_share", **asked)
    assert rows[-2:] == [("dan", 4, 0.125, 2, 0), ("eve", 5, 0, 1, 1)]


def test_a_row_of_nothing_stands_above_what_was_lost(race):
    race.say("deal-a", "deal.credited", "2026-03-02", invoice="i1", value=eur(120), reason="returned")
    race.deal("z", "2025-01-05", eur(70), owner="eve").won("z", "2025-02-01")
    race.say("deal-z", "deal.invoiced", "2025-03-01", invoice="i2", value=eur(70))
    asked = {"period": "2026-Q1", "compare": "previous_year", "metric": "invoiced_amount"}
    assert race.rows("leaderboard", "owner", "rank", "achieved_minor", **asked) == [("eve", 1, 0), ("ana", 2, -120)]
