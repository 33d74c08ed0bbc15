from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl

LATER: dict = {"stream": "deal-1", "type": "deal.revalued", "data": {"value": {"minor": 999_900, "currency": "EUR"}}}


@pytest.fixture
def filled(sales_ledger):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED)).code == 0
    return sales_ledger


def edit_read_store(url: str, statement: str) -> None:
    """Change the read store by hand, as somebody with the database's password could."""
    postgres = url.startswith("postgresql")
    engine = create_engine(url if postgres else f"{url}.read-main-1")
    with engine.begin() as connection:
        if postgres:
            connection.execute(text("SET search_path TO read_main_1"))
        assert connection.execute(text(statement)).rowcount == 1
    engine.dispose()


def test_a_report_from_the_raw_log_is_the_report(filled):
    asked = ["pipeline", "--as-of", "2026-03-01", "--format", "csv"]
    assert filled("replay", *asked).out == filled("report", *asked).out


def test_a_replay_of_the_first_entries_is_not_altered_by_later_ones(filled):
    asked = ["forecast", "--as-of", "2026-03-01", "--position", "3", "--format", "json"]
    before = filled("replay", *asked)
    assert before.code == 0
    back_dated = {**LATER, "effective_at": "2026-02-10T10:00:00Z"}
    assert filled("append", "-", stdin=jsonl(back_dated)).code == 0
    assert filled("replay", *asked).out == before.out
    restated = ["pipeline", "--as-of", "2026-03-01", "--known-at", "now"]
    assert "9,999.00" in filled("replay", *restated).out
    assert "9,999.00" not in filled("replay", *restated, "--position", "3").out


def test_check_passes_on_what_was_folded(filled):
    done = filled("replay", "--check")
    assert (done.code, done.err) == (0, "")
    assert "follows from the 3 events" in done.out


def test_check_names_the_row_that_was_edited_by_hand(filled, database_url):
    filled("replay", "--check")
    edit_read_store(database_url, "UPDATE deal_versions SET value_minor = value_minor + 1")
    done = filled("replay", "--check")
    assert done.code == 1
    assert "deal_versions: deal-1 (event 3): " in done.out
    assert "value_minor is 125001, not 125000" in done.out
    assert filled("rebuild").code == 0
    assert filled("replay", "--check").code == 0


def test_check_names_the_row_that_is_missing(filled, database_url):
    filled("replay", "--check")
    edit_read_store(database_url, "DELETE FROM deal_versions")
    assert "is missing" in filled("replay", "--check").out


@pytest.mark.parametrize(
    "wrong", [[], ["pipeline", "--check"], ["pipeline", "--position", "99"], ["pipeline", "--position", "0"]]
)
def test_wrong_use_is_one_line(filled, wrong):
    done = filled("replay", *wrong)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


def test_wins_are_checked_too(filled):
    filled("append", "-", "--history", stdin=jsonl(WON))
    assert filled("replay", "--check").code == 0


def test_one_event_is_no_events(sales_ledger):
    assert sales_ledger("append", "-", stdin=jsonl(LATER)).code == 1
    assert "the log has 1 event\n" in sales_ledger("replay", "pipeline", "--position", "99").err
