"""The log on PostgreSQL: one statement for a small group, COPY for a large one.

A small group locks the head, checks that it is where this process last saw it, and inserts everything in one
statement and one round trip. Where the head has moved, or the group is large, the head's row is locked first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, LiteralString

import psycopg
from psycopg.errors import UniqueViolation as TakenError
from sqlalchemy.exc import DBAPIError

from ledger.log.database import unusable
from ledger.log.reader import PORTION, Head, converted
from ledger.log.recorder import HeadMoved, LogRecorder, Prepared, UniqueViolation, contents
from ledger.log.requests import Request
from ledger.proof.merkle import Frontier

MOST_IN_ONE_STATEMENT = 512

_TABLES: dict[str, tuple[LiteralString, LiteralString]] = {
    "events": (
        "position, stream, version, type, effective_at, recorded_at, appended_at, entry",
        "%b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[]",
    ),
    "event_types": ("type, schema", "%b::text[], %b::int[]"),
    "subjects": ("subject, ref", "%b::text[], %b::text[]"),
    "vault": (
        "commitment, subject_ref, stream, version, field, sealed",
        "%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bytea[]",
    ),
    "idempotency": (
        "actor, key, body_hmac, outcome, appended_at",
        "%b::text[], %b::text[], %b::bytea[], %b::bytea[], %b::bigint[]",
    ),
}

_TYPES = {
    table: ("text", *(array.removeprefix("%b::").removesuffix("[]") for array in arrays.split(", ")))
    for table, (_, arrays) in _TABLES.items()
}
"""What COPY is told of the same columns, the book before them."""


_EXPECTING = (
    "WITH h AS (UPDATE heads SET position = %b, stamp = %b, frontier = %b"
    " WHERE book = %b AND position = %b RETURNING book)"
)


class PostgresRecorder(LogRecorder):
    """See `LogRecorder`."""

    _writer: Any = None

    def _store(self, requests: Sequence[Request], taken: dict[int, BaseException], *, pessimistic: bool) -> Prepared:
        head = None if pessimistic else self._head or self.head()
        large = sum(len(request.entries) for request in requests) > MOST_IN_ONE_STATEMENT
        try:
            connection = self._writing()
            if large or head is None:
                return self._store_locked(connection, requests, taken)
            prepared = self._prepare(head, requests, taken)
            if not self._store_expecting(connection, head, prepared):
                raise HeadMoved
        except TakenError:
            raise UniqueViolation from None
        except psycopg.Error as error:
            self._discard_writer()
            if head is not None and connection.closed:
                return self._store_again(head, requests, taken, error)
            raise DBAPIError("append", None, error) from None
        else:
            return prepared

    def _store_again(
        self, head: Head, requests: Sequence[Request], taken: dict[int, BaseException], lost: psycopg.Error
    ) -> Prepared:
        """Store once more, over a new connection, what was lost with the old one: the server was restarted, say.

        Where the head is still the one that we saw before, nothing of it can have been stored, or ever will be: whatever
        the old connection had under way waits for our lock, or we for its, and one of them finds that the head has
        moved. If it has, nobody can say by whom, and the caller must know.
        """
        self.engine.dispose()  # what is left in the pool is as dead
        try:
            return self._store_locked(self._writing(), requests, taken, expected=head)
        except TakenError:
            raise UniqueViolation from None
        except HeadMoved:
            raise DBAPIError("append", None, lost) from None
        except psycopg.Error as error:
            self._discard_writer()
            raise DBAPIError("append", None, error) from None

    def _writing(self) -> psycopg.Connection[Any]:
        if self._writer is None:
            self._writer = self.engine.connect()
        return self._writer.connection.driver_connection  # type: ignore[no-any-return]

    def _store_expecting(self, connection: psycopg.Connection[Any], expected: Head, prepared: Prepared) -> bool:
        """Insert everything if the head is where we saw it last; False, and nothing done, if it has moved."""
        head = prepared.head
        parts = [_EXPECTING]
        values: list[Any] = [head.position, head.stamp, head.frontier.to_bytes(), self.book, expected.position]
        for table, rows in contents(prepared).items():
            if rows:
                columns, arrays = _TABLES[table]
                ignore: LiteralString = " ON CONFLICT DO NOTHING" if table == "event_types" else ""
                parts.append(
                    f", {table}_in AS (INSERT INTO {table} (book, {columns})"
                    f" SELECT h.book, rows.* FROM h, unnest({arrays}) AS rows{ignore})"
                )
                values += map(list, zip(*rows, strict=True))
        parts.append(" SELECT 1 FROM h")
        return connection.execute("".join(parts), values, prepare=True).fetchone() is not None

    def _store_locked(
        self,
        connection: psycopg.Connection[Any],
        requests: Sequence[Request],
        taken: dict[int, BaseException],
        *,
        expected: Head | None = None,
    ) -> Prepared:
        with connection.transaction():
            found = connection.execute(
                "SELECT position, stamp, frontier FROM heads WHERE book = %s FOR UPDATE", [self.book], binary=True
            ).fetchone()
            assert found is not None
            if expected is not None and found[0] != expected.position:
                raise HeadMoved
            head = Head(found[0], found[1], Frontier.from_bytes(found[0], found[2]))
            prepared = self._prepare(head, requests, taken)
            for table, rows in contents(prepared).items():
                if rows:
                    self._copy(connection, table, rows)
            connection.execute(
                "UPDATE heads SET position = %s, stamp = %s, frontier = %s WHERE book = %s",
                [prepared.head.position, prepared.head.stamp, prepared.head.frontier.to_bytes(), self.book],
            )
        return prepared

    def _copy(self, connection: psycopg.Connection[Any], table: str, rows: Sequence[Sequence[Any]]) -> None:
        columns, _ = _TABLES[table]
        if table == "event_types":
            connection.cursor().executemany(
                "INSERT INTO event_types VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [(self.book, *row) for row in rows],
            )
            return
        with connection.cursor().copy(f"COPY {table} (book, {columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_TYPES[table])
            for row in rows:
                copy.write_row((self.book, *row))

    def _discard_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.invalidate()
            writer.close()

    def all(
        self, statement: str, parameters: Sequence[Any], convert: Callable[[list[Any]], list[Any]] = list
    ) -> list[Any]:
        query = statement.replace("?", "%s")
        try:
            try:
                return self._rows(query, parameters, convert)
            except psycopg.OperationalError:
                # The server may have been restarted since: what is left in the pool is of no use, a new connection is.
                self.engine.dispose()
                return self._rows(query, parameters, convert)
        except DBAPIError as error:
            raise unusable(error, self.engine.url) from None
        except psycopg.Error as error:
            raise unusable(DBAPIError(statement, None, error), self.engine.url) from None

    def _listed(self, statement: str, parameters: Sequence[Any], listed: Sequence[str]) -> Iterator[Any]:
        # As one array, so that it is the same statement for a list of any length, which the server has planned already.
        if listed:
            yield from self.all(statement.removesuffix("IN") + "= ANY(?)", [self.book, *parameters, list(listed)])

    def _rows(self, query: str, parameters: Sequence[Any], convert: Callable[[list[Any]], list[Any]]) -> list[Any]:
        with self.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            try:
                if convert is list:
                    return raw.execute(query, parameters, binary=True).fetchall()  # type: ignore[no-any-return]
                # What is here already is converted while the server sends the rest; it plans each such query anew.
                with (
                    raw.cursor() as cursor,
                    closing(cursor.stream(query, parameters, binary=True, size=PORTION)) as rows,
                ):
                    return converted(iter(lambda: list(islice(rows, PORTION)), []), convert)
            except psycopg.Error:
                if raw.broken:
                    connection.invalidate()
                raise

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        super().close()
