"""Append one event at a time, from 1, 16 and 64 writers: latency and events per second.

Ours reads a line, decides it by the deal's rules, seals its text, hashes and stores it. The stock library saves an
aggregate that it already holds. Every writer has its own deals; both are told the same story.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from statistics import median
from threading import Barrier, Thread

from benchmarks import story
from benchmarks.stock import Deal, Deals
from benchmarks.support import Place, chosen, milliseconds, parser, place, ratio, show
from ledger.application import Ledger

Writer = Callable[[int], Iterator[Callable[[], object]]]
"""Given how many, one writer's appends, each ready to be called."""


@dataclass
class Measured:
    """Rates and processor seconds per append of the rounds, durations of all appends, and what went wrong."""

    rates: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def failed(self, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"[:60]
        self.failures[said] = self.failures.get(said, 0) + 1


def ours(ledger: Ledger) -> Writer:
    """Appends of lines written beforehand."""
    numbers = count()

    def writer(events: int) -> Iterator[Callable[[], object]]:
        deals = (story.lines(f"{next(numbers)}") for _ in count())
        lines = list(islice((line for deal in deals for line in deal), events))
        return (lambda line=line: _stored(ledger, line) for line in lines)  # type: ignore[misc]

    return writer


def _stored(ledger: Ledger, line: bytes) -> None:
    """Append a line, which must be news: what is already so costs no commit."""
    assert ledger.append([line], actor=story.ACTOR)[0].appended


def stock(app: Deals) -> Writer:
    """Saves of aggregates held in memory."""

    def save(deals: list[Deal]) -> None:
        if not deals or deals[-1].version == story.EVENTS_PER_DEAL:
            deals.append(story.opened())
        else:
            story.advance(deals[-1])
        app.save(deals[-1])

    def writer(events: int) -> Iterator[Callable[[], object]]:
        deals: list[Deal] = []
        return (lambda: save(deals) for _ in range(events))

    return writer


def run(writer: Writer, writers: int, events: int, into: Measured) -> None:
    """One round: that many writers at once, `events` in all."""
    start = Barrier(writers + 1)
    durations: list[list[float]] = [[] for _ in range(writers)]

    def write(appends: Iterator[Callable[[], object]], mine: list[float]) -> None:
        start.wait()
        for append in appends:
            began = time.perf_counter()
            try:
                append()
            except Exception as error:  # noqa: BLE001 (a peer's failure is a finding)
                into.failed(error)
            else:
                mine.append(time.perf_counter() - began)

    threads = [Thread(target=write, args=(writer(events // writers), mine)) for mine in durations]
    for thread in threads:
        thread.start()
    start.wait()
    began, cpu_began = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    into.rates.append(sum(map(len, durations)) / seconds)
    into.cpu_s.append((time.process_time() - cpu_began) / events)
    into.durations += [duration for mine in durations for duration in mine]


def measure(where: Place, writers: list[int], rounds: int, events: int) -> list[list[str]]:
    """Rows of the table for one database."""
    rows = []
    with where.ledger() as ledger:
        app = Deals(env=where.stock_settings())
        ledger.append([story.PIPELINE], actor=story.ACTOR)
        told, saved = ours(ledger), stock(app)
        for number in writers:
            theirs, mine = Measured(), Measured()
            for writer in saved, told:
                run(writer, number, 20 * number, Measured())
            for _ in range(rounds):
                run(saved, number, events, theirs)
                run(told, number, events, mine)
            rows.append(_row(where.database, number, theirs, mine))
        app.close()
    return rows


def _row(database: str, writers: int, theirs: Measured, mine: Measured) -> list[str]:
    shown = [database, str(writers)]
    for measured in theirs, mine:
        cpu_us = 1e6 * median(measured.cpu_s)
        shown += [f"{median(measured.rates):,.0f}", *milliseconds(measured.durations), f"{cpu_us:,.0f}"]
    failures = ", ".join(
        f"{who} {number} × {what}"
        for who, measured in (("stock", theirs), ("ours", mine))
        for what, number in measured.failures.items()
    )
    return [*shown, ratio(mine.rates, theirs.rates), failures or "none"]


def main() -> None:
    options = parser(__doc__, in_rounds=True)
    options.add_argument("--writers", type=int, nargs="+", default=[1, 16, 64])
    options.add_argument("--events", type=int, default=1_500, help="per round, over all writers")
    given = options.parse_args()
    rows = []
    for database in chosen(given):
        with place(database) as where:
            rows += measure(where, given.writers, given.rounds, given.events)
    timed = ["p50 ms", "p99 ms", "cpu µs"]
    columns = ["append", "writers", "stock/s", *timed, "ours/s", *timed, "ratio", "failures"]
    show(f"Append, one event each, medians of {given.rounds} rounds in turn", columns, rows)


if __name__ == "__main__":
    main()
