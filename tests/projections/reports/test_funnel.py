"""Where deals stop."""

from __future__ import annotations

import random
import statistics

import pytest

from projections.reports.spread import P90, quantile
from tests.support.book import eur

COUNTS = ("entered", "advanced", "lost_here", "still_here")


def test_an_empty_book_has_no_stages(empty_book):
    answer = empty_book.report("funnel")
    assert answer.rows == []
    assert answer.totals == dict.fromkeys(COUNTS, 0) | dict.fromkeys(("conversion", "median_days", "p90_days"))


def test_one_deal_from_stage_to_stage(book):
    book.deal("d", "2026-01-05", eur(1)).moved("d", "2026-01-10", "demo").moved("d", "2026-01-20", "offer")
    asked = ("funnel", "stage", *COUNTS, "conversion", "median_days")
    assert book.rows(*asked, as_of="2026-01-31") == [
        ("lead", 1, 1, 0, 0, 1.0, 5), ("demo", 1, 1, 0, 0, 1.0, 10), ("offer", 1, 0, 0, 1, 0.0, None),
    ]  # fmt: skip
    book.won("d", "2026-02-01")
    assert book.rows(*asked)[-1] == ("offer", 1, 1, 0, 0, 1.0, 12)
    assert book.rows(*asked, as_of="2026-01-06") == [("lead", 1, 0, 0, 1, 0.0, None)]


def test_ways_out_of_a_stage(book):
    for name in "abcdef":
        book.deal(name, "2026-01-05", eur(1))
    book.won("a", "2026-01-15").lost("b", "2026-01-25").abandoned("c", "2026-01-06")
    book.moved("d", "2026-01-08", "demo").moved("d", "2026-01-09", "lead").lost("d", "2026-01-12")
    book.lost("e", "2026-01-08").reopened("e", "2026-01-20", "offer")
    book.say("deal-f", "deal.merged", "2026-01-10", into="a")
    assert book.rows("funnel", "stage", *COUNTS) == [("lead", 5, 2, 3, 0), ("demo", 1, 0, 0, 0), ("offer", 1, 0, 0, 1)]
    lead = book.report("funnel").rows[0]
    assert (lead["median_days"], lead["p90_days"]) == (6, 16)  # 10, 20, 1, 3 + 3, 3
    assert book.totals("funnel")["entered"] == 7


def test_a_cohort_is_told_by_its_opening_and_a_line_by_who_held_it_on_entering(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    book.deal("d", "2026-01-05", eur(1)).say("deal-d", "deal.assigned", "2026-01-08", owner="bob")
    book.moved("d", "2026-01-10", "demo").deal("e", "2026-04-05", eur(1))
    assert book.rows("funnel", "stage", "team", by="team", period="2026-Q1") == [("lead", "north"), ("demo", "south")]
    assert book.rows("funnel", "stage", "advanced", period="2026-Q1", where="owner=ana") == [("lead", 1)]
    assert book.rows("funnel", "stage", "month", by="month") == [
        ("lead", "2026-01"), ("lead", "2026-04"), ("demo", "2026-01"),
    ]  # fmt: skip


def test_back_dated_and_retracted_moves(book):
    book.deal("d", "2026-01-05", eur(1)).moved("d", "2026-01-10", "demo", recorded="2026-02-15")
    asked = ("funnel", "stage", *COUNTS)
    assert book.rows(*asked, as_of="2026-01-31") == [("lead", 1, 0, 0, 1)]
    assert book.rows(*asked, as_of="2026-01-31", known_at="now") == [("lead", 1, 1, 0, 0), ("demo", 1, 0, 0, 1)]
    book.retracted("deal-d", 2, "2026-03-01")
    assert book.rows(*asked, as_of="2026-01-31", known_at="now") == [("lead", 1, 0, 0, 1)]


def test_the_lines_of_a_stage_account_for_it(book):
    for name in "abc":
        book.deal(name, "2026-01-05", eur(1))
    book.moved("a", "2026-01-08", "demo").lost("b", "2026-01-09")
    explained = book.explained("funnel", {"stage": "lead"})
    assert [(each.stream, each.state) for each in explained.lines] == [
        ("deal-a", "advanced"), ("deal-b", "lost_here"), ("deal-c", "still_here"),
    ]  # fmt: skip
    assert explained.lines[0].figures == {"entered": 1, "advanced": 1, "stays_us": [3 * 86_400_000_000]}


@pytest.mark.parametrize("seed", [1, 2])
def test_against_a_naive_count(book, seed):
    chance = random.Random(seed)
    stages = ["lead", "demo", "offer", "closing"]
    stayed: dict[str, list[int]] = {stage: [] for stage in stages}
    entered = dict.fromkeys(stages, 0)
    for number in range(12):
        book.deal(f"d{number}", "2026-01-01", eur(1))
        day = 1
        for index in range(chance.randrange(1, 5)):
            if index:
                book.moved(f"d{number}", f"2026-01-{day:02}", stages[index])
            entered[stages[index]] += 1
            stay = chance.randrange(1, 7)
            stayed[stages[index]].append(stay)
            day += stay
        book.lost(f"d{number}", f"2026-01-{day:02}")
    for row in book.report("funnel").rows:
        found = stayed[row["stage"]]
        assert (row["entered"], row["median_days"]) == (entered[row["stage"]], statistics.median(found))
        assert row["p90_days"] == pytest.approx(float(quantile(found, P90) or 0))
