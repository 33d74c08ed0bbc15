"""A large book: bulk append with decisions, rebuild, and the forecast at random instants.

Each step runs in a process of its own, so that its peak memory (resident, summed over the processes it starts) is its
own; processor time is per event, of those processes, without the database server. The stock library appends without
decisions, 100 deals a transaction; it answers a past instant by replaying.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, NamedTuple

import msgspec
import psutil

from benchmarks import story
from benchmarks.live import catch_up_stock
from benchmarks.stock import Deals
from benchmarks.support import Place, chosen, milliseconds, opened, parser, place, show
from ledger.demo import history
from ledger.times import format_instant, parse_instant
from projections.rebuild import rebuild
from projections.reports import answer
from projections.store import ReadStore

UNTIL = parse_instant("2026-01-01T00:00:00Z")
YEARS = 3
YEAR_US = 365 * 86_400 * 1_000_000
SAMPLE_S = 0.2
WARM_UP = 5


class Step(NamedTuple):
    """What a step did: how many events, how long, the processor time of it and its children, the most memory."""

    events: int
    seconds: float
    cpu_s: float
    peak_mb: float


class _Peak:
    bytes = 0


@contextmanager
def peak_memory() -> Iterator[_Peak]:
    """The most resident memory of this process and its children during the block."""
    peak, stop, me = _Peak(), Event(), psutil.Process()

    def sample() -> None:
        while True:
            peak.bytes = max(peak.bytes, sum(map(_resident, [me, *me.children(recursive=True)])))
            if stop.wait(SAMPLE_S):
                return

    thread = Thread(target=sample)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def measured(work: Callable[[], int]) -> Step:
    """Run one step, which says how much it did."""
    with peak_memory() as peak:
        began, cpu_began = time.perf_counter(), _cpu_seconds()
        events = work()
        seconds, cpu_s = time.perf_counter() - began, _cpu_seconds() - cpu_began
    return Step(events, seconds, cpu_s, peak.bytes / 1e6)


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def write_history(path: Path, deals: int) -> int:
    """Write a company's history as event lines; how many."""
    count = 0
    with path.open("wb") as file:
        for line in history(deals=deals, years=YEARS, until=UNTIL):
            file.write(msgspec.json.encode(line) + b"\n")
            count += 1
    return count


def bulk_append(url: str, path: Path) -> Step:
    """Append a file of history, every line decided."""

    def work() -> int:
        with opened(url, path.parent) as ledger, path.open("rb") as file:
            lines = enumerate((line.rstrip(b"\n") for line in file), 1)
            refused = sum(
                outcome.error is not None for outcome in ledger.append_each(lines, actor=story.ACTOR, history=True)
            )
            assert not refused, f"{refused} lines were refused"
            return ledger.head().position

    return measured(work)


def rebuild_all(url: str, workers: int) -> Step:
    """Rebuild the read store from the log."""

    def work() -> int:
        with opened(url) as ledger:
            return rebuild(ledger, workers).events

    return measured(work)


def forecasts(url: str, times: int) -> dict[str, list[float]]:
    """Seconds per answer, by kind of question, at random instants of the history."""
    rng = Random(1)
    taken: dict[str, list[float]] = {"as reported": [], "restated": [], "general pair": []}
    with opened(url) as ledger:
        store = ReadStore.open(ledger)
        for number in range(times + WARM_UP):
            earlier, later = sorted(UNTIL - rng.randrange(YEARS * YEAR_US) for _ in range(2))
            as_of = {"as_of": format_instant(earlier)}
            questions = as_of, as_of | {"known_at": "now"}, as_of | {"known_at": format_instant(later)}
            for kind, question in zip(taken, questions, strict=True):
                began = time.perf_counter()
                answer(store, "forecast", question, today=date(2026, 1, 1))
                if number >= WARM_UP:
                    taken[kind].append(time.perf_counter() - began)
    return taken


