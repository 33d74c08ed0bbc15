"""What needs someone now."""

from __future__ import annotations

import pytest

from tests.support.book import eur

ASKED = ("alerts", "severity", "what", "who", "since", "stream")


def test_an_empty_book_needs_nobody(empty_book):
    answer = empty_book.report("alerts")
    assert (answer.rows, answer.totals) == ([], {"alerts": 0})


def task(book, name, due, owner="ana"):
    return book.say(f"task-{name}", "task.planned", "2026-01-02", kind="call", due_at=due, owner=owner)


def test_tasks_due_and_overdue(book):
    task(book, "late", "2026-01-04T10:00:00Z")
    task(book, "today", "2026-01-05T16:00:00Z", "bob")
    task(book, "tomorrow", "2026-01-06T10:00:00Z")
    task(book, "done", "2026-01-03T10:00:00Z").say("task-done", "task.done", "2026-01-03")
    task(book, "gone", "2026-01-03T10:00:00Z").say("task-gone", "task.cancelled", "2026-01-03")
    assert book.rows(*ASKED, as_of="2026-01-05T12:00:00Z") == [
        ("high", "task_overdue", "ana", "2026-01-04", "task-late"),
        ("low", "task_due", "bob", "2026-01-05", "task-today"),
    ]
    assert book.totals("alerts", as_of="2026-01-05T12:00:00Z", where="who=bob")["alerts"] == 1
    assert book.totals("alerts", as_of="2026-01-05", where="what=task_overdue")["alerts"] == 2


def test_quotes_about_to_expire(book):
    for name, until in (("q1", "2026-01-31"), ("q2", "2026-02-07"), ("q3", "2026-02-08"), ("q4", "2026-01-30")):
        book.quote(name, "2026-01-10", eur(1), owner="ana", valid_until=until)
    book.quote("q5", "2026-01-10", eur(1), valid_until="2026-02-01").accepted("q5", "2026-01-20")
    assert book.rows(*ASKED, as_of="2026-01-31") == [
        ("medium", "quote_expiring", "ana", "2026-01-31", "quote-q1"),
        ("medium", "quote_expiring", "ana", "2026-02-07", "quote-q2"),
    ]


def test_deals_past_their_date_and_those_nobody_talks_about(book):
    book.say("book", "book.settings_changed", "2026-01-01", stalled_after_days=20)
    book.deal("late", "2026-01-20", eur(1), expected_close_on="2026-01-30")
    book.deal("due", "2026-01-20", eur(1), expected_close_on="2026-01-31")
    book.deal("silent", "2026-01-02", eur(1)).deal("spoken", "2026-01-02", eur(1), owner="bob")
    book.say("interaction-1", "interaction.logged", "2026-01-25", kind="call", direction="out", customer="c1",
             deal="spoken")  # fmt: skip
    book.deal("closed", "2026-01-02", eur(1), expected_close_on="2026-01-10").won("closed", "2026-01-12")
    assert book.rows(*ASKED, as_of="2026-01-31") == [
        ("medium", "deal_past_close", "ana", "2026-01-30", "deal-late"),
        ("medium", "deal_stalled", "ana", "2026-01-02", "deal-silent"),
    ]
    assert ("medium", "deal_stalled", "bob", "2026-01-25", "deal-spoken") in book.rows(*ASKED, as_of="2026-02-14")


def test_complaints_open_too_long(book):
    for name in "ab":
        book.say(f"interaction-{name}", "interaction.logged", "2026-01-05", kind="complaint", direction="in",
                 customer="c1", owner="ana")  # fmt: skip
    book.say("interaction-b", "interaction.resolved", "2026-01-20")
    both = book.rows(*ASKED, as_of="2026-01-13")
    assert both[0] == ("high", "complaint_open", "ana", "2026-01-05", "interaction-a")
    assert len(both) == 2
    assert len(book.rows(*ASKED, as_of="2026-01-20")) == 1
    assert book.rows(*ASKED, as_of="2026-01-11") == []
    book.say("book", "book.settings_changed", "2026-01-12", thresholds={"open_complaint_days": 30})
    assert book.rows(*ASKED, as_of="2026-01-13") == []


def test_objectives_behind_their_pace(book):
    for name, target in (("o", 100), ("p", 10)):
        book.say(f"objective-{name}", "objective.set", "2026-01-01", scope={"person": "ana"}, metric="amount",
                 period={"from": "2026-01-01", "to": "2026-12-31"}, target=eur(target))  # fmt: skip
    book.deal("a", "2026-01-05", eur(9)).won("a", "2026-01-06")
    assert book.rows(*ASKED, as_of="2026-03-31") == [("high", "objective_behind", "ana", "2026-01-01", "objective-o")]


