"""Instants and dates, also odd ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.times import (
    DAY_US,
    day_end,
    day_start,
    format_instant,
    from_datetime,
    is_date,
    local_date,
    local_days,
    parse_date,
    parse_instant,
    to_datetime,
    zone,
)

HOUR_US = DAY_US // 24
FIRST, LAST = (from_datetime(datetime(year, 1, 1, tzinfo=UTC)) for year in (1900, 2200))
INSTANTS = st.integers(FIRST, LAST - 1)
ZONES = st.sampled_from(
    ["Europe/Paris", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
)


@given(INSTANTS)
def test_instants_are_written_with_six_decimals_and_read_back_exactly(instant):
    text = format_instant(instant)
    assert (len(text), text[-8], text[-1]) == (27, ".", "Z")
    assert parse_instant(text) == instant == from_datetime(to_datetime(instant))


@given(INSTANTS, INSTANTS)
def test_written_instants_sort_as_they_follow_each_other(one, other):
    assert (format_instant(one) < format_instant(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", 500_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01T00:00:00.000001-00:00", 1),
        ("2024-02-29T00:00:00Z", 19_782 * DAY_US),
    ],
)
def test_instants_may_be_written_in_other_ways(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    "2026-03-31T16:00:00 2026-03-31 2026-03-31T16:00Z 2026-03-31T16:00:00+0100 2026-03-31T16:00:00.1234567Z"
    " 2026-03-31T24:00:01Z 2026-03-31T16:60:00Z 2026-03-31T16:00:60Z 2023-02-29T00:00:00Z 0001-01-01T00:00:00Z"
    " 9999-12-31T23:59:59Z 2026-13-01T00:00:00Z 2026-03-31T16:00:00+25:00 1774972800 ２０２６-03-31T16:00:00Z".split(),
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(Refused):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "1900-02-29", "2026-06-31", "0001-01-01", "9999-12-31", "2026-1-1", "20260101", "٢٠٢٦-٠١-٠١", ""],
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(Refused) as refused:
        parse_date(text)
    assert refused.value.code == "bad_date"


def test_leap_days_are_dates():
    assert parse_date("2024-02-29") == date(2024, 2, 29)
    assert parse_date("2000-02-29") == date(2000, 2, 29)
    assert is_date("2023-02-29")


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24), ("2024-02-29", 24)]
)
def test_days_are_as_long_as_clocks_make_them(day, hours):
    start, end = day_start(parse_date(day), "Europe/Paris"), day_end(parse_date(day), "Europe/Paris")
    assert end + 1 - start == hours * HOUR_US


def test_a_day_without_midnight_begins_when_it_begins():
    start = day_start(date(2018, 11, 4), "America/Sao_Paulo")
    assert format_instant(start) == "2018-11-04T03:00:00.000000Z"
    assert to_datetime(start).astimezone(ZoneInfo("America/Sao_Paulo")).hour == 1


@given(INSTANTS, ZONES)
def test_an_instant_lies_within_its_local_day(instant, zone_name):
    day = local_date(instant, zone_name)
    assert day_start(day, zone_name) <= instant <= day_end(day, zone_name)
    assert day_end(day, zone_name) + 1 == day_start(day + timedelta(days=1), zone_name)


@pytest.mark.parametrize("zone_name", ["Europe/Paris", "Asia/Kathmandu", "America/St_Johns", "Africa/Cairo"])
@pytest.mark.parametrize("year", [1905, 1944, 2026])
def test_a_local_date_is_that_of_the_clock_on_the_wall(zone_name, year):
    began = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    for second in range(began, began + 366 * 86_400, 1_000):
        on_the_wall = datetime.fromtimestamp(second, ZoneInfo(zone_name)).date()
        assert local_date(second * 1_000_000, zone_name) == on_the_wall


@pytest.mark.parametrize("name", ["Moon/Sea", "", "../etc/passwd", "/etc/localtime", "Europe", "x\x00y", "é"])
def test_what_is_no_time_zone_is_refused(name):
    with pytest.raises(Refused, match="use one such as Europe/Paris"):
        zone(name)


@given(st.lists(INSTANTS | st.none()), ZONES)
def test_days_of_many_instants_are_the_dates_of_each(instants, name):
    assert local_days(instants, name) == [None if at is None else local_date(at, name).isoformat() for at in instants]
