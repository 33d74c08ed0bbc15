"""kill -9 at any moment of appending or projecting loses nothing, stores nothing by half."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import create_engine, text

from ledger.application import open_ledger
from projections.check import check
from projections.runner import run_batch
from projections.store import ReadStore
from tests.conftest import ROOT
from tests.faults.journal import ACTOR, Journalled, check_journal

CYCLES = [5, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3_000)])]
CYCLES_PER_BOOK = 10
MOST_SECONDS = 0.8
WAIT_S = 30
KILLED_EARLY = 0.2
"""The share of clients that are killed at some moment of their start."""


@pytest.fixture
def seed() -> int:
    """Another one for each run; what fails names it."""
    return secrets.randbits(32)


def killed(url: str, book: str, journal: Path, seed: int, how: str) -> None:
    """Let a client work for a random while, then kill it; wait until the database has let go of it."""
    rng = Random(seed)
    command = [sys.executable, "-m", "tests.faults.client", url, book, str(journal), str(seed), how]
    child = subprocess.Popen(command, env=importing_tests(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if rng.random() > KILLED_EARLY:
        while child.poll() is None and not (journal.exists() and journal.stat().st_size):
            time.sleep(0.01)
    time.sleep(rng.uniform(0, MOST_SECONDS))
    child.kill()
    _, stderr = child.communicate()
    assert child.returncode == -signal.SIGKILL, (journal.exists() and journal.read_text()[-2_000:], stderr.decode())
    if url.startswith("postgresql"):
        _wait_for_servers(url)


def importing_tests() -> dict[str, str]:
    """The environment of a process that imports tests, wherever it runs: its keys are where ours are."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _wait_for_servers(url: str) -> None:
    """A server process may still be committing for a client that is gone."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + WAIT_S
    with engine.connect() as connection:
        while connection.scalar(others):
            assert time.monotonic() < deadline, "somebody else is connected to this test's database"
            time.sleep(0.01)
    engine.dispose()


def cycle(url: str, book: str, journalled: Journalled, journal: Path, *, seed: int, how: str) -> int:
    """One life and death of a client, then the checks; how many attempts were open."""
    killed(url, book, journal, seed, how)
    journalled.read(journal)
    ledger = open_ledger(url, book)
    with closing(ledger.recorder):
        check_journal(ledger, journalled)
        left_open = journalled.open
        for attempt, told in left_open.items():
            receipts = ledger.append(told.lines, actor=ACTOR, key=attempt)
            told.positions = [receipt.position or 0 for receipt in receipts]
        check_journal(ledger, journalled)
        if how == "project":
            store = ReadStore.open(ledger)
            while run_batch(ledger, store):
                pass
            assert store.quarantined() == []
            assert check(ledger, store) == []
            assert store.position() == ledger.head().position
    return len(left_open)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["append", "project"])
@pytest.mark.parametrize("cycles", CYCLES)
def test_nothing_is_lost_or_half_stored_when_a_client_is_killed(database_url, tmp_path, seed, cycles, how):
    """After each kill the log is whole, repeating open requests stores them once, the read store folds on."""
    left_open = 0
    journals: dict[str, Journalled] = defaultdict(Journalled)
    for number in range(cycles):
        book = f"book{number // CYCLES_PER_BOOK}"
        try:
            left_open += cycle(
                database_url, book, journals[book], tmp_path / f"{number}.jsonl", seed=seed + number, how=how
            )
        except BaseException as error:
            error.add_note(f"cycle {number}, seed {seed + number}")
            raise
    assert left_open, "no client was killed in the middle of an append; the delays test nothing"
