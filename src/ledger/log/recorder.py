"""The recorder behind the `eventsourcing` application: one book's log, gapless and hashed, on either database.

An append is a `Request`: entries that are stored together or not at all. Requests that wait while a commit is under
way are written in the next one (`GroupCommit`), each with its own version check and its own stamp.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.codec import MAX_ENTRY_BYTES, TYPED_COLUMNS, Envelope, Recorded, encode, typed
from ledger.errors import LedgerError, Moved, NotProven, Refused
from ledger.log.database import unusable
from ledger.log.group_commit import GroupCommit
from ledger.log.requests import Group, PendingEntry, Remembered, Request, Row, Stored, Told, positioned
from ledger.log.subscription import PollingSubscription
from ledger.log.tables import heads
from ledger.privacy.sealing import VaultRow
from ledger.proof.merkle import Frontier
from ledger.times import format_instant
from ledger.upcasters import schema_of

Clock = Callable[[], int]
COLUMNS = "position, stream, version, type, effective_at, recorded_at, appended_at, entry"
MOST_REQUESTS_PER_COMMIT = 256
MAX_TRIES = 20
SECRET_BYTES = 32
MOST_IN_A_LIST = 5_000
PORTION = 500
"""Rows that are taken from a query and converted at a time."""

_decode_told = msgspec.json.Decoder(list[Told]).decode


@dataclass(frozen=True)
class StoredEntry(Notification):
    """A stored event as the log holds it: `state` is the whole hashed entry, `id` the position."""

    effective_at: int
    recorded_at: int
    appended_at: int

    @property
    def row(self) -> Row:
        """The log's row, as `codec.from_rows` takes it."""
        stream = str(self.originator_id)
        times = (self.effective_at, self.recorded_at, self.appended_at)
        return (self.id, stream, self.originator_version, self.topic, *times, self.state)


class Head(msgspec.Struct):
    """The end of a book's log: how many entries, the last stamp, and the Merkle frontier."""

    position: int
    stamp: int
    frontier: Frontier


class Prepared(msgspec.Struct):
    """One transaction: rows for every table, and the head after it."""

    head: Head
    rows: list[Row]
    types: list[tuple[str, int]]
    vault: list[VaultRow]
    subjects: list[tuple[str, str]]
    keys: list[tuple[str, str, bytes, bytes, int]]
    outcomes: list[Stored | BaseException]


class HeadMoved(Exception):
    """Another process appended in between."""


class UniqueViolation(Exception):
    """Some stream version, subject or key is taken already."""


