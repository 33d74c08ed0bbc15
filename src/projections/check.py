"""The auditor's replay: folds the log afresh, from the hashed bytes alone, beside or without the read store.

It finds a read store that drifted or was edited, and a log whose copied columns no longer say what its entries do. A
fold that is wrong it cannot find: tests do that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from ledger.codec import from_entry
from ledger.errors import UnreadableEvent
from ledger.times import format_instant
from projections.places import create, create_indexes, memory
from projections.runner import fold_events, with_classes
from projections.source import ranges, streams_in
from projections.store import ReadStore
from projections.tables import TABLES
from projections.writing import Checkpoint, columns, key_of, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.application import Ledger
    from ledger.codec import Recorded
    from projections.rectangle import Row
    from projections.source import LogRow, Range
    from projections.store import View


class Difference(NamedTuple):
    """What is not as it should be: a row of the read store (`stored` or `folded` is None where there is none).

    Of the log itself and of streams that cannot be folded, `table` is `events`.
    """

    table: str
    stream: str
    position: int
    what: str
    stored: dict[str, Any] | None = None
    folded: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.table}: {self.stream} (event {self.position}): {self.what}"


def check(ledger: Ledger, store: ReadStore, progress: Callable[[int, int], None] | None = None) -> list[Difference]:
    """Every row of the read store against a fresh fold of as much of the log as it holds; both ways."""
    found: list[Difference] = []
    with store.view() as view:
        head = ledger.head().position
        if view.position > head:
            what = f"the read store is at {view.position}, the log ends at {head}; rebuild"
            return [Difference("checkpoint", "-", view.position, what)]
        done = 0
        for within in ranges(ledger, view.position):
            folded: dict[str, list[Row]] = {table: [] for table in TABLES}
            for stream, rows in streams_in(ledger, within, view.position):
                done += len(rows)
                try:
                    for table, made in fold_events(stream, [_from_bytes(row) for row in rows]).items():
                        folded[table] += made
                except Exception as error:  # noqa: BLE001 (each stream that is wrong is to be named)
                    found.append(Difference("events", stream, rows[-1][0], str(error)))
            for table, expected in folded.items():
                found += _compared(table, _stored(view, table, within), expected)
            if progress is not None:
                progress(done, view.position)
        if done != view.position:
            what = f"{done} events are in the log, {view.position} in the read store; the log was altered"
            found.append(Difference("events", "-", done, what))
    return found


def memory_store(ledger: Ledger, position: int | None = None) -> ReadStore:
    """A read store in memory of the first `position` entries, from their bytes alone; nothing later can alter it.

    Raises `UnreadableEvent` for an entry that cannot be read or is not what its row in the log says.
    """
    head = ledger.head().position
    upto = head if position is None else min(position, head)
    target = memory()
    create(target)
    last: Recorded | None = None
    newest = 0
    with writing(target) as transaction:
        assert transaction is not None
        classes = Checkpoint()
        for within in ranges(ledger, upto):
            for stream, rows in streams_in(ledger, within, upto):
                events = [_from_bytes(row) for row in rows]
                newest = max(newest, *(event.recorded_at for event in events))
                if last is None or events[-1].position > last.position:
                    last = events[-1]
                for table, made in fold_events(stream, events).items():
                    transaction.add(table, made)
                    if table == "deal_versions":
                        classes = with_classes(classes, made)
        transaction.advance(classes._replace(position=upto, stamp=last.appended_at if last else 0, newest=newest))
    create_indexes(target)
    return ReadStore(target, ledger.book)


def _from_bytes(row: LogRow) -> Recorded:
    """The event that an entry's bytes hold. Raises `UnreadableEvent` if the log's copied columns say otherwise."""
    event = from_entry(row[0], bytes(row[7]))
    copied = (event.stream, event.version, event.type, event.effective_at, event.recorded_at, event.appended_at)
    if copied != row[1:7]:
        raise UnreadableEvent(f"event {row[0]}: the log's columns are not what its entry says; the log was altered")
    return event


def _stored(view: View, table: str, within: Range) -> list[Row]:
    start, end = within
    streams = TABLES[table].c.stream
    return [tuple(row) for row in view.rows(select(TABLES[table]).where(streams >= start, streams < end))]


def _compared(table: str, stored: Sequence[Row], folded: Sequence[Row]) -> Iterator[Difference]:
    there = {key_of(table, row): row for row in stored}
    expected = {key_of(table, row): row for row in folded}
    for key in sorted(there.keys() | expected.keys(), key=repr):
        have, want = there.get(key), expected.get(key)
        if have != want:
            yield _difference(table, have, want)


def _difference(table: str, have: Row | None, want: Row | None) -> Difference:
    names = columns(table)
    stored = None if have is None else dict(zip(names, have, strict=True))
    folded = None if want is None else dict(zip(names, want, strict=True))
    row = folded or stored or {}
    since = f"of {format_instant(row['effective_from'])}, known from {format_instant(row['known_from'])}"
    if stored is None:
        what = f"the row {since} is missing"
    elif folded is None:
        what = f"the row {since} should not be there"
    else:
        wrong = [f"{name} is {stored[name]!r}, not {folded[name]!r}" for name in names if stored[name] != folded[name]]
        what = f"the row {since}: {', '.join(wrong)}"
    return Difference(table, row["stream"], row["position"], what, stored, folded)
