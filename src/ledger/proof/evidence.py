"""From a figure to its proof: the lines of a cell, the events behind them, and that each is in a signed log; one file.

It shows that the events a figure is said to stand on are in the log as they are shown, and that the lines add up to the
figures that are sums; averages and rates are not checked. That no event was left out, and that the lines follow from their events, shows a replay of the whole log
(`sales-ledger replay … --bundle`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum, isclose
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.errors import NotProven, UnreadableEvent
from ledger.proof.log_tree import stored
from ledger.proof.merkle import leaf_hash
from ledger.proof.notes import Checkpoint, Verifier, opened
from ledger.proof.tree import check_inclusion

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder
    from ledger.proof.log_tree import LogTree

FORMAT = "sales-ledger-evidence@v1"


class Line(msgspec.Struct, frozen=True):
    """Of a line of the explanation, what is checked: what it brings, and the positions of its events by stream."""

    stream: str
    figures: dict[str, Any]
    events: dict[str, list[int]]


class Cell(msgspec.Struct, frozen=True):
    """Of the explanation of a cell, what is checked."""

    report: str
    parameters: dict[str, str]
    cell: dict[str, str | None]
    figures: dict[str, Any]
    lines: list[Line]


class Proven(msgspec.Struct, frozen=True):
    """One event: the stored bytes and the hashes of its inclusion proof, all base64 in the file."""

    position: int
    entry: bytes
    hashes: list[bytes]


class Evidence(msgspec.Struct, frozen=True):
    """The file: the explanation as `explain` gives it without titles, its events in order, and the signed checkpoint."""

    format: str
    explanation: msgspec.Raw
    events: list[Proven]
    checkpoint: str

    def json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self))

    @classmethod
    def parse(cls, text: str) -> Evidence:
        """Raises `NotProven`."""
        try:
            found = msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise NotProven(f"this is no evidence of a figure: {error}") from None
        if found.format != FORMAT:
            raise NotProven(f"this is no evidence of a figure: its format is not {FORMAT}")
        return found

    def check(self, verifier: Verifier, adds_up: Callable[[str], set[str]]) -> tuple[Checkpoint, Cell]:
        """The checkpoint under which every event is proved, and the cell. Raises `NotProven`.

        `adds_up` names the figures of a report that are the sums of their lines.
        """
        checkpoint = opened(self.checkpoint, verifier)
        try:
            cell = msgspec.json.decode(self.explanation, type=Cell)
            streams = {each.position: _stream(each.entry) for each in self.events}
        except msgspec.MsgspecError as error:
            raise NotProven(f"this is no evidence of a figure: {error}") from None
        for each in self.events:
            leaf = leaf_hash(each.entry)
            check_inclusion(leaf, each.position - 1, checkpoint.size, each.hashes, checkpoint.root)
        named = {position: stream for line in cell.lines for stream, some in line.events.items() for position in some}
        if named != streams:
            raise NotProven("the lines stand on other events than those that are proved")
        if len(streams) != len(self.events) or any(line.stream not in line.events for line in cell.lines):
            raise NotProven("a line has no event of its own, or an event is told twice")
        for name in adds_up(cell.report) & cell.figures.keys():
            brought = [line.figures.get(name, 0) for line in cell.lines]
            if not _add_up(brought, cell.figures[name]):
                raise NotProven(f"the lines do not add up to {name} of the cell")
        return checkpoint, cell


def _add_up(brought: Sequence[Any], figure: Any) -> bool:
    """Whether a figure is what lines bring; to the unit, but for what is told in decimals."""
    said = [each for each in brought if each is not None]
    if not all(type(each) in {int, float} for each in said):
        return False
    if not said and brought:
        return figure is None
    if any(isinstance(each, float) for each in said):
        return isinstance(figure, int | float) and isclose(figure, fsum(said), rel_tol=1e-9, abs_tol=1e-6 * len(said))
    return type(figure) in {int, float} and bool(figure == sum(said))


class _Streamed(msgspec.Struct):
    stream: str


def _stream(entry: bytes) -> str:
    return msgspec.json.decode(entry, type=_Streamed).stream


def evidence(explanation: bytes, recorder: LogRecorder, log: LogTree, note: str, size: int) -> Evidence:
    """The file for an explanation whose events are all among the first `size` of the log, under their signed note."""
    cell = msgspec.json.decode(explanation, type=Cell)
    positions = sorted({each for line in cell.lines for some in line.events.values() for each in some})
    events = []
    for position in positions:
        row = recorder.one("SELECT entry FROM events WHERE book = ? AND position = ?", [recorder.book, position])
        if row is None:
            raise UnreadableEvent(f"event {position} is gone from the log; run sales-ledger verify")
        events.append(Proven(position, stored(row[0]), log.inclusion(position - 1, size)))
    return Evidence(FORMAT, msgspec.Raw(explanation), events, note)
