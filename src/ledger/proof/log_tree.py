"""The tree over a stored log: nodes of complete subtrees, from the database where they are kept, else from the entries.

Levels 8 and 16 are kept, so a proof reads some 256 entries and some 512 kept nodes, however long the log is. They are
filled in when a proof is first asked for, and made anew at will.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from ledger.errors import NotProven
from ledger.log.database import unusable
from ledger.log.tables import tree_nodes
from ledger.proof import tree
from ledger.proof.merkle import leaf_hash, node_hash

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder

TILE = 8
"""Levels apart of the nodes that are kept."""

KEPT = (TILE, 2 * TILE)
WIDTH = 1 << TILE
PAGE = 64 * WIDTH
ROWS_AT_HAND = 64


class LogTree:
    """Proofs about one book's log. Belongs to one thread; what it has read stays true, for the log only grows."""

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder
        self._grown = 0
        self._rows: dict[tuple[int, int], list[bytes]] = {}

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries. Raises `NotProven` if the log has fewer."""
        self.grow(size)
        return tree.root(self.node, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof for leaf `index`, which is position `index + 1`."""
        self.grow(size)
        return tree.inclusion(self.node, index, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that the first `second` entries begin with the first `first`."""
        self.grow(second)
        return tree.consistency(self.node, first, second)

    def node(self, level: int, number: int) -> bytes:
        """The root of the complete subtree over `2^level` leaves from leaf `number * 2^level` on."""
        row_level = min(level // TILE, len(KEPT)) * TILE
        height = level - row_level
        if height > TILE:
            return node_hash(self.node(level - 1, 2 * number), self.node(level - 1, 2 * number + 1))
        first = number << height
        row = self._row(row_level, first // WIDTH)
        return fold(row[first % WIDTH : first % WIDTH + (1 << height)], 1 << height)

    def grow(self, size: int, progress: Callable[[int, int], None] | None = None) -> None:
        """Keep the nodes of all complete subtrees among the first `size` entries."""
        whole = size // WIDTH
        if self._grown >= whole:
            return
        done = self._kept(TILE)
        for first in range(done * WIDTH, whole * WIDTH, PAGE):
            leaves = [leaf_hash(entry) for entry in self._entries(first, min(PAGE, whole * WIDTH - first))]
            self._keep(TILE, first // WIDTH, leaves)
            if progress is not None:
                progress(min(first + PAGE, size), size)
        above = self._kept(2 * TILE)
        for number in range(above, whole // WIDTH):
            self._keep(2 * TILE, number, self._read_row(TILE, number))
        self._grown = whole

    def _row(self, level: int, number: int) -> list[bytes]:
        found = self._rows.get((level, number))
        if found is None:
            found = self._read_row(level, number)
            if len(found) == WIDTH:  # which it will be for good
                while len(self._rows) >= ROWS_AT_HAND:
                    del self._rows[next(iter(self._rows))]
                self._rows[level, number] = found
        return found

    def _read_row(self, level: int, number: int) -> list[bytes]:
        """The up to 256 nodes of a level that stand beneath one node eight levels up; all that there are."""
        if level == 0:
            return [leaf_hash(entry) for entry in self._entries(number * WIDTH, WIDTH, whole=False)]
        statement = (
            "SELECT hash FROM tree_nodes WHERE book = ? AND level = ? AND number >= ? AND number < ? ORDER BY number"
        )
        rows = self._recorder.all(statement, [self._recorder.book, level, number * WIDTH, (number + 1) * WIDTH])
        return [bytes(row[0]) for row in rows]

    def _entries(self, first: int, count: int, *, whole: bool = True) -> Iterator[bytes]:
        statement = "SELECT entry FROM events WHERE book = ? AND position > ? AND position <= ? ORDER BY position"
        rows = self._recorder.all(statement, [self._recorder.book, first, first + count])
        if whole and len(rows) < count:
            raise NotProven(f"the log has no more than {first + len(rows)} of its first {first + count} entries")
        return (stored(row[0]) for row in rows)

    def _kept(self, level: int) -> int:
        """How many nodes of a level are kept; none, so that they are made anew, if some in between are not."""
        statement = "SELECT count(*), min(number), max(number) FROM tree_nodes WHERE book = ? AND level = ?"
        count, first, last = self._recorder.one(statement, [self._recorder.book, level])
        return count if count and (first, last) == (0, count - 1) else 0

    def _keep(self, level: int, number: int, nodes: Sequence[bytes]) -> None:
        """Keep the roots over each 256 of these nodes, the first of them as this number."""
        rows: list[dict[str, Any]] = [
            {
                "book": self._recorder.book,
                "level": level,
                "number": number + index,
                "hash": fold(nodes[index * WIDTH : (index + 1) * WIDTH], WIDTH),
            }
            for index in range(len(nodes) // WIDTH)
        ]
        engine = self._recorder.engine
        dialect = {"sqlite": sqlite, "postgresql": postgresql}[engine.dialect.name]
        try:
            with engine.begin() as connection:  # one statement: on SQLite each would be a transaction of its own
                connection.execute(dialect.insert(tree_nodes).values(rows).on_conflict_do_nothing())
        except DBAPIError as error:
            raise unusable(error, engine.url) from None


def stored(entry: Any) -> bytes:
    """An entry as the database has it. Raises `NotProven` for anything but bytes, which SQLite would take too."""
    if not isinstance(entry, bytes):
        raise NotProven("an entry is not stored as bytes: the log was altered; run sales-ledger verify")
    return entry


def fold(nodes: Sequence[bytes], count: int) -> bytes:
    """The root over a power of two of nodes. Raises `NotProven` if there are fewer."""
    if len(nodes) != count:
        raise NotProven(f"the log lacks entries: {len(nodes)} of {count} nodes of its tree are there")
    row = list(nodes)
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs]  # `node_hash`, without a call each
    return row[0]
