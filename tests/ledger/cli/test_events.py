from __future__ import annotations

import json

import pytest

from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl


@pytest.fixture
def filled(sales_ledger):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED, WON)).code == 0
    return sales_ledger


def test_the_table_shows_amounts_as_people_write_them(filled):
    shown = filled("events", "--stream", "deal-1").out.splitlines()
    assert shown[0].split() == ["position", "effective", "(Europe/Paris)", "stream", "type", "data"]
    assert "2026-02-03 11:00:00" in shown[1]
    assert "1,250.00 EUR" in shown[1]
    assert "Sensors for the east wing" in shown[1]


def test_json_lines_hold_instants_with_six_decimals(filled):
    won = json.loads(filled("events", "--type", "deal.won", "--format", "jsonl").out)
    assert won["effective_at"] == "2026-03-31T16:00:00.000000Z"
    assert (won["stream"], won["version"], won["position"]) == ("deal-1", 2, 4)
    assert won["data"] == {}


def test_a_limit_says_how_to_go_on(filled):
    first = filled("events", "--limit", "2")
    assert len(first.out.splitlines()) == 3
    assert "--after 2" in first.err
    rest = filled("events", "--after", "2")
    assert [line.split()[0] for line in rest.out.splitlines()[1:]] == ["3", "4"]
    assert rest.err == ""


def test_what_is_not_there_is_said(filled):
    shown = filled("events", "--stream", "deal-77")
    assert (shown.code, shown.out, shown.err) == (0, "", "no such event\n")
