"""What people write for a period, and the days it names."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.errors import BadRequest
from projections.reports.periods import Period, parse_period, series

TODAY = date(2026, 8, 12)


def days(text, fiscal_month=1, today=TODAY):
    period = parse_period(text, today=today, fiscal_month=fiscal_month)
    return f"{period.first}..{period.last}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", "2026-01-01..2026-12-31"),
        ("2026-Q3", "2026-07-01..2026-09-30"),
        ("2026-S1", "2026-01-01..2026-06-30"),
        ("2026-S2", "2026-07-01..2026-12-31"),
        ("2026-09", "2026-09-01..2026-09-30"),
        ("2024-02", "2024-02-01..2024-02-29"),
        ("2026-W01", "2025-12-29..2026-01-04"),
        ("2026-08-12", "2026-08-12..2026-08-12"),
        ("2026-07-01..2026-09-30", "2026-07-01..2026-09-30"),
        ("2026-Q1..2026-08", "2026-01-01..2026-08-31"),
        ("today", "2026-08-12..2026-08-12"),
        ("yesterday", "2026-08-11..2026-08-11"),
        ("this-week", "2026-08-10..2026-08-16"),
        ("this-month", "2026-08-01..2026-08-31"),
        ("last-month", "2026-07-01..2026-07-31"),
        ("last-quarter", "2026-04-01..2026-06-30"),
        ("next-quarter", "2026-10-01..2026-12-31"),
        ("last-half", "2026-01-01..2026-06-30"),
        ("last-year", "2025-01-01..2025-12-31"),
    ],
)
def test_calendar_periods(text, expected):
    assert days(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FY2026", "2025-04-01..2026-03-31"),
        ("FY2026-Q1", "2025-04-01..2025-06-30"),
        ("FY2026-Q4", "2026-01-01..2026-03-31"),
        ("FY2026-S2", "2025-10-01..2026-03-31"),
        ("this-fiscal-year", "2026-04-01..2027-03-31"),
        ("last-fiscal-quarter", "2026-04-01..2026-06-30"),
        ("this-fiscal-half", "2026-04-01..2026-09-30"),
    ],
)
def test_a_fiscal_year_is_named_after_the_year_it_ends_in(text, expected):
    assert days(text, fiscal_month=4) == expected


def test_a_fiscal_year_from_january_is_the_calendar_year():
    assert days("FY2026-Q3") == days("2026-Q3")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-Q5",
        "2026-13",
        "2026-00",
        "2026-W54",
        "2025-W53",
        "FY2026-07",
        "2026-02-30",
        "0001",
        "9999",
        "2026-09-30..2026-07-01",
        "2026-07-01..",
        "last-decade",
        "2026-Q3 ",
        "x" * 10_000,
        "\uff12\uff10\uff12\uff16",
    ],
)
def test_what_names_no_period_is_refused_in_one_short_line(text):
    with pytest.raises(BadRequest) as refused:
        days(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "before", "year_before"),
    [
        ("2026-Q1", "2025-10-01..2025-12-31", "2025-01-01..2025-03-31"),
        ("2024-02", "2024-01-01..2024-01-31", "2023-02-01..2023-02-28"),
        ("2023-02", "2023-01-01..2023-01-31", "2022-02-01..2022-02-28"),
        ("2026", "2025-01-01..2025-12-31", "2025-01-01..2025-12-31"),
        ("2026-03-11..2026-03-20", "2026-03-01..2026-03-10", "2025-03-11..2025-03-20"),
        ("2024-02-29", "2024-02-28..2024-02-28", "2023-02-28..2023-02-28"),
    ],
)
def test_the_period_before_and_the_year_before(text, before, year_before):
    period = parse_period(text, today=TODAY, fiscal_month=1)
    assert period.previous().name == before
    assert period.shifted(-12).name == year_before


def test_a_leap_february_a_year_later_is_still_the_whole_month():
    assert parse_period("2023-02", today=TODAY, fiscal_month=1).shifted(12).name == ("2024-02-01..2024-02-29")


def test_a_series_ends_on_each_unit_s_last_day_and_today():
    quarter = Period("q", date(2026, 7, 1), date(2026, 9, 30))
    assert series(quarter, "month", until=TODAY) == (date(2026, 7, 31), TODAY)
    weeks = series(quarter, "week", until=date(2026, 7, 14))
    assert weeks == (date(2026, 7, 5), date(2026, 7, 12), date(2026, 7, 14))
    assert len(series(quarter, "day", until=date(2026, 12, 31))) == 92


def test_a_series_has_a_limit():
    with pytest.raises(BadRequest, match="more than 400 dates"):
        series(Period("x", date(2020, 1, 1), date(2026, 1, 1)), "day", until=TODAY)
