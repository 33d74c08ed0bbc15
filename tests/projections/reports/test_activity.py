"""What was done."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.support.book import eur

COUNTS = ("calls", "emails", "visits", "meetings", "prospecting_meetings", "demos", "proposals", "new_leads",
          "new_contacts", "deals_opened", "quotes_issued", "deals_won", "minutes")  # fmt: skip


def talk(book, name, day, kind, *, owner="ana", minutes=None, **more):
    return book.say(f"interaction-{name}", "interaction.logged", day, kind=kind, direction="out", customer="c1",
                    owner=owner, duration_minutes=minutes, **more)  # fmt: skip


def test_an_empty_book_did_nothing(empty_book):
    answer = empty_book.report("activity")
    assert answer.rows == []
    assert answer.totals == dict.fromkeys(COUNTS, 0) | {"effort_per_win": None}


@pytest.fixture
def busy(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    book.customer("c1", "2025-12-05", owner="bob").customer("c2", "2026-01-06", kind="lead", owner="ana", channel="web")
    book.say("customer-c1", "contact.added", "2026-02-03", contact="k1", name="Kim")
    for number, (day, kind, owner, minutes) in enumerate((
        ("2026-02-01", "call", "ana", 10), ("2026-02-02", "call", "bob", 5), ("2026-02-08", "visit", "ana", 60),
        ("2026-03-02", "prospecting_meeting", "ana", None), ("2026-03-02", "support_request", "ana", 99),
    )):  # fmt: skip
        talk(book, number, day, kind, owner=owner, minutes=minutes)
    book.deal("a", "2026-01-05", eur(1)).say("deal-a", "deal.assigned", "2026-01-20", owner="bob").won(
        "a", "2026-03-05"
    )
    book.deal("b", "2026-02-05", eur(1)).say("deal-b", "deal.merged", "2026-03-05", into="a")
    book.quote("q", "2026-02-05", eur(1), owner="ana", deal="a")
    return book


def test_counts_by_kind(busy):
    totals = busy.totals("activity", period="2026-Q1")
    assert [totals[each] for each in COUNTS] == [2, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 75]
    assert totals["effort_per_win"] == 4


def test_each_for_the_owner_and_team_of_its_date(busy):
    rows = {row["owner"]: row for row in busy.report("activity", by="owner,team", period="2026-Q1").rows}
    assert [rows["ana"][each] for each in ("team", "calls", "new_leads", "deals_opened", "deals_won")] == [
        "north", 1, 1, 1, 0,
    ]  # fmt: skip
    assert [rows["bob"][each] for each in ("team", "calls", "new_contacts", "deals_opened", "deals_won")] == [
        "south", 1, 1, 0, 1,
    ]  # fmt: skip
    assert busy.totals("activity", where="channel=web")["new_leads"] == 1


def test_by_day_and_week(busy):
    asked = {"period": "2026-02", "where": "owner=ana"}
    assert busy.rows("activity", "day", "calls", "visits", by="day", **asked) == [
        ("2026-02-01", 1, 0), ("2026-02-05", 0, 0), ("2026-02-08", 0, 1),
    ]  # fmt: skip
    assert busy.rows("activity", "week", "calls", "visits", by="week", **asked) == [
        ("2026-W05", 1, 0), ("2026-W06", 0, 1),
    ]  # fmt: skip
    assert busy.rows("activity", "month", "week", "calls", by="month,week", **asked)[0] == ("2026-02", "2026-W05", 1)
    assert busy.totals("activity", where="day=2026-02-02", period="2026-02")["calls"] == 1
    rows = busy.rows("activity", "day", "calls", "previous_calls", by="day", period="2026-02-08..2026-02-08",
                     compare="2026-02-01..2026-02-01")  # fmt: skip
    assert rows == [("2026-02-08", 0, 1)]
    with pytest.raises(BadRequest, match="by day or week over 730 days is more than 400"):
        busy.report("activity", by="day", period="2025-01-01..2026-12-31")


def test_a_day_is_local_also_when_clocks_change(book):
    for number, at in enumerate(("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z",
                                 "2026-03-29T22:00:00Z")):  # fmt: skip
        talk(book, number, at, "call")
    assert book.rows("activity", "day", "calls", by="day") == [
        ("2026-03-28", 1), ("2026-03-29", 2), ("2026-03-30", 1),
    ]  # fmt: skip


def test_back_dated_and_retracted(book):
    talk(book, "a", "2026-02-01", "call", recorded="2026-04-01")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert book.totals("activity", **asked)["calls"] == 0
    assert book.totals("activity", known_at="now", **asked)["calls"] == 1
    book.retracted("interaction-a", 1, "2026-05-01")
    assert book.totals("activity", known_at="now", **asked)["calls"] == 0


def test_the_lines_behind_it(busy):
    explained = busy.explained("activity", {"owner": "bob"}, by="owner", period="2026-Q1")
    assert [(each.stream, each.state) for each in explained.lines] == [
        ("customer-c1", "new_contact"), ("deal-a", "won"), ("interaction-1", "call"),
    ]  # fmt: skip
    assert explained.figures["minutes"] == 5
