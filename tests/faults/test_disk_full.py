"""A full disk gives one clear error, loses nothing acknowledged, and the same ledger goes on when there is room."""

from __future__ import annotations

import gc
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Ledger, open_ledger
from ledger.errors import DatabaseUnusable
from tests.faults.journal import ACTOR, SETUP, Journalled, check_journal, deal_opened, marked

DISK_BYTES = 8_000_000
BALLAST_BYTES = 4_000_000
LINES = 50


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here (it takes root): {done.stderr.strip()}")
    yield folder
    gc.collect()  # an error's traceback may hold the connection that failed, and so the file
    unmount(folder)


def unmount(folder: Path) -> None:
    """Take a file system away, when nothing holds a file of it any more."""
    for _ in range(100):
        done = subprocess.run(["umount", str(folder)], capture_output=True, text=True, check=False)
        if "busy" not in done.stderr:
            break
        time.sleep(0.1)
    assert done.returncode == 0, done.stderr


def fill(ledger: Ledger, journalled: Journalled, name: str) -> None:
    """Append until something is raised."""
    number = 0
    while True:
        number += 1
        attempt = f"{name}.{number}"
        lines = marked(attempt, [deal_opened(f"{attempt}.{deal}") for deal in range(LINES)])
        journalled.attempted(attempt, lines)
        receipts = ledger.append(lines, actor=ACTOR, key=attempt)
        journalled.attempts[attempt].positions = [receipt.position or 0 for receipt in receipts]


def test_a_full_disk_is_a_clear_error_and_the_ledger_goes_on_when_there_is_room(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(BALLAST_BYTES))
    journalled = Journalled()
    ledger = open_ledger(f"sqlite:///{small_disk / 'sales-ledger.db'}")
    with closing(ledger.recorder):
        ledger.append(SETUP, actor=ACTOR)
        with pytest.raises(DatabaseUnusable, match=r"the disk of .* is full.*free some space"):
            fill(ledger, journalled, "full")
        check_journal(ledger, journalled)
        [(refused, told)] = journalled.open.items()
        ballast.unlink()
        receipts = ledger.append(told.lines, actor=ACTOR, key=refused)
        told.positions = [receipt.position or 0 for receipt in receipts]
        check_journal(ledger, journalled)
        with pytest.raises(DatabaseUnusable, match="full"):
            fill(ledger, journalled, "again")
    again = open_ledger(ledger.url, create=False)
    with closing(again.recorder):
        check_journal(again, journalled)
