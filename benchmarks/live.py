"""Live projection: catching up when some hundreds or thousands of events behind, and one event when idle.

The stock `ProjectionRunner` has no SQLite subscription, so on SQLite ours stands alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median
from threading import Event, Thread

from benchmarks import story
from benchmarks.stock import Deals
from benchmarks.stock_projection import stock_runner
from benchmarks.support import Place, chosen, milliseconds, parser, place, ratio, show
from ledger.application import Ledger
from projections.runner import Runner, run_batch
from projections.store import ReadStore

WAIT_S = 300
IDLE_S = 0.05
ASK_EVERY_S = 0.0005


def tell_ours(ledger: Ledger, deals: int, numbers: Iterator[int]) -> None:
    """Append some more deals."""
    lines = (line for _ in range(deals) for line in story.past_lines([next(numbers)]))
    for outcome in ledger.append_each(enumerate(lines, 1), actor=story.ACTOR, history=True):
        assert outcome.error is None, outcome.error


def catch_up_ours(ledger: Ledger, store: ReadStore) -> float:
    """Seconds until the read store has reached the log."""
    began = time.perf_counter()
    while run_batch(ledger, store):
        pass
    return time.perf_counter() - began


def catch_up_stock(app: Deals, settings: dict[str, str]) -> float:
    """Seconds until the stock projection has reached the log."""
    head = app.recorder.max_notification_id()
    with stock_runner(settings) as runner:
        began = time.perf_counter()
        runner.wait(head, timeout=WAIT_S)
        return time.perf_counter() - began


def behind(where: Place, events: int, rounds: int) -> list[str]:
    """The row of one database, so many events behind."""
    theirs: list[float] = []
    mine: list[float] = []
    deals = events // story.EVENTS_PER_DEAL
    numbers = count()
    settings = where.stock_settings() if where.server else None
    app = Deals(env=settings) if settings else None
    with where.ledger() as ledger:
        ledger.append([story.PIPELINE], actor=story.ACTOR)
        store = ReadStore.open(ledger)
        for _ in range(rounds):
            if app is not None and settings is not None:
                story.tell(app, deals)
                theirs.append(events / catch_up_stock(app, settings))
            tell_ours(ledger, deals, numbers)
            mine.append(events / catch_up_ours(ledger, store))
    if app is not None:
        app.close()
    stock = f"{median(theirs):,.0f}" if theirs else "–"
    return [where.database, f"{events:,}", stock, f"{median(mine):,.0f}", ratio(mine, theirs) if theirs else "–"]


@contextmanager
def our_runner(ledger: Ledger, store: ReadStore) -> Iterator[None]:
    """The runner as `serve` keeps it, hearing only from the database."""
    stop = Event()
    thread = Thread(target=Runner(ledger, store).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def idle(where: Place, events: int) -> list[str]:
    """The row of one database: from the acknowledgement of an append until a reader sees it folded."""
    theirs: list[float] = []
    if where.server:
        settings = where.stock_settings()
        with stock_runner(settings) as runner:
            app = runner.app
            for _ in range(events):
                time.sleep(IDLE_S)
                saved = app.save(story.opened())[-1].notification.id
                theirs.append(_until(saved, lambda: runner.view.max_tracking_id(app.name) or 0))
    mine: list[float] = []
    with where.ledger() as ledger:
        ledger.append([story.PIPELINE], actor=story.ACTOR)
        store = ReadStore.open(ledger)
        with our_runner(ledger, store):
            for number in range(events):
                time.sleep(IDLE_S)
                [receipt] = ledger.append([next(story.lines(f"idle{number}"))], actor=story.ACTOR)
                mine.append(_until(receipt.position or 0, store.position))
    return [where.database, *(milliseconds(theirs) if theirs else ("–", "–")), *milliseconds(mine)]


def _until(wanted: int, seen: Callable[[], int]) -> float:
    """Seconds until a position is seen, asking every half millisecond."""
    began = time.perf_counter()
    while seen() < wanted:
        time.sleep(ASK_EVERY_S)
    return time.perf_counter() - began


def main() -> None:
    options = parser(__doc__, in_rounds=True)
    options.add_argument("--events", type=int, nargs="+", default=[500, 5_000], help="how many events behind")
    options.add_argument("--idle-events", type=int, default=40)
    given = options.parse_args()
    late, alone = [], []
    for database in chosen(given):
        with place(database) as where:
            late += [behind(where, events, given.rounds) for events in given.events]
            alone.append(idle(where, given.idle_events))
    columns = ["live projection", "events behind", "stock/s", "ours/s", "ratio"]
    show(f"Catching up, medians of {given.rounds} rounds in turn", columns, late)
    show("One event when idle", ["until visible", "stock p50 ms", "p99 ms", "ours p50 ms", "p99 ms"], alone)


if __name__ == "__main__":
    main()
