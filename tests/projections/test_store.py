"""The read store of a ledger, on both databases: what it answers, that it is never torn, and that it is checked."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from ledger.application import Ledger, open_ledger
from ledger.errors import LedgerError
from ledger.times import FOREVER
from projections import generations, places, runner
from projections import rebuild as rebuilding
from projections.check import check, memory_store
from projections.facts import FOLDS, kind_of
from projections.intervals import at_pair, holds, open_deals, open_values
from projections.pairs import Pair
from projections.rebuild import rebuild
from projections.runner import Runner, run_batch
from projections.store import ReadStore
from projections.tables import INTERVAL_COLUMNS, TABLES, deal_versions, person_versions, wins
from projections.writing import write_rows
from tests.projections.histories import EVENTS_OF, PLANNED, streams
from tests.projections.logs import interleaved, put, renamed
from tests.projections.plain_replay import shown_at

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = len(INTERVAL_COLUMNS)
HISTORY = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
_books = (f"b{number}" for number in count(1))


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    opened = open_ledger(database_url)
    yield opened
    opened.engine.dispose()


def lines(deals: int, *, first: int = 1) -> list[dict[str, Any]]:
    """Legal histories: each deal opened, moved and, two in three, closed."""
    found: list[dict[str, Any]] = []
    for number in range(first, first + deals):
        stream, value = f"deal-{number}", {"minor": number * 100, "currency": "EUR"}
        opening = {"pipeline": "std", "stage": "a", "owner": "ana", "title": "t", "value": value}
        found.append({"stream": stream, "type": "deal.opened", "data": opening})
        found.append({"stream": stream, "type": "deal.stage_changed", "data": {"stage": "b"}})
        if number % 3 == 1:
            found.append({"stream": stream, "type": "deal.won", "data": {}})
        if number % 3 == 2:
            found.append({"stream": stream, "type": "deal.lost", "data": {"reason": "price"}})
    return found


def define_pipeline(ledger: Ledger) -> None:
    stage = {"probability_bp": 1000, "category": "pipeline"}
    named = [{"stage": each, "name": each} | stage for each in "ab"]
    ledger.append(
        [{"stream": "pipeline-std", "type": "pipeline.defined", "data": {"name": "Std", "stages": named}}],
        actor="tester",
    )


def fill(ledger: Ledger, deals: int) -> None:
    define_pipeline(ledger)
    ledger.append(lines(deals), actor="tester")


def run_all(ledger: Ledger, store: ReadStore, limit: int = 2_000) -> None:
    while run_batch(ledger, store, limit):
        pass


def contents(store: ReadStore) -> dict[str, list[Any]]:
    with store.view() as view:
        return {name: sorted(map(tuple, view.rows(table.select())), key=repr) for name, table in TABLES.items()}


@st.composite
def books(draw):
    """A few streams of several kinds, as they came in."""
    kinds = draw(st.lists(st.sampled_from(sorted(EVENTS_OF)), min_size=1, max_size=4))
    kinds += ["deal"]
    return interleaved([renamed(draw(streams(kind, most=8)), f"{kind}-{number}") for number, kind in enumerate(kinds)])


@given(data=st.data())
@HISTORY
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_rows_at_a_pair_are_what_a_plain_replay_says(database, data, request, shared_books):
    events = data.draw(books())
    ledger = shared_books(database)
    put(ledger, events)
    store = ReadStore.open(ledger)
    run_all(ledger, store, limit=data.draw(st.integers(1, 9)))
    by_stream = ledger.streams(sorted({event.stream for event in events}))
    latest = max(event.recorded_at for event in events) + 3
    with store.view() as view:
        assert view.newest == latest - 3
        for _ in range(10):
            pair = Pair(data.draw(st.integers(0, latest)), data.draw(st.integers(0, latest)))
            expected: dict[str, list[Any]] = defaultdict(list)
            for stream, recorded in by_stream.items():
                kind = kind_of(stream)
                asked = pair if kind in PLANNED else pair.happened
                for shown, payloads in shown_at(FOLDS[kind], recorded, asked.as_of, asked.known_at).items():
                    expected[shown] += [(stream, position, *payload) for payload, position in payloads.items()]
            for name, table in TABLES.items():
                rows = view.rows(at_pair(table, pair, view).select())
                found = [(row[0], row[5], *row[WIDTH:]) for row in map(tuple, rows)]
                assert sorted(found, key=repr) == sorted(expected[name], key=repr), (name, pair)
            queries = [select(*part.c).select_from(part.frm) for part in open_deals(pair, view)]
            rows = [row for query in queries for row in view.rows(query, open_values(pair))]
            found = [(row[0], row[5], *row[WIDTH:]) for row in map(tuple, rows)]
            still = [row for row in expected["deal_versions"] if row[2] == "open"]
            assert sorted(found, key=repr) == sorted(still, key=repr), pair
    assert check(ledger, store) == []


@pytest.fixture
def shared_books(request, tmp_path_factory):
    """A ledger of its own for every example: a new book of one PostgreSQL database, or a new SQLite file."""
    opened: list[Ledger] = []

    def make(database: str) -> Ledger:
        if database == "postgres":
            url = request.getfixturevalue("postgres_url")
        else:
            url = f"sqlite:///{tmp_path_factory.mktemp('book') / 'sales-ledger.db'}"
        while opened:
            opened.pop().engine.dispose()
        opened.append(open_ledger(url, next(_books)))
        return opened[-1]

    yield make
    for ledger in opened:
        ledger.engine.dispose()


@pytest.mark.parametrize(
    "names",
    [
        ["", "null", "NULL", "é 漢", "a,b", "],[", "'"],
        ['"', "\\", "\\.", "\\N", "\t", "\n", "\r", "]\n[", "\x01", "null"],
    ],
    ids=["nothing to escape", "escapes"],
)
def test_rows_are_written_as_they_are_whatever_their_text_holds(ledger, names):
    store = ReadStore.open(ledger)
    rows = [
        (
            f"product-{number:02}",
            1,
            FOREVER,
            2,
            FOREVER,
            number,
            2,
            2,
            FOREVER,
            None,
            63,
            name,
            None,
            -5,
            None,
            "EUR",
            1,
        )
        for number, name in enumerate(names)
    ]
    write_rows(store.current, {"product_versions": rows})
    assert contents(store)["product_versions"] == rows


def test_a_store_filled_in_small_batches_is_that_of_one_rebuild(ledger):
    fill(ledger, 30)
    store = ReadStore.open(ledger)
    run_all(ledger, store, limit=7)
    live = contents(store)
    done = rebuild(ledger, workers=1)
    store.refresh(ledger)
    assert store.generation == done.generation
    assert contents(store) == live
    assert done.events == ledger.head().position
    assert done.rows == sum(len(rows) for rows in live.values())


def test_a_rebuild_by_several_processes_is_that_of_one(ledger, monkeypatch):
    fill(ledger, 40)
    rebuild(ledger, workers=1)
    alone = contents(ReadStore.open(ledger))
    monkeypatch.setattr(rebuilding, "SMALL", 10)
    monkeypatch.setattr(rebuilding, "RANGE_EVENTS", 20)
    seen = []
    done = rebuild(ledger, workers=2, progress=lambda events, of: seen.append((events, of)))
    assert contents(ReadStore.open(ledger)) == alone
    assert seen[-1] == (done.events, done.events)
    assert len(seen) > 2
    assert check(ledger, ReadStore.open(ledger)) == []


def test_a_rebuild_keeps_the_generation_before_and_drops_older_ones(ledger, database_url):
    fill(ledger, 3)
    first = ReadStore.open(ledger)
    second, third = rebuild(ledger, workers=1), rebuild(ledger, workers=1)
    with ledger.engine.connect() as connection:
        found = connection.execute(text("SELECT generation, state FROM read_stores ORDER BY generation")).all()
    assert [tuple(row) for row in found] == [(second.generation, "old"), (third.generation, "current")]
    if database_url.startswith("sqlite"):
        assert not Path(str(first.engine.url.database)).exists()


def test_one_rebuild_at_a_time(ledger):
    store = ReadStore.open(ledger)
    with places.only_builder(ledger), pytest.raises(LedgerError, match="is being rebuilt already; wait"):
        rebuild(ledger, workers=1)
    done = rebuild(ledger, workers=1)
    store.refresh(ledger)
    assert store.generation == done.generation


def test_what_is_appended_during_a_rebuild_is_in_it(ledger, monkeypatch):
    fill(ledger, 5)
    settled = places.settled

    def append_meanwhile(target):
        ledger.append(lines(2, first=100), actor="tester")
        return settled(target)

    monkeypatch.setattr(rebuilding, "settled", append_meanwhile)
    rebuild(ledger, workers=1)
    store = ReadStore.open(ledger)
    assert store.position() == ledger.head().position
    assert check(ledger, store) == []


def test_a_question_is_answered_from_one_snapshot(ledger):
    fill(ledger, 2)
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    with store.view() as view:
        before = len(view.rows(deal_versions.select()))
        ledger.append(lines(2, first=50), actor="tester")
        run_all(ledger, store)
        assert len(view.rows(deal_versions.select())) == before
        assert view.position < ledger.head().position
    with store.view() as view:
        assert len(view.rows(deal_versions.select())) > before


def test_what_is_asked_time_and_again_stays_prepared(postgres_url):
    ledger = open_ledger(postgres_url)
    store = ReadStore.open(ledger)
    prepared = text("SELECT statement FROM pg_prepared_statements")
    for _ in range(7):
        with store.view() as view:
            view.rows(select(deal_versions.c.stream))
            kept = view.connection.scalars(prepared).all()
    assert any("deal_versions" in statement for statement in kept)


def test_a_reader_waits_for_the_head_and_folds_when_nobody_else_does(ledger):
    fill(ledger, 4)
    store = ReadStore.open(ledger)
    assert store.position() == 0
    freshness = store.wait(ledger)
    assert freshness.complete
    assert freshness == (ledger.head().position, ledger.head().position)


def test_a_question_about_the_past_does_not_wait_for_what_came_later(ledger):
    fill(ledger, 2)
    store = ReadStore.open(ledger)
    store.wait(ledger)
    before = ledger.head()
    ledger.append(lines(1, first=9), actor="tester")
    assert store.wait(ledger, known_at=before.stamp).position == before.position
    assert store.wait(ledger, known_at=ledger.head().stamp).complete


def test_a_wait_ends_and_says_how_far_it_got(ledger, monkeypatch):
    fill(ledger, 2)
    store = ReadStore.open(ledger)
    monkeypatch.setattr(runner, "run_batch", lambda *_: 0)
    freshness = store.wait(ledger, timeout=0.05)
    assert (freshness.position, freshness.complete) == (0, False)


def test_only_one_process_runs_a_batch_at_a_time(ledger):
    from projections.writing import writing

    fill(ledger, 2)
    store = ReadStore.open(ledger)
    if store.current.schema is None:
        pytest.skip("SQLite makes the other one wait")
    with writing(store.current) as held:
        assert held is not None
        assert run_batch(ledger, store) == 0
    assert run_batch(ledger, store) > 0


def test_many_runners_at_once_fold_everything_once(ledger):
    fill(ledger, 30)
    store = ReadStore.open(ledger)
    counted: list[int] = []

    def work() -> None:
        while store.position() < ledger.head().position:
            counted.append(run_batch(ledger, store, 5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == ledger.head().position
    assert check(ledger, store) == []


def test_a_stream_that_cannot_be_read_is_quarantined_and_the_others_go_on(ledger, caplog):
    fill(ledger, 3)
    poison(ledger, "deal-2")
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    ((stream, position, error),) = store.quarantined()
    assert (stream, position) == ("deal-2", ledger.stream("deal-1")[-1].position + 3)
    assert "deal.imagined" in error
    assert "deal-2 is quarantined" in caplog.text
    with store.view() as view:
        assert {row.stream for row in view.rows(deal_versions.select())} == {"deal-1", "deal-3"}
    rebuild(ledger, workers=1)
    store.refresh(ledger)
    assert [row[0] for row in store.quarantined()] == ["deal-2"]
    assert [difference.stream for difference in check(ledger, store)] == ["deal-2"]


def test_a_healed_stream_leaves_quarantine_at_its_next_event(ledger):
    fill(ledger, 3)
    good = poison(ledger, "deal-3")
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    assert store.quarantined()
    with ledger.engine.begin() as connection:
        connection.execute(
            text("UPDATE events SET entry = :entry WHERE stream = 'deal-3' AND version = 2"), {"entry": good}
        )
    ledger.append([{"stream": "deal-3", "type": "deal.stage_changed", "data": {"stage": "a"}}], actor="tester")
    run_all(ledger, store)
    assert store.quarantined() == []
    assert check(ledger, store) == []


def poison(ledger: Ledger, stream: str) -> bytes:
    """Make the second event of a stream one that no version knows; its entry as it was."""
    good = bytes(ledger.recorder.stream_rows([stream])[1][7])
    bad = good.replace(b"deal.stage_changed", b"deal.imagined")
    with ledger.engine.begin() as connection:
        statement = "UPDATE events SET entry = :entry WHERE stream = :stream AND version = 2"
        connection.execute(text(statement), {"entry": bad, "stream": stream})
    return good


def test_the_check_names_a_row_that_was_edited_removed_or_slipped_in(ledger):
    fill(ledger, 4)
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    assert check(ledger, store) == []
    with store.engine.begin() as connection:
        connection.execute(wins.update().where(wins.c.stream == "deal-1").values(value_minor=999_999))
        connection.execute(wins.delete().where(wins.c.stream == "deal-4"))
        row = connection.execute(wins.select().where(wins.c.stream == "deal-1")).one()
        connection.execute(wins.insert().values(row._asdict() | {"stream": "deal-2"}))
    found = {difference.stream: difference for difference in check(ledger, store)}
    assert "value_minor is 999999, not 100" in str(found["deal-1"])
    assert "should not be there" in str(found["deal-2"])
    assert "missing" in str(found["deal-4"])
    assert len(found) == 3


def test_the_check_finds_a_log_whose_columns_were_altered(ledger):
    fill(ledger, 2)
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE events SET effective_at = effective_at - 1 WHERE stream = 'deal-2'"))
    assert any("was altered" in str(difference) for difference in check(ledger, store))


def test_a_replay_of_the_first_entries_is_not_touched_by_later_ones(ledger):
    fill(ledger, 6)
    middle = ledger.head().position // 2
    before = contents(memory_store(ledger, middle))
    ledger.append(lines(3, first=60), actor="tester")
    assert contents(memory_store(ledger, middle)) == before
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    assert contents(memory_store(ledger)) == contents(store)


def test_a_lost_read_store_is_made_anew(ledger, database_url):
    fill(ledger, 3)
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    kept = contents(store)
    if store.current.schema is None:
        store.engine.dispose()
        Path(str(store.engine.url.database)).unlink()
    else:
        with ledger.engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {store.current.schema} CASCADE"))
    again = ReadStore.open(ledger)
    again.wait(ledger)
    assert again.generation > store.generation
    assert contents(again) == kept


def test_a_read_store_of_another_history_is_not_used(ledger):
    fill(ledger, 3)
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    last = ledger.head().position
    with ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE position = :last"), {"last": last})
    assert ReadStore.open(ledger).generation > store.generation


def test_the_runner_keeps_up_and_one_event_shows_at_once(ledger):
    fill(ledger, 5)
    store = ReadStore.open(ledger)
    live, stop = Runner(ledger, store), threading.Event()
    thread = threading.Thread(target=live.run, args=(stop,))
    thread.start()
    try:
        waited = []
        for number in range(20):
            ledger.append(lines(1, first=100 + 3 * number), actor="tester")
            live.notify()
            began, head = time.perf_counter(), ledger.head().position
            while store.position() < head:
                time.sleep(0.0005)
                assert time.perf_counter() - began < 10
            waited.append(time.perf_counter() - began)
    finally:
        stop.set()
        thread.join()
    assert check(ledger, store) == []


def test_a_fact_takes_what_it_joins_at_its_own_instant(ledger):
    def person(kind: str, **data):
        return {"stream": "person-ana", "type": f"person.{kind}", "data": data}

    define_pipeline(ledger)
    ledger.append([person("joined", team="north", role="rep", name="Ana")], actor="tester")
    ledger.append(lines(1), actor="tester")
    ledger.append([person("moved", team="south")], actor="tester")
    store = ReadStore.open(ledger)
    store.wait(ledger)
    pair = Pair(ledger.head().stamp, ledger.head().stamp)
    with store.view() as view:
        won = at_pair(wins, pair, view)
        joined = won.join(person_versions, holds(person_versions, won.c.effective_from, pair, view))
        assert [row.team for row in view.rows(joined.select())] == ["north"]


PROJECTOR = """
import sys
from ledger.application import open_ledger
from projections.runner import run_batch
from projections.store import ReadStore
ledger = open_ledger(sys.argv[1])
store = ReadStore.open(ledger)
print("ready", flush=True)
while True:
    run_batch(ledger, store, 3)
