"""Reading a whole log for signs that it was altered: from the hashed bytes alone, then all that is kept beside them.

A long log is read in ranges by several processes.
"""

from __future__ import annotations

import marshal
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice, starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ledger.errors import KeysUnusable, NotProven
from ledger.formats import count_text
from ledger.privacy.sealing import VaultRow
from ledger.privacy.vault import Vault, erased
from ledger.proof.entries import MOST_FINDINGS, Part, Place, read_part
from ledger.proof.log_tree import KEPT, WIDTH, fold
from ledger.proof.merkle import EMPTY_ROOT, Frontier

if TYPE_CHECKING:
    from ledger.log.recorder import Address, LogRecorder
    from ledger.proof.notes import Checkpoint

RANGE = 64 * WIDTH
"""So many entries are read at a time by one process."""

SMALL = 16 * RANGE
"""Up to so many entries starting a process costs more than it brings."""

AHEAD = 2
"""What each of the others is given at a time, so that it need not wait for the next."""

MOST_UNDER_WAY = 8
"""So many for each process are kept at most while the first of them is waited for."""

MARSHAL_WITHOUT_REFERENCES: Final = 2


class Audited(NamedTuple):
    """What was read, the root it has, and what is wrong with it; empty `findings` mean that nothing was found.

    `unread` says why the sealed values were not checked, where they were not.
    """

    size: int
    root: bytes
    findings: list[str]
    unread: str = ""