def test_a_team_s_objective_behind_its_pace_is_that_team_s(book):
    book.person("ana", "2025-01-01", "north")
    for name, scope in (("team", {"team": "north"}), ("ana", {"person": "ana"}), ("all", {"company": True})):
        book.say(f"objective-{name}", "objective.set", "2026-01-01", scope=scope, metric="amount",
                 period={"from": "2026-01-01", "to": "2026-12-31"}, target=eur(100))  # fmt: skip
    asked = ("alerts", "stream", "who", "team")
    its = [("objective-team", None, "north"), ("objective-ana", "ana", "north")]
    assert sorted(book.rows(*asked, by="team", as_of="2026-03-31"), key=str) == sorted(
        [*its, ("objective-all", None, None)], key=str
    )
    assert sorted(book.rows(*asked, by="team", where="team=north", as_of="2026-03-31"), key=str) == sorted(its, key=str)
    assert book.rows(*asked, by="team", where="team=north,who=ana", as_of="2026-03-31") == its[1:]
    assert book.totals("alerts", where="team=south", as_of="2026-03-31")["alerts"] == 0


def test_a_threshold_of_what_is_no_indicator_is_none(book):
    book.say("book", "book.settings_changed", "2026-01-01", thresholds={"unheard_of": -1, "open_complaint_days": 3})
    assert book.rows(*ASKED, as_of="2026-01-31") == []


def test_indicators_past_their_thresholds(book):
    book.say("book", "book.settings_changed", "2026-01-01",
             thresholds={"win_rate": "0.5", "overdue_tasks": 1, "conversion": "0.1", "unheard_of": 3})  # fmt: skip
    for name in "abc":
        book.deal(name, "2026-01-05", eur(1))
    book.won("a", "2026-01-10").lost("b", "2026-01-11")
    asked = {"where": "severity=high"}
    assert book.rows(*ASKED, as_of="2026-01-31", **asked) == []
    book.lost("c", "2026-01-12")
    book.quote("q", "2026-01-10", eur(1), deal="a")
    assert book.rows(*ASKED, as_of="2026-01-31", **asked) == [
        ("high", "threshold:conversion", None, "2026-01-31", "book"),
        ("high", "threshold:win_rate", None, "2026-01-31", "book"),
    ]
    assert book.rows(*ASKED, as_of="2026-06-30", **asked) == []  # nothing closed in three months: no rate
    task(book, "x", "2026-02-01T10:00:00Z")
    assert len(book.rows(*ASKED, as_of="2026-06-30", **asked)) == 1
    task(book, "y", "2026-02-01T10:00:00Z")
    assert book.rows(*ASKED, as_of="2026-06-30", **asked)[-1][1] == "threshold:overdue_tasks"


@pytest.mark.parametrize(("known_at", "count"), [("2026-01-31", 0), ("2026-02-20", 1), ("now", 0)])
def test_what_is_learnt_later_shows_to_those_who_know_it(book, known_at, count):
    book.say(
        "task-t", "task.planned", "2026-01-02", "2026-02-10", kind="call", due_at="2026-01-04T10:00:00Z", owner="ana"
    )
    book.retracted("task-t", 1, "2026-03-01")
    assert book.totals("alerts", as_of="2026-01-31", known_at=known_at)["alerts"] == count


def test_by_team_and_at_a_series_of_dates(book):
    book.person("ana", "2025-01-01", "north")
    task(book, "late", "2026-01-20T10:00:00Z")
    assert book.rows("alerts", "team", "who", "who_name", by="team", as_of="2026-02-01") == [("north", "ana", "Ana")]
    rows = book.rows("alerts", "date", "stream", period="2026-01-19..2026-01-21", every="day")
    assert rows == [("2026-01-20", "task-late"), ("2026-01-21", "task-late")]
    explained = book.explained("alerts", {"who": "ana"}, as_of="2026-02-01")
    assert [(each.stream, each.state) for each in explained.lines] == [("task-late", "task_overdue")]


TEAMS = ("team=north", "team=south", "team=north,team=south", "team=nobodys", "team=", "team=north,team=")


@pytest.mark.parametrize("where", [*TEAMS, "team=north,who=bob", "team=south,who=bob,who=ana"])
def test_those_of_a_team_are_those_that_everybodys_tell_of_it(book, where):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south").person("cat", "2025-01-01", "east")
    for owner in ("ana", "bob", "cat", "unknown"):
        task(book, f"of-{owner}", "2026-01-20T10:00:00Z", owner)
        book.deal(f"of-{owner}", "2026-01-05", eur(7), owner=owner, expected_close_on="2026-02-01")
        book.say(f"objective-{owner}", "objective.set", "2026-01-01", scope={"person": owner}, metric="amount",
                 period={"from": "2026-01-01", "to": "2026-12-31"}, target=eur(1_000))  # fmt: skip
    book.say("objective-north", "objective.set", "2026-01-01", scope={"team": "north"}, metric="amount",
             period={"from": "2026-01-01", "to": "2026-12-31"}, target=eur(1_000))  # fmt: skip
    book.say("book", "book.settings_changed", "2026-01-02", thresholds={"late_deals": 0})
    wanted: dict[str, set[str | None]] = {"team": set(), "who": set()}
    for part in where.split(","):
        wanted[part.partition("=")[0]].add(part.partition("=")[2] or None)
    told = [*ASKED, "team"]
    everybodys = book.rows(*told, by="team", as_of="2026-03-15")
    assert len(everybodys) == 4 * 4 + 2
    expected = [
        row for row in everybodys if row[-1] in wanted["team"] and (not wanted["who"] or row[2] in wanted["who"])
    ]
    assert book.rows(*told, by="team", where=where, as_of="2026-03-15") == expected