"""


def killed_while_projecting(url: str, seed: int) -> None:
    random = Random(seed)
    command = [sys.executable, "-c", PROJECTOR, url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.uniform(0, 0.15))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("cycles", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_a_runner_killed_at_any_moment_leaves_a_store_that_agrees_with_its_checkpoint(ledger, database_url, cycles):
    define_pipeline(ledger)
    for cycle in range(cycles):
        ledger.append(lines(40, first=1 + 40 * cycle), actor="tester")
        killed_while_projecting(database_url, seed=cycle)
        assert check(ledger, ReadStore.open(ledger)) == []
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    live = contents(store)
    rebuild(ledger, workers=1)
    assert contents(ReadStore.open(ledger)) == live


def test_generations_are_numbered_in_order(ledger):
    numbers = [generations.begin(ledger.engine, ledger.book, ledger.now()) for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert generations.current(ledger.engine, ledger.book) is None


def test_the_runner_goes_on_after_its_connections_are_cut(postgres_url, caplog):
    ledger = open_ledger(postgres_url)
    fill(ledger, 5)
    store = ReadStore.open(ledger)
    live, stop = Runner(ledger, store), threading.Event()
    thread = threading.Thread(target=live.run, args=(stop,))
    thread.start()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    try:
        for number in range(3):
            other = open_ledger(postgres_url)
            with other.engine.connect() as connection:
                connection.execute(text(f"{cut} AND pid <> pg_backend_pid()"))
            other.append(lines(1, first=100 + number), actor="tester")
            deadline = time.monotonic() + 20
            while _position(other) < other.head().position:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            other.engine.dispose()
    finally:
        stop.set()
        thread.join()
    assert check(ledger, ReadStore.open(ledger)) == []
    assert "next try" in caplog.text


def _position(ledger: Ledger) -> int:
    return ReadStore.open(ledger).position()


def test_open_deals_are_read_from_their_index_alone(sqlite_url):
    ledger = open_ledger(sqlite_url)
    fill(ledger, 30)
    store = ReadStore.open(ledger)
    run_all(ledger, store)
    with store.view() as view:
        for pair in (
            Pair(view.newest - 5, view.newest - 5),
            Pair(view.newest - 5, view.newest),
            Pair(5, view.newest - 1),
        ):
            for part in open_deals(pair, view):
                statement = select(*part.c).select_from(part.frm)
                asked = statement.params(**open_values(pair))
                written = asked.compile(store.engine, compile_kwargs={"literal_binds": True})
                plan = view.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}").all()
                searched = [row[3] for row in plan if row[3].startswith("SEARCH")]
                assert len(searched) == 1
                assert "COVERING INDEX deals_" in searched[0]
