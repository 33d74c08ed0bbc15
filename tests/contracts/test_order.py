"""Positions, versions, stamps and hashes of whatever is appended."""

from __future__ import annotations

import pytest

from ledger.application import open_ledger
from ledger.errors import Conflict, Refused
from ledger.proof.merkle import EMPTY_ROOT
from tests.support.lines import check_log, entries, opened, pipeline, say, team


def test_an_empty_log_has_position_0_and_the_empty_root(ledger):
    assert ledger.head() == (0, 0)
    assert ledger.recorder.head().frontier.root() == EMPTY_ROOT
    assert ledger.recorder.max_notification_id() is None


def test_the_first_append_opens_the_book_with_the_defaults(ledger):
    [receipt] = ledger.append([team("north")], actor="ana")
    first, second = entries(ledger)
    assert (receipt.stream, receipt.version, receipt.position, receipt.appended) == ("team-north", 1, 2, True)
    assert (first["type"], second["type"]) == ("book.opened", "team.created")
    wanted = {"currency": "EUR", "time_zone": "Europe/Paris", "fiscal_year_start_month": 1, "locale": "fr"}
    assert wanted.items() <= first["data"].items()


def test_a_first_line_may_open_the_book_otherwise(ledger):
    settings = {"name": "Acme", "currency": "USD", "time_zone": "America/New_York", "locale": "en"}
    opening = say("book", "book.opened", fiscal_year_start_month=7, **settings)
    ledger.append([opening, team("north")], actor="ana")
    assert [entry["type"] for entry in entries(ledger)] == ["book.opened", "team.created"]
    assert entries(ledger)[0]["data"]["currency"] == "USD"


def test_an_append_is_gapless_and_hashed(ledger):
    ledger.append([pipeline()], actor="ana")
    for deal in range(20):
        ledger.append([opened(f"d{deal}"), say(f"deal-d{deal}", "deal.won")], actor="ana")
    assert check_log(ledger) == 42


def test_all_events_of_a_request_share_a_stamp_and_later_requests_have_later_ones(ledger):
    for number in range(5):
        ledger.append([team(f"a{number}"), team(f"b{number}"), team(f"c{number}")], actor="ana")
    stamps = [entry["columns"]["appended_at"] for entry in entries(ledger)]
    assert len(set(stamps)) == 5
    assert stamps == sorted(stamps)
    assert all(entry["recorded_at"] == entry["appended_at"] == entry["effective_at"] for entry in entries(ledger))


def test_stamps_never_go_back_even_if_the_clock_does(ledger, clock):
    ledger.append([team("a")], actor="ana")
    clock.set("2025-06-01T12:00:00Z")
    ledger.append([team("b")], actor="ana")
    ledger.append([say("team-a", "team.renamed", name="A")], actor="ana")
    clock.set("2026-06-01T12:00:00Z")
    ledger.append([team("c")], actor="ana")
    stamps = [entry["columns"]["appended_at"] for entry in entries(ledger)]
    assert [stamp - stamps[0] for stamp in stamps] == [0, 0, 1, 2, 3]
    assert check_log(ledger) == 5


def test_a_ledger_opened_with_an_early_clock_goes_on_from_the_last_stamp(ledger, database_url, book):
    ledger.append([team("a")], actor="ana")
    early = open_ledger(database_url, book, clock=lambda: 0)
    [receipt] = early.append([say("team-a", "team.renamed", name="A")], actor="ana")
    assert receipt.appended
    assert early.now() == early.head().stamp == ledger.head().stamp
    early.close()
    check_log(ledger)


def test_a_request_is_stored_whole_or_not_at_all(ledger):
    ledger.append([team("a")], actor="ana")
    before = ledger.head()
    with pytest.raises(Refused, match=r"^line 3: .*closed"):
        ledger.append([team("b"), say("team-a", "team.closed"), say("team-a", "team.renamed", name="x")], actor="ana")
    assert ledger.head() == before
    assert ledger.stream("team-b") == []
    ledger.append([say("team-a", "team.renamed", name="x")], actor="ana")
    assert check_log(ledger) == 3


def test_expected_version_is_that_of_the_stream_at_this_line(ledger):
    def rename(name: str, version: int) -> dict[str, object]:
        return say("team-a", "team.renamed", name=name) | {"expected_version": version}

    ledger.append([team("a") | {"expected_version": 0}, rename("x", 1), rename("y", 2)], actor="ana")
    with pytest.raises(Conflict, match="version 3, not 2"):
        ledger.append([rename("z", 2)], actor="ana")
    with pytest.raises(Conflict):
        ledger.append([rename("z", 4)], actor="ana")
    ledger.append([rename("z", 3)], actor="ana")
    assert check_log(ledger) == 5


def test_events_with_the_logs_own_times_stay_legal_when_they_are_read_back(ledger, clock):
    """The log stamps later than decisions were taken: that must not turn their order round."""
    clock.instant += 1
    ledger.recorder.clock = iter(range(clock.instant, clock.instant + 1_000)).__next__
    ledger.append([pipeline()], actor="ana")
    ledger.append(
        [opened(), say("deal-d1", "deal.stage_changed", stage="offer"), say("deal-d1", "deal.won")], actor="a"
    )
    ledger.append([say("deal-d1", "deal.reopened", stage="lead", reason="x")], actor="ana")
    ledger.append([say("deal-d1", "deal.lost", reason="x"), opened("d2")], actor="ana")
    ledger.append([say("deal-d1", "event.retracted", version=5, reason="x")], actor="ana")
    ledger.append([say("deal-d1", "deal.won")], actor="ana")
    assert [event.type for event in ledger.stream("deal-d1")][-1] == "deal.won"
    check_log(ledger)


def test_books_in_one_database_know_nothing_of_each_other(ledger, database_url, book, clock):
    other = open_ledger(database_url, f"{book}_2", clock=clock)
    ledger.append([team("a")], actor="ana", key="k")
    other.append([team("a", "other")], actor="ana", key="k")
    assert check_log(ledger) == check_log(other) == 2
    assert [entry["book"] for entry in entries(other)] == [f"{book}_2"] * 2
    other.close()
