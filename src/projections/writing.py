"""One transaction that takes a read store further: its checkpoint locked, stored rows read, changed rows written.

The checkpoint moves in the same commit as the rows: whatever is killed, a batch is in wholly or not at all. Statements
go to the driver itself, a batch at a time.
"""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError

from ledger.errors import DatabaseUnusable
from projections.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from projections.places import Generation
    from projections.rectangle import Row

COPY_FROM_ROWS: Final = 50
"""From so many rows on, COPY is quicker than one INSERT over arrays."""

NOT_WAITING_FOR_DISK: Final = "SET LOCAL synchronous_commit = off"
"""What a crash takes from a read store goes with its checkpoint, or before a rebuild has made it the current one."""

_CHECKPOINT = "position, stamp, newest, reported_classes, effective_classes"


class Checkpoint(NamedTuple):
    """How far a read store is (`tables.checkpoint`)."""

    position: int = 0
    stamp: int = 0
    newest: int = 0
    reported_classes: int = 0
    effective_classes: int = 0


class Writing(ABC):
    """An open transaction that holds the lock of a read store's checkpoint. Rows have their table's columns."""

    checkpoint: Checkpoint

    @abstractmethod
    def stored(self, streams: Mapping[str, Sequence[str]]) -> dict[str, list[Row]]:
        """By table, the rows of some streams."""

    @abstractmethod
    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Write rows whose keys are not stored."""

    @abstractmethod
    def put(self, table: str, rows: Sequence[Row]) -> None:
        """Write rows, replacing those of the same key."""

    @abstractmethod
    def remove(self, table: str, keys: Sequence[Row]) -> None:
        """Delete rows by key."""

    @abstractmethod
    def advance(self, checkpoint: Checkpoint) -> None:
        """Move the checkpoint."""

    @abstractmethod
    def quarantine(self, stream: str, position: int, error: str) -> None:
        """Record that a stream could not be folded, at which event."""

    @abstractmethod
    def release(self, streams: Iterable[str]) -> None:
        """Record that streams fold, whether they did before or not."""


@contextmanager
def writing(generation: Generation, kept: Connection | None = None) -> Iterator[Writing | None]:
    """A transaction that commits at the end of the block; None while another one holds the lock.

    It runs on a connection that is `kept` open for it, which has its statements planned already, or on one of the pool.
    Raises `DatabaseUnusable` for what the database raises, having changed nothing.
    """
    try:
        with nullcontext(kept) if kept is not None else generation.engine.connect() as connection:
            if generation.schema is None:
                with _writing_sqlite(connection) as transaction:
                    yield transaction
            else:
                with _writing_postgres(connection, generation.schema) as transaction:
                    yield transaction
    except (sqlite3.Error, psycopg.Error, DBAPIError) as error:
        raise DatabaseUnusable(f"the read store cannot be written: {error}; it can be rebuilt at any time") from error


@cache
def columns(table: str) -> tuple[str, ...]:
    """A table's columns in order."""
    return tuple(column.name for column in TABLES[table].columns)


@cache
def key_columns(table: str) -> tuple[int, ...]:
    """Where in a table's rows its primary key is."""
    return tuple(columns(table).index(column.name) for column in TABLES[table].primary_key.columns)


def key_of(table: str, row: Row) -> Row:
    """The primary key of a row."""
    return tuple([row[index] for index in key_columns(table)])


def _names(indexes: Iterable[str]) -> str:
    return ", ".join(indexes)


# SQLite -----------------------------------------------------------------------------------------------------------


@contextmanager
def _writing_sqlite(connection: Connection) -> Iterator[Writing | None]:
    try:
        transaction = connection.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin()
    except OperationalError as error:
        if "locked" not in str(error):
            raise
        yield None
        return
    with transaction:
        yield _SQLiteWriting(connection.connection.driver_connection)


class _SQLiteWriting(Writing):
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.checkpoint = Checkpoint(*connection.execute(f"SELECT {_CHECKPOINT} FROM checkpoint").fetchone())

    def stored(self, streams: Mapping[str, Sequence[str]]) -> dict[str, list[Row]]:
        query = "SELECT * FROM {} WHERE stream IN (SELECT value FROM json_each(?))"
        return {
            table: list(self._connection.execute(query.format(table), [json.dumps(some)]))
            for table, some in streams.items()
        }

    def add(self, table: str, rows: Sequence[Row]) -> None:
        insert_rows(self._connection, "INSERT", table, rows)

    def put(self, table: str, rows: Sequence[Row]) -> None:
        insert_rows(self._connection, "INSERT OR REPLACE", table, rows)

    def remove(self, table: str, keys: Sequence[Row]) -> None:
        where = " AND ".join(f"{columns(table)[index]} = ?" for index in key_columns(table))
        self._connection.executemany(f"DELETE FROM {table} WHERE {where}", keys)

    def advance(self, checkpoint: Checkpoint) -> None:
        self._connection.execute(f"UPDATE checkpoint SET ({_CHECKPOINT}) = (?, ?, ?, ?, ?)", checkpoint)

    def quarantine(self, stream: str, position: int, error: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?)", (stream, position, error))

    def release(self, streams: Iterable[str]) -> None:
        self._connection.executemany("DELETE FROM quarantine WHERE stream = ?", [(stream,) for stream in streams])


def insert_rows(connection: Any, how: str, table: str, rows: Sequence[Row]) -> None:
    """Write rows to SQLite."""
    places = ", ".join("?" * len(columns(table)))
    connection.executemany(f"{how} INTO {table} VALUES ({places})", rows)


