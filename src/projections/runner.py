"""The live runner: new events in, rows out, a batch at a time (DESIGN 6).

When a stream has new events it is read whole, folded, and the rows that differ from the stored ones are written, in one
transaction with the checkpoint. Any process may run a batch; the checkpoint's lock elects one.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from ledger.codec import from_rows
from ledger.errors import LedgerError
from ledger.times import FOREVER
from projections.facts import FOLDS, kind_of
from projections.rectangle import OPEN_ENDED, Row
from projections.timeline import rectangles
from projections.writing import Checkpoint, Writing, key_columns, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from ledger.application import Ledger
    from ledger.codec import Recorded
    from projections.places import Generation
    from projections.source import LogRow
    from projections.store import ReadStore

BATCH: Final = 2_000
POLL_S: Final = 0.005
REFRESH_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0

_EFFECTIVE_FROM, _KNOWN_FROM, _KNOWN_TO, _REPORTED_CLASS, _EFFECTIVE_CLASS, _STATUS = 1, 3, 4, 9, 10, 11
_log = logging.getLogger(__name__)


def run_batch(ledger: Ledger, store: ReadStore, limit: int = BATCH) -> int:
    """Fold at most `limit` events after the checkpoint; how many that were.

    None, when there are none or another process is at it. Raises what the database raises; nothing is changed then.
    """
    with writing(store.current) as transaction:
        if transaction is None:
            return 0
        fed: list[LogRow] = ledger.feed_rows(transaction.checkpoint.position, limit)
        _take(ledger, transaction, fed)
    return len(fed)


def _take(ledger: Ledger, transaction: Writing, fed: Sequence[LogRow]) -> None:
    """Fold the events that follow the checkpoint, and move it behind them."""
    if fed:
        _write_batch(transaction, _whole_streams(ledger, fed), transaction.checkpoint.position)
        transaction.advance(_advanced(transaction.checkpoint, fed))


def _whole_streams(ledger: Ledger, fed: Sequence[LogRow]) -> dict[str, list[LogRow]]:
    """By stream, all its events up to the last one fed."""
    streams: dict[str, list[LogRow]] = defaultdict(list)
    for row in fed:
        streams[row[1]].append(row)
    grown = [stream for stream, rows in streams.items() if rows[0][2] > 1]
    if grown:
        until = fed[-1][0]
        for stream in grown:
            streams[stream] = []
        for row in ledger.recorder.stream_rows(grown):
            if row[0] <= until:
                streams[row[1]].append(row)
    return streams


def _write_batch(transaction: Writing, streams: Mapping[str, list[LogRow]], after: int) -> None:
    rows: dict[str, dict[Row, Row]] = defaultdict(dict)
    grown: dict[str, list[str]] = defaultdict(list)
    healthy: list[str] = []
    for stream, events in streams.items():
        try:
            folded = fold(stream, events)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one stream, the others go on)
            position = events[-1][0]
            _log.error("stream %s is quarantined at position %d: %s", stream, position, error)
            transaction.quarantine(stream, position, f"{type(error).__name__}: {error}")
            continue
        is_grown = events[0][0] <= after
        if is_grown:
            healthy.append(stream)
        for table, made in folded.items():
            keys = key_columns(table)
            into = rows[table]
            for row in made:
                into[tuple([row[index] for index in keys])] = row
            if is_grown:
                grown[table].append(stream)
    stored = transaction.stored(grown) if grown else {}
    if healthy:
        transaction.release(healthy)
    for table in rows.keys() | grown.keys():
        _write_table(transaction, table, rows[table], stored.get(table, ()))
    transaction.checkpoint = with_classes(transaction.checkpoint, rows["deal_versions"].values())


def _write_table(transaction: Writing, table: str, rows: Mapping[Row, Row], before: Iterable[Row]) -> None:
    """Write what differs from the rows that these streams had before."""
    keys = key_columns(table)
    stored = {tuple([row[index] for index in keys]): row for row in before}
    gone = [key for key in stored if key not in rows]
    changed = [row for key, row in rows.items() if key in stored and stored[key] != row]
    new = [row for key, row in rows.items() if key not in stored]
    if gone:
        transaction.remove(table, gone)
    if changed:
        transaction.put(table, changed)
    if new:
        transaction.add(table, new)


def fold(stream: str, events: Iterable[LogRow]) -> dict[str, list[Row]]:
    """The rows of one stream by table, from its log rows by version. Raises for what cannot be read or folded."""
    return fold_events(stream, from_rows(events))


def fold_events(stream: str, events: Sequence[Recorded]) -> dict[str, list[Row]]:
    """As `fold`, from events already read."""
    kind = kind_of(stream)
    if kind not in FOLDS:
        raise LedgerError(f"no fold for streams of kind {kind!r}; a newer version wrote them; upgrade")
    wanted = FOLDS[kind]
    return {name: rows for (name, _), rows in zip(wanted.tables, rectangles(events, wanted), strict=True)}


def with_classes(checkpoint: Checkpoint, deal_versions: Iterable[Row]) -> Checkpoint:
    """The checkpoint with the length classes of these open deals: effective, and as reported where late (`tables`)."""
    reported, effective = checkpoint.reported_classes, checkpoint.effective_classes
    for row in deal_versions:
        if row[_STATUS] == "open":
            late = row[_KNOWN_FROM] > row[_EFFECTIVE_FROM] or row[_KNOWN_TO] < FOREVER
            if late and row[_REPORTED_CLASS] is not None and row[_REPORTED_CLASS] < OPEN_ENDED:
                reported |= 1 << row[_REPORTED_CLASS]
            if row[_EFFECTIVE_CLASS] < OPEN_ENDED:
                effective |= 1 << row[_EFFECTIVE_CLASS]
    return checkpoint._replace(reported_classes=reported, effective_classes=effective)


def _advanced(checkpoint: Checkpoint, fed: Sequence[LogRow]) -> Checkpoint:
    return checkpoint._replace(
        position=fed[-1][0], stamp=fed[-1][6], newest=max(checkpoint.newest, *(row[5] for row in fed))
    )


class Runner:
    """Keeps a read store up to date, in a thread of `serve`."""

    def __init__(self, ledger: Ledger, store: ReadStore) -> None:
        self._ledger = ledger
        self._store = store
        self._appended = Event()
        self._kept: _Kept | None = None

    def notify(self) -> None:
        """Say that something was appended in this process, so that it is folded at once."""
        self._appended.set()

    def run(self, stop: Event) -> None:
        """Run until `stop` is set. Database errors are logged and tried again, ever more slowly; none ends it."""
        pause = FIRST_PAUSE_S
        while not stop.is_set():
            try:
                self._step()
                pause = FIRST_PAUSE_S
                continue
            except (SQLAlchemyError, LedgerError) as error:
                _log.warning("the read store cannot be brought up to date, next try in %.1f s: %s", pause, error)
            except Exception:  # noqa: BLE001 (a runner that ends would leave every report behind)
                _log.exception("the runner failed, next try in %.1f s", pause)
            self._let_go(broken=True)
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        self._let_go()

    def _step(self) -> None:
        self._appended.clear()
        kept = self._kept_now()
        fed: list[LogRow] = self._ledger.feed_rows(kept.position, BATCH)
        if not fed:
            self._appended.wait(POLL_S)
            return
        with writing(kept.generation, kept.connection) as transaction:
            if transaction is not None:
                kept.position = transaction.checkpoint.position
                if kept.position + 1 == fed[0][0]:
                    _take(self._ledger, transaction, fed)
        if transaction is None:
            self._appended.wait(POLL_S)
        elif kept.position + 1 == fed[0][0]:
            kept.position = fed[-1][0]

    def _kept_now(self) -> _Kept:
        """What is kept open, turned to the generation that is current, which is looked up once in a while."""
        kept, now = self._kept, time.monotonic()
        if kept is None or now >= kept.until:
            self._store.refresh(self._ledger)
        generation = self._store.current
        if kept is None or kept.generation is not generation:
            self._let_go()
            position = self._store.position()
            kept = self._kept = _Kept(generation, generation.engine.connect(), position, now)
        if now >= kept.until:
            kept.until = now + REFRESH_S
        return kept

    def _let_go(self, *, broken: bool = False) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            if broken:
                kept.connection.invalidate()
            kept.connection.close()


@dataclass
class _Kept:
    """What the runner keeps between batches: a connection to a generation, how far that is, and until when it is
    taken for the current one.
    """

    generation: Generation
    connection: Connection
    position: int
    until: float
