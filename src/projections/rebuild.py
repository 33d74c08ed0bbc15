"""Rebuild: the whole log folded by several processes into a new generation, then one switch (DESIGN 6).

Questions go on being answered from the old generation until the switch, and appends go on: what came in meanwhile is
folded by the live runner's own batches before it.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import defaultdict, deque
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import func, select

from ledger.application import open_ledger
from ledger.codec import from_rows
from ledger.collecting import collect_seldom
from ledger.errors import LedgerError, UnreadableEvent
from projections import generations
from projections.places import (
    Generation,
    complete,
    create,
    discard,
    for_bulk,
    locate,
    only_builder,
    settled,
)
from projections.runner import fold_events, run_batch, with_classes
from projections.source import RANGE_EVENTS, Range, events_in, ranges, streams_in
from projections.store import ReadStore
from projections.tables import TABLES
from projections.writing import Checkpoint, write_rows, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.application import Ledger
    from ledger.codec import Recorded
    from projections.rectangle import Row

SMALL: Final = 20_000
"""Up to so many events starting processes costs more than it brings."""


class Rebuilt(NamedTuple):
    """What a rebuild did. `rows` are those of all tables, `seconds` the whole."""

    generation: int
    events: int
    rows: int
    seconds: float
    quarantined: int


class _Part(NamedTuple):
    """What folding one range gave; its rows are written."""

    events: int
    newest: int
    counts: dict[str, int]
    classes: Checkpoint
    failed: list[tuple[str, int, str]]


def rebuild(ledger: Ledger, workers: int | None = None, progress: Callable[[int, int], None] | None = None) -> Rebuilt:
    """Fold the whole log into a new generation and make it the current one.

    `progress` is called with the events folded so far and those to fold. `workers` defaults to the processors there are. The generation before stays until the next rebuild; older ones and
    what dead rebuilds left are dropped. Raises `LedgerError` when somebody else is rebuilding, or when the new generation
    does not hold what was folded; the old one stays current then.
    """
    with only_builder(ledger):
        return _rebuild(ledger, workers, progress)


def _rebuild(ledger: Ledger, workers: int | None, progress: Callable[[int, int], None] | None) -> Rebuilt:
    began = time.monotonic()
    number = generations.begin(ledger.engine, ledger.book, ledger.now())
    target = for_bulk(locate(ledger, number))
    create(target, keys=False)
    upto = ledger.head().position
    total = Checkpoint()
    counts: dict[str, int] = dict.fromkeys(TABLES, 0)
    events = 0
    failed: list[tuple[str, int, str]] = []
    for part in _parts(ledger, target, upto, workers or os.cpu_count() or 1):
        for table, count in part.counts.items():
            counts[table] += count
        events += part.events
        failed += part.failed
        total = _joined(total, part)
        if progress is not None:
            progress(events, upto)
    _verify(events == upto, f"{events} of {upto} events")
    with writing(target) as transaction:
        assert transaction is not None
        for stream, position, error in failed:
            transaction.quarantine(stream, position, error)
        last = ledger.feed_rows(upto - 1, 1) if upto else []
        transaction.advance(total._replace(position=upto, stamp=last[0][6] if last else 0))
    complete(target)
    stored = _count(target)
    _verify(stored == counts, f"{sum(stored.values())} of {sum(counts.values())} rows")
    if target.schema is None:
        target.engine.dispose()
    store = ReadStore(settled(locate(ledger, number)), ledger.book)
    while run_batch(ledger, store):
        pass
    generations.switch(ledger.engine, ledger.book, number)
    for old in generations.superseded(ledger.engine, ledger.book, number):
        discard(locate(ledger, old))
        generations.forget(ledger.engine, ledger.book, old)
    return Rebuilt(number, events, sum(counts.values()), time.monotonic() - began, len(failed))


def _verify(so: bool, what: str) -> None:  # noqa: FBT001 (reads as a sentence)
    if not so:
        raise LedgerError(f"the new read store holds {what}; the old one stays in use; try again")


def _joined(total: Checkpoint, part: _Part) -> Checkpoint:
    return total._replace(
        newest=max(total.newest, part.newest),
        reported_classes=total.reported_classes | part.classes.reported_classes,
        effective_classes=total.effective_classes | part.classes.effective_classes,
    )


def _count(generation: Generation) -> dict[str, int]:
    with generation.engine.connect() as connection:
        return {
            name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in TABLES.items()
        }


# Folding in parallel ----------------------------------------------------------------------------------------------


def _parts(ledger: Ledger, target: Generation, upto: int, workers: int) -> Iterator[_Part]:
    """Fold all ranges, in order of stream names, a few ahead of who takes them."""
    cut = ranges(ledger, upto, RANGE_EVENTS)
    if upto <= SMALL or workers == 1:
        for within in cut:
            yield _fold_range(ledger, target, within, upto, nullcontext())
        return
    spawn = multiprocessing.get_context("spawn")
    setting = (ledger.url, ledger.book, target.number, spawn.Lock() if target.schema is None else nullcontext())
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_open, initargs=setting) as pool:
        ahead: deque[Future[_Part]] = deque()
        for within in cut:
            ahead.append(pool.submit(_fold_range_here, within, upto))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
        pool.shutdown(wait=False)  # all is written: indexes can be made while the processes end


_here: dict[str, Any] = {}
"""What a worker process keeps between ranges."""


def _open(url: str, book: str, number: int, turn: AbstractContextManager[Any]) -> None:
    ledger = open_ledger(url, book, create=False)
    _here["ledger"], _here["target"], _here["turn"] = ledger, for_bulk(locate(ledger, number)), turn
    collect_seldom()


def _fold_range_here(within: Range, upto: int) -> _Part:
    return _fold_range(_here["ledger"], _here["target"], within, upto, _here["turn"])


def _fold_range(
    ledger: Ledger, target: Generation, within: Range, upto: int, turn: AbstractContextManager[Any]
) -> _Part:
    """Fold a range and write its rows, when it is this process's `turn`: SQLite has one writer at a time."""
    made: dict[str, list[Row]] = defaultdict(list)
    failed: list[tuple[str, int, str]] = []
    count = newest = 0

    def take(stream: str, last: int, events: Callable[[], Sequence[Recorded]]) -> None:
        try:
            for table, rows in fold_events(stream, events()).items():
                made[table] += rows
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one stream, the others go on)
            failed.append((stream, last, f"{type(error).__name__}: {error}"))

    try:
        for stream, events in events_in(ledger, within, upto):
            count += len(events)
            newest = max(newest, *[event.recorded_at for event in events])
            take(stream, events[-1].position, partial(list, events))
    except UnreadableEvent:
        # It is found by reading each stream alone.
        for stream, rows in streams_in(ledger, within, upto):
            count += len(rows)
            newest = max(newest, *[row[5] for row in rows])
            take(stream, rows[-1][0], partial(from_rows, rows))
    with turn:
        write_rows(target, made)
    counts = {table: len(rows) for table, rows in made.items()}
    return _Part(count, newest, counts, with_classes(Checkpoint(), made["deal_versions"]), failed)
