from __future__ import annotations

import json

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


def lines(shown):
    """The rows under the heading of a table, without the lines below a sentence."""
    return [line for line in shown.out.splitlines()[4:] if not line.startswith(" ")]


def test_a_life_is_told_in_local_time_and_in_order(filled):
    shown = filled("history", "deal-1")
    name, pair, _, header, *_ = shown.out.splitlines()
    assert name == "Sensors for the east wing (deal-1)"
    assert pair.startswith("As of ")
    assert pair.endswith("(Europe/Paris).")
    assert header.split() == ["when", "recorded", "by", "no.", "what", "happened"]
    assert [line[:19] for line in lines(shown)] == ["2026-02-03 11:00:00", "2026-03-31 18:00:00", "2026-04-10 10:00:00"]


def test_a_retracted_event_is_struck_through_with_who_when_and_why(filled):
    shown = filled("history", "deal-1").out
    assert "local    2  ~~Won for €1,250.00~~" in shown
    assert "[3] retracted on 10 April 2026 10:00 by local: mistake" in shown
    assert "Retracts event 2 (Won): mistake" in shown


def test_on_a_terminal_it_is_struck_by_the_terminal_and_long_lines_are_folded(filled, monkeypatch):
    monkeypatch.setattr("ledger.cli.history.sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    shown = filled("history", "deal-1").out
    assert "\x1b[9mWon for €1,250.00\x1b[0m" in shown
    assert max(map(len, shown.splitlines()[4:])) <= 100
    assert "Opened at Offer for €1,250.00, expected to close on" in " ".join(shown.split())


def test_before_the_retraction_was_known_the_win_stood(filled):
    shown = filled("history", "deal-1", "--known-at", "2026-04-09").out
    assert "Won for €1,250.00" in shown
    assert "~~" not in shown


def test_as_of_a_date_what_came_later_is_left_out(filled):
    assert "Won" not in filled("history", "deal-1", "--as-of", "2026-03-30").out


def test_french_is_french(filled):
    shown = filled("history", "deal-1", "--lang", "fr").out
    assert "Ouverte à l’étape Offer pour 1\u202f250,00\xa0€, conclusion prévue le 31 mars 2026, suivie par ana" in shown
    assert "annulé le 10 avril 2026 10:00 par local\xa0: erreur" in shown


def test_a_correction_is_shown_as_before_and_after(filled):
    data = OPENED["data"] | {"value": {"minor": 150_000, "currency": "EUR"}}
    corrected = {
        "stream": "deal-1",
        "type": "event.corrected",
        "recorded_at": "2026-04-11T08:00:00Z",
        "data": {"version": 1, "reason": "wrong_amount", "note": "As signed", "data": data},
    }
    assert filled("append", "-", "--history", stdin=jsonl(corrected)).code == 0
    shown = filled("history", "deal-1").out
    assert (
        "[4] corrected on 11 April 2026 10:00 by local: wrong amount – As signed; value: €1,250.00 → €1,500.00" in shown
    )
    assert "Opened at Offer for €1,500.00" in shown


def test_a_title_cannot_break_the_table_or_steer_the_terminal(filled):
    retitled = {"stream": "deal-1", "type": "deal.retitled", "data": {"title": "two\nlines\x1b[2J"}}
    retracted = {"stream": "deal-1", "type": "event.retracted", "data": {"version": 3, "reason": "mistake"}}
    assert filled("append", "-", stdin=jsonl(retracted)).code == 0
    undone = {"stream": "deal-1", "type": "deal.reopened", "data": {"stage": "offer", "reason": "mistake"}}
    assert filled("append", "-", stdin=jsonl(undone, retitled)).code == 0
    shown = filled("history", "deal-1").out
    assert shown.startswith("two lines [2J (deal-1)\n")
    assert "Retitled from Sensors for the east wing to two lines [2J\n" in shown


def test_json_is_one_document_and_jsonl_a_line_for_each_event(filled):
    story = json.loads(filled("history", "deal-1", "--format", "json").out)
    assert (story["stream"], story["name"], story["version"]) == ("deal-1", "Sensors for the east wing", 3)
    opened, won, retraction = map(json.loads, filled("history", "deal-1", "--format", "jsonl").out.splitlines())
    assert [{"stream": "deal-1", **each} for each in story["life"]] == [opened, won, retraction]
    assert opened["data"]["title"] == "Sensors for the east wing"
    assert won["retracted"]["reason"] == "mistake"
    assert retraction["amends"] == 2


def test_a_person_is_called_by_name_and_personal_values_come_from_the_vault(sales_ledger):
    joined = {
        "stream": "person-ana",
        "type": "person.joined",
        "effective_at": "2026-01-01",
        "data": {"team": "north", "role": "rep", "name": "Ana Diallo", "email": "ana@example.org"},
    }
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, joined, OPENED)).code == 0
    assert "suivie par Ana Diallo" in sales_ledger("history", "deal-1", "--lang", "fr").out
    told = sales_ledger("history", "person-ana").out
    assert told.startswith("Ana Diallo (person-ana)\n")
    assert "Ana Diallo joined north as sales rep" in told
    assert "email: ana@example.org" in told


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


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_nothing_known_yet_is_said(filled, form):
    shown = filled("history", "deal-1", "--as-of", "2026-01-01", "--format", form)
    assert (shown.code, shown.out) == (0, "")
    assert "nothing of deal-1 was known then" in shown.err


def test_a_document_of_nothing_is_a_document(filled):
    story = json.loads(filled("history", "deal-1", "--as-of", "2026-01-01", "--format", "json").out)
    assert (story["life"], story["name"]) == ([], None)
