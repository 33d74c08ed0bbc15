"""A ledger made from nothing but a bundle: what an auditor asks questions of, who has no database of ours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from ledger.application import Ledger, open_ledger
from ledger.codec import from_entry
from ledger.errors import NotProven
from ledger.log.tables import events, heads
from ledger.proof.merkle import Frontier
from ledger.proof.standalone import FAILURES, check_bundle, read_key

BATCH = 2_000


@contextmanager
def bundled(directory: Path) -> Iterator[Ledger]:
    """The ledger that a bundle's entries make, in a folder that is gone afterwards; its clock is the last entry's.

    Sealed values are not in a bundle, so names are not in it. Raises `NotProven` if the bundle does not hold.
    """
    try:
        check_bundle(directory, show=lambda _: None)
        book = read_key((directory / "verifier.key").read_text(encoding="utf-8"))[0].rpartition("/")[2]
    except FAILURES as wrong:
        raise NotProven(f"the bundle does not hold: {wrong}") from None
    with tempfile.TemporaryDirectory(prefix="sales-ledger-") as folder:
        ledger = open_ledger(f"sqlite:///{folder}/bundle.db", book, clock=lambda: 0)
        try:
            _fill(ledger, directory / "entries.jsonl")
            yield ledger
        finally:
            ledger.close()


def _fill(ledger: Ledger, path: Path) -> None:
    frontier, stamp = Frontier(), 0
    with path.open("rb") as file, ledger.engine.begin() as connection:
        connection.exec_driver_sql("BEGIN")
        while lines := list(islice(file, BATCH)):
            rows = []
            for line in lines:
                entry = line.removesuffix(b"\n")
                frontier.append(entry)
                event = from_entry(frontier.size, entry)
                stamp = event.appended_at
                columns = ("position", "stream", "version", "type", "effective_at", "recorded_at", "appended_at")
                rows.append({"book": ledger.book, "entry": entry} | {name: getattr(event, name) for name in columns})
            connection.execute(events.insert(), rows)
        head = {"position": frontier.size, "stamp": stamp, "frontier": frontier.to_bytes()}
        connection.execute(heads.update().where(heads.c.book == ledger.book).values(head))
