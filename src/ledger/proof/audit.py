"""Reading a whole log for signs that it was altered: from the hashed bytes alone, then all that is kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ledger.errors import KeysUnusable, NotProven
from ledger.privacy.vault import Vault, erased
from ledger.proof.log_tree import KEPT, WIDTH, fold
from ledger.proof.merkle import EMPTY_ROOT, Frontier, leaf_hash
from ledger.times import format_instant

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder
    from ledger.privacy.sealing import VaultRow
    from ledger.proof.notes import Checkpoint

PAGE = 5_000
MOST_FINDINGS = 100

_SEAL = b'"$sealed"'


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
    data: msgspec.Raw
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
        self.sealed: dict[str, tuple[str, str, int, str]] = {}
        self._expected: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._expected.setdefault(checkpoint.size, []).append(checkpoint)
        self._check_checkpoints()

    def wrong(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def take(self, row: Any) -> None:
        """The next row: `position, stream, version, type, effective_at, recorded_at, appended_at, entry`."""
        position, stream, version, event_type, effective_at, recorded_at, appended_at, entry = row
        if position != self.position + 1:
            self.wrong(f"after position {self.position} comes {position}")
        self.position = position
        if not isinstance(entry, bytes):
            self.wrong(f"the entry at position {position} is not stored as bytes")
            entry = str(entry).encode()
        leaf = leaf_hash(entry)
        self.frontier.add(leaf)
        self.leaves.append(leaf)
        if len(self.leaves) == WIDTH:
            self.tiles.append(fold(self.leaves, WIDTH))
            self.leaves = []
        self._check_checkpoints()
        try:
            said = _copied(entry)
            for commitment, ref, field in _seals(said.data) if _SEAL in entry else ():
                self.sealed.setdefault(commitment, (ref, said.stream, said.version, field))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.wrong(f"the entry at position {position} cannot be read: {error}")
            return
        told = (said.stream, said.version, said.type, said.effective_at, said.recorded_at, said.appended_at)
        columns = (stream, version, event_type, *map(_instant, (effective_at, recorded_at, appended_at)))
        if columns != told or said.book != self.book:
            self.wrong(f"a column of position {position} does not say what its entry says")
        if said.version != self.versions.get(said.stream, 0) + 1:
            self.wrong(f"{said.stream} has version {said.version} at position {position}, out of turn")
        self.versions[said.stream] = said.version
        if isinstance(appended_at, int):
            if appended_at < self.last_stamp:
                self.wrong(f"time goes back at position {position}")
            self.last_stamp = appended_at

    def _check_checkpoints(self) -> None:
        for checkpoint in self._expected.pop(self.frontier.size, ()):
            if checkpoint.root != self.frontier.root():
                self.wrong(f"the first {checkpoint.size} entries are not those of the checkpoint of that size")

    def missed(self) -> list[int]:
        """The sizes of checkpoints of more entries than there are."""
        return sorted(self._expected)


def audit(
    recorder: LogRecorder, checkpoints: Iterable[Checkpoint], progress: Callable[[int, int], None] | None = None
) -> Audited:
    """Read every entry once: positions and versions without gaps, times that never go back, columns that repeat their
    entry, the head, the kept nodes, the sealed values, and the root at each checkpoint's size.
    """
    log = _Log(recorder.book, checkpoints)
    try:
        head = recorder.head()
    except NotProven as damaged:
        return Audited(0, EMPTY_ROOT, [str(damaged)])
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
    unread = _check_vault(recorder, head.position, log)
    return Audited(log.frontier.size, log.frontier.root(), log.findings, unread)


def _instant(column: Any) -> str:
    """A time as its entry writes it, or what else stands there, which no entry says."""
    try:
        return format_instant(column)
    except (TypeError, OverflowError):
        return repr(column)


def _seals(data: msgspec.Raw) -> Iterator[tuple[str, str, str]]:
    """The commitments of an event, or of the one that a correction tells anew, each with its subject's ref and field."""
    told = msgspec.json.decode(data)
    for field, value in (*told.items(), *(told["data"].items() if isinstance(told.get("data"), dict) else ())):
        if isinstance(value, dict) and isinstance(seal := value.get("$sealed"), dict):
            yield seal["c"], seal["s"], field


def _check_beyond(recorder: LogRecorder, position: int, log: _Log) -> None:
    """Appends may go on meanwhile, and move the head with them; nothing else lies beyond it."""
    outside = "SELECT count(*) FROM events e, heads h WHERE e.book = ? AND h.book = e.book AND (e.position > h.position OR e.position < 1)"
    count = recorder.one(outside, [recorder.book])[0]
    if count:
        log.wrong(f"{count} entries lie outside of the {position} that the log's head counts")


def _check_nodes(recorder: LogRecorder, log: _Log) -> None:
    """Proofs may be asked for meanwhile, and more nodes kept; never of more entries than there are."""
    nodes = log.tiles
    for level in KEPT:
        statement = "SELECT number, hash FROM tree_nodes WHERE book = ? AND level = ? AND number < ? ORDER BY number"
        for expected, (number, kept) in enumerate(recorder.all(statement, [recorder.book, level, len(nodes)])):
            if number != expected or nodes[number] != kept:
                log.wrong(f"the kept node {number} of level {level} is not that of the entries; empty tree_nodes")
                break
        beyond = "SELECT count(*) FROM tree_nodes n, heads h WHERE n.book = ? AND h.book = n.book AND n.level = ? AND n.number >= h.position / ?"
        if recorder.one(beyond, [recorder.book, level, 1 << level])[0]:
            log.wrong(f"nodes of level {level} are kept of more entries than there are; empty tree_nodes")
        nodes = [fold(nodes[at : at + WIDTH], WIDTH) for at in range(0, len(nodes) - WIDTH + 1, WIDTH)]


def _check_vault(recorder: LogRecorder, position: int, log: _Log) -> str:
    """Each value stands where its entry says and is the one that was committed to; none is missing but of the erased.

    Why the values could not be opened: the rest is checked without their keys.
    """
    vault, missing, unread = Vault(recorder), log.sealed, ""
    for page in vault.pages():
        in_place = []
        for row in page:
            if (said := missing.pop(row.commitment, None)) is None:
                if not _said_since(recorder, position, row):
                    log.wrong(f"the vault holds {row.commitment}, which no entry says")
            elif said != (row.subject_ref, row.stream, row.version, row.field):
                log.wrong(f"the sealed value {row.commitment} does not stand where its entry says")
            else:
                in_place.append(row)
        try:
            for each in () if unread else vault.wrong(in_place):
                log.wrong(each)
        except KeysUnusable as error:
            unread = str(error)
    gone = erased(recorder) if missing else set()
    for commitment, (ref, *_) in sorted(missing.items()):
        if ref not in gone:
            log.wrong(f"the sealed value {commitment} is missing")
    return unread


def _said_since(recorder: LogRecorder, position: int, row: VaultRow) -> bool:
    """Whether an entry that was appended meanwhile commits to this value."""
    entry = "SELECT entry FROM events WHERE book = ? AND stream = ? AND version = ? AND position > ?"
    found = recorder.one(entry, [recorder.book, row.stream, row.version, position])
    return found is not None and str(row.commitment).encode() in found[0]
