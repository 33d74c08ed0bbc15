"""Streams put into a log as they are, past all decisions: folds must bear what no decision would let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.codec import encode
from ledger.log.requests import PendingEntry, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.application import Ledger
    from ledger.codec import Recorded


def put(ledger: Ledger, events: Iterable[Recorded]) -> None:
    """Append events one by one, keeping their stream, version and times."""
    entries = [
        PendingEntry(
            event.stream, event.version, event.type, encode(event.data), event.effective_at, event.recorded_at, None
        )
        for event in events
    ]
    ledger.recorder.append_many([Request([entry], actor="tester") for entry in entries])


def renamed(events: Sequence[Recorded], stream: str) -> list[Recorded]:
    """The same history under another name."""
    import msgspec

    return [msgspec.structs.replace(event, stream=stream) for event in events]


def interleaved(streams: Sequence[Sequence[Recorded]]) -> list[Recorded]:
    """The events of several streams as they would have come in."""
    return sorted((event for stream in streams for event in stream), key=lambda event: event.recorded_at)
