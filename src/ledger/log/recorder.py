"""The recorder behind the `eventsourcing` application: one book's log, gapless and hashed, on either database.

An append is a `Request`: entries that are stored together or not at all. Those that are given together are written in
one transaction, each with its own version check and its own stamp; who gives them at the same time takes turns.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from threading import Lock
from typing import Any, NamedTuple

import msgspec
from eventsourcing.persistence import ApplicationRecorder, StoredEvent, Subscription
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.codec import MAX_ENTRY_BYTES, Envelope, encode
from ledger.errors import LedgerError, Moved, NotFound, Refused
from ledger.log.database import shown, unusable
from ledger.log.reader import MOST_IN_A_LIST, Head, LogReader
from ledger.log.requests import Group, PendingEntry, Request, Row, Stored, positioned
from ledger.log.subscription import PollingSubscription
from ledger.log.tables import heads, vault
from ledger.privacy.key_file import KeyPlace
from ledger.privacy.keyring import Keyring
from ledger.privacy.sealing import VaultRow
from ledger.times import format_instant
from ledger.upcasters import schema_of

Clock = Callable[[], int]
MAX_TRIES = 20
SECRET_BYTES = 32


class Prepared(msgspec.Struct):
    """One transaction: rows for every table, and the head after it."""

    head: Head
    rows: list[Row]
    types: list[tuple[str, int]]
    vault: list[VaultRow]
    subjects: list[tuple[str, str]]
    keys: list[tuple[str, str, bytes, bytes, int]]
    outcomes: list[Stored | BaseException]


def contents(prepared: Prepared) -> dict[str, list[Any]]:
    """The rows of each table but the heads, without their book."""
    return {
        "events": prepared.rows,
        "event_types": prepared.types,
        "subjects": prepared.subjects,
        "vault": [
            (row.commitment, row.subject_ref, row.stream, row.version, row.field, row.sealed) for row in prepared.vault
        ],
        "idempotency": prepared.keys,
    }


class HeadMoved(Exception):
    """Another process appended in between."""


class UniqueViolation(Exception):
    """Some stream version, subject or key is taken already."""


class Address(NamedTuple):
    """Of a log, its database and where its keys are, the trust directory of the database by default."""

    url: str
    keys: KeyPlace | None


class LogRecorder(LogReader, ApplicationRecorder):
    """One book's log. The subclasses say how a database stores a `Prepared` transaction."""

    keys: Keyring
    """The keys of what is sealed; set by who opens the log."""

    address: Address
    """What another process opens the same log with."""

    def __init__(self, engine: Engine, book: str, clock: Clock) -> None:
        self.engine = engine
        self.book = book
        self.clock = clock
        self._turn = Lock()
        self._head: Head | None = None
        self._known_types: set[tuple[str, int]] = set()

    def append(self, request: Request) -> Stored:
        """Store one request. Raises `Moved` if a stream has moved on, `Refused` if an entry is too large."""
        outcome = self.append_many([request])[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def append_many(self, requests: Sequence[Request]) -> list[Stored | BaseException]:
        """Store many requests in one transaction; each has its own outcome."""
        with self._turn:
            return self._write(requests)

    def insert_events(self, stored_events: Sequence[StoredEvent | PendingEntry], **kwargs: Any) -> Sequence[int]:
        """The library's interface: all of these events or none; their positions."""
        entries = [
            event
            if isinstance(event, PendingEntry)
            else PendingEntry(str(event.originator_id), event.originator_version, event.topic, event.state)
            for event in stored_events
        ]
        if not entries:
            return []
        stored = self.append(Request(entries, **({"actor": "system"} | kwargs)))
        return range(stored.position, stored.position + len(entries))

    def _write(self, requests: Sequence[Request]) -> list[Stored | BaseException]:
        taken: dict[int, BaseException] = {}
        for attempt in range(MAX_TRIES):
            try:
                prepared = self._store(requests, taken, pessimistic=attempt > 0)
            except HeadMoved:
                self._head = None
                continue
            except UniqueViolation:
                self._head = None
                found = self._conflicts(requests)
                if found.keys() <= taken.keys():
                    continue
                taken |= found
                continue
            except DBAPIError as error:
                self._head = None
                raise unusable(error, self.engine.url) from None
            except BaseException:
                self._head = None
                raise
            self._head = prepared.head
            self._known_types.update(prepared.types)
            return prepared.outcomes
        raise LedgerError("the log is under too much contention from other processes; try again")

    @abstractmethod
    def _store(self, requests: Sequence[Request], taken: dict[int, BaseException], *, pessimistic: bool) -> Prepared:
        """Prepare and commit. Raises `HeadMoved` or `UniqueViolation`, having changed nothing."""

    def _prepare(self, head: Head, requests: Sequence[Request], taken: dict[int, BaseException]) -> Prepared:
        """Complete the entries under this head: stamps, positions, hashes. `taken` are refused already, by index."""
        prepared = Prepared(Head(head.position, head.stamp, head.frontier.copy()), [], [], [], [], [], [])
        group = Group(
            self.versions({name for each in requests for entry in each.entries for name, _ in entry.rests_on})
        )
        now = self.clock()
        # Whoever erases fences first and appends then, so nothing about the erased is stored after that append. Where
        # the head's row is not locked yet, that append moves the head, and we come here again.
        fenced = self.keys.fenced() if any(request.vault for request in requests) else frozenset()
        for index, request in enumerate(requests):
            outcome: Stored | BaseException | None = (
                taken.get(index) or group.clash(request) or _erased(request, fenced)
            )
            if outcome is None:
                now = max(now, prepared.head.stamp + 1)
                try:
                    outcome = self._admit(prepared, request, self._complete(request, prepared.head.position, now), now)
                except Refused as too_large:
                    outcome = too_large
            group.add(request, stored=isinstance(outcome, Stored))
            prepared.outcomes.append(outcome)
        return prepared

    def _admit(self, prepared: Prepared, request: Request, rows: list[Row], now: int) -> Stored:
        head = prepared.head
        for row in rows:
            head.frontier.append(row[7])
            shape = (row[3], schema_of(row[3]))
            if shape not in self._known_types and shape not in prepared.types:
                prepared.types.append(shape)
        stored = Stored(head.position + 1, now)
        prepared.rows += rows
        prepared.vault += request.vault
        prepared.subjects += request.subjects
        for remembered in request.remembered:
            answer = encode(positioned(remembered.answer, request.entries, stored.position))
            prepared.keys.append((request.actor, remembered.key, remembered.body_hmac, answer, now))
        if rows:
            head.position += len(rows)
            head.stamp = now
        return stored

    def _complete(self, request: Request, position: int, stamp: int) -> list[Row]:
        appended_at = format_instant(stamp)
        rows: list[Row] = []
        for entry in request.entries:
            effective = stamp if entry.effective_at is None else entry.effective_at
            recorded = stamp if entry.recorded_at is None else entry.recorded_at
            effective_at = appended_at if effective == stamp else format_instant(effective)
            stored = encode(
                Envelope(
                    actor=request.actor,
                    appended_at=appended_at,
                    book=self.book,
                    causation=request.causation,
                    correlation=request.correlation,
                    data=msgspec.Raw(entry.state),
                    effective_at=effective_at,
                    recorded_at=effective_at if recorded == effective else format_instant(recorded),
                    schema=schema_of(entry.topic),
                    source=entry.source,
                    stream=entry.originator_id,
                    type=entry.topic,
                    version=entry.originator_version,
                )
            )
            if len(stored) > MAX_ENTRY_BYTES:
                raise Refused(
                    "too_large", f"the entry would take {len(stored)} bytes; the most is {MAX_ENTRY_BYTES}, split it"
                )
            position += 1
            rows.append(
                (
                    position,
                    entry.originator_id,
                    entry.originator_version,
                    entry.topic,
                    effective,
                    recorded,
                    stamp,
                    stored,
                )
            )
        return rows

    def _conflicts(self, requests: Sequence[Request]) -> dict[int, BaseException]:
        """Which requests name a version, subject or key that the database has already."""
        found: dict[int, BaseException] = {}
        for index, request in enumerate(requests):
            for entry in request.entries:
                if self.version(entry.originator_id) >= entry.originator_version:
                    found[index] = Moved(f"{entry.originator_id} has moved on; read it again and decide anew")
            for subject, _ in request.subjects:
                if self.subject_refs([subject]):
                    found[index] = Moved(f"{subject} has been named by another append; try again")
            if self.remembered(request.actor, [each.key for each in request.remembered]):
                found[index] = Moved("this idempotency key has just been used; try again")
        return found

    def types(self) -> list[tuple[str, int]]:
        """The event types and schemas that the log holds."""
        found = self.all("SELECT type, schema FROM event_types WHERE book = ?", [self.book])
        self._known_types.update((event_type, schema) for event_type, schema in found)
        return list(self._known_types)

    def ensure_book(self, *, create: bool = True) -> None:
        """Make the book's head row, if this is the first time anybody opens the book; without `create`, raise `NotFound`."""
        if self.one("SELECT 1 FROM heads WHERE book = ?", [self.book]) is None:
            if not create:
                raise NotFound(
                    f"there is no book {self.book} in {shown(self.engine.url)}; correct --book, or make it with"
                    " `sales-ledger append`"
                )
            insert = heads.insert().values(
                book=self.book, position=0, stamp=0, frontier=b"", secret=os.urandom(SECRET_BYTES)
            )
            try:
                with self.engine.begin() as connection:
                    connection.execute(insert)
            except IntegrityError:
                return  # another process was quicker
            except DBAPIError as error:
                raise unusable(error, self.engine.url) from None

    def now(self, *, fresh: bool = False) -> int:
        """The log's time: the clock, but never before the last stamp that this process knows, or `fresh` that there is."""
        head = None if fresh else self._head  # another thread may be appending, or find that the head has moved
        if head is None:
            head = self.head()
        return max(self.clock(), head.stamp)

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """An endless iterator over entries after a position, as they are appended."""
        return PollingSubscription(recorder=self, gt=gt, topics=topics)

    def delete_values(self, refs: Sequence[str]) -> int:
        """Take what was sealed about these subjects out of the vault; how many values that were."""
        count = 0
        try:
            with self.engine.begin() as connection:
                for start in range(0, len(refs), MOST_IN_A_LIST):
                    some = refs[start : start + MOST_IN_A_LIST]
                    mine = (vault.c.book == self.book) & vault.c.subject_ref.in_(some)
                    count += connection.execute(vault.delete().where(mine)).rowcount
        except DBAPIError as error:
            raise unusable(error, self.engine.url) from None
        return count

    def close(self) -> None:
        """Give the connections back."""
        self.keys.close()
        self.engine.dispose()


def _erased(request: Request, fenced: AbstractSet[str]) -> Refused | None:
    """Nothing can be stored that is sealed about somebody who is erased."""
    for row in request.vault if fenced else ():
        if row.subject_ref in fenced:
            return Refused(
                "subject_erased",
                f"what was personal about the subject of {row.stream} has been erased, and nothing more can be"
                f" sealed about it: leave out {row.field}, or speak of it under a new id",
            )
    return None