class _Log:
    """What the ranges read so far make together."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.size = 0
        self.position = 0
        self.last_stamp = 0
        self.tiles: list[bytes] = []
        self.roots: dict[int, bytes | None] = {0: EMPTY_ROOT}
        self.versions: dict[str, int] = {}
        self.sealed: dict[str, Place] = {}
        self._above = Frontier()
        self._rest: list[bytes] = []

    def wrong(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def join(self, part: Part) -> None:
        """Add the range that follows those so far."""
        if not part.entries:
            return
        for each in part.findings:
            self.wrong(each)
        if part.first != self.position + 1:
            self.wrong(f"after position {self.position} comes {part.first}")
        if part.first_stamp is not None and part.first_stamp < self.last_stamp:
            self.wrong(f"time goes back at position {part.first}")
        for stream, version in part.begun.items():
            if self.versions.get(stream, 0) != version:
                self.wrong(f"{stream} has version {version + 1} from position {part.first} on, out of turn")
        for stream in sorted(self.versions.keys() & (part.ended.keys() - part.begun.keys())):
            self.wrong(f"{stream} has version 1 again from position {part.first} on, out of turn")
        before = len(self.tiles)
        for size, (tiles, rest) in part.cuts.items():
            self._climb(part.tiles[len(self.tiles) - before : tiles])
            self.roots[size] = self._root(size, rest)
        self._climb(part.tiles[len(self.tiles) - before :])
        self.size += part.entries
        self._rest = part.rest
        self.position, self.last_stamp = part.last, part.last_stamp
        self.versions |= part.ended
        for commitment, place in part.sealed.items():
            self.sealed.setdefault(commitment, place)

    def root(self) -> bytes | None:
        """The root over all entries; None if they are not where they belong, which is wrong already."""
        return self._root(self.size, self._rest)

    def _climb(self, tiles: list[bytes]) -> None:
        self.tiles += tiles
        for tile in tiles:
            self._above.add(tile)

    def _root(self, size: int, rest: list[bytes]) -> bytes | None:
        roots = [*self._above.roots, *rest]
        return Frontier(size, roots).root() if len(roots) == size.bit_count() else None


def audit(
    recorder: LogRecorder,
    checkpoints: Iterable[Checkpoint],
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Audited:
    """Read every entry once: positions and versions without gaps, times that never go back, columns that repeat their
    entry, the head, the kept nodes, the sealed values, and the root at each checkpoint's size.

    `workers` are the processes that read, this one among them; as many as there are processors by default.
    """
    held = list(checkpoints)
    try:
        head = recorder.head()
    except NotProven as damaged:
        return Audited(0, EMPTY_ROOT, [str(damaged)])
    log = _Log()
    workers = workers or os.cpu_count() or 1
    with _pool(recorder, workers - 1, head.position) as pool:
        for part in _parts(recorder, head.position, {each.size for each in held}, pool):
            log.join(part)
            if progress is not None:
                progress(log.position, head.position)
        root = log.root()
        if log.size != head.position:
            log.wrong(f"the log's head says {head.position} entries; {log.size} are there")
        elif root != head.frontier.root() or (head.position and log.last_stamp != head.stamp):
            log.wrong("the log's head does not state the root or the time of its last entry")
        for each in held:
            if each.size > log.size:
                log.wrong(
                    f"a checkpoint of {count_text(each.size, 'entry', 'entries')} exists, and the log has {log.size}: it was cut"
                )
            elif log.roots.get(each.size) != each.root:
                log.wrong(f"the first {each.size} entries are not those of the checkpoint of that size")
        _check_beyond(recorder, head.position, log)
        _check_nodes(recorder, log)
        unread = _check_vault(recorder, head.position, log, pool)
    return Audited(log.size, root or EMPTY_ROOT, log.findings, unread)


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


def _check_vault(recorder: LogRecorder, position: int, log: _Log, pool: _Pool | None) -> str:
    """Each value stands where its entry says and is the one that was committed to; none is missing but of the erased.

    Why the values could not be opened: the rest is checked without their keys.
    """
    missing, unread = log.sealed, ""

    def in_place() -> Iterator[list[VaultRow]]:
        for page in Vault(recorder).pages():
            found = []
            for row in page:
                if (said := missing.pop(row.commitment, None)) is None:
                    if not _said_since(recorder, position, row):
                        log.wrong(f"the vault holds {row.commitment}, which no entry says")
                elif said != (row.subject_ref, row.stream, row.version):
                    log.wrong(f"the sealed value {row.commitment} does not stand where its entry says")
                else:
                    found.append(row)
            yield found

    for wrong, why in _opening(recorder, in_place(), pool):
        unread = unread or why
        for each in wrong:
            log.wrong(each)
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


# In several processes -------------------------------------------------------------------------------------------------


def _parts(recorder: LogRecorder, upto: int, sizes: set[int], pool: _Pool | None) -> Iterator[Part]:
    """All ranges in order."""

    def here(after: int, upto: int, sizes: set[int]) -> Part:
        return read_part(recorder, after, upto, sizes)

    ranges = ((after, min(after + RANGE, upto), sizes) for after in range(0, upto, RANGE))
    for part in _shared(pool, here, _read_part_there, ranges):
        yield part if isinstance(part, Part) else Part(*marshal.loads(part))  # noqa: S302 (by our own)


def _opening(
    recorder: LogRecorder, pages: Iterable[list[VaultRow]], pool: _Pool | None
) -> Iterator[tuple[list[str], str]]:
    """Of each page of sealed values, what is wrong with them, or why they cannot be opened."""

    def here(page: bytes) -> tuple[list[str], str]:
        return _opened(recorder, page)

    return _shared(pool, here, _opened_there, ((msgspec.msgpack.encode(page),) for page in pages))


def _opened(recorder: LogRecorder, page: bytes) -> tuple[list[str], str]:
    """The rows are what they are: in SQLite a text may stand where bytes should."""
    rows = [VaultRow(*row) for row in msgspec.msgpack.decode(page)]
    try:
        return list(Vault(recorder).wrong(rows)), ""
    except KeysUnusable as error:
        return [], str(error)


class _Pool(NamedTuple):
    """The processes beside this one."""

    executor: Executor
    others: int


@contextmanager
def _pool(recorder: LogRecorder, others: int, size: int) -> Iterator[_Pool | None]:
    if others == 0 or size <= SMALL:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    setting = (recorder.address, recorder.book)
    with ProcessPoolExecutor(others, mp_context=spawn, initializer=_open, initargs=setting) as executor:
        yield _Pool(executor, others)


def _shared(
    pool: _Pool | None, here: Callable[..., Any], there: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]
) -> Iterator[Any]:
    """What `here` or `there` makes of each, in order: whoever is free takes the next, this process too."""
    left = iter(arguments)
    if pool is None:
        yield from starmap(here, left)
        return
    under_way: deque[Future[Any]] = deque()
    while True:
        more = AHEAD * pool.others - sum(not each.done() for each in under_way)
        under_way.extend(pool.executor.submit(there, *each) for each in islice(left, max(0, more)))
        if not under_way:
            return
        ready = under_way[0].done() or len(under_way) >= MOST_UNDER_WAY * (pool.others + 1)
        if not ready and (each := next(left, None)):
            mine: Future[Any] = Future()
            mine.set_result(here(*each))
            under_way.append(mine)
        else:
            yield under_way.popleft().result()


_here: dict[str, LogRecorder] = {}
"""What a worker process keeps between ranges."""


def _open(address: Address, book: str) -> None:
    from ledger.application import open_recorder  # noqa: PLC0415 (it stands above the proofs)

    _here["recorder"] = open_recorder(address.url, book, create=False, keys=address.keys)


def _read_part_there(after: int, upto: int, sizes: set[int]) -> bytes:
    """The part, marshalled: between our own processes far quicker than pickle."""
    return marshal.dumps(tuple(read_part(_here["recorder"], after, upto, sizes)), MARSHAL_WITHOUT_REFERENCES)


def _opened_there(page: bytes) -> tuple[list[str], str]:
    return _opened(_here["recorder"], page)
