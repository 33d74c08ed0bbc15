"""Trend, season and remainder."""

from __future__ import annotations

import math

import pytest

from projections.reports.trend import split
from tests.support.book import eur

PARTS = ("value_minor", "trend_minor", "season_minor", "remainder_minor")


def sales(book, years, value, *, first=2020, **more):
    for number in range(12 * years):
        name = f"{more.get('owner', 'ana')}{number}"
        day = f"{first + number // 12}-{number % 12 + 1:02}-10"
        book.deal(name, "2020-01-02", eur(value(number)), **more).won(name, day)
    return book


def test_an_empty_book_has_no_months(empty_book):
    answer = empty_book.report("trend")
    assert (answer.rows, answer.totals) == ([], {"value_minor": 0} | dict.fromkeys(PARTS[1:]))


def test_a_rising_series_with_a_season(book):
    sales(book, 3, lambda number: 10_000 + 100 * number + (3_000 if number % 12 == 11 else 0), first=2022)
    rows = book.report("trend", as_of="2024-12-31").rows
    assert len(rows) == 36
    for row in rows:
        assert row["value_minor"] == row["trend_minor"] + row["season_minor"] + row["remainder_minor"]
    december = [row for row in rows if row["month"].endswith("-12")]
    july = [row for row in rows if row["month"].endswith("-07")]
    assert min(row["season_minor"] for row in december) > 1_500 > max(row["season_minor"] for row in july)
    trend = [row["trend_minor"] for row in rows]
    assert trend == sorted(trend)
    assert 2_900 < trend[-1] - trend[0] < 4_100


def test_under_two_years_there_is_a_note(book):
    sales(book, 1, lambda _: 100, first=2026)
    answer = book.report("trend", as_of="2026-12-30")
    assert [answer.rows[0][each] for each in PARTS] == [100, None, None, None]
    assert "1 series of less than 24 whole months (the longest: 11)" in answer.notes[0]
    assert "moins de 24 mois entiers" in book.report("trend", as_of="2026-12-30", lang="fr").notes[0]


def test_the_month_that_is_not_over_has_no_parts_and_one_without_sales_counts_as_zero(book):
    sales(book, 2, lambda number: 1_000 if number % 2 == 0 else 0, first=2024)
    for number in (3, 5):
        book.retracted(f"deal-ana{number}", 2, "2026-01-05")
    book.deal("z", "2026-01-05", eur(7)).won("z", "2026-01-10")
    rows = {row["month"]: row for row in book.report("trend", as_of="2026-01-20").rows}
    assert (rows["2026-01"]["value_minor"], rows["2026-01"]["trend_minor"]) == (7, None)
    assert rows["2024-04"]["value_minor"] == 0
    assert rows["2024-04"]["trend_minor"] is not None


def test_each_series_is_split_by_itself_and_measured_as_asked(book):
    sales(book, 2, lambda _: 100, first=2024, owner="ana", quantity="2")
    sales(book, 2, lambda number: 300 + number, first=2024, owner="bob", quantity="3")
    asked = {"as_of": "2025-12-31", "by": "owner"}
    rows = book.report("trend", **asked).rows
    assert {row["trend_minor"] for row in rows if row["owner"] == "ana"} == {100}
    assert len(rows) == 48
    counted = book.report("trend", measure="count", **asked).rows
    assert [(row["value"], row["trend"], row["season"]) for row in counted[:1]] == [(1, 1, 0)]
    assert {row["trend"] for row in book.report("trend", measure="quantity", where="owner=bob", **asked).rows} == {3}


def test_a_period_cuts_the_series(book):
    sales(book, 4, lambda number: 100 + number, first=2021)
    rows = book.report("trend", period="2022-01-01..2024-06-15", as_of="2024-12-31").rows
    assert [rows[0]["month"], rows[-2]["month"], rows[-1]["month"]] == ["2022-01", "2024-05", "2024-06"]
    assert (rows[-2]["trend_minor"] is None, rows[-1]["trend_minor"]) == (False, None)


def test_a_late_fact_changes_the_restated_trend_only(book):
    sales(book, 2, lambda _: 1_000, first=2024)
    book.deal("z", "2024-01-05", eur(500)).won("z", "2024-06-10", recorded="2026-03-01")
    june = [row for row in book.report("trend", as_of="2025-12-31").rows if row["month"] == "2024-06"]
    assert june[0]["value_minor"] == 1_000
    june = [row for row in book.report("trend", as_of="2025-12-31", known_at="now").rows if row["month"] == "2024-06"]
    assert june[0]["value_minor"] == 1_500


def test_a_pure_season_has_a_flat_trend():
    values = [round(10_000 + 1_000 * math.sin(2 * math.pi * number / 12)) for number in range(60)]
    trend, season = split(values)
    assert max(trend) - min(trend) < 40
    assert [each + other for each, other in zip(trend, season, strict=True)] == pytest.approx(values, abs=30)
