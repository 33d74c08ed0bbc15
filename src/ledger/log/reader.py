"""What a book's log is asked: its head, its entries by stream and by position, and what lies beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from eventsourcing.persistence import Notification
from sqlalchemy import Engine

from ledger.codec import TYPED_COLUMNS, Recorded, typed
from ledger.errors import NotProven
from ledger.log.requests import Remembered, Row, Told
from ledger.proof.merkle import Frontier

COLUMNS = "position, stream, version, type, effective_at, recorded_at, appended_at, entry"
MOST_IN_A_LIST = 5_000
PORTION = 250
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


class LogReader(ABC):
    """Reads one book's log. The subclasses say how a database is asked."""

    engine: Engine
    book: str

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

    def versions(self, streams: Collection[str]) -> dict[str, int]:
        """The versions of a few short streams; 0 where there is none."""
        found = dict.fromkeys(streams, 0)
        if found:
            query = "SELECT stream, version FROM events WHERE book = ? AND stream IN"
            for stream, version in self._listed(query, [], sorted(found)):
                found[stream] = max(found[stream], version)
        return found

    def subject_refs(self, subjects: Sequence[str]) -> dict[str, str]:
        """The random names of those subjects that have one."""
        return dict(self._listed("SELECT subject, ref FROM subjects WHERE book = ? AND subject IN", [], subjects))

    def subjects(self, condition: str, parameters: Sequence[Any]) -> dict[str, str]:
        """The subjects under a condition, and their random names."""
        return dict(
            self.all(f"SELECT subject, ref FROM subjects WHERE book = ? AND {condition}", [self.book, *parameters])
        )

    def subjects_of(self, refs: Sequence[str]) -> dict[str, str]:
        """The subjects that have these random names, by name."""
        return dict(self._listed("SELECT ref, subject FROM subjects WHERE book = ? AND ref IN", [], refs))

    def with_values(self, refs: Sequence[str]) -> set[str]:
        """Those of these subjects of whom the vault holds values."""
        found = self._listed("SELECT DISTINCT subject_ref FROM vault WHERE book = ? AND subject_ref IN", [], refs)
        return {ref for (ref,) in found}

    def has_subjects(self) -> bool:
        """Whether anything was ever sealed in this book."""
        return self.one("SELECT 1 FROM subjects WHERE book = ? LIMIT 1", [self.book]) is not None

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


def converted(portions: Iterable[list[Any]], convert: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """All rows, converted as they come."""
    found: list[Any] = []
    for rows in portions:
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
