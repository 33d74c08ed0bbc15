"""Each rep beside their team."""

from __future__ import annotations

from tests.support.book import eur


def test_an_empty_book_has_no_reps(empty_book):
    answer = empty_book.report("team_review")
    assert answer.rows == []
    assert answer.totals["won"] == 0
    assert answer.totals["median_won"] is None


def test_against_the_team_s_median(book):
    for person, count in (("ana", 3), ("bob", 2), ("cyd", 0)):
        book.person(person, "2025-01-01", "north")
        for number in range(count):
            name = f"{person}{number}"
            book.deal(name, "2026-01-05", eur(100), owner=person)
            if number == 2:
                book.lost(name, "2026-02-01")
            else:
                book.won(name, "2026-02-01")
    book.person("dan", "2025-01-01", "south").deal("x", "2026-01-05", eur(7), owner="dan").won("x", "2026-02-02")
    asked = ("team_review", "team", "owner", "won", "amount_minor", "win_rate", "median_won", "median_amount_minor",
             "median_win_rate", "below_median", "reps")  # fmt: skip
    assert book.rows(*asked, period="2026-Q1") == [
        ("north", "ana", 2, 200, 2 / 3, 2, 200, 5 / 6, 1, 3),
        ("north", "bob", 2, 200, 1.0, 2, 200, 5 / 6, 0, 3),
        ("north", "cyd", 0, 0, None, 2, 200, 5 / 6, 3, 3),
        ("south", "dan", 1, 7, 1.0, 1, 7, 1.0, 0, 1),
    ]
    assert book.rows("team_review", "owner", period="2026-Q1", where="team=south") == [("dan",)]


def test_a_team_is_that_of_the_day(book):
    book.person("ana", "2025-01-01", "north").say("person-ana", "person.moved", "2026-02-15", team="south")
    for name, day in (("a", "2026-02-01"), ("b", "2026-03-01")):
        book.deal(name, "2026-01-05", eur(1)).won(name, day)
    assert book.rows("team_review", "team", "won", "deals_opened", period="2026-Q1") == [
        ("north", 1, 2), ("south", 1, 0),
    ]  # fmt: skip


def test_reps_are_those_at_the_end_of_the_period(book):
    book.person("ana", "2025-01-01", "north").deal("a", "2026-01-05", eur(100)).won("a", "2026-02-01")
    book.person("gone", "2025-01-01", "north").say("person-gone", "person.left", "2026-05-01")
    book.person("new", "2026-06-01", "north")
    asked = ("team_review", "owner", "won", "median_won", "reps")
    assert book.rows(*asked, period="2026-Q1", as_of="2026-07-01") == [("ana", 1, 0.5, 2), ("gone", 0, 0.5, 2)]
    assert book.rows(*asked, period="2026-Q2", as_of="2026-07-01") == [("ana", 0, 0, 2), ("new", 0, 0, 2)]
    assert book.rows(*asked, period="2026-Q2", as_of="2026-04-15") == [("ana", 0, 0, 2), ("gone", 0, 0, 2)]


def test_a_cell_has_its_own_lines_and_its_team_s_median(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "north")
    book.deal("a", "2026-01-05", eur(100)).won("a", "2026-02-01")
    explained = book.explained("team_review", {"team": "north", "owner": "bob"}, period="2026-Q1")
    assert [each.stream for each in explained.lines] == ["person-bob"]
    assert (explained.figures["won"], explained.figures["median_won"], explained.figures["reps"]) == (0, 0.5, 2)


def test_back_dated_and_retracted(book):
    book.person("ana", "2025-01-01", "north")
    book.deal("a", "2026-01-05", eur(100)).won("a", "2026-02-01", recorded="2026-04-15")
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert book.totals("team_review", **asked)["amount_minor"] == 0
    assert book.totals("team_review", known_at="now", **asked)["amount_minor"] == 100
    book.retracted("deal-a", 2, "2026-05-01")
    assert book.totals("team_review", known_at="now", **asked)["amount_minor"] == 0
