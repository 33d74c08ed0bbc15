"""One pass over a range of a log's entries: what is wrong among them, and what it takes to join ranges into the whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from ledger.proof.log_tree import WIDTH, fold
from ledger.proof.merkle import Frontier
from ledger.times import to_datetime

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder

PAGE = 5_000
MOST_FINDINGS = 100

_SEAL = re.compile(rb'\{"\$sealed":\{"c":"([^"]+)","s":"([^"]+)"\}\}')
"""As it stands in an entry; within a text its quotes would be escaped."""

Place = tuple[str, str, int]
"""Where a value was sealed: its subject's ref, stream and version."""


class Part(NamedTuple):
    """What the entries of a range are.

    `first` and `last` are positions, `first_stamp` and `last_stamp` the times of the same. `tiles` are the roots over
    each 256 entries, `rest` those of the complete subtrees after them, and `cuts` the same at each size asked for, with
    the number of tiles before it. `begun` and `ended` have the version of each stream before its first entry here and at
    its last; `sealed` where each commitment was first said.
    """

    entries: int
    first: int
    last: int
    first_stamp: int
    last_stamp: int
    tiles: list[bytes]
    rest: list[bytes]
    cuts: dict[int, tuple[int, list[bytes]]]
    begun: dict[str, int]
    ended: dict[str, int]
    sealed: dict[str, Place]
    findings: list[str]


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Copied(msgspec.Struct, gc=False):
    """Of an entry, what the log's other columns repeat."""

    appended_at: _Moment
    book: str
    effective_at: _Moment
    recorded_at: _Moment
    stream: str
    type: str
    version: int


_copied = msgspec.json.Decoder(_Copied).decode


class _Pass:
    """What has been seen so far of a range that begins after a position, a multiple of 256."""

    def __init__(self, book: str, after: int, sizes: Iterable[int]) -> None:
        self.book = book
        self.after = self.last = after
        self.first: int | None = None
        self.first_stamp: int | None = None
        self.last_stamp = 0
        self.count = 0
        self.tiles: list[bytes] = []
        self.leaves: list[bytes] = []
        self.cuts: dict[int, tuple[int, list[bytes]]] = {}
        self.begun: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.sealed: dict[str, Place] = {}
        self.findings: list[str] = []
        self._sizes = frozenset(sizes)

    def wrong(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def take(self, row: Any) -> None:
        """The next row: `position, stream, version, type, effective_at, recorded_at, appended_at, entry`."""
        position, stream, version, event_type, effective_at, recorded_at, appended_at, entry = row
        if self.first is None:
            self.first = position
        elif position != self.last + 1:
            self.wrong(f"after position {self.last} comes {position}")
        self.last = position
        if not isinstance(entry, bytes):
            self.wrong(f"the entry at position {position} is not stored as bytes")
            entry = str(entry).encode()
        self._hash(entry)
        try:
            said = _copied(entry)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.wrong(f"the entry at position {position} cannot be read: {error}")
            return
        if not (
            stream == said.stream
            and version == said.version
            and event_type == said.type
            and said.book == self.book
            and _is(effective_at, said.effective_at)
            and (
                (recorded_at == effective_at and said.recorded_at == said.effective_at)
                or _is(recorded_at, said.recorded_at)
            )
            and _is(appended_at, said.appended_at)
        ):
            self.wrong(f"a column of position {position} does not say what its entry says")
        self._follow(said.stream, said.version, position)
        for commitment, ref in _SEAL.findall(entry):
            self.sealed.setdefault(commitment.decode(), (ref.decode(), said.stream, said.version))
        if isinstance(appended_at, int):
            if appended_at < self.last_stamp:
                self.wrong(f"time goes back at position {position}")
            self.last_stamp = appended_at
            if self.first_stamp is None:
                self.first_stamp = appended_at

    def _hash(self, entry: bytes) -> None:
        leaves = self.leaves
        leaves.append(sha256(b"\x00" + entry).digest())
        if len(leaves) == WIDTH:
            self.tiles.append(fold(leaves, WIDTH))
            self.leaves = []
        self.count += 1
        if self.after + self.count in self._sizes:
            self.cuts[self.after + self.count] = (len(self.tiles), self._rest())

    def _rest(self) -> list[bytes]:
        frontier = Frontier()
        for leaf in self.leaves:
            frontier.add(leaf)
        return frontier.roots

    def _follow(self, stream: str, version: int, position: int) -> None:
        before = self.ended.get(stream)
        if before is None:
            self.begun[stream] = version - 1
        elif version != before + 1:
            self.wrong(f"{stream} has version {version} at position {position}, out of turn")
        self.ended[stream] = version

    def part(self) -> Part:
        first = self.after + 1 if self.first is None else self.first
        first_stamp = self.last_stamp if self.first_stamp is None else self.first_stamp
        ends = (self.count, first, self.last, first_stamp, self.last_stamp)
        return Part(*ends, self.tiles, self._rest(), self.cuts, self.begun, self.ended, self.sealed, self.findings)


def read_part(recorder: LogRecorder, after: int, upto: int, sizes: Iterable[int]) -> Part:
    """Read the entries after a position, a multiple of 256, up to another. `sizes` are those where a root is wanted."""
    found = _Pass(recorder.book, after, sizes)
    while rows := recorder.rows("position > ? AND position <= ?", [found.last, upto], "position", PAGE):
        for row in rows:
            found.take(row)
    return found.part()


def _is(column: Any, moment: datetime) -> bool:
    """Whether a time's column is the instant that its entry writes; in SQLite anything may stand there."""
    try:
        return to_datetime(column) == moment
    except (TypeError, OverflowError):
        return False
