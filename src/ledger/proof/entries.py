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
    the number of tiles before it. `begun` has the version before its first entry here of each stream that does not begin
    here, `ended` that of every stream at its last; `sealed` where each commitment was first said.
    """

    entries: int
    first: int
    last: int
    first_stamp: int | None
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

    def __init__(self, book: str, after: int) -> None:
        self.book = book
        self.after = self.last = after
        self.first = after + 1
        self.first_stamp: int | None = None
        self.last_stamp = 0
        self.leaves: list[bytes] = []
        self.begun: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.sealed: dict[str, Place] = {}
        self.findings: list[str] = []

    def wrong(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def take(self, row: Any) -> None:
        """The next row: `position, stream, version, type, effective_at, recorded_at, appended_at, entry`."""
        position, stream, version, event_type, effective_at, recorded_at, appended_at, entry = row
        if position != self.last + 1:
            if self.leaves:
                self.wrong(f"after position {self.last} comes {position}")
            else:
                self.first = position
        self.last = position
        if not isinstance(entry, bytes):
            self.wrong(f"the entry at position {position} is not stored as bytes")
            entry = str(entry).encode()
        self.leaves.append(sha256(b"\x00" + entry).digest())
        try:
            said = _copied(entry)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.wrong(f"the entry at position {position} cannot be read: {error}")
            return
        effective, recorded, appended = said.effective_at, said.recorded_at, said.appended_at
        if not (
            stream == said.stream
            and version == said.version
            and event_type == said.type
            and said.book == self.book
            and _is(effective_at, effective)
            and ((recorded_at == effective_at and recorded == effective) or _is(recorded_at, recorded))
            and ((appended_at == recorded_at and appended == recorded) or _is(appended_at, appended))
        ):
            self.wrong(f"a column of position {position} does not say what its entry says")
        self._follow(said.stream, said.version, position)
        if b'"$sealed"' in entry:
            for commitment, ref in _SEAL.findall(entry):
                self.sealed.setdefault(commitment.decode(), (ref.decode(), said.stream, said.version))
        if isinstance(appended_at, int):
            if self.first_stamp is None:
                self.first_stamp = appended_at
            elif appended_at < self.last_stamp:
                self.wrong(f"time goes back at position {position}")
            self.last_stamp = appended_at

    def _follow(self, stream: str, version: int, position: int) -> None:
        before = self.ended.get(stream)
        if before is None:
            if version != 1:
                self.begun[stream] = version - 1
        elif version != before + 1:
            self.wrong(f"{stream} has version {version} at position {position}, out of turn")
        self.ended[stream] = version

    def part(self, sizes: Iterable[int]) -> Part:
        leaves, count = self.leaves, len(self.leaves)
        return Part(
            entries=count,
            first=self.first,
            last=self.last,
            first_stamp=self.first_stamp,
            last_stamp=self.last_stamp,
            tiles=[fold(leaves[at : at + WIDTH], WIDTH) for at in range(0, count - count % WIDTH, WIDTH)],
            rest=self._rest(count),
            cuts={
                size: ((size - self.after) // WIDTH, self._rest(size - self.after))
                for size in sorted(sizes)
                if self.after < size <= self.after + count
            },
            begun=self.begun,
            ended=self.ended,
            sealed=self.sealed,
            findings=self.findings,
        )

    def _rest(self, count: int) -> list[bytes]:
        """The complete subtrees after the last tile of the first so many."""
        frontier = Frontier()
        for leaf in self.leaves[count - count % WIDTH : count]:
            frontier.add(leaf)
        return frontier.roots


def read_part(recorder: LogRecorder, after: int, upto: int, sizes: Iterable[int]) -> Part:
    """Read the entries after a position, a multiple of 256, up to another. `sizes` are those where a root is wanted."""
    found = _Pass(recorder.book, after)
    while rows := recorder.rows("position > ? AND position <= ?", [found.last, upto], "position", PAGE):
        for row in rows:
            found.take(row)
    return found.part(sizes)


def _is(column: Any, moment: datetime) -> bool:
    """Whether a time's column is the instant that its entry writes; in SQLite anything may stand there."""
    try:
        return to_datetime(column) == moment
    except (TypeError, OverflowError):
        return False
