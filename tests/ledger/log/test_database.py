"""Opening a database: new, old, somebody else's, unreachable, by two at once."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import time

import pytest
from sqlalchemy import create_engine, text

from ledger import upcasters
from ledger.application import open_ledger
from ledger.errors import BadRequest, DatabaseUnusable, NotFound, UnreadableEvent
from ledger.log import database
from tests.support.lines import check_log, say, team


def refusal(url, book="main", error=DatabaseUnusable, **options):
    with pytest.raises(error) as refused:
        open_ledger(url, book, **options)
    said = str(refused.value)
    assert "\n" not in said
    return said


def execute(url, *statements):
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def file_of(sqlite_url):
    return sqlite_url.removeprefix("sqlite:///")


def test_a_new_database_is_made_and_opened_again(database_url):
    for expected in (2, 3):
        ledger = open_ledger(database_url)
        ledger.append([team(f"t{expected}")], actor="ana")
        assert check_log(ledger) == expected
        ledger.close()


def test_a_database_that_is_not_there_is_made_only_when_asked(sqlite_url, postgres_url):
    assert "sales-ledger append" in refusal(sqlite_url, error=NotFound, create=False)
    assert not os.path.exists(file_of(sqlite_url))  # noqa: PTH110 (the URL's path is a string)
    assert "no ledger in postgresql+psycopg" in refusal(postgres_url, error=NotFound, create=False)


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://x/y", "nonsense", "", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_cannot_be_is_refused(url):
    assert "sqlite:///" in refusal(url)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    assert "create it first" in refusal(f"sqlite:///{tmp_path / 'no' / 'such' / 'x.db'}")


def test_a_folder_is_no_database(tmp_path):
    assert "cannot be used" in refusal(f"sqlite:///{tmp_path}")


def test_a_server_that_does_not_answer(postgres_server):
    url = "postgresql+psycopg://ana:secret@127.0.0.1:1/sales"
    said = refusal(url)
    assert "check that it runs" in said
    assert "secret" not in said
    assert "does not exist" in refusal(postgres_server.url("no_such_database"))


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look like one\n" * 100)
    assert "no SQLite database" in refusal(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_a_database_of_something_else(database_url):
    execute(database_url, "CREATE TABLE events (id integer)")
    assert "not a ledger: it holds other tables" in refusal(database_url)
    execute(database_url, "DROP TABLE events", "CREATE TABLE songs (id integer)")
    if database_url.startswith("sqlite"):
        assert "not a ledger" in refusal(database_url)
    else:
        open_ledger(database_url).close()


def test_a_database_of_a_newer_version(database_url):
    open_ledger(database_url).close()
    execute(database_url, f"UPDATE {database.VERSION_TABLE} SET version_num = '0999'")
    assert "newer version (schema 0999); upgrade" in refusal(database_url)


def test_event_types_that_this_version_does_not_know_are_met_at_the_start(database_url):
    ledger = open_ledger(database_url)
    ledger.append([team("a")], actor="ana")
    ledger.close()
    execute(database_url, "INSERT INTO event_types VALUES ('main', 'deal.teleported', 1)")
    assert "deal.teleported" in refusal(database_url, error=UnreadableEvent)
    execute(database_url, "DELETE FROM event_types WHERE type = 'deal.teleported'")
    execute(database_url, "INSERT INTO event_types VALUES ('main', 'deal.won', 2)")
    assert "deal.won in schema 2" in refusal(database_url, error=UnreadableEvent)
    open_ledger(database_url, "other").close()


def test_an_older_schema_with_its_upcaster_is_welcome(database_url, monkeypatch):
    ledger = open_ledger(database_url)
    ledger.append([team("a")], actor="ana")
    ledger.close()
    monkeypatch.setitem(upcasters.UPCASTERS, "team.created", (lambda data: data,))
    open_ledger(database_url).close()


def test_a_closed_ledger_gives_its_connections_back(postgres_url):
    ledger = open_ledger(postgres_url)
    ledger.append([team("a")], actor="ana")
    ledger.close()
    watcher = create_engine(postgres_url)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with watcher.connect() as connection:
        for _ in range(100):
            if connection.execute(text(others)).scalar() == 0:
                break
            time.sleep(0.05)
        assert connection.execute(text(others)).scalar() == 0
    watcher.dispose()


@pytest.mark.parametrize("book", ["", "Main", "a b", "é", "x" * 33, "a-b", "a;drop"])
def test_a_book_has_a_plain_name(sqlite_url, book):
    assert "cannot name a book" in refusal(sqlite_url, book, BadRequest)


def test_a_migration_that_fails_leaves_nothing_behind(database_url, monkeypatch):
    """A power cut half-way must not leave a database that is neither empty nor a ledger."""

    def fail(*arguments, **options):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", fail)
        with pytest.raises(RuntimeError):
            open_ledger(database_url)
    ledger = open_ledger(database_url)
    ledger.append([team("a")], actor="ana")
    assert check_log(ledger) == 2
    ledger.close()


def test_the_readable_view_shows_instants_before_1970_too(database_url):
    ledger = open_ledger(database_url)
    ledger.append([say("team-a", "team.created", "1969-12-31T23:59:59.75Z", name="a")], actor="ana")
    [shown] = ledger.recorder.all("SELECT CAST(effective_at AS TEXT) FROM events_readable WHERE stream = ?", ["team-a"])
    assert shown[0][:10] == "1969-12-31"
    assert "23:59:59.75" in shown[0]
    ledger.close()


def _open_and_append(url, number, barrier):
    barrier.wait(30)
    ledger = open_ledger(url)
    for each in range(5):
        ledger.append([team(f"t{number}-{each}")], actor="ana")
    ledger.close()


@pytest.mark.slow
def test_processes_that_open_a_new_database_at_once_share_it(database_url):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=_open_and_append, args=(database_url, n, barrier)) for n in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    ledger = open_ledger(database_url)
    assert check_log(ledger) == 11
    assert [event.type for event in ledger.stream("book")] == ["book.opened"]
    ledger.close()


def _as_nobody(work, answers):
    """Root may write anything: become somebody who may not."""
    if os.geteuid() == 0:
        os.setgid(65_534)
        os.setuid(65_534)
    try:
        answers.put(work())
    except Exception as error:  # noqa: BLE001 (whatever it is, the test looks at it)
        answers.put(f"{type(error).__name__}: {error}")


def asked_as_nobody(work):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=_as_nobody, args=(work, answers))
    process.start()
    answer = answers.get(timeout=30)
    process.join(10)
    return answer


@pytest.fixture
def open_folder(tmp_path_factory):
    """A folder that anybody can reach."""
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="ledger-read-only-"))
    folder.chmod(0o777)
    yield folder
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()


def test_a_read_only_file_is_read_and_says_so_when_written_to(open_folder):
    path = open_folder / "x.db"
    ledger = open_ledger(f"sqlite:///{path}")
    ledger.append([team("a")], actor="ana")
    ledger.close()
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)

    def work():
        ledger = open_ledger(f"sqlite:///{path}")
        read = ledger.head().position
        try:
            ledger.append([team("b")], actor="ana")
        except DatabaseUnusable as error:
            return read, str(error)

    read, said = asked_as_nobody(work)
    assert read == 2
    assert "cannot be written to; check its permissions" in said


def test_a_read_only_folder_says_so(open_folder):
    path = open_folder / "x.db"
    sqlite3.connect(path).close()
    open_folder.chmod(0o555)

    said = asked_as_nobody(lambda: open_ledger(f"sqlite:///{path}").book)
    open_folder.chmod(0o777)
    assert said.startswith("DatabaseFailed"), said
    assert "permissions" in said
