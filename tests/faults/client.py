"""The process that is killed: writers append and keep a journal, and perhaps a runner and rebuilds project.

python -m tests.faults.client URL BOOK JOURNAL SEED append|project
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from random import Random
from threading import Event, Thread

from ledger.application import Ledger, open_ledger
from ledger.errors import Conflict
from projections.rebuild import rebuild
from projections.runner import Runner
from projections.store import ReadStore
from tests.faults.journal import ACTOR, SETUP, TEAMS, Journal, deal_opened, marked
from tests.support.lines import Line, say

WRITERS = 4
MOST_LINES = 40
REBUILDS = 0.3


def lines_of(attempt: str, rng: Random) -> list[Line]:
    """One event or many, on streams of the attempt's own and on those that all writers share."""

    def renamed() -> Line:
        return say(f"team-t{rng.randrange(TEAMS)}", "team.renamed")

    match rng.randrange(4):
        case 0 | 1:
            lines = [renamed()]
        case 2:
            lines = [deal_opened(attempt)]
        case _:
            more = [
                rng.choice((renamed(), say(f"deal-{attempt}", "deal.assigned")))
                for _ in range(rng.randrange(MOST_LINES))
            ]
            lines = [deal_opened(attempt), *more]
    return marked(attempt, lines)


def write(ledger: Ledger, journal: Journal, name: str) -> None:
    """Append until killed."""
    rng = Random(name)
    number = 0
    while True:
        number += 1
        attempt = f"{name}.{number}"
        lines = lines_of(attempt, rng)
        journal.write(attempt=attempt, lines=lines)
        try:
            receipts = ledger.append(lines, actor=ACTOR, key=attempt)
        except Conflict:
            journal.write(refused=attempt)
        else:
            journal.write(acknowledged=attempt, positions=[receipt.position for receipt in receipts])


def project(ledger: Ledger, rng: Random) -> None:
    """Keep the read store up to date until killed, in some runs rebuilding it all the while."""
    store = ReadStore.open(ledger)
    if rng.random() < REBUILDS:
        Thread(target=Runner(ledger, store).run, args=(Event(),)).start()
        while True:
            rebuild(ledger, workers=1)
    Runner(ledger, store).run(Event())


def main(url: str, book: str, path: str, seed: str, how: str) -> None:
    """Everything a thread raises goes to the journal: the parent fails on it."""
    journal = Journal(Path(path))

    def guarded(work, *args):
        try:
            work(*args)
        except BaseException:  # noqa: BLE001 (whatever it is, the parent must hear of it)
            journal.write(error=traceback.format_exc())
            os._exit(1)

    ledger = open_ledger(url, book)
    ledger.append(SETUP, actor=ACTOR, key="setup")
    threads = [Thread(target=guarded, args=(write, ledger, journal, f"s{seed}.{number}")) for number in range(WRITERS)]
    if how == "project":
        threads.append(Thread(target=guarded, args=(project, ledger, Random(seed))))
    journal.write(ready=True)
    for thread in threads:
        thread.start()
    for thread in threads:  # once the main thread has ended, a rebuild could begin no threads of its own
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
