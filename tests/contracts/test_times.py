"""Claimed recording times, dates as times of effect, and what lies ahead."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refused
from ledger.times import format_instant
from tests.support.lines import check_log, corrected, entries, opened, pipeline, retracted, say, team

PARIS_MIDNIGHT = "2026-05-31T22:00:00.000000Z"


def times(event):
    return format_instant(event.effective_at), format_instant(event.recorded_at)


def history(ledger, *lines):
    return ledger.append(list(lines), actor="ana", history=True)


def refused(ledger, line, code, **options):
    with pytest.raises(Refused) as error:
        ledger.append([line], actor="ana", **options)
    assert error.value.code == code
    return str(error.value)


# Claimed recording times ---------------------------------------------------------------------------------------------


def test_history_was_recorded_when_it_took_effect_unless_it_says_otherwise(ledger):
    line = say("team-a", "team.renamed", "2021-02-01T00:00:00Z", name="x") | {"source": "crm"}
    history(ledger, say("team-a", "team.created", "2021-01-01T00:00:00Z", name="a"), line)
    history(
        ledger,
        say("team-a", "team.renamed", "2021-01-15T00:00:00Z", name="y") | {"recorded_at": "2021-03-01T00:00:00Z"},
    )
    recorded = [times(event)[1][:10] for event in ledger.stream("team-a")]
    assert recorded == ["2021-01-01", "2021-02-01", "2021-03-01"]
    assert [event.source for event in ledger.stream("team-a")] == [None, "crm", None]
    assert entries(ledger)[2]["source"] == "crm"
    assert {times_of["appended_at"] for times_of in entries(ledger)} != {None}


def test_recorded_at_never_goes_back_within_a_stream(ledger):
    history(ledger, say("team-a", "team.created", "2021-06-01T00:00:00Z", name="a"))
    early = say("team-a", "team.renamed", "2021-01-01T00:00:00Z", name="x") | {"recorded_at": "2021-05-01T00:00:00Z"}
    assert "in the order they were recorded" in refused(ledger, early, "recorded_goes_back", history=True)
    history(ledger, say("team-a", "team.moved", "2021-06-01T00:00:00Z", parent="p"))
    history(ledger, say("team-b", "team.created", "2020-06-01T00:00:00Z", name="b"))
    back_dated = say("team-a", "team.renamed", "2021-06-02T00:00:00Z", name="z")
    history(ledger, say("team-a", "team.renamed", "2021-07-01T00:00:00Z", name="y"), back_dated)
    recorded = [times(event)[1][:10] for event in ledger.stream("team-a")]
    assert recorded == ["2021-06-01", "2021-06-01", "2021-07-01", "2021-07-01"]
    check_log(ledger)


def test_history_cannot_claim_the_future(ledger):
    line = team("a") | {"recorded_at": "2026-06-01T12:00:00.000001Z"}
    assert "lies in the future" in refused(ledger, line, "in_the_future", history=True)
    planned = say("team-a", "team.created", "2027-01-01", name="a")
    history(ledger, planned)
    assert times(ledger.stream("team-a")[0]) == ("2026-12-31T23:00:00.000000Z", "2026-06-01T12:00:00.000000Z")


def test_what_happened_took_effect_before_it_was_recorded(ledger):
    history(ledger, pipeline())
    late = opened(at="2021-01-02T00:00:00Z") | {"recorded_at": "2021-01-01T00:00:00Z"}
    assert "what happened lies behind" in refused(ledger, late, "in_the_future", history=True)
    refused(ledger, opened(at="2026-06-01T12:00:01Z"), "in_the_future")
    refused(ledger, opened(at="2026-06-02"), "in_the_future")
    history(ledger, opened(at="2021-01-01T00:00:00Z") | {"recorded_at": "2021-01-02T00:00:00Z"})


def test_history_keeps_what_is_said_twice(ledger):
    line = say("team-a", "team.renamed", "2021-02-01T00:00:00Z", name="a")
    history(ledger, say("team-a", "team.created", "2021-01-01T00:00:00Z", name="a"), line, line)
    assert len(ledger.stream("team-a")) == 3


def test_modifiers_of_history_have_their_own_recording_time(ledger):
    history(ledger, pipeline(), opened(at="2021-01-01T00:00:00Z"), say("deal-d1", "deal.won", "2021-02-01T00:00:00Z"))
    history(ledger, retracted("deal-d1", 2) | {"recorded_at": "2021-03-01T00:00:00Z"})
    history(ledger, retracted("deal-d1", 3, at="2021-04-01T00:00:00Z"))
    assert [times(event)[1][:10] for event in ledger.stream("deal-d1")][2:] == ["2021-03-01", "2021-04-01"]
    refused(
        ledger, retracted("deal-d1", 4) | {"recorded_at": "2021-03-15T00:00:00Z"}, "recorded_goes_back", history=True
    )


def test_cached_history_is_in_the_order_in_which_it_was_recorded(ledger):
    """Requests that follow each other look at streams as the log has them: a correction finds the event it names."""
    at = "2021-01-01T00:00:00Z"
    history(ledger, pipeline())
    history(ledger, opened(at=at), say("deal-d1", "deal.assigned", at, owner="bob"))
    history(ledger, say("deal-d1", "deal.stage_changed", at, stage="offer"))
    refused(ledger, corrected("deal-d1", 3, {"stage": "demo"}), "unknown_stage", history=True)
    history(ledger, corrected("deal-d1", 3, {"stage": "closing"}))
    history(
        ledger,
        say("deal-d1", "deal.lost", at, reason="x"),
        say("deal-d1", "deal.reopened", at, stage="lead", reason="x"),
    )
    history(ledger, say("deal-d1", "deal.assigned", at, owner="eve"))
    assert len(ledger.stream("deal-d1")) == 7


def test_history_once_closed_stays_closed(ledger):
    history(ledger, say("team-a", "team.created", "2021-01-01T00:00:00Z", name="a"))
    ledger.append([say("book", "book.history_closed")], actor="ana")
    for line in (team("b"), say("team-a", "team.renamed", "2022-01-01T00:00:00Z", name="x")):
        assert "append without --history" in refused(ledger, line, "history_closed", history=True)
    refused(ledger, retracted("book", 2), "closed_for_good")
    refused(ledger, say("book", "event.corrected", version=2, reason="x", effective_at="2027-01-01"), "closed_for_good")
    assert ledger.append([say("team-a", "team.renamed", "2022-01-01T00:00:00Z", name="x")], actor="ana")[0].appended


# Dates ---------------------------------------------------------------------------------------------------------------


def test_a_date_is_the_start_of_that_day_in_the_books_zone(ledger):
    ledger.append([say("team-a", "team.created", "2026-06-01", name="a")], actor="ana")
    assert times(ledger.stream("team-a")[0])[0] == PARIS_MIDNIGHT
    assert times(ledger.stream("team-a")[0])[1] == "2026-06-01T12:00:00.000000Z"


def test_a_date_is_not_before_the_streams_latest_event_of_that_day(ledger):
    lines = [
        say("team-a", "team.created", "2026-05-31T23:30:00Z", name="a"),
        say("team-a", "team.renamed", "2026-06-01", name="b"),
    ]
    later = [
        say("team-a", "team.moved", "2026-06-02T01:00:00Z", parent="p"),
        say("team-a", "team.renamed", "2026-06-01", name="c"),
    ]
    ledger.append([*lines, *later], actor="ana")
    found = [times(event)[0][:16] for event in ledger.stream("team-a")]
    assert found == ["2026-05-31T23:30", "2026-05-31T23:30", "2026-06-02T01:00", "2026-05-31T23:30"]


def test_a_date_in_a_zone_west_of_greenwich(ledger):
    settings: dict[str, Any] = {
        "name": "b",
        "currency": "USD",
        "time_zone": "America/New_York",
        "locale": "en",
        "fiscal_year_start_month": 1,
    }
    lines = [say("book", "book.opened", **settings), say("team-a", "team.created", "2026-06-01", name="a")]
    ledger.append(lines, actor="ana")
    assert times(ledger.stream("team-a")[0])[0] == "2026-06-01T04:00:00.000000Z"


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        ("2024-02-29", "2024-02-28T23:00:00.000000Z"),
        ("2025-03-30", "2025-03-29T23:00:00.000000Z"),
        ("2025-03-31", "2025-03-30T22:00:00.000000Z"),
        ("2025-10-26", "2025-10-25T22:00:00.000000Z"),
        ("2025-10-27", "2025-10-26T23:00:00.000000Z"),
    ],
)
def test_days_begin_right_on_the_nights_when_clocks_change(ledger, day, instant):
    ledger.append([say("team-a", "team.created", day, name="a")], actor="ana")
    assert times(ledger.stream("team-a")[0])[0] == instant


def test_several_lines_of_one_day_take_effect_in_the_order_they_are_said(ledger):
    day = "2026-05-05"
    lost, back = (
        say("deal-d1", "deal.lost", day, reason="x"),
        say("deal-d1", "deal.reopened", day, stage="lead", reason="x"),
    )
    ledger.append([pipeline(), opened(at=day), lost, back, say("deal-d1", "deal.won", day)], actor="ana")
    assert len({event.effective_at for event in ledger.stream("deal-d1")}) == 1
    with pytest.raises(Refused):
        ledger.append([say("deal-d1", "deal.assigned", day, owner="bob")], actor="ana")


def test_what_is_planned_may_lie_ahead_and_be_changed_before(ledger):
    ledger.append([team("a"), say("team-a", "team.closed", "2027-01-01")], actor="ana")
    assert ledger.append([say("team-a", "team.renamed", name="x")], actor="ana")[0].appended
    refused(ledger, say("team-a", "team.renamed", "2027-02-01", name="z"), "team_closed")
    refused(ledger, say("team-a", "team.closed", "2026-07-01"), "team_closed")
