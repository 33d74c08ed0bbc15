"""The log on SQLite: one writer connection, `BEGIN IMMEDIATE`, `synchronous=FULL`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy.exc import DBAPIError

from ledger.log.database import unusable
from ledger.log.reader import PORTION, Head, converted
from ledger.log.recorder import HeadMoved, LogRecorder, Prepared, UniqueViolation, contents
from ledger.log.requests import Request

_WIDTHS = {"events": 9, "event_types": 3, "vault": 7, "subjects": 3, "idempotency": 6}
MOST_IN_ONE_STATEMENT = 64
"""So many rows go in one statement: between statements other threads take the interpreter, and are slow to give it back."""


class SQLiteRecorder(LogRecorder):
    """See `LogRecorder`."""

    _writer: Any = None
    _cursor: sqlite3.Cursor

    def _store(self, requests: Sequence[Request], taken: dict[int, BaseException], *, pessimistic: bool) -> Prepared:  # noqa: ARG002 (a head that has moved is not remembered, and read under the write lock)
        if self._writer is None:
            self._writer = self.engine.connect()
            self._cursor = self._writer.connection.driver_connection.cursor()
        cursor = self._cursor
        large = sum([len(request.entries) for request in requests]) > MOST_IN_ONE_STATEMENT
        try:
            cursor.execute("BEGIN IMMEDIATE")
            # Where another process appended since we saw the head, a small group is prepared in vain.
            head = self.head() if large or self._head is None else self._head
            prepared = self._prepare(head, requests, taken)
            self._insert(cursor, head, prepared)
            cursor.execute("COMMIT")
        except HeadMoved:
            cursor.execute("ROLLBACK")
            raise
        except sqlite3.IntegrityError:
            cursor.execute("ROLLBACK")
            raise UniqueViolation from None
        except BaseException as error:
            self._discard_writer()
            if isinstance(error, sqlite3.Error):
                raise DBAPIError("append", None, error) from None
            raise
        return prepared

    def _insert(self, cursor: sqlite3.Cursor, expected: Head, prepared: Prepared) -> None:
        book, head = self.book, prepared.head
        cursor.execute(
            "UPDATE heads SET position = ?, stamp = ?, frontier = ? WHERE book = ? AND position = ?",
            [head.position, head.stamp, head.frontier.to_bytes(), book, expected.position],
        )
        if not cursor.rowcount:
            raise HeadMoved
        for table, rows in contents(prepared).items():
            if rows:
                _insert(cursor, table, [(book, *row) for row in rows])

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
                cursor = raw.execute(statement, parameters)
                return converted(iter(lambda: cursor.fetchmany(PORTION), []), convert)
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
    else:
        cursor.execute(_statement(table, len(rows)), [value for row in rows for value in row])


@lru_cache(maxsize=512)
def _statement(table: str, rows: int) -> str:
    verb = "INSERT OR IGNORE" if table == "event_types" else "INSERT"
    marks = f"({', '.join('?' * _WIDTHS[table])})"
    return f"{verb} INTO {table} VALUES {', '.join([marks] * rows)}"
