"""What is stored together or not at all, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ledger.errors import Moved
from ledger.privacy.sealing import VaultRow

Row = tuple[int, str, int, str, int, int, int, bytes]
"""`position, stream, version, type, effective_at, recorded_at, appended_at, entry`."""


class PendingEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the library calls a stored event, before the log has given it its stamps.

    `topic` is the type, `state` the canonical data. Times that are None become the log's stamp. `rests_on` are other
    streams by which it was decided, at their versions then: where one has moved on it must be decided again. (A
    `StoredEvent` is a frozen dataclass, which takes four times as long to make.)
    """

    originator_id: str
    originator_version: int
    topic: str
    state: bytes
    effective_at: int | None = None
    recorded_at: int | None = None
    source: str | None = None
    rests_on: Sequence[tuple[str, int]] = ()


class Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the caller of an append is told of one line. `position` is None until its entry has one."""

    stream: str
    version: int
    position: int | None
    appended: bool

    def at(self, position: int) -> Told:
        """The same with its position."""
        return Told(self.stream, self.version, position, self.appended)


class Remembered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An idempotency key, the HMAC of its body, and the answer to give again, stored with the events."""

    key: str
    body_hmac: bytes
    answer: Sequence[Told]


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is stored together or not at all."""

    entries: Sequence[PendingEntry]
    actor: str
    vault: Sequence[VaultRow] = ()
    subjects: Sequence[tuple[str, str]] = ()
    remembered: Sequence[Remembered] = ()
    correlation: str | None = None
    causation: str | None = None


class Stored(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Where a request went: the position of its first entry, and the stamp of them all."""

    position: int
    appended_at: int


def positioned(answer: Sequence[Told], entries: Sequence[PendingEntry], first: int) -> list[Told]:
    """The answer with the positions that its entries were given, the first of them `first`."""
    positions = {
        (entry.originator_id, entry.originator_version): position for position, entry in enumerate(entries, first)
    }
    return [
        told if position is None else told.at(position)
        for told in answer
        for position in [positions.get((told.stream, told.version))]
    ]


class Group:
    """What earlier requests of one transaction have taken, and the streams where one of them was refused.

    `versions` are those that the log has of the streams that entries rest on; 0 where there is none.
    """

    def __init__(self, versions: Mapping[str, int]) -> None:
        self._rested_on = dict(versions)
        self._versions: set[tuple[Any, int]] = set()
        self._blocked: set[Any] = set()
        self._subjects: set[str] = set()
        self._unnamed: set[str] = set()
        self._keys: set[tuple[str, str]] = set()

    def clash(self, request: Request) -> Moved | None:
        """A request that was decided without knowing of an earlier one of the group must be decided again."""
        its_own: dict[Any, int] = {}
        for entry in request.entries:
            stream = entry.originator_id
            if stream in self._blocked or (stream, entry.originator_version) in self._versions:
                return Moved(f"{stream} has moved on; read it again and decide anew")
            for name, version in entry.rests_on:
                if its_own.get(name, self._rested_on[name]) != version:
                    return Moved(f"{name}, which {stream} refers to, has moved on; decide anew")
            its_own[stream] = entry.originator_version
        if request.subjects and not self._subjects.isdisjoint([subject for subject, _ in request.subjects]):
            return Moved("another append of this moment named this subject first; decide anew")
        if self._unnamed and not self._unnamed.isdisjoint([row.subject_ref for row in request.vault]):
            return Moved("the append that was to name this subject was not stored; decide anew")
        if request.remembered and any((request.actor, each.key) in self._keys for each in request.remembered):
            return Moved("another append of this moment used this key first; decide anew")
        return None

    def add(self, request: Request, *, stored: bool) -> None:
        """Take note of a request that was stored, or was not."""
        if not stored:
            self._blocked.update([entry.originator_id for entry in request.entries])
            self._unnamed.update([ref for _, ref in request.subjects])
            return
        for entry in request.entries:
            self._versions.add((entry.originator_id, entry.originator_version))
            if entry.originator_id in self._rested_on:
                self._rested_on[entry.originator_id] = entry.originator_version
        if request.subjects:
            self._subjects.update([subject for subject, _ in request.subjects])
        for each in request.remembered:
            self._keys.add((request.actor, each.key))
