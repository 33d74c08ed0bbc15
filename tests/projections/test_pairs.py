"""The two dates of a question."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from ledger.times import parse_instant
from projections.pairs import Pair, Present

STAMP = parse_instant("2026-07-15T09:00:00Z")
CLOCK = parse_instant("2026-07-15T10:00:00Z")
NOW = Present(STAMP, CLOCK, "Europe/Paris")


@pytest.mark.parametrize("text", ["now", "2026-07-15"])
def test_now_and_todays_date_are_the_stamp_of_the_head(text):
    assert NOW.pair(text, None) == Pair(STAMP, STAMP)


def test_of_an_empty_log_now_is_the_clock():
    assert Present(0, CLOCK, "Europe/Paris").pair("now", "2026-07-15") == Pair(CLOCK, CLOCK)


def test_by_default_a_question_is_asked_now():
    assert NOW.pair(None, None) == Pair(STAMP, STAMP)


def test_known_at_defaults_to_as_of():
    pair = NOW.pair("2026-03-31", None)
    assert pair.known_at == pair.as_of


def test_a_date_means_the_end_of_that_day_in_the_books_time_zone():
    assert NOW.pair("2026-06-30", None).as_of == parse_instant("2026-06-30T22:00:00Z") - 1


def test_the_day_on_which_clocks_go_forward_is_an_hour_shorter():
    before, after = NOW.pair("2026-03-28", None).as_of, NOW.pair("2026-03-29", None).as_of
    assert after - before == 23 * 3_600_000_000


def test_an_instant_is_meant_exactly():
    assert NOW.pair("2026-03-31T12:00:00.000001Z", None).as_of == parse_instant("2026-03-31T12:00:00.000001Z")


@pytest.mark.parametrize("text", ["2026-07-16", "2026-07-15T10:00:00.000001Z", "2199-12-31"])
def test_what_is_later_than_now_is_refused(text):
    with pytest.raises(BadRequest, match="lies after now"):
        NOW.pair(text, None)
    with pytest.raises(BadRequest, match="known_at"):
        NOW.pair("2026-01-01", text)


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "2026-03-31T12:00:00", "0001-01-01", ""])
def test_what_is_no_date_is_refused_by_name(text):
    if text:
        with pytest.raises(BadRequest, match="as_of"):
            NOW.pair(text, None)
    else:
        assert NOW.pair(text, None).as_of == STAMP


def test_what_happened_is_read_no_later_than_it_was_known():
    assert Pair(30, 20).happened == Pair(20, 20)
    assert Pair(10, 20).happened == Pair(10, 20)
