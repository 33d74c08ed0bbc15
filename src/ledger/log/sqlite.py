"""The log on SQLite: one writer connection, `BEGIN IMMEDIATE`, `synchronous=FULL`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy.exc import DBAPIError

from ledger.log.database import unusable
from ledger.log.reader import converted
from ledger.log.recorder import LogRecorder, Prepared, UniqueViolation
from ledger.log.requests import Request

_WIDTHS = {"events": 9, "event_types": 3, "vault": 7, "subjects": 3, "idempotency": 6}
MOST_IN_ONE_STATEMENT = 64
"""So many rows go in one statement: between statements other threads take the interpreter, and are slow to give it back."""


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
        _insert(cursor, "events", [(book, *row) for row in prepared.rows])
        _insert(cursor, "event_types", [(book, *shape) for shape in prepared.types])
        _insert(cursor, "subjects", [(book, *subject) for subject in prepared.subjects])
        _insert(cursor, "idempotency", [(book, *key) for key in prepared.keys])
        _insert(
            cursor,
            "vault",
            [
                (book, row.commitment, row.subject_ref, row.stream, row.version, row.field, row.sealed)
                for row in prepared.vault
            ],
        )
        cursor.execute(
            "UPDATE heads SET position = ?, stamp = ?, frontier = ? WHERE book = ?",
            [head.position, head.stamp, head.frontier.to_bytes(), book],
        )

    def _discard_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.invalidate()
            writer.close()

    def all(
        self, statement: str, parameters: Sequence[Any], convert: Callable[[list[Any]], list[Any]] = list
    ) -> list[Any]:
        try:
            with self.engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                return converted(raw.execute(statement, parameters), convert)
        except sqlite3.Error as error:
            raise unusable(DBAPIError(statement, None, error), self.engine.url) from None
        except DBAPIError as error:
            raise unusable(error, self.engine.url) from None

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        super().close()


def _insert(cursor: sqlite3.Cursor, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if len(rows) > MOST_IN_ONE_STATEMENT:
        cursor.executemany(_statement(table, 1), rows)
    elif rows:
        cursor.execute(_statement(table, len(rows)), [value for row in rows for value in row])


@lru_cache(maxsize=512)
def _statement(table: str, rows: int) -> str:
    verb = "INSERT OR IGNORE" if table == "event_types" else "INSERT"
    marks = f"({', '.join('?' * _WIDTHS[table])})"
    return f"{verb} INTO {table} VALUES {', '.join([marks] * rows)}"
