"""The Merkle tree of RFC 6962 / 9162 over entries, kept as a frontier so that an append costs O(log n).

The frontier of a tree of n leaves holds the roots of the complete subtrees that n's binary digits name, largest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry's bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree: its `size` and the roots of its complete subtrees."""

    __slots__ = ("roots", "size")

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self.size = size
        self.roots = list(roots)
        if len(self.roots) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(self.roots)}")

    @classmethod
    def from_bytes(cls, size: int, stored: bytes) -> Frontier:
        """The frontier as `to_bytes` wrote it."""
        if len(stored) % HASH_BYTES:
            raise ValueError(f"a frontier has {HASH_BYTES} bytes for each complete subtree, not {len(stored)} in all")
        return cls(size, (stored[at : at + HASH_BYTES] for at in range(0, len(stored), HASH_BYTES)))

    def to_bytes(self) -> bytes:
        """The subtree roots, one after the other."""
        return b"".join(self.roots)

    def copy(self) -> Frontier:
        """An independent frontier of the same tree."""
        return Frontier(self.size, self.roots)

    def append(self, entry: bytes) -> None:
        """One more entry, as a leaf on the right."""
        self.add(sha256(b"\x00" + entry).digest())

    def add(self, node: bytes) -> None:
        """The same, of an entry's leaf hash."""
        roots, size = self.roots, self.size
        while size & 1:
            node = sha256(b"\x01" + roots.pop() + node).digest()
            size >>= 1
        roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the whole tree (RFC 9162 2.1.1)."""
        if not self.roots:
            return EMPTY_ROOT
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root
