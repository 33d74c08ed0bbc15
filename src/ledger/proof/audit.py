"""Reading a whole log for signs that it was altered: from the hashed bytes alone, then all that is kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ledger.errors import KeysUnusable
from ledger.privacy.vault import Vault
from ledger.proof.log_tree import KEPT, WIDTH, fold
from ledger.proof.merkle import Frontier, leaf_hash
from ledger.times import format_instant

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder
    from ledger.proof.notes import Checkpoint

PAGE = 5_000
MOST_FINDINGS = 100


class Audited(NamedTuple):
    """What was read, the root it has, and what is wrong with it; empty `findings` mean that nothing was found.

    `unread` says why the sealed values were not checked, where they were not.
    """

    size: int
    root: bytes
    findings: list[str]
    unread: str = ""


class _Copied(msgspec.Struct, gc=False):
    """Of an entry, what the log's other columns repeat."""

    appended_at: str
    book: str
    effective_at: str
    recorded_at: str
    stream: str
    type: str
    version: int


_copied = msgspec.json.Decoder(_Copied).decode


class _Log:
    """What one pass over the entries has seen so far."""

    def __init__(self, book: str, checkpoints: Iterable[Checkpoint]) -> None:
        self.book = book
        self.findings: list[str] = []
        self.position = 0
        self.frontier = Frontier()
        self.versions: dict[str, int] = {}
        self.last_stamp = 0
        self.leaves: list[bytes] = []
        self.tiles: list[bytes] = []
        self._expected: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._expected.setdefault(checkpoint.size, []).append(checkpoint)

    def wrong(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def take(self, row: Any) -> None:
        """The next row: `position, stream, version, type, effective_at, recorded_at, appended_at, entry`."""
        position, stream, version, event_type, effective_at, recorded_at, appended_at, entry = row
        if position != self.position + 1:
            self.wrong(f"after position {self.position} comes {position}")
        self.position = position
        entry = bytes(entry)
        leaf = leaf_hash(entry)
        self.frontier.add(leaf)
        self.leaves.append(leaf)
        if len(self.leaves) == WIDTH:
            self.tiles.append(fold(self.leaves, WIDTH))
            self.leaves = []
        self._check_checkpoints()
        try:
            said = _copied(entry)
        except msgspec.MsgspecError as error:
            self.wrong(f"the entry at position {position} cannot be read: {error}")
            return
        columns = (stream, version, event_type, *map(format_instant, (effective_at, recorded_at, appended_at)))
        told = (said.stream, said.version, said.type, said.effective_at, said.recorded_at, said.appended_at)
        if columns != told or said.book != self.book:
            self.wrong(f"a column of position {position} does not say what its entry says")
        if said.version != self.versions.get(said.stream, 0) + 1:
            self.wrong(f"{said.stream} has version {said.version} at position {position}, out of turn")
        self.versions[said.stream] = said.version
        if appended_at < self.last_stamp:
            self.wrong(f"time goes back at position {position}")
        self.last_stamp = appended_at

    def _check_checkpoints(self) -> None:
        for checkpoint in self._expected.pop(self.frontier.size, ()):
            if checkpoint.root != self.frontier.root():
                self.wrong(f"the first {checkpoint.size} entries are not those of the checkpoint of that size")

    def missed(self) -> list[int]:
        """The sizes of checkpoints of more entries than there are; an empty one holds for any log."""
        return [size for size in sorted(self._expected) if size]


def audit(
    recorder: LogRecorder, checkpoints: Iterable[Checkpoint], progress: Callable[[int, int], None] | None = None
) -> Audited:
    """Read every entry once: positions and versions without gaps, times that never go back, columns that repeat their
    entry, the head, the kept nodes, the sealed values, and the root at each checkpoint's size.
    """
    head = recorder.head()
    log = _Log(recorder.book, checkpoints)
    while rows := recorder.rows("position > ? AND position <= ?", [log.position, head.position], "position", PAGE):
        for row in rows:
            log.take(row)
        if progress is not None:
            progress(log.position, head.position)
    if log.frontier.size != head.position:
        log.wrong(f"the log's head says {head.position} entries; {log.frontier.size} are there")
    elif log.frontier.root() != head.frontier.root() or (head.position and log.last_stamp != head.stamp):
        log.wrong("the log's head does not state the root or the time of its last entry")
    for size in log.missed():
        log.wrong(f"a checkpoint of {size} entries exists, and the log has {log.frontier.size}: it was cut")
    _check_beyond(recorder, head.position, log)
    _check_nodes(recorder, log)
    unread = _check_vault(recorder, log)
    return Audited(log.frontier.size, log.frontier.root(), log.findings, unread)


def _check_beyond(recorder: LogRecorder, position: int, log: _Log) -> None:
    """Appends may go on meanwhile, and move the head with them; nothing else lies beyond it."""
    outside = "SELECT count(*) FROM events e, heads h WHERE e.book = ? AND h.book = e.book AND (e.position > h.position OR e.position < 1)"
    count = recorder.one(outside, [recorder.book])[0]
    if count:
        log.wrong(f"{count} entries lie outside of the {position} that the log's head counts")


def _check_nodes(recorder: LogRecorder, log: _Log) -> None:
    nodes = log.tiles
    for level in KEPT:
        statement = "SELECT number, hash FROM tree_nodes WHERE book = ? AND level = ? ORDER BY number"
        for number, kept in recorder.all(statement, [recorder.book, level]):
            if number >= len(nodes) or nodes[number] != bytes(kept):
                log.wrong(f"the kept node {number} of level {level} is not that of the entries; delete tree_nodes")
                break
        nodes = [fold(nodes[at : at + WIDTH], WIDTH) for at in range(0, len(nodes) - WIDTH + 1, WIDTH)]


def _check_vault(recorder: LogRecorder, log: _Log) -> str:
    """Why the sealed values could not be read; the log can be checked without its keys."""
    try:
        for wrong in Vault(recorder).wrong():
            log.wrong(wrong)
    except KeysUnusable as error:
        return str(error)
    return ""
