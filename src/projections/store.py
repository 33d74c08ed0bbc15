"""The read store: where the folds' rows lie, one SQLite file or PostgreSQL schema per book and generation.

It is disposable: deleting it loses nothing, and which generation is current stands in the log's database. A report
opens a `View`, one snapshot in which every query sees the same position.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, DropSchema

from projections import generations
from projections.tables import INDEXES, SHAPE, TABLES, book_versions, checkpoint, metadata, quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Executable, Row
    from sqlalchemy.engine import URL

    from ledger.application import Ledger

DEFAULT_TIME_ZONE = "Europe/Paris"
BUSY_TIMEOUT_S = 5
POLL_S = 0.002
FOR_SHORT_QUERIES = "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0"
"""Starting workers or a compiler takes longer than reading some thousand rows from an index."""

BULK_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "threads=2")
MOST_LOOKED_AT = 10_000


class Freshness(NamedTuple):
    """How far the read store is, and how far the log was when the question came."""

    position: int
    head: int

    @property
    def complete(self) -> bool:
        return self.position >= self.head


@dataclass(frozen=True)
class View:
    """One snapshot of the read store, for the length of a report.

    `position` is that of the last event it holds, `stamp` that event's `appended_at`, `newest` the greatest
    `recorded_at` it holds; the classes are bits for `intervals`.
    """

    connection: Connection
    generation: int
    position: int
    stamp: int
    newest: int
    reported_classes: int
    effective_classes: int

    def rows(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Sequence[Row[Any]]:
        return self.connection.execute(statement, parameters or {}).all()

    @property
    def time_zone(self) -> str:
        """The book's time zone, settled at its opening."""
        found = self.connection.scalar(select(func.max(book_versions.c.time_zone)))
        return str(found or DEFAULT_TIME_ZONE)


class Generation(NamedTuple):
    """One read store of a book: its number and where its tables are (`schema` on PostgreSQL only)."""

    number: int
    engine: Engine
    schema: str | None = None


class ReadStore:
    """The current read store of a ledger's book. Safe to share between threads."""

    def __init__(self, generation: Generation, book: str) -> None:
        self._current = generation
        self.book = book

    @classmethod
    def open(cls, ledger: Ledger) -> ReadStore:
        """The current generation; an empty one, which the runner fills, when there is none that this version reads."""
        number = generations.current(ledger.engine, ledger.book)
        if number is not None:
            found = locate(ledger, number)
            if readable(found) and follows(ledger, found):
                return cls(found, ledger.book)
        number = generations.begin(ledger.engine, ledger.book, ledger.now())
        created = locate(ledger, number)
        create(created)
        create_indexes(created)
        generations.switch(ledger.engine, ledger.book, number)
        return cls(created, ledger.book)

    @property
    def current(self) -> Generation:
        """Where the rows are now; a rebuild replaces it."""
        return self._current

    @property
    def generation(self) -> int:
        return self._current.number

    @property
    def engine(self) -> Engine:
        """Of the current generation; its tables are found without naming a schema."""
        return self._current.engine

    def refresh(self, ledger: Ledger) -> None:
        """Turn to the generation that is current now, after a rebuild by any process."""
        if is_memory(ledger.engine.url):
            return
        number = generations.current(ledger.engine, ledger.book)
        if number is not None and number != self.generation:
            self._current = locate(ledger, number)

    @contextmanager
    def view(self) -> Iterator[View]:
        """One snapshot; nothing written meanwhile shows in it."""
        current = self._current
        with current.engine.connect() as connection:
            if current.schema is not None:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                connection.exec_driver_sql(FOR_SHORT_QUERIES)
            row = connection.execute(select(checkpoint)).one()
            yield View(
                connection,
                current.number,
                row.position,
                row.stamp,
                row.newest,
                row.reported_classes,
                row.effective_classes,
            )

    def position(self) -> int:
        """Of the last event folded in."""
        with self._current.engine.connect() as connection:
            return int(connection.execute(select(checkpoint.c.position)).scalar_one())

    def quarantined(self) -> list[tuple[str, int, str]]:
        """Streams that cannot be folded: stream, position of the event that did it, error."""
        with self._current.engine.connect() as connection:
            found = connection.execute(select(quarantine).order_by(quarantine.c.position))
            return [(row.stream, row.position, row.error) for row in found]

    def wait(self, ledger: Ledger, known_at: int | None = None, timeout: float = 5.0) -> Freshness:
        """Wait until the read store has reached the log's head as it is now, folding here when nobody else does.

        A question about the past (`known_at`) waits only while events not yet folded could touch it. After `timeout`
        seconds it returns as it is: the answer says how far that was.
        """
        from projections.runner import run_batch  # noqa: PLC0415 (it imports this module)

        self.refresh(ledger)
        head = ledger.head().position
        deadline = time.monotonic() + timeout
        while True:
            position = self.position()
            if position >= head or time.monotonic() >= deadline:
                return Freshness(position, head)
            if known_at is not None and not _touched(ledger, position, head, known_at):
                return Freshness(position, head)
            if run_batch(ledger, self) == 0:
                time.sleep(POLL_S)


