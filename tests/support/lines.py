"""Event lines as tests write them, a clock that they set, and what the log says of itself when read raw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ledger.proof.merkle import Frontier
from ledger.times import parse_instant

if TYPE_CHECKING:
    from ledger.application import Ledger

STAGES = [
    {"stage": "lead", "name": "Lead", "probability_bp": 1_000, "category": "pipeline"},
    {"stage": "offer", "name": "Offer", "probability_bp": 5_000, "category": "best_case"},
    {"stage": "closing", "name": "Closing", "probability_bp": 9_000, "category": "commit"},
]
Line = dict[str, Any]


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, at: str = "2026-06-01T12:00:00Z") -> None:
        self.instant = parse_instant(at)

    def __call__(self) -> int:
        return self.instant

    def set(self, at: str) -> None:
        self.instant = parse_instant(at)


def say(stream: str, type_: str, at: str | None = None, **data: Any) -> Line:
    """One line; arguments that are None are left out. Its times and keys come by `with_`."""
    line: Line = {"stream": stream, "type": type_, "data": {k: v for k, v in data.items() if v is not None}}
    return line if at is None else line | {"effective_at": at}


def eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def pipeline(name: str = "sales", at: str | None = "2020-01-01") -> Line:
    return say(f"pipeline-{name}", "pipeline.defined", at, name=name, stages=STAGES)


def opened(deal: str = "d1", at: str | None = None, **more: Any) -> Line:
    fields = {"pipeline": "sales", "stage": "lead", "owner": "ana", "title": "Pumps"} | more
    return say(f"deal-{deal}", "deal.opened", at, **fields)


def retracted(stream: str, version: int, at: str | None = None, reason: str = "typo") -> Line:
    return say(stream, "event.retracted", at, version=version, reason=reason)


def corrected(stream: str, version: int, data: Line | None = None, to: str | None = None) -> Line:
    return say(stream, "event.corrected", version=version, reason="typo", data=data, effective_at=to)


def team(name: str, label: str | None = None) -> Line:
    """The plainest line there is: it needs nothing else to be there."""
    return say(f"team-{name}", "team.created", name=label or name)


def entries(ledger: Ledger) -> list[dict[str, Any]]:
    """The book's entries as plain JSON, by position, with the columns that were copied from them under `columns`."""
    names = ("position", "stream", "version", "type", "effective_at", "recorded_at", "appended_at")
    rows = ledger.feed_rows(0, 1_000_000)
    return [msgspec.json.decode(row[7]) | {"columns": dict(zip(names, row, strict=False))} for row in rows]


def check_log(ledger: Ledger) -> int:
    """What must hold of any log, whatever happened to it; returns how many entries it has."""
    rows = ledger.feed_rows(0, 1_000_000)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1)), "positions have no gap"
    versions: dict[str, int] = {}
    stamp = 0
    frontier = Frontier()
    for _, stream, version, type_, effective_at, recorded_at, appended_at, entry in rows:
        assert version == versions.get(stream, 0) + 1, f"versions of {stream} have no gap"
        versions[stream] = version
        assert appended_at >= stamp, "stamps never go back"
        stamp = appended_at
        assert recorded_at <= appended_at
        said = msgspec.json.decode(entry)
        assert (said["stream"], said["version"], said["type"], said["book"]) == (stream, version, type_, ledger.book)
        times = (effective_at, recorded_at, appended_at)
        assert tuple(parse_instant(said[name]) for name in ("effective_at", "recorded_at", "appended_at")) == times
        frontier.append(bytes(entry))
    head = ledger.recorder.head()
    assert (head.position, head.stamp) == (len(rows), stamp)
    assert head.frontier.root() == frontier.root(), "the head's Merkle root is that of the entries"
    return len(rows)
