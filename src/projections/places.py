"""Where a generation of the read store is, and how it is made, made ready and dropped.

On PostgreSQL a schema beside the log's, on SQLite a file beside the log's, both named by book and generation.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, DropSchema

from ledger.errors import LedgerError
from projections.tables import INDEXES, SHAPE, TABLES, checkpoint, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL

    from ledger.application import Ledger

BUSY_TIMEOUT_S = 5
AT_ONCE = 2
FOR_BUILDING = (
    "SET LOCAL max_parallel_maintenance_workers = 0; SET LOCAL maintenance_work_mem = '256MB';"
    " SET LOCAL synchronous_commit = off"
)
"""Two tables at a time keep two processors busy. Nothing waits for the disk before the switch, which does."""

BULK_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "threads=2")


class Generation(NamedTuple):
    """One read store of a book: its number and where its tables are (`schema` on PostgreSQL only)."""

    number: int
    engine: Engine
    schema: str | None = None


def is_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def name_of(book: str, generation: int | str, separator: str) -> str:
    """`read-main-3`; a book whose name does not fit a schema's gets a digest instead."""
    slug = book
    if not re.fullmatch(r"[a-z0-9_]{1,40}", book):
        slug = hashlib.sha256(book.encode()).hexdigest()[:16]
    return separator.join(("read", slug, str(generation)))


def locate(ledger: Ledger, number: int) -> Generation:
    """Where a generation's tables are, whether they exist yet or not."""
    url = ledger.engine.url
    if url.get_backend_name() == "postgresql":
        schema = name_of(ledger.book, number, "_")
        options = {"schema_translate_map": {None: schema}, "isolation_level": "READ COMMITTED"}
        return Generation(number, ledger.engine.execution_options(**options), schema)
    return Generation(number, sqlite(Path(f"{url.database}.{name_of(ledger.book, number, '-')}")))


def memory(number: int = 0) -> Generation:
    """A read store in memory, gone with its engine."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    _explicit_transactions(engine)
    return Generation(number, engine)


def sqlite(path: Path, *pragmas: str) -> Engine:
    """An engine on one SQLite file. What a power cut takes from it goes with its checkpoint, and is folded again."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    _explicit_transactions(engine, *(pragmas or ("journal_mode=WAL", "synchronous=NORMAL", "mmap_size=1073741824")))
    return engine


@contextmanager
def only_builder(ledger: Ledger) -> Iterator[None]:
    """Nobody else rebuilds this book's read store meanwhile; the lock ends with the process that holds it.

    Raises `LedgerError` when somebody does.
    """
    url, name = ledger.engine.url, name_of(ledger.book, "builder", "-")
    if is_memory(url):
        yield
        return
    with ExitStack() as held:
        if url.get_backend_name() == "postgresql":
            connection = held.enter_context(ledger.engine.connect())
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            taken = connection.scalar(select(func.pg_try_advisory_lock(key)))
            if taken:
                held.callback(lambda: connection.execute(select(func.pg_advisory_unlock(key))))
            connection.commit()
        else:
            taken = _locked(held.enter_context(Path(f"{url.database}.{name}").open("wb")))
        if not taken:
            raise LedgerError("this book's read store is being rebuilt already; wait until that has ended")
        yield


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def for_bulk(generation: Generation) -> Generation:
    """The same tables for one that nobody reads yet: on SQLite without a journal, so no use after a crash."""
    if generation.schema is not None or is_memory(generation.engine.url):
        return generation
    path = Path(str(generation.engine.url.database))
    generation.engine.dispose()
    return Generation(generation.number, sqlite(path, *BULK_PRAGMAS))


def settled(generation: Generation) -> Generation:
    """A generation that is `complete`, made fit for use: on SQLite, statistics gathered and all of it on the disk."""
    if generation.schema is not None:
        return generation
    with generation.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE")
    if not is_memory(generation.engine.url):
        with generation.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with Path(str(generation.engine.url.database)).open("rb+") as file:
            os.fsync(file.fileno())
    return generation


def _explicit_transactions(engine: Engine, *pragmas: str) -> None:
    """Let a transaction begin where it begins, not at the first write, so that a view is one snapshot."""

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (*pragmas, "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def create(generation: Generation, *, keys: bool = True) -> None:
    """Make the tables of a generation, empty and without their secondary indexes. What a dead build left goes first.

    On PostgreSQL the primary keys too can wait for the rows (`keys=False`, then `complete`).
    """
    discard(generation)
    with generation.engine.begin() as connection:
        if generation.schema is not None:
            connection.execute(CreateSchema(generation.schema))
        for each in metadata.sorted_tables:
            connection.execute(CreateTable(each))
        if not keys and generation.schema is not None:
            for name in TABLES:
                drop = f'ALTER TABLE "{generation.schema}".{name} DROP CONSTRAINT {name}_pkey'
                connection.exec_driver_sql(drop)
        connection.execute(
            checkpoint.insert().values(
                only=1, position=0, stamp=0, newest=0, reported_classes=0, effective_classes=0, shape=SHAPE
            )
        )


def complete(generation: Generation) -> None:
    """Make what waited for the rows: keys and indexes; on PostgreSQL with statistics, and two tables at a time."""
    if generation.schema is None:
        create_indexes(generation)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(partial(_complete, generation), TABLES.values()):
            pass


def _complete(generation: Generation, table: Table) -> None:
    keys = ", ".join(column.name for column in table.primary_key.columns)
    name = f'"{generation.schema}".{table.name}'
    with generation.engine.begin() as connection:
        connection.exec_driver_sql(FOR_BUILDING)
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD PRIMARY KEY ({keys})")
        for index in INDEXES:
            if index.table is table:
                connection.execute(CreateIndex(index))
    with generation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {name}")


def create_indexes(generation: Generation) -> None:
    """Make the secondary indexes, after the rows: far quicker than growing them."""
    with generation.engine.begin() as connection:
        for index in INDEXES:
            connection.execute(CreateIndex(index))


def discard(generation: Generation) -> None:
    """Drop a generation's tables."""
    if generation.schema is not None:
        with generation.engine.begin() as connection:
            connection.execute(DropSchema(generation.schema, cascade=True, if_exists=True))
    elif not is_memory(generation.engine.url):
        generation.engine.dispose()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{generation.engine.url.database}{suffix}").unlink(missing_ok=True)


def follows(ledger: Ledger, generation: Generation) -> bool:
    """Whether what a generation holds is the beginning of this log: a restored backup may be another history."""
    with generation.engine.connect() as connection:
        at = connection.execute(select(checkpoint.c.position, checkpoint.c.stamp)).one()
    if at.position == 0:
        return True
    last = ledger.feed_rows(at.position - 1, 1)
    return bool(last) and last[0][6] == at.stamp


def readable(generation: Generation) -> bool:
    """Whether a generation exists in the shape that this version of the program reads."""
    url = generation.engine.url
    if generation.schema is None and (is_memory(url) or not Path(str(url.database)).exists()):
        return False
    try:
        with generation.engine.connect() as connection:
            return bool(connection.scalar(select(checkpoint.c.shape)) == SHAPE)
    except DBAPIError:
        return False
