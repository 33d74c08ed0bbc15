"""What tamper evidence costs: appends with and without hashing, proofs, verification of a log and of a bundle.

python -m benchmarks.proofs [--events 1000000] [--leaves 10000000]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median, quantiles

from benchmarks import story
from benchmarks.support import Place, chosen, opened, parser, place
from ledger.application import Ledger, open_recorder
from ledger.log.reader import Head
from ledger.log.recorder import LogRecorder
from ledger.log.requests import PendingEntry, Request
from ledger.proof import standalone, tree
from ledger.proof.audit import audit
from ledger.proof.bundle import write_bundle
from ledger.proof.log_tree import LogTree
from ledger.proof.merkle import Frontier, node_hash
from ledger.proof.signing import SigningDesk

PER_APPEND = 5_000
AT_ONCE = 100 * story.EVENTS_PER_DEAL
DATA = b'{"owner":"ana","pipeline":"sales","stage":"offer","value":{"currency":"EUR","minor":1250000}}'
PROOFS = 1_000


class NoFrontier(Frontier):
    """Hashes nothing: what an append costs without tamper evidence. Its log cannot be proved."""

    def append(self, entry: bytes) -> None:  # noqa: ARG002
        self.size += 1

    def copy(self) -> NoFrontier:
        found = NoFrontier()
        found.size = self.size
        return found

    def to_bytes(self) -> bytes:
        return bytes(32 * self.size.bit_count())


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spent(work: Callable[[], object]) -> float:
    """Processor seconds, those of processes that it starts and ends included."""
    before = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - before


def fill(recorder: LogRecorder, size: int) -> None:
    for first in range(0, size, PER_APPEND):
        numbers = range(first, min(first + PER_APPEND, size))
        entries = [PendingEntry(f"deal-{number}", 1, "deal.stage_changed", DATA) for number in numbers]
        recorder.append(Request(entries, actor="bench"))


@contextmanager
def begun(url: str, frontier: type[Frontier]) -> Iterator[Ledger]:
    """A new ledger whose appends hash as this frontier does."""
    with opened(url) as ledger:
        ledger.recorder._head = Head(0, 0, frontier())  # noqa: SLF001 (what makes the next one)
        ledger.append([story.PIPELINE], actor=story.ACTOR)
        yield ledger


def appends(where: Place, size: int) -> None:
    """Events decided and sealed, to a log that hashes and to one that does not.

    A hundred deals to the one, the same to the other, and so on: whatever else the machine does slows both. The time is
    what the clock says, and of it the asking process's own.
    """
    lines = [line for deal in range(size // story.EVENTS_PER_DEAL) for line in story.lines(f"{deal}")]
    pairs = []
    with begun(where.url(), Frontier) as hashed, begun(where.url(), NoFrontier) as plain:
        turn = [hashed, plain]
        for at in range(0, len(lines), AT_ONCE):
            took = {}
            for ledger in turn:
                start, before = time.perf_counter(), time.process_time()
                ledger.append(lines[at : at + AT_ONCE], actor=story.ACTOR)
                took[ledger] = (time.perf_counter() - start, time.process_time() - before)
            pairs.append((took[hashed], took[plain]))
            turn.reverse()
    for index, what in enumerate(("by the clock", "of processor time")):
        with_us, without_us = (
            1e6 * median(each[index] for each in some) / AT_ONCE for some in zip(*pairs, strict=True)
        )
        low, middle, high = quantiles([mine[index] / other[index] for mine, other in pairs], n=4)
        print(
            f"append of {len(lines):,} events, {where.database}: {with_us:.1f} µs {what} each with hashing,"
            f" {without_us:.1f} µs without; {middle:.3f} times as much, the median of {len(pairs)} pairs, half of them"
            f" {low:.3f} to {high:.3f}"
        )


def proofs(log: LogTree, size: int) -> None:
    """The longest in processor time too: on a machine that does more, what the clock says includes waiting for it."""
    log.grow(size)
    places = range(1, size, max(1, size // PROOFS))
    for what, prove in ("inclusion", log.inclusion), ("consistency", log.consistency):
        seconds, processor = [], []
        for at in places:
            begun_at, before = time.perf_counter(), time.process_time()
            prove(at, size)
            processor.append(time.process_time() - before)
            seconds.append(time.perf_counter() - begun_at)
        print(
            f"{what} proof at {size:,}: median {1e3 * median(seconds):.2f} ms, longest {1e3 * max(seconds):.2f} ms;"
            f" of processor time {1e3 * median(processor):.2f} and {1e3 * max(processor):.2f} ms"
        )


def simulated(leaves: int) -> None:
    """Every leaf alike, so that a kept node costs nothing to read: the arithmetic of a proof alone."""

    @cache
    def alike(level: int) -> bytes:
        return bytes(32) if level == 0 else node_hash(alike(level - 1), alike(level - 1))

    def node(level: int, number: int) -> bytes:
        assert (number + 1) << level <= leaves
        return alike(level)

    root = tree.root(node, leaves)
    made, checked = [], []
    for index in range(0, leaves, leaves // PROOFS):
        proof: list[bytes] = []
        made.append(timed(lambda at=index, into=proof: into.extend(tree.inclusion(node, at, leaves))))  # type: ignore[misc]
        checked.append(timed(lambda at=index, of=proof: tree.check_inclusion(bytes(32), at, leaves, of, root)))  # type: ignore[misc]
    print(
        f"{leaves:,} simulated leaves: made in {1e6 * median(made):.0f} µs, checked in {1e6 * median(checked):.0f} µs,"
        f" {len(proof)} hashes"
    )


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--leaves", type=int, default=10_000_000)
    asked = options.parse_args()
    for database in chosen(asked):
        with place(database) as where:
            appends(where, min(asked.events, 200_000))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorder = open_recorder(f"sqlite:///{folder / 'log'}.db", "main")
        fill(recorder, asked.events)
        log, desk = LogTree(recorder), SigningDesk(folder / "trust", "bench.example", "main")
        first = timed(lambda: desk.sign(recorder, log))
        fill_more = Request([PendingEntry("deal-last", 1, "deal.won", b"{}")], actor="bench")
        recorder.append(fill_more)
        print(
            f"first checkpoint of {asked.events:,}: {first:.2f} s; the next: {1e3 * timed(lambda: desk.sign(recorder, LogTree(recorder))):.1f} ms"
        )
        proofs(log, asked.events)
        for what, work in (
            ("verify of the ledger", lambda: audit(recorder, [])),
            ("the same by one process", lambda: audit(recorder, [], workers=1)),
            ("writing a bundle", lambda: write_bundle(folder / "bundle", recorder, log, desk)),
            ("verify.py of a bundle", lambda: standalone.check_bundle(folder / "bundle", show=lambda _: None)),
        ):
            processor: list[float] = []
            seconds = timed(lambda work=work, into=processor: into.append(spent(work)))  # type: ignore[misc]
            rate, each_us = asked.events / seconds, 1e6 * processor[0] / asked.events
            print(f"{what}: {rate:,.0f} events/s, {each_us:.1f} µs of processor time each")
        recorder.close()
    simulated(asked.leaves)
    return 0


if __name__ == "__main__":
    sys.exit(main())
