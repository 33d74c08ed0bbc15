"""What a shortfall means in sales, quotes and visits."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.support.book import eur

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
COLUMNS = ("objective_minor", "achieved_minor", "remaining_minor", "average_minor", "conversion", "quotes_per_visit",
           "sales", "quotes", "visits")  # fmt: skip


@pytest.fixture
def short(book):
    """Two sales of 100 on average, a quote in four accepted, two quotes a visit; 1,000 to reach."""
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    for name, scope, target in (("all", {"company": True}, 1_000), ("ana", {"person": "ana"}, 600)):
        book.say(f"objective-{name}", "objective.set", "2026-01-01", scope=scope, metric="amount", period=YEAR,
                 target=eur(target))  # fmt: skip
    for name, value, owner, day in (("a", 150, "ana", "2026-02-01"), ("b", 50, "bob", "2025-09-01"),
                                    ("old", 9_000, "ana", "2025-03-01")):  # fmt: skip
        book.deal(name, "2025-01-05", eur(value), owner=owner).won(name, day)
    for number in range(4):
        book.quote(f"q{number}", "2026-01-05", eur(1), owner="ana", deal="a")
    book.accepted("q0", "2026-02-01")
    for number in range(2):
        book.say(f"interaction-{number}", "interaction.logged", "2026-01-03", kind="visit", direction="out",
                 customer="c1", owner="ana")  # fmt: skip
    return book


def test_the_shortfall_in_sales_quotes_and_visits(short):
    totals = short.totals("required_sales", period="2026", as_of="2026-03-31")
    assert [totals[each] for each in COLUMNS] == [1_000, 150, 850, 100, 0.25, 2.0, 8.5, 34, 17]


def test_by_owner_each_their_own(short):
    rows = short.report("required_sales", period="2026", as_of="2026-03-31", by="owner").rows
    assert [[row[each] for each in ("owner", *COLUMNS)] for row in rows] == [
        ["ana", 600, 150, 450, 150, 0.25, 2.0, 3, 12, 6],
        ["bob", None, 0, None, 50, None, None, None, None, None],
    ]


def test_a_scenario_simulates(short):
    asked = {"period": "2026", "as_of": "2026-03-31"}
    totals = short.totals("required_sales", scenario="average=4.25,conversion=0.5", **asked)
    assert [totals[each] for each in ("average_minor", "sales", "quotes", "visits")] == [425, 2, 4, 2]
    totals = short.totals("required_sales", scenario="quotes_per_visit=17", **asked)
    assert totals["visits"] == 2
    for wrong in ("average", "average=0", "speed=3", "conversion=-1"):
        with pytest.raises(BadRequest, match="is not possible; write average=NUMBER"):
            short.report("required_sales", scenario=wrong, **asked)


def test_a_reached_objective_requires_nothing(short):
    short.deal("c", "2026-01-05", eur(2_000)).won("c", "2026-03-01", recorded="2026-04-15")
    asked = {"period": "2026", "as_of": "2026-03-31"}
    assert short.totals("required_sales", **asked)["remaining_minor"] == 850
    totals = short.totals("required_sales", known_at="now", **asked)
    assert (totals["remaining_minor"], totals["sales"], totals["visits"]) == (0, 0, 0)
    short.retracted("deal-c", 2, "2026-05-01")
    assert short.totals("required_sales", known_at="now", **asked)["remaining_minor"] == 850


def test_an_empty_book_requires_nothing_that_could_be_said(empty_book):
    answer = empty_book.report("required_sales")
    assert answer.rows == []
    assert {value for name, value in answer.totals.items() if name != "achieved_minor"} == {None}


def test_the_lines_behind_it(short):
    explained = short.explained("required_sales", {"owner": "bob"}, by="owner", period="2026", as_of="2026-03-31")
    assert [(each.stream, each.state) for each in explained.lines] == [("deal-b", "past_won")]
    explained = short.explained("required_sales", {"owner": "ana"}, by="owner", period="2026", as_of="2026-03-31")
    assert (explained.figures["sales"], explained.figures["visits"]) == (3, 6)
    assert sum(each.figures.get("objective_minor", 0) for each in explained.lines) == 600
