"""The read store: where the folds' rows lie, one SQLite file or PostgreSQL schema per book and generation.

It is disposable: deleting it loses nothing, and which generation is current stands in the log's database. A report
opens a `View`, one snapshot in which every query sees the same position.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, func, select, true

from projections import generations
from projections.places import Generation, create, create_indexes, follows, is_memory, locate, readable
from projections.tables import book_versions, checkpoint, quarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from sqlalchemy import Engine, Executable, Row

    from ledger.application import Ledger

DEFAULT_TIME_ZONE = "Europe/Paris"
POLL_S = 0.002
MOST_LOOKED_AT = 10_000
_FOR_SHORT_QUERIES = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "plan_cache_mode": "force_custom_plan",
    "random_page_cost": "1.1",
}
"""Starting workers or a compiler takes longer than reading some thousand rows from an index; and how many those are the
instants tell, so that a statement prepared for many of them is planned for each. A page out of turn costs little more
than the next one, since what is read time and again lies in memory; as if it lay on a turning disk, whole tables would
be read for a few thousand rows."""

_HEAD = select(
    checkpoint,
    select(func.max(book_versions.c.time_zone)).scalar_subquery().label("time_zone"),
    select(func.count()).select_from(quarantine).scalar_subquery().label("quarantined"),
)
_SCHEMA = bindparam("schema", type_=Text)
_SETTINGS = {**_FOR_SHORT_QUERIES, "search_path": _SCHEMA}
_HEAD_AND_SETTINGS = _HEAD.add_columns(
    *(func.set_config(name, value, true()).label(name) for name, value in _SETTINGS.items())
)


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
    `recorded_at` it holds; the classes are bits for `intervals`. `time_zone` is the book's, settled at its opening;
    `quarantined` how many streams could not be folded.
    """

    connection: Connection
    generation: int
    position: int
    stamp: int
    newest: int
    reported_classes: int
    effective_classes: int
    time_zone: str
    quarantined: int
    _found: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, what: Hashable, read: Callable[[], Any]) -> Any:
        """What is read again and again for one answer: read when it is first asked for."""
        if what not in self._found:
            self._found[what] = read()
        return self._found[what]

    def rows(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Sequence[Row[Any]]:
        return self.connection.execute(statement, parameters or {}).all()

    def tuples(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """The rows as the driver gives them, which of tens of thousands is sooner: of integers and texts alone."""
        cursor = self.connection.execute(statement, parameters or {}).cursor
        assert cursor is not None
        return cursor.fetchall()


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
        if is_memory(self.engine.url):
            return
        number = generations.current(ledger.engine, ledger.book)
        if number is not None and number != self.generation:
            self._current = locate(ledger, number)

    @contextmanager
    def view(self) -> Iterator[View]:
        """One snapshot; nothing written meanwhile shows in it."""
        current = self._current
        with current.engine.connect() as connection:
            if current.schema is None:
                row = connection.execute(_HEAD).one()
            else:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                row = connection.execute(_HEAD_AND_SETTINGS, {_SCHEMA.key: current.schema}).one()
                # What follows finds the tables on the search path: to name the schema in each statement takes its time.
                connection.execution_options(schema_translate_map=None)
            yield View(
                connection,
                current.number,
                row.position,
                row.stamp,
                row.newest,
                row.reported_classes,
                row.effective_classes,
                row.time_zone or DEFAULT_TIME_ZONE,
                row.quarantined,
            )
            connection.commit()  # on a rollback psycopg would forget all statements that it has prepared

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