# PostgreSQL -------------------------------------------------------------------------------------------------------


@contextmanager
def _writing_postgres(connection: Connection, schema: str) -> Iterator[Writing | None]:
    with connection.begin():
        raw: Any = connection.connection.driver_connection
        query = f'SELECT {_CHECKPOINT} FROM "{schema}".checkpoint FOR UPDATE SKIP LOCKED'
        with raw.pipeline():
            raw.execute(NOT_WAITING_FOR_DISK)
            locked = raw.execute(query, binary=True)
        found = locked.fetchone()
        if found is None:
            yield None
            return
        transaction = _PostgresWriting(raw, schema, Checkpoint(*found))
        yield transaction
        transaction.commit()


class _PostgresWriting(Writing):
    """Sends its writes with the commit, in one round trip; only COPY, which cannot wait, goes at once."""

    def __init__(self, connection: Any, schema: str, checkpoint: Checkpoint) -> None:
        self._connection = connection
        self._schema = schema
        self._waiting: list[tuple[str, Sequence[Any]]] = []
        self.checkpoint = checkpoint

    def _table(self, name: str) -> str:
        return f'"{self._schema}".{name}'

    def _write(self, statement: str, parameters: Sequence[Any]) -> None:
        self._waiting.append((statement, parameters))

    def _send(self) -> None:
        for statement, parameters in self._waiting:
            self._connection.execute(statement, parameters)
        self._waiting.clear()

    def commit(self) -> None:
        with self._connection.pipeline():
            self._send()
            self._connection.commit()

    def stored(self, streams: Mapping[str, Sequence[str]]) -> dict[str, list[Row]]:
        with self._connection.pipeline():
            self._send()
            query = "SELECT * FROM {} WHERE stream = ANY(%s)"
            found = {
                table: self._connection.execute(query.format(self._table(table)), [list(some)], binary=True)
                for table, some in streams.items()
            }
        return {table: list(rows) for table, rows in found.items()}

    def add(self, table: str, rows: Sequence[Row]) -> None:
        if len(rows) < COPY_FROM_ROWS:
            self._insert(table, rows, "")
        else:
            self._send()
            copy_rows(self._connection, self._schema, table, rows)

    def put(self, table: str, rows: Sequence[Row]) -> None:
        if len(rows) >= COPY_FROM_ROWS:
            self.remove(table, [key_of(table, row) for row in rows])
            self.add(table, rows)
            return
        keys = {columns(table)[index] for index in key_columns(table)}
        changed = [name for name in columns(table) if name not in keys]
        updates = _names(f"{name} = excluded.{name}" for name in changed)
        named = _names(columns(table)[index] for index in key_columns(table))
        self._insert(table, rows, f" ON CONFLICT ({named}) DO UPDATE SET {updates}")

    def _insert(self, table: str, rows: Sequence[Row], conflict: str) -> None:
        arrays = _arrays(table, range(len(columns(table))))
        statement = f"INSERT INTO {self._table(table)} SELECT * FROM unnest({arrays}){conflict}"
        self._write(statement, [list(column) for column in zip(*rows, strict=True)])

    def remove(self, table: str, keys: Sequence[Row]) -> None:
        places = key_columns(table)
        named = _names(columns(table)[index] for index in places)
        statement = (
            f"DELETE FROM {self._table(table)} WHERE ({named}) IN (SELECT * FROM unnest({_arrays(table, places)}))"
        )
        self._write(statement, [list(column) for column in zip(*keys, strict=True)])

    def advance(self, checkpoint: Checkpoint) -> None:
        statement = f"UPDATE {self._table('checkpoint')} SET ({_CHECKPOINT}) = (%s, %s, %s, %s, %s)"
        self._write(statement, checkpoint)

    def quarantine(self, stream: str, position: int, error: str) -> None:
        statement = (
            f"INSERT INTO {self._table('quarantine')} VALUES (%s, %s, %s)"
            " ON CONFLICT (stream) DO UPDATE SET position = excluded.position, error = excluded.error"
        )
        self._write(statement, (stream, position, error))

    def release(self, streams: Iterable[str]) -> None:
        self._write(f"DELETE FROM {self._table('quarantine')} WHERE stream = ANY(%s)", [list(streams)])


@cache
def _types(table: str) -> tuple[str, ...]:
    return tuple("text" if column.type.python_type is str else "bigint" for column in TABLES[table].columns)


def _arrays(table: str, places: Iterable[int]) -> str:
    """Places for columns of rows."""
    return _names(f"%s::{_types(table)[index]}[]" for index in places)


def copy_rows(connection: Any, schema: str, table: str, rows: Sequence[Row]) -> None:
    """Write rows by COPY."""
    with connection.cursor().copy(f'COPY "{schema}".{table} FROM STDIN (FORMAT BINARY)') as copy:
        copy.set_types(_types(table))
        for row in rows:
            copy.write_row(row)


def write_rows(generation: Generation, rows: Mapping[str, Sequence[Row]]) -> None:
    """Write rows by table, in a transaction of their own, to a generation that nobody reads yet."""
    with generation.engine.begin() as connection:
        raw: Any = connection.connection.driver_connection
        if generation.schema is not None:
            raw.execute(NOT_WAITING_FOR_DISK)
        for table, some in rows.items():
            if generation.schema is None:
                insert_rows(raw, "INSERT", table, some)
            else:
                copy_rows(raw, generation.schema, table, some)
