"""Reading the log: by position, by stream, as it grows, and through the library's own interfaces."""

from __future__ import annotations

import threading

import pytest
from eventsourcing.persistence import ApplicationRecorder
from sqlalchemy import text

from ledger.application import open_ledger
from ledger.codec import from_entry
from ledger.errors import UnreadableEvent
from ledger.events import BookOpened, TeamCreated, TeamRenamed
from ledger.stream import Stream
from tests.support.lines import opened, pipeline, say, team


@pytest.fixture
def told(ledger):
    ledger.append([team("a"), team("b"), say("team-a", "team.renamed", name="x")], actor="ana")
    ledger.append([say("team-b", "team.renamed", name="y"), say("team-a", "team.closed")], actor="bob")
    return ledger


def positions(events):
    return [event.position for event in events]


def test_the_feed_goes_on_after_a_position(told):
    assert positions(told.feed(0, 100)) == [1, 2, 3, 4, 5, 6]
    assert positions(told.feed(2, 2)) == [3, 4]
    assert positions(told.feed(6, 100)) == positions(told.feed(99, 1)) == []
    assert positions(told.feed(0, 100, stream="team-a")) == [2, 4, 6]
    assert positions(told.feed(2, 1, type="team.renamed")) == [4]
    assert positions(told.feed(0, 9, stream="team-a", type="team.closed")) == [6]
    assert told.head().position == 6


def test_events_are_typed_and_know_where_they_stand(told):
    event = told.feed(3, 1)[0]
    assert (event.stream, event.version, event.type, event.actor) == ("team-a", 2, "team.renamed", "ana")
    assert event.data == TeamRenamed(name="x")
    assert event.effective_at == event.recorded_at == event.appended_at
    assert isinstance(told.feed(0, 1)[0].data, BookOpened)


def test_streams_come_by_version(told):
    assert [event.version for event in told.stream("team-a")] == [1, 2, 3]
    assert told.stream("team-z") == []
    found = told.streams(["team-b", "team-a", "team-z"])
    assert {name: positions(events) for name, events in found.items()} == {"team-a": [2, 4, 6], "team-b": [3, 5]}
    assert told.streams([]) == {}


def test_entries_are_read_from_the_hashed_bytes_alone(told):
    assert list(told.entries()) == told.feed(0, 100)
    assert positions(told.entries(upto=4)) == [1, 2, 3, 4]
    row = told.feed_rows(1, 1)[0]
    assert from_entry(2, bytes(row[7])).data == TeamCreated(name="a")


def test_the_librarys_repository_gives_a_stream_by_projecting(told):
    stream = told.repository.get("team-a", projector_func=Stream.project)
    assert isinstance(stream, Stream)
    assert (stream.version, stream.state.name, stream.state.closed) == (3, "x", True)
    assert told.repository.get("team-a", version=2, projector_func=Stream.project).state.closed is False


def test_the_librarys_recorder_interface(told):
    recorder = told.recorder
    assert isinstance(recorder, ApplicationRecorder)
    assert recorder.max_notification_id() == 6

    def versions(**options):
        return [event.originator_version for event in recorder.select_events("team-a", **options)]

    assert versions() == [1, 2, 3]
    assert versions(gt=1) == [2, 3]
    assert versions(gt=1, lte=2) == [2]
    assert versions(desc=True, limit=2) == [3, 2]

    def ids(*arguments, **options):
        return [event.id for event in recorder.select_notifications(*arguments, **options)]

    assert ids(None, 3) == [1, 2, 3]
    assert ids(4, 10) == [4, 5, 6]
    assert ids(4, 10, inclusive_of_start=False) == [5, 6]
    assert ids(1, 10, stop=2) == [1, 2]
    assert ids(1, 10, topics=["team.renamed", "team.closed"]) == [4, 5, 6]
    entry = recorder.select_notifications(2, 1)[0]
    assert bytes(entry.state) == bytes(told.feed_rows(1, 1)[0][7])
    assert told.mapper.to_domain_event(entry) == told.feed(1, 1)[0]


def test_the_librarys_notification_log(told):
    assert [each.id for each in told.notification_log.select(start=2, limit=3)] == [2, 3, 4]


def test_a_subscription_follows_the_log_as_anybody_appends(told, database_url, book, clock):
    other = open_ledger(database_url, book, clock=clock)
    seen = []
    with told.recorder.subscribe(gt=4) as subscription:

        def follow():
            for notification in subscription:
                seen.append(notification.id)
                if notification.id == 9:
                    subscription.stop()

        thread = threading.Thread(target=follow)
        thread.start()
        other.append([team("c"), team("d")], actor="eve")
        told.append([team("e")], actor="eve")
        thread.join(20)
    assert seen == [5, 6, 7, 8, 9]
    other.close()


def test_a_subscription_may_be_to_some_types_only(told):
    told.append([pipeline(), opened()], actor="ana")
    with told.recorder.subscribe(topics=["deal.opened", "team.closed"]) as subscription:
        assert [next(subscription).topic, next(subscription).topic] == ["team.closed", "deal.opened"]
        subscription.stop()
        with pytest.raises(StopIteration):
            next(subscription)


def test_a_reader_never_misses_what_is_appended_while_it_reads(ledger):
    stop = threading.Event()

    def write(number):
        turn = 0
        while not stop.is_set():
            ledger.append([team(f"t{number}-{turn}") for turn in range(turn, turn + 3)], actor="ana")
            turn += 3

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    last = 0
    while last < 200:
        for event in ledger.feed(last, 50):
            assert event.position == last + 1
            last = event.position
    stop.set()
    for writer in writers:
        writer.join()


def test_an_entry_that_cannot_be_read_leaves_the_log_readable(ledger):
    lines = [team(f"t{number}") for number in range(600)]
    ledger.append(lines, actor="ana")
    with ledger.recorder.engine.begin() as connection:
        connection.execute(text("UPDATE events SET entry = :entry WHERE position = 2"), {"entry": b"{}"})
    for _ in range(3):
        with pytest.raises(UnreadableEvent):
            ledger.feed(0, 1_000)
        assert positions(ledger.feed(2, 1_000)) == list(range(3, 602))
