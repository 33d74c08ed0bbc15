"""Logs to prove things about: as long as a test wants them, of entries that say nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.application import open_recorder
from ledger.log.requests import PendingEntry, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.log.recorder import LogRecorder

PER_APPEND = 8_192


@contextmanager
def recorder_of(url: str, book: str = "main") -> Iterator[LogRecorder]:
    recorder = open_recorder(url, book)
    try:
        yield recorder
    finally:
        recorder.close()


def grow_to(recorder: LogRecorder, size: int, kind: str = "deal") -> None:
    """Append entries until there are so many, each the first of a stream of its own."""
    while (position := recorder.head().position) < size:
        numbers = range(position + 1, min(position + PER_APPEND, size) + 1)
        entries = [PendingEntry(f"{kind}-{number}", 1, "deal.won", b"{}") for number in numbers]
        recorder.append(Request(entries, actor="tests"))


def entries_of(recorder: LogRecorder) -> list[bytes]:
    return [bytes(row[7]) for row in recorder.rows("position > ?", [0], "position")]
