"""A server that is restarted under an open ledger."""

from __future__ import annotations

import pytest

from ledger.application import open_ledger
from ledger.errors import DatabaseFailed, DatabaseUnusable
from ledger.log.postgres import PostgresRecorder
from tests.support import postgres
from tests.support.lines import check_log, team


@pytest.mark.slow
@pytest.mark.postgres
def test_reads_and_appends_go_on_after_a_restart():
    with postgres.running(fsync=False) as server:
        ledger = open_ledger(server.url())
        ledger.append([team("a")], actor="ana")
        server.crash()
        for work in (ledger.head, lambda: ledger.append([team("b")], actor="ana"), lambda: ledger.feed(0, 10)):
            with pytest.raises(DatabaseUnusable, match="check that it runs"):
                work()
        server.restart()
        assert ledger.head().position == 2
        assert len(ledger.feed(0, 10)) == 2
        ledger.append([team("b")], actor="ana")
        server.stop()
        server.restart()
        ledger.append([team("c")], actor="ana")
        server.stop()
        server.restart()
        ledger.append([team(f"many-{number}") for number in range(600)], actor="ana")
        assert check_log(ledger) == 604
        ledger.close()


def end_connections(server, name):
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )


@pytest.fixture
def lost(postgres_server):
    """A ledger whose writing connection has been ended by the server since its last append, and how to do that."""
    name = postgres_server.create_database()
    ledger = open_ledger(postgres_server.url(name))
    ledger.append([team("a")], actor="ana")
    yield ledger, lambda: end_connections(postgres_server, name)
    ledger.close()
    postgres_server.drop_database(name)


def test_an_append_over_a_dead_connection_is_stored_over_a_new_one(lost):
    ledger, end = lost
    end()
    assert ledger.append([team("b")], actor="ana")[0].position == 3
    end()
    ledger.recorder._head = None
    assert ledger.append([team("c")], actor="ana")[0].position == 4
    assert check_log(ledger) == 4


@pytest.mark.parametrize("lines", [1, 600])
def test_what_may_have_been_stored_is_not_stored_again(lost, monkeypatch, lines):
    """The connection is lost after the commit: nobody can tell whose the events are that came since."""
    ledger, end = lost
    method = "_store_expecting" if lines == 1 else "_store_locked"
    store = getattr(PostgresRecorder, method)
    done: list[bool] = []

    def losing(self, connection, *arguments, **options):
        told = store(self, connection, *arguments, **options)
        if not done:
            done.append(True)
            end()
            connection.execute("SELECT 1")
        return told

    monkeypatch.setattr(PostgresRecorder, method, losing)
    with pytest.raises(DatabaseFailed):
        ledger.append([team(f"n{number}") for number in range(lines)], actor="ana")
    assert check_log(ledger) == 2 + lines
