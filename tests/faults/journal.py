"""The oracle of the fault tests: what a client tried and what it was told, fsynced, beside what the log holds."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from ledger.application import Ledger
from ledger.events import DealOpened
from tests.support.lines import Line, check_log, pipeline, say, team

ACTOR = "client"
TEAMS = 5
SETUP = [pipeline(), *(team(f"t{number}") for number in range(TEAMS))]
"""What every book of these tests begins with."""


class Journal:
    """Written by the client before and after each append; a record is on the disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = Lock()

    def write(self, **record: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(record).encode() + b"\n")
            os.fsync(self._file.fileno())


@dataclass
class Told:
    """What the journal says of one attempt: its lines, and positions, None while it has not been answered."""

    lines: list[Line]
    positions: list[int] | None = None
    refused: bool = False


@dataclass
class Journalled:
    """What the journals of one book say together."""

    attempts: dict[str, Told] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def read(self, path: Path) -> None:
        """Add a client's journal; a last record that was cut short is none."""
        for record in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
            self._add(json.loads(record))

    def attempted(self, attempt: str, lines: list[Line]) -> None:
        """A client is about to append these."""
        self.attempts[attempt] = Told(lines)

    def _add(self, record: dict[str, Any]) -> None:
        match record:
            case {"attempt": attempt, "lines": lines}:
                self.attempted(attempt, lines)
            case {"acknowledged": attempt, "positions": positions}:
                self.attempts[attempt].positions = positions
            case {"refused": attempt}:
                self.attempts[attempt].refused = True
            case {"error": error}:
                self.errors.append(error)
            case _:
                assert record == {"ready": True}

    @property
    def open(self) -> dict[str, Told]:
        """Attempts of which the client never heard again."""
        return {name: told for name, told in self.attempts.items() if told.positions is None and not told.refused}


def marked(attempt: str, lines: list[Line]) -> list[Line]:
    """The same lines, each saying in its data which one of which attempt it is."""
    fields = {"team.renamed": "name", "deal.opened": "customer", "deal.assigned": "owner"}
    return [
        line | {"data": line["data"] | {fields[line["type"]]: f"{attempt}_{number}"}}
        for number, line in enumerate(lines)
    ]


def deal_opened(deal: str) -> Line:
    return say(f"deal-{deal}", "deal.opened", pipeline="sales", stage="lead", owner="ana", title=f"Title of {deal}")


def check_journal(ledger: Ledger, journal: Journalled) -> None:
    """Acknowledged is stored, where the client was told; the rest wholly or not at all; nothing else is there."""
    assert not journal.errors
    check_log(ledger)
    stored: dict[str, list[tuple[int, int]]] = defaultdict(list)
    titles = {}
    for position, *_, entry in ledger.feed_rows(0, 10_000_000):
        said = msgspec.json.decode(entry)
        if said["type"] in {"team.renamed", "deal.opened", "deal.assigned"}:
            data = said["data"]
            attempt, _, number = (data.get("customer") or data.get("name") or data["owner"]).rpartition("_")
            stored[attempt].append((position, int(number)))
        if said["type"] == "deal.opened":
            opened = msgspec.convert(data, DealOpened)
            titles[opened.title] = f"Title of {said['stream'].removeprefix('deal-')}"
    assert stored.keys() <= journal.attempts.keys()
    for attempt, told in journal.attempts.items():
        found = stored.get(attempt, [])
        positions = [position for position, _ in found]
        if told.positions is not None:
            assert positions == told.positions, f"{attempt} was acknowledged"
        assert not (told.refused and found), f"{attempt} was refused"
        if found:
            assert [number for _, number in found] == list(range(len(told.lines))), f"{attempt} is there wholly"
            assert positions == list(range(positions[0], positions[0] + len(positions))), f"{attempt} is in one piece"
    revealed = ledger.reveal(titles)  # type: ignore[arg-type]
    assert {seal: revealed.get(seal.commitment.c) for seal in titles} == titles  # type: ignore[union-attr]
