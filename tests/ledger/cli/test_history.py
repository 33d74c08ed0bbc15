from __future__ import annotations

import pytest

from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl

RETRACTED = {
    "stream": "deal-1",
    "type": "event.retracted",
    "recorded_at": "2026-04-10T08:00:00Z",
    "effective_at": "2026-04-10T08:00:00Z",
    "data": {"version": 2, "reason": "mistake"},
}


@pytest.fixture
def filled(sales_ledger):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED, WON, RETRACTED)).code == 0
    return sales_ledger


def test_a_life_is_told_in_local_time_and_in_order(filled):
    shown = filled("history", "deal-1").out.splitlines()
    assert shown[0].startswith("when (Europe/Paris)")
    assert [line[:19] for line in shown[1:]] == ["2026-02-03 11:00:00", "2026-03-31 18:00:00", "2026-04-10 10:00:00"]
    assert "RETRACTED" in shown[2]


def test_before_the_retraction_was_known_the_win_stood(filled):
    shown = filled("history", "deal-1", "--known-at", "2026-04-09").out
    assert "deal.won" in shown
    assert "RETRACTED" not in shown


def test_as_of_a_date_what_came_later_is_left_out(filled):
    assert "deal.won" not in filled("history", "deal-1", "--as-of", "2026-03-30").out


@pytest.mark.parametrize(
    "wrong", [["--as-of", "2026-02-30"], ["--as-of", "2199-01-01"], ["--known-at", "yesterday-ish"]]
)
def test_a_date_that_cannot_be_is_one_line(filled, wrong):
    shown = filled("history", "deal-1", *wrong)
    assert shown.code == 2
    assert shown.err.count("\n") == 1


def test_an_unknown_stream_is_one_line(filled):
    shown = filled("history", "deal-99")
    assert shown.code == 2
    assert "there is no stream 'deal-99'" in shown.err


def test_nothing_known_yet_is_said(filled):
    shown = filled("history", "deal-1", "--as-of", "2026-01-01")
    assert (shown.code, shown.out) == (0, "")
    assert "nothing of deal-1 was known then" in shown.err
