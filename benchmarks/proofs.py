"""What tamper evidence costs: appends with and without hashing, proofs, verification of a log and of a bundle.

python -m benchmarks.proofs [--events 1000000] [--leaves 10000000]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median

from benchmarks import story
from benchmarks.support import opened
from ledger.application import open_recorder
from ledger.log import reader as reading
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
ROUNDS = 3
PROOFS = 200


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


def filling(folder: Path, name: str, size: int, frontier: type[Frontier]) -> float:
    """Processor seconds to append so many events, decided and sealed, a hundred deals at a time."""
    kept = vars(reading)["Frontier"]
    vars(reading)["Frontier"] = frontier
    try:
        with opened(f"sqlite:///{folder / name}.db") as ledger:
            ledger.recorder._head = reading.Head(0, 0, frontier())  # noqa: SLF001 (what makes the next one)
            ledger.append([story.PIPELINE], actor=story.ACTOR)
            lines = [line for deal in range(size // story.EVENTS_PER_DEAL) for line in story.lines(f"{deal}")]
            some = [lines[at : at + AT_ONCE] for at in range(0, len(lines), AT_ONCE)]
            return spent(lambda: [ledger.append(each, actor=story.ACTOR) for each in some])
    finally:
        vars(reading)["Frontier"] = kept


def appends(folder: Path, size: int) -> None:
    pairs = [
        (filling(folder, f"with{each}", size, Frontier), filling(folder, f"without{each}", size, NoFrontier))
        for each in range(ROUNDS)
    ]
    hashed, plain = (median(each) for each in zip(*pairs, strict=True))
    each = f"{1e6 * hashed / size:.1f} µs of processor time each with hashing, {1e6 * plain / size:.1f} µs without"
    print(f"append of {size:,} events: {each}, {hashed / plain:.2f} times as much")


def proofs(log: LogTree, size: int) -> None:
    log.grow(size)
    made = [timed(lambda at=at: log.inclusion(at, size)) for at in range(0, size, max(1, size // PROOFS))]  # type: ignore[misc]
    grown = [timed(lambda at=at: log.consistency(at, size)) for at in range(1, size, max(1, size // PROOFS))]  # type: ignore[misc]
    for what, each in ("inclusion", made), ("consistency", grown):
        print(f"{what} proof at {size:,}: median {1e3 * median(each):.2f} ms, longest {1e3 * max(each):.2f} ms")


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--leaves", type=int, default=10_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        appends(folder, min(asked.events, 20_000))
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
