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
from ledger.times import EPOCH, MICROSECOND

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


_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Copied(msgspec.Struct, gc=False):
    """Of an entry, what the log's other columns repeat."""

    appended_at: _Instant
    book: str
    effective_at: _Instant
    recorded_at: _Instant
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

    def take(self, rows: Iterable[Any]) -> None:
        """The next rows: `position, stream, version, type, effective_at, recorded_at, appended_at, entry`.

        One loop, with what it uses at hand: a call for each entry would cost as much as hashing it.
        """
        book, leaves, ended, last, last_stamp = self.book, self.leaves, self.ended, self.last, self.last_stamp
        for position, stream, version, event_type, effective_at, recorded_at, appended_at, entry in rows:
            if position != last + 1:
                if leaves:
                    self.wrong(f"after position {last} comes {position}")
                else:
                    self.first = position
            last = position
            if type(entry) is not bytes:
                self.wrong(f"the entry at position {position} is not stored as bytes")
                entry = str(entry).encode()  # noqa: PLW2901 (something has to be hashed in its place)
            leaves.append(sha256(b"\x00" + entry).digest())
            try:
                said = _copied(entry)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                self.wrong(f"the entry at position {position} cannot be read: {error}")
                continue
            try:
                repeated = (
                    stream == said.stream
                    and version == said.version
                    and event_type == said.type
                    and book == said.book
                    and said.effective_at == EPOCH + effective_at * MICROSECOND
                    and (
                        (recorded_at == effective_at and said.recorded_at == said.effective_at)
                        or said.recorded_at == EPOCH + recorded_at * MICROSECOND
                    )
                    and said.appended_at == EPOCH + appended_at * MICROSECOND
                )
            except (TypeError, OverflowError):  # in SQLite anything may stand in a column
                repeated = False
            if not repeated:
                self.wrong(f"a column of position {position} does not say what its entry says")
            stream, version = said.stream, said.version  # noqa: PLW2901 (from here on as hashed)
            before = ended.get(stream)
            if before is None:
                if version != 1:
                    self.begun[stream] = version - 1
            elif version != before + 1:
                self.wrong(f"{stream} has version {version} at position {position}, out of turn")
            ended[stream] = version
            if b"$" in entry:  # far quicker to look for than the whole word
                for commitment, ref in _SEAL.findall(entry):
                    self.sealed.setdefault(commitment.decode(), (ref.decode(), stream, version))
            if type(appended_at) is int:
                if self.first_stamp is None:
                    self.first_stamp = appended_at
                elif appended_at < last_stamp:
                    self.wrong(f"time goes back at position {position}")
                last_stamp = appended_at
        self.last, self.last_stamp = last, last_stamp

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
        found.take(rows)
    return found.part(sizes)
