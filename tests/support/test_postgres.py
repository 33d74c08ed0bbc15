"""The database fixtures that all other tests stand on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.conftest import ROOT
from tests.support import postgres


def test_the_server_is_postgresql_18_and_does_not_wait_for_the_disk(postgres_server):
    with postgres_server.connect() as connection:
        assert connection.info.server_version // 10_000 == 18
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_a_server_of_its_own_syncs_to_disk():
    with postgres.running() as server, server.connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_database(database_url, turn):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mark (turn INTEGER)"))
        connection.execute(text("INSERT INTO mark VALUES (:turn)"), {"turn": turn})
        assert connection.execute(text("SELECT turn FROM mark")).all() == [(turn,)]
    engine.dispose()


def test_all_workers_meet_at_one_server(postgres_server, shared_state, monkeypatch):
    def no_second_server():
        raise AssertionError("started a second server")

    monkeypatch.setattr(postgres, "start", no_second_server)
    assert postgres.shared(shared_state) == postgres_server


def test_a_dropped_database_takes_its_connections_along(postgres_server):
    name = postgres_server.create_database()
    with postgres_server.connect(name) as left_open:
        postgres_server.drop_database(name)
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")


@pytest.mark.slow
@pytest.mark.postgres
def test_a_crashed_server_keeps_what_was_committed():
    with postgres.running() as server:
        with server.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        server.crash()
        assert _is_gone(server.pid)
        again = server.restart()
        try:
            with again.connect() as connection:
                assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        finally:
            again.stop()


@pytest.mark.postgres
def test_a_server_does_not_outlive_a_session_that_was_killed():
    code = "from tests.support import postgres; s = postgres.start(); print(s.pid, s.directory, flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        pid, directory = session.stdout.readline().split()
        session.kill()
    deadline = time.monotonic() + 30
    while not (_is_gone(int(pid)) and not Path(directory).exists()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _is_gone(int(pid))
    assert not Path(directory).exists()


@pytest.mark.postgres
def test_root_is_served_from_a_folder_that_nobody_can_reach(tmp_path, monkeypatch):
    """A clone under a home directory of mode 0700 works without loosening its permissions."""
    package = _behind_a_closed_door(tmp_path)
    monkeypatch.setattr(postgres, "package_directory", lambda: package)
    with postgres.running(fsync=False) as server, server.connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def _behind_a_closed_door(tmp_path):
    package = postgres.package_directory()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (closed / folder.name).symlink_to(folder)
    return closed / package.name


def _is_gone(pid: int) -> bool:
    """Ended, whether its parent has noticed or not."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