def stock_append(settings: dict[str, str], events: int) -> Step:
    """Save a tenth as many stock aggregates of ten events."""

    def work() -> int:
        app = Deals(env=settings)
        story.tell(app, events // story.EVENTS_PER_DEAL)
        app.close()
        return events

    return measured(work)


def stock_project(settings: dict[str, str], events: int) -> Step:
    """Project events that the stock application has not projected yet."""
    app = Deals(env=settings)
    story.tell(app, events // story.EVENTS_PER_DEAL)
    cpu_began = _cpu_seconds()
    seconds = catch_up_stock(app, settings)
    cpu_s = _cpu_seconds() - cpu_began
    app.close()
    return Step(events, seconds, cpu_s, 0)


def stock_replay(settings: dict[str, str], events: int) -> Step:
    """Answer by replaying every event to its aggregate."""

    def work() -> int:
        app = Deals(env=settings)
        deals: dict[Any, Any] = {}
        start = 1
        while page := app.recorder.select_notifications(start, 5_000):
            for notification in page:
                event: Any = app.mapper.to_domain_event(notification)
                deals[event.originator_id] = event.mutate(deals.get(event.originator_id))
            start = page[-1].id + 1
        assert sum(deal.value for deal in deals.values()) > 0
        app.close()
        return events

    return measured(work)


def apart(work: Callable[..., Any], *given: Any) -> Any:
    """Run a step in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def measure(where: Place, path: Path, stock_events: int, workers: int, times: int) -> tuple[list[Any], list[Any]]:
    """Rows of both tables for one database."""
    url, name = where.url(), where.database
    settings = where.stock_settings()
    stock_stored: Step = apart(stock_append, settings, stock_events)
    stored: Step = apart(bulk_append, url, path)
    replayed: Step = apart(stock_replay, settings, stock_events)
    rebuilt: Step = apart(rebuild_all, url, workers)
    rows = [_row(f"{name}: bulk append", stock_stored, stored)]
    followed = apart(stock_project, where.stock_settings(), min(stock_events, 2_000)) if where.server else None
    rows.append(_row(f"{name}: rebuild", followed, rebuilt))
    replay_s = stored.events * replayed.seconds / replayed.events
    asked = [
        [f"{name}: {kind}", f"{1000 * replay_s:,.0f}", *milliseconds(seconds), f"{max(seconds) * 1000:,.1f}"]
        for kind, seconds in apart(forecasts, url, times).items()
    ]
    return rows, asked


def _row(name: str, stock: Step | None, ours: Step) -> list[str]:
    theirs = (*_rate(stock), f"{_rate_of(ours) / _rate_of(stock):.1f} ×") if stock else ("–", "–", "–")
    return [
        name,
        f"{ours.events:,}",
        *theirs[:2],
        *_rate(ours),
        theirs[2],
        f"{ours.seconds:.1f}",
        f"{ours.peak_mb:,.0f}",
    ]


def _rate(step: Step) -> tuple[str, str]:
    return f"{_rate_of(step):,.0f}", f"{1e6 * step.cpu_s / step.events:,.0f}"


def _rate_of(step: Step) -> float:
    return step.events / step.seconds


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--deals", type=int, default=5_000, help="100,000 deals make about a million events")
    options.add_argument("--stock-events", type=int, default=20_000)
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--times", type=int, default=100, help="forecasts of each kind")
    given = options.parse_args()
    rows, asked = [], []
    with TemporaryDirectory(prefix="ledger-benchmark-") as folder:
        path = Path(folder) / "history.jsonl"
        apart(write_history, path, given.deals)
        for database in chosen(given):
            with place(database) as where:
                some, more = measure(where, path, given.stock_events, given.workers, given.times)
                rows += some
                asked += more
    columns = ["one run each", "events", "stock/s", "cpu µs", "ours/s", "cpu µs", "ratio", "seconds", "peak MB"]
    show("A large book", columns, rows)
    columns = ["forecast at a random instant", "stock replay ms", "ours p50 ms", "p99 ms", "max ms"]
    show("Forecasts (stock: replay of as many events, scaled from its own log)", columns, asked)


if __name__ == "__main__":
    main()
