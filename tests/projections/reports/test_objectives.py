"""Where people stand against their objectives."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import pytest

from projections.reports import product_lines
from tests.support.book import eur, line, money

COMPANY = {"company": True}


def objective(book, name, target, *, scope=COMPANY, metric="amount", first="2026-01-01", last="2026-12-31", **more):
    period = {"from": first, "to": last}
    said = {"scope": scope, "metric": metric, "period": period, "target": target}
    return book.say(f"objective-{name}", "objective.set", "2026-01-01", **said, **more)


def only(book, name="o", **parameters):
    [row] = [row for row in book.report("objectives", **parameters).rows if row["objective"] == name]
    return row


def test_eighty_of_a_hundred_at_the_end_of_june(book):
    objective(book, "o", eur(100_00))
    book.deal("d", "2026-01-05", eur(80_00)).won("d", "2026-03-20")
    row = only(book, as_of="2026-06-30")
    assert (row["target"], row["achieved"], row["remaining"], row["unit"]) == (100, 80, 20, "EUR")
    assert (row["progress"], row["elapsed"], round(row["projected"], 2)) == (0.8, 181 / 365, 161.33)
    assert (row["target_minor"], row["achieved_minor"], row["projected_minor"]) == (100_00, 80_00, 161_33)
    assert (round(row["pace"], 4), row["status"], row["scope"]) == (1.6133, "ahead", "company")


def test_the_same_as_a_number(book):
    objective(book, "o", "100", metric="quantity")
    book.deal("d", "2026-01-05", eur(1), quantity="80").won("d", "2026-03-20")
    row = only(book, as_of="2026-06-30")
    assert (row["target"], row["achieved"], row["progress"], round(row["projected"], 2)) == (100, 80, 0.8, 161.33)
    assert (row["unit"], row["target_minor"], row["projected_minor"]) == (None, None, None)


def test_without_objectives_there_is_nothing(empty_book):
    answer = empty_book.report("objectives")
    assert answer.rows == []
    assert set(answer.totals.values()) == {None}


def test_an_objective_without_sales(book):
    objective(book, "o", eur(100))
    row = only(book, as_of="2026-01-01")
    assert (row["achieved"], row["progress"], row["elapsed"], row["pace"], row["status"]) == (
        0, 0.0, 1 / 365, 0.0, "behind",
    )  # fmt: skip
    morning = only(book, as_of="2026-01-01T14:00:00Z")
    assert (morning["elapsed"], morning["pace"], morning["projected"], morning["status"]) == (
        0.0,
        None,
        None,
        "on_track",
    )


@pytest.mark.parametrize(
    ("achieved", "day", "says"),
    [
        (100, "2026-02-01", "met"),
        (99, "2026-12-31", "missed"),
        (99, "2026-12-30", "on_track"),
        (55, "2026-06-30", "ahead"),
        (54, "2026-06-30", "on_track"),
        (48, "2026-06-30", "on_track"),
        (47, "2026-06-30", "behind"),
    ],
)
def test_what_is_said_of_it(book, achieved, day, says):
    objective(book, "o", eur(100))
    book.clock += 86_400_000_000
    book.deal("d", "2026-01-05", eur(achieved)).won("d", "2026-01-20")
    assert only(book, as_of=day)["status"] == says


def test_a_team_adds_up_what_its_members_achieved_while_members(book):
    book.say("team-all", "team.created", "2025-01-01", name="All")
    book.say("team-north", "team.created", "2025-01-01", name="North", parent="all")
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    book.say("person-ana", "person.moved", "2026-03-01", team="south")
    for name, owner, day, value in (
        ("a", "ana", "2026-02-10", 10),
        ("b", "ana", "2026-03-10", 200),
        ("c", "bob", "2026-02-11", 3_000),
        ("d", "ghost", "2026-02-12", 40_000),
        ("e", "ana", "2025-12-12", 500_000),
    ):
        book.deal(name, "2025-10-05", eur(value), owner=owner).won(name, day)
    for name, scope in (
        ("north", {"team": "north"}), ("south", {"team": "south"}), ("all", {"team": "all"}),
        ("ana", {"person": "ana"}), ("bob", {"person": "bob"}), ("company", COMPANY),
    ):  # fmt: skip
        objective(book, name, eur(100_000), scope=scope)
    rows = book.report("objectives", as_of="2026-06-30").rows
    assert {row["objective"]: row["achieved_minor"] for row in rows} == {
        "north": 10, "south": 3_200, "all": 10, "ana": 210, "bob": 3_000, "company": 43_210,
    }  # fmt: skip
    assert [row["objective"] for row in book.report("objectives", where="team=south", as_of="2026-06-30").rows] == [
        "ana", "bob", "south",
    ]  # fmt: skip


def test_every_metric(book):
    book.customer("c1", "2025-01-01").customer("c2", "2025-01-01").customer("c3", "2025-01-01")
    book.say("customer-c3", "customer.merged", "2026-05-01", into="c1")
    book.deal("a", "2025-01-05", eur(1_000), customer="c1", margin=eur(300), quantity="2.5").won("a", "2025-12-10")
    book.deal("b", "2026-01-05", eur(2_000), customer="c3", margin=eur(500), quantity="1.5").won("b", "2026-02-10")
    book.deal("c", "2026-01-05", eur(4_000), customer="c2", margin=eur(700), quantity="4").won("c", "2026-02-11")
    book.say("deal-b", "deal.invoiced", "2026-03-01", invoice="i1", value=eur(900))
    book.say("deal-b", "deal.invoiced", "2026-03-02", invoice="i2", value=eur(900))
    book.say("deal-b", "deal.credited", "2026-03-03", invoice="i1", value=eur(250), reason="returned")
    book.say("deal-b", "deal.delivered", "2026-03-04", value=eur(1_100))
    book.quote("q", "2026-03-05", eur(5)).accepted("q", "2026-03-06")
    for number, kind in enumerate(("visit", "visit", "call")):
        book.say(f"interaction-{number}", "interaction.logged", "2026-03-07", kind=kind, direction="out",
                 customer="c1", owner="ana")  # fmt: skip
    expected = {
        "amount": 6_005, "margin": 1_200, "quantity": 5.5, "won_count": 3, "invoiced_amount": 1_550,
        "delivered_amount": 1_100, "new_customers": 1, "quotes_issued": 1, "interactions:visit": 2,
    }  # fmt: skip
    for metric in expected:
        target = eur(1) if metric in {"amount", "margin", "invoiced_amount", "delivered_amount"} else "1"
        objective(book, metric.replace(":", "."), target, metric=metric)
    rows = book.report("objectives", as_of="2026-06-30").rows
    found = {row["metric"]: row["achieved"] if row["achieved_minor"] is None else row["achieved_minor"] for row in rows}
    assert found == expected


@pytest.mark.parametrize("named_one_by_one", [500, 0])
def test_an_objective_of_a_range_counts_its_lines_and_one_of_a_kind_its_deals(book, monkeypatch, named_one_by_one):
    monkeypatch.setattr(product_lines, "NAMED_ONE_BY_ONE", named_one_by_one)
    book.product("anvil", "2025-01-01", "iron").product("bolt", "2025-01-01", "steel")
    book.deal("a", "2026-01-05", lines=[line("anvil", eur(60), "2"), line("bolt", eur(40))], kind="new")
    book.won("a", "2026-02-01").deal("b", "2026-01-05", eur(7), kind="renewal").won("b", "2026-02-02")
    objective(book, "iron", eur(100), product_range="iron")
    objective(book, "pieces", "100", metric="quantity", product_range="iron")
    objective(book, "wins", "100", metric="won_count", product_range="iron")
    objective(book, "renewals", eur(100), kind="renewal")
    objective(book, "quotes", "10", metric="quotes_issued", kind="renewal")
    rows = {row["objective"]: row for row in book.report("objectives", as_of="2026-06-30").rows}
    assert {name: row["achieved"] for name, row in rows.items()} == {
        "iron": 0.6, "pieces": 2, "wins": 1, "renewals": 0.07, "quotes": None,
    }  # fmt: skip
    assert [rows["quotes"][each] for each in ("progress", "covered", "status")] == [None] * 3


def test_what_is_still_due_may_cover_it(book):
    objective(book, "o", eur(1_000), first="2026-01-01", last="2026-06-30")
    objective(book, "count", "3", metric="won_count", first="2026-01-01", last="2026-06-30")
    objective(book, "next", eur(100), first="2026-07-01", last="2026-12-31")
    book.deal("w", "2026-01-05", eur(600)).won("w", "2026-02-01")
    for name, due, stage in (
        ("overdue", "2026-02-15", "demo"), ("due", "2026-06-30", "offer"), ("later", "2026-07-01", "closing"),
        ("never", None, "closing"), ("parked", "2026-06-01", "parked"),
    ):  # fmt: skip
        book.deal(name, "2026-01-05", eur(400), stage=stage, expected_close_on=due)
    rows = {row["objective"]: row for row in book.report("objectives", as_of="2026-03-31", period="2026").rows}
    assert (rows["o"]["forecast_minor"], rows["o"]["covered"]) == (200 + 300, 1)
    assert (rows["count"]["forecast"], rows["count"]["covered"]) == (1.25, 0)
    assert rows["o"]["objective_probability"] == 0.875  # one of the two is enough
    assert rows["count"]["objective_probability"] == 0.375  # both are needed
    assert (rows["next"]["forecast_minor"], rows["next"]["covered"], rows["next"]["elapsed"]) == (360, 1, 0)
    over = book.report("objectives", as_of="2026-07-31", period="2026-S1").rows[1]
    assert (over["forecast_minor"], over["covered"], over["status"]) == (0, 0, "missed")
    assert over["objective_probability"] == 0


def test_nothing_may_come_once_the_last_day_is_over(book):
    """On it open deals may still be won; at its end they count for the period that begins then."""
    objective(book, "o", eur(1_000), first="2026-01-01", last="2026-06-30")
    objective(book, "next", eur(100), first="2026-07-01", last="2026-12-31")
    book.deal("d", "2026-01-05", eur(4_000), stage="offer", expected_close_on="2026-06-30")
    told = "objective", "forecast_minor", "covered", "objective_probability", "status"
    found = book.rows("objectives", *told, as_of="2026-06-30T10:00:00Z", period="2026")
    assert found == [("next", 0, 0, 0, "on_track"), ("o", 3_000, 1, 0.75, "behind")]
    found = book.rows("objectives", *told, as_of="2026-06-30", period="2026")
    assert found == [("next", 3_000, 1, 0.75, "on_track"), ("o", 0, 0, 0, "missed")]


def test_what_is_due_counts_for_the_team_that_its_owner_is_in_at_the_pair(book):
    book.say("team-north", "team.created", "2025-01-01", name="North")
    book.person("ana", "2025-01-01", "north").say("person-ana", "person.moved", "2026-03-01", team="south")
    book.deal("a", "2026-01-05", eur(400), owner="ana", stage="demo", expected_close_on="2026-06-30")
    book.deal("b", "2026-01-05", eur(1_000), owner="ghost", stage="demo", expected_close_on="2026-06-30")
    for name, scope in (("north", {"team": "north"}), ("south", {"team": "south"}), ("company", COMPANY)):
        objective(book, name, eur(100), scope=scope)
    for day, north, south in (("2026-02-15", 200, 0), ("2026-03-31", 0, 200)):
        rows = {row["objective"]: row["forecast_minor"] for row in book.report("objectives", as_of=day).rows}
        assert rows == {"north": north, "south": south, "company": 700}


def test_a_target_is_that_of_the_pair(book):
    objective(book, "o", eur(100)).say("objective-o", "objective.revised", "2026-04-01", target=eur(200))
    objective(book, "gone", eur(5)).say("objective-gone", "objective.cancelled", "2026-02-01", reason="mistake")
    assert only(book, as_of="2026-03-31")["target_minor"] == 100
    assert only(book, as_of="2026-04-30")["target_minor"] == 200
    assert [row["objective"] for row in book.report("objectives", as_of="2026-01-31").rows] == ["gone", "o"]
    assert [row["objective"] for row in book.report("objectives", as_of="2026-03-01").rows] == ["o"]


def test_back_dated_and_retracted_wins(book):
    objective(book, "o", eur(1_000))
    book.deal("a", "2026-01-05", eur(100)).won("a", "2026-03-20", recorded="2026-04-15")
    book.deal("b", "2026-01-05", eur(30)).won("b", "2026-02-01").retracted("deal-b", 2, "2026-04-20")
    assert only(book, as_of="2026-03-31")["achieved_minor"] == 30
    assert only(book, as_of="2026-03-31", known_at="now")["achieved_minor"] == 100
    assert only(book, as_of="2026-03-31", known_at="2026-04-16")["achieved_minor"] == 130
    assert only(book, as_of="2026-04-30", known_at="2026-02-28")["achieved_minor"] == 30


def test_money_is_in_the_reporting_currency(book):
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-03-01", "0.8")
    objective(book, "o", money(1_000, "USD"))
    book.deal("a", "2026-01-05", money(100, "USD")).won("a", "2026-02-01")
    row = only(book, as_of="2026-03-31")
    assert (row["target_minor"], row["achieved_minor"]) == (800, 90)
    assert only(book, as_of="2026-03-31", fx="constant")["achieved_minor"] == 80
    row = only(book, as_of="2026-03-31", currency="USD")
    assert (row["target_minor"], row["achieved_minor"], row["unit"]) == (1_000, 100, "USD")


def test_the_lines_behind_an_objective_are_its_sales_and_its_open_deals(book):
    book.person("ana", "2025-01-01", "north")
    objective(book, "o", eur(1_000), scope={"team": "north"})
    objective(book, "p", eur(1_000), scope={"person": "bob"})
    book.deal("a", "2026-01-05", eur(100)).won("a", "2026-03-20")
    book.deal("b", "2026-01-05", eur(100), owner="bob").won("b", "2026-03-20")
    book.deal("c", "2026-01-05", eur(100), expected_close_on="2026-09-01")
    cell = {"objective": "o"}
    explained = book.explained("objectives", cell, as_of="2026-03-31")
    assert [(each.stream, each.state) for each in explained.lines] == [
        ("deal-a", "achieved"), ("deal-c", "open"), ("objective-o", "objective"),
    ]  # fmt: skip
    row = only(book, as_of="2026-03-31")
    assert sum(each.figures.get("achieved_minor", 0) for each in explained.lines) == row["achieved_minor"] == 100
    assert explained.figures == {name: row[name] for name in explained.figures}
    assert set(explained.lines[0].events) == {"deal-a", "person-ana"}


def test_added_up_naively(book):
    """Against plain Python over what was told: ten people who move between two teams, three quarters, two years."""
    import random

    chance = random.Random(5)
    team_of: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for number in range(6):
        person = f"p{number}"
        book.person(person, "2025-01-01", "north")
        team_of[person].append(("2025-01-01", "north"))
        for day in ("2026-02-15", "2026-05-15"):
            if chance.random() < 0.6:
                team = chance.choice(["south", "east"])
                if team != team_of[person][-1][1]:
                    book.say(f"person-{person}", "person.moved", day, team=team)
                    team_of[person].append((day, team))
    sales: list[tuple[str, str, int]] = []
    for number in range(40):
        day = date.fromordinal(date(2025, 12, 1).toordinal() + chance.randrange(240)).isoformat()
        owner, value = f"p{chance.randrange(6)}", chance.randrange(1, 1000)
        book.deal(f"d{number}", "2025-06-01", eur(value), owner=owner).won(f"d{number}", f"{day}T13:00:00Z")
        sales.append((day, owner, value))
    quarters = {
        "q1": ("2026-01-01", "2026-03-31"),
        "q2": ("2026-04-01", "2026-06-30"),
        "y": ("2026-01-01", "2026-12-31"),
    }
    scopes: dict[str, dict[str, Any]] = {
        "north": {"team": "north"},
        "south": {"team": "south"},
        "p1": {"person": "p1"},
        "all": COMPANY,
    }
    expected = {}
    for name, (first, last) in quarters.items():
        for whose, scope in scopes.items():
            objective(book, f"{name}-{whose}", eur(1_000_000), scope=scope, first=first, last=last)
            expected[f"{name}-{whose}"] = sum(
                value
                for day, owner, value in sales
                if first <= day <= min(last, "2026-07-15")
                and ("person" not in scope or owner == scope["person"])
                and ("team" not in scope or [team for since, team in team_of[owner] if since <= day][-1] == whose)
            )
    rows = book.report("objectives", as_of="2026-07-15", period="2026").rows
    assert {row["objective"]: row["achieved_minor"] for row in rows} == expected
    assert any(value for value in expected.values())


def test_imported_history_is_said_of_the_lines_behind_it_too(book):
    objective(book, "o", eur(100))
    book.deal("a", "2026-01-05", eur(1)).won("a", "2026-02-01").deal("b", "2026-01-05", eur(1)).won("b", "2026-02-01")
    assert book.report("objectives", as_of="2026-06-30").notes == [
        "3 of 3 lines rest on events appended after known_at (imported history)"
    ]
    assert book.report("objectives", as_of="2026-06-30", known_at="now").notes == []