class LogRecorder(ApplicationRecorder):
    """One book's log. The subclasses say how a database stores a `Prepared` transaction."""

    def __init__(self, engine: Engine, book: str, clock: Clock) -> None:
        self.engine = engine
        self.book = book
        self.clock = clock
        self._group: GroupCommit[Sequence[Request], list[Stored | BaseException]] = GroupCommit(
            self._write_group, MOST_REQUESTS_PER_COMMIT
        )
        self._head: Head | None = None
        self._known_types: set[tuple[str, int]] = set()

    # Writing --------------------------------------------------------------------------------------------------

    def append(self, request: Request) -> Stored:
        """Store one request. Raises `Moved` if a stream has moved on, `Refused` if an entry is too large."""
        outcome = self._group.submit([request])[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def append_many(self, requests: Sequence[Request]) -> list[Stored | BaseException]:
        """Store many requests in one transaction; each has its own outcome."""
        return self._group.submit(requests)

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

    def _write_group(self, jobs: Sequence[Sequence[Request]]) -> list[list[Stored | BaseException]]:
        requests = [request for job in jobs for request in job]
        outcomes = iter(self._write(requests))
        return [[next(outcomes) for _ in job] for job in jobs]

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
        group = Group()
        now = self.clock()
        for index, request in enumerate(requests):
            outcome: Stored | BaseException | None = taken.get(index) or group.clash(request)
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

    # Reading --------------------------------------------------------------------------------------------------

    @abstractmethod
    def all(
        self, statement: str, parameters: Sequence[Any], convert: Callable[[list[Any]], list[Any]] = list
    ) -> list[Any]:
        """The rows of a query with `?` for parameters; a statement of its own, committed at once.

        Rows are converted a few hundred at a time, while the processor still has them at hand.
        """

    def one(self, statement: str, parameters: Sequence[Any]) -> Any:
        """The first row of a query, or None."""
        found = self.all(statement, parameters)
        return found[0] if found else None

    def rows(self, condition: str, parameters: Sequence[Any], order: str, limit: int | None = None) -> list[Row]:
        """Rows of this book's log under a condition with `?` for parameters."""
        return self.all(*self._selecting(COLUMNS, condition, parameters, order, limit))

    def events(self, condition: str, parameters: Sequence[Any], order: str, limit: int | None = None) -> list[Recorded]:
        """The same as typed events. Raises `UnreadableEvent`."""
        return self.all(*self._selecting(TYPED_COLUMNS, condition, parameters, order, limit), typed)

    def _selecting(
        self, columns: str, condition: str, parameters: Sequence[Any], order: str, limit: int | None
    ) -> tuple[str, list[Any]]:
        statement = f"SELECT {columns} FROM events WHERE book = ? AND {condition} ORDER BY {order}"
        values = [self.book, *parameters]
        if limit is not None:
            statement += " LIMIT ?"
            values.append(limit)
        return statement, values

    @property
    def secret(self) -> bytes:
        """The book's key for comparing idempotent bodies."""
        return bytes(self.one("SELECT secret FROM heads WHERE book = ?", [self.book])[0])

    def types(self) -> list[tuple[str, int]]:
        """The event types and schemas that the log holds."""
        found = self.all("SELECT type, schema FROM event_types WHERE book = ?", [self.book])
        self._known_types.update((event_type, schema) for event_type, schema in found)
        return list(self._known_types)

    def ensure_book(self) -> None:
        """Make the book's head row, if this is the first time anybody opens the book."""
        if self.one("SELECT 1 FROM heads WHERE book = ?", [self.book]) is None:
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

    def now(self) -> int:
        """The log's time: the clock, but never before the last stamp that this process knows."""
        head = self._head  # another thread may be appending, or find that the head has moved
        if head is None:
            head = self.head()
        return max(self.clock(), head.stamp)

    def head(self) -> Head:
        """The head as the database has it. Raises `NotProven` for one that no append has written."""
        found = self.one("SELECT position, stamp, frontier FROM heads WHERE book = ?", [self.book])
        try:
            return Head(found[0], found[1], Frontier.from_bytes(found[0], bytes(found[2])))
        except (AttributeError, TypeError, ValueError) as error:
            raise NotProven(f"the log's head was damaged ({error}); restore the database from a backup") from None

    def version(self, stream: str) -> int:
        """The version of a stream; 0 if there is none."""
        found = self.one("SELECT max(version) FROM events WHERE book = ? AND stream = ?", [self.book, stream])
        return found[0] or 0

    def subject_refs(self, subjects: Sequence[str]) -> dict[str, str]:
        """The random names of those subjects that have one."""
        return dict(self._listed("SELECT subject, ref FROM subjects WHERE book = ? AND subject IN", [], subjects))

    def _listed(self, statement: str, parameters: Sequence[Any], listed: Sequence[str]) -> Iterator[Any]:
        """Rows of a query that ends in `IN`, for a list of any length."""
        for start in range(0, len(listed), MOST_IN_A_LIST):
            some = listed[start : start + MOST_IN_A_LIST]
            marks = f" ({', '.join('?' * len(some))})"
            yield from self.all(statement + marks, [self.book, *parameters, *some])

    def remembered(self, actor: str, keys: Sequence[str]) -> dict[str, Remembered]:
        """Those of an actor's idempotency keys that were used."""
        statement = "SELECT key, body_hmac, outcome FROM idempotency WHERE book = ? AND actor = ? AND key IN"
        return {
            key: Remembered(key, bytes(body_hmac), _decode_told(bytes(outcome)))
            for key, body_hmac, outcome in self._listed(statement, [actor], keys)
        }

    def stream_rows(self, streams: Sequence[str]) -> list[Row]:
        """All rows of some streams, by stream and version."""
        rows = list(self._listed(f"SELECT {COLUMNS} FROM events WHERE book = ? AND stream IN", [], streams))
        rows.sort(key=lambda row: (row[1], row[2]))
        return rows

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEntry]:
        """The library's interface: a stream's events by version."""
        condition, parameters = "stream = ?", [str(originator_id)]
        for operator, bound in (">", gt), ("<=", lte):
            if bound is not None:
                condition += f" AND version {operator} ?"
                parameters.append(bound)  # type: ignore[arg-type]
        rows = self.rows(condition, parameters, "version DESC" if desc else "version", limit)
        return [_stored_entry(row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[StoredEntry]:
        """The library's interface: the feed by position."""
        condition, parameters = "position >= ?", [(start or 0) + (0 if inclusive_of_start or start is None else 1)]
        if stop is not None:
            condition += " AND position <= ?"
            parameters.append(stop)
        if topics:
            condition += f" AND type IN ({', '.join('?' * len(topics))})"
            parameters += topics  # type: ignore[arg-type]
        return [_stored_entry(row) for row in self.rows(condition, parameters, "position", limit)]

    def max_notification_id(self) -> int | None:
        """The position of the last entry; None in an empty log."""
        return self.head().position or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """An endless iterator over entries after a position, as they are appended."""
        return PollingSubscription(recorder=self, gt=gt, topics=topics)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def converted(cursor: Any, convert: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """What a cursor has, `PORTION` rows at a time."""
    found: list[Any] = []
    while rows := cursor.fetchmany(PORTION):
        found += convert(rows)
    return found


def _stored_entry(row: Row) -> StoredEntry:
    position, stream, version, event_type, effective_at, recorded_at, appended_at, entry = row
    return StoredEntry(
        originator_id=stream,
        originator_version=version,
        topic=event_type,
        state=bytes(entry),
        id=position,
        effective_at=effective_at,
        recorded_at=recorded_at,
        appended_at=appended_at,
    )
