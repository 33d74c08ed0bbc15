"""How long selling takes."""

from __future__ import annotations

from tests.support.book import eur, money


def test_an_empty_book_takes_no_time(empty_book):
    answer = empty_book.report("cycle")
    assert answer.rows == []
    assert (answer.totals["won"], answer.totals["median_days"], answer.totals["velocity_minor_per_day"]) == (
        0,
        None,
        None,
    )


def test_days_from_opening_to_closing_and_velocity(book):
    for name, day, value in (("a", "2026-01-15", 300), ("b", "2026-01-25", 100)):
        book.deal(name, "2026-01-05", eur(value)).won(name, day)
    book.deal("c", "2026-01-05", eur(1)).lost("c", "2026-02-04").deal("x", "2026-01-05", eur(1)).abandoned(
        "x", "2026-01-06"
    )
    for name in "def":
        book.deal(name, "2026-01-05", eur(9))
    totals = book.totals("cycle", period="2026-Q1", as_of="2026-03-31")
    assert totals == {
        "won": 2, "lost": 1, "median_days": 20, "mean_days": 20, "p90_days": 28, "mean_won_days": 15, "open_deals": 3,
        "velocity_minor_per_day": 27,  # 3 × 200 × 2/3 / 15 = 26.67
    }  # fmt: skip
    assert book.totals("cycle", period="2026-Q2")["median_days"] is None


def test_by_owner_and_by_month(book):
    book.deal("a", "2026-01-05", eur(300)).won("a", "2026-01-15").deal("b", "2026-01-05", eur(1), owner="bob")
    rows = book.rows("cycle", "owner", "won", "open_deals", "velocity_minor_per_day", by="owner")
    assert rows == [("ana", 1, 0, 0), ("bob", 0, 1, None)]
    assert book.rows("cycle", "month", "mean_days", "open_deals", by="month") == [("2026-01", 10, None)]


def test_time_in_each_stage(book):
    book.deal("a", "2026-01-05", eur(1)).moved("a", "2026-01-10", "demo").won("a", "2026-01-12")
    book.deal("b", "2026-01-05", eur(1)).moved("b", "2026-01-08", "demo")
    asked = ("cycle", "stage", "left", "median_days", "mean_days")
    assert book.rows(*asked, of_="stages") == [("lead", 2, 4, 4), ("demo", 1, 2, 2)]


def test_a_deal_won_reopened_and_lost_counts_once(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-02-04").reopened("d", "2026-02-10").lost("d", "2026-02-24")
    assert book.totals("cycle", as_of="2026-02-05")["mean_won_days"] == 30
    totals = book.totals("cycle", as_of="2026-03-31")
    assert [totals[each] for each in ("won", "lost", "mean_days", "mean_won_days")] == [0, 1, 50, None]


def test_back_dated_and_retracted(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-01-15", recorded="2026-04-15")
    assert book.totals("cycle", as_of="2026-03-31")["won"] == 0
    assert book.totals("cycle", as_of="2026-03-31", known_at="now")["mean_days"] == 10
    book.retracted("deal-d", 2, "2026-05-01")
    assert book.totals("cycle", as_of="2026-03-31", known_at="now")["won"] == 0


def test_amounts_are_converted_and_the_lines_account_for_them(book):
    book.rate("USD", "2025-01-01", "0.5")
    book.deal("a", "2026-01-05", money(600, "USD")).won("a", "2026-01-15").deal("b", "2026-01-05", eur(9))
    assert book.totals("cycle")["velocity_minor_per_day"] == 30
    explained = book.explained("cycle")
    assert [(each.stream, each.state) for each in explained.lines] == [("deal-a", "won"), ("deal-b", "open")]
    assert explained.figures == book.totals("cycle")
    assert "rate-USD" in explained.lines[0].events
