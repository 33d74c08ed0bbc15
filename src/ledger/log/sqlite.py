"""The log on SQLite: one writer connection, `BEGIN IMMEDIATE`, `synchronous=FULL`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from ledger.log.database import unusable
from ledger.log.recorder import LogRecorder, Prepared, UniqueViolation
from ledger.log.requests import Request

_INSERTS = {
    "events": "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "event_types": "INSERT OR IGNORE INTO event_types VALUES (?, ?, ?)",
    "vault": "INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "subjects": "INSERT INTO subjects VALUES (?, ?, ?)",
    "idempotency": "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?)",
}


class SQLiteRecorder(LogRecorder):
    """See `LogRecorder`."""

    _writer: Any = None

    def _store(self, requests: Sequence[Request], taken: dict[int, BaseException], *, pessimistic: bool) -> Prepared:  # noqa: ARG002 (the write lock of SQLite covers the whole file: always pessimistic)
        if self._writer is None:
            self._writer = self.engine.connect()
        cursor = self._writer.connection.driver_connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            position = cursor.execute("SELECT position FROM heads WHERE book = ?", [self.book]).fetchone()[0]
            head = self._head
            if head is None or head.position != position:
                head = self.head()
            prepared = self._prepare(head, requests, taken)
            self._insert(cursor, prepared)
            cursor.execute("COMMIT")
        except sqlite3.IntegrityError:
            cursor.execute("ROLLBACK")
            raise UniqueViolation from None
        except BaseException as error:
            self._discard_writer()
            if isinstance(error, sqlite3.Error):
                raise DBAPIError("append", None, error) from None
            raise
        return prepared

    def _insert(self, cursor: sqlite3.Cursor, prepared: Prepared) -> None:
        book, head = self.book, prepared.head
        cursor.executemany(_INSERTS["events"], [(book, *row) for row in prepared.rows])
        if prepared.types:
            cursor.executemany(_INSERTS["event_types"], [(book, *shape) for shape in prepared.types])
        if prepared.subjects:
            cursor.executemany(_INSERTS["subjects"], [(book, *subject) for subject in prepared.subjects])
        if prepared.vault:
            cursor.executemany(
                _INSERTS["vault"],
                [
                    (book, row.commitment, row.subject_ref, row.stream, row.version, row.field, row.salt, row.value)
                    for row in prepared.vault
                ],
            )
        if prepared.keys:
            cursor.executemany(_INSERTS["idempotency"], [(book, *key) for key in prepared.keys])
        cursor.execute(
            "UPDATE heads SET position = ?, stamp = ?, frontier = ? WHERE book = ?",
            [head.position, head.stamp, head.frontier.to_bytes(), book],
        )

    def _discard_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.invalidate()
            writer.close()

    def all(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        try:
            with self.engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                return list(raw.execute(statement, parameters))
        except sqlite3.Error as error:
            raise unusable(DBAPIError(statement, None, error), self.engine.url) from None
        except DBAPIError as error:
            raise unusable(error, self.engine.url) from None

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        super().close()