def _touched(ledger: Ledger, position: int, head: int, known_at: int) -> bool:
    """Whether events not yet folded were recorded by then. Far behind, it is quicker to fold than to look."""
    if head - position > MOST_LOOKED_AT:
        return True
    return bool(ledger.recorder.rows("position > ? AND recorded_at <= ?", [position, known_at], "position", 1))


def is_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def name_of(book: str, generation: int, separator: str) -> str:
    """`read-main-3`; a book whose name does not fit a schema's gets a digest instead."""
    slug = book
    if not re.fullmatch(r"[a-z0-9_]{1,40}", book):
        slug = hashlib.sha256(book.encode()).hexdigest()[:16]
    return separator.join(("read", slug, str(generation)))


def locate(ledger: Ledger, number: int) -> Generation:
    """Where a generation's tables are, whether they exist yet or not."""
    return located(ledger.engine, ledger.book, number)


def located(engine: Engine, book: str, number: int) -> Generation:
    """As `locate`, from the engine of the log's database."""
    url = engine.url
    if url.get_backend_name() == "postgresql":
        schema = name_of(book, number, "_")
        options = {"schema_translate_map": {None: schema}, "isolation_level": "READ COMMITTED"}
        return Generation(number, engine.execution_options(**options), schema)
    if is_memory(url):
        return memory(number)
    return Generation(number, sqlite(Path(f"{url.database}.{name_of(book, number, '-')}")))


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


def for_bulk(generation: Generation) -> Generation:
    """The same tables for one that nobody reads yet: on SQLite without a journal, so no use after a crash."""
    if generation.schema is not None or is_memory(generation.engine.url):
        return generation
    path = Path(str(generation.engine.url.database))
    generation.engine.dispose()
    return Generation(generation.number, sqlite(path, *BULK_PRAGMAS))


def settled(generation: Generation) -> Generation:
    """A generation written in bulk, made fit for use: statistics gathered, and all of it on the disk."""
    if generation.schema is not None:
        with generation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in TABLES:
                connection.exec_driver_sql(f'VACUUM (ANALYZE) "{generation.schema}".{name}')
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

    On PostgreSQL the primary keys too can wait for the rows (`keys=False`, then `create_keys`).
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


def create_keys(generation: Generation) -> None:
    """Make the primary keys that `create` left out."""
    if generation.schema is None:
        return
    with generation.engine.begin() as connection:
        for name, table in TABLES.items():
            columns = ", ".join(column.name for column in table.primary_key.columns)
            connection.exec_driver_sql(f'ALTER TABLE "{generation.schema}".{name} ADD PRIMARY KEY ({columns})')


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
