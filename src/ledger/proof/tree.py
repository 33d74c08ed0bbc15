"""Inclusion and consistency proofs of RFC 9162, from the hashes of complete subtrees, and their verification.

A tree is asked for its nodes by level and number: node `(level, number)` is the root of the complete subtree over the
2^level leaves from `number * 2^level` on. So a proof takes O(log n) of them, wherever they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.errors import NotProven
from ledger.proof.merkle import EMPTY_ROOT, HASH_BYTES, node_hash

Node = Callable[[int, int], bytes]


def root(node: Node, size: int) -> bytes:
    """The root of the tree over the first `size` leaves (RFC 9162 2.1.1)."""
    return _range(node, 0, size) if size else EMPTY_ROOT


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index`, from 0, is in the tree over `size` leaves (RFC 9162 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range(node, middle, high))
            high = middle
        else:
            proof.append(_range(node, low, middle))
            low = middle
    return proof[::-1]


def consistency(node: Node, first: int, second: int) -> list[bytes]:
    """The proof that the tree over `second` leaves begins with that over `first` (RFC 9162 2.1.4.1)."""
    if not 1 <= first <= second:
        raise ValueError(f"there is no consistency proof from {first} to {second} leaves")
    proof: list[bytes] = []
    low, high, whole = 0, second, True
    while first < high:
        middle = low + _split(high - low)
        if first <= middle:
            proof.append(_range(node, middle, high))
            high = middle
        else:
            proof.append(_range(node, low, middle))
            low, whole = middle, False
    if not whole:
        proof.append(_range(node, low, high))
    return proof[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Verify that a leaf hash stands at `index` of the tree with this root (RFC 9162 2.1.3.2). Raises `NotProven`."""
    if not 0 <= index < size:
        raise NotProven(f"leaf {index} lies outside of the tree of {size}")
    _check_hashes(leaf, *proof)
    number, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotProven("the inclusion proof is too long")
        if number & 1 or number == last:
            found = node_hash(sibling, found)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        number >>= 1
        last >>= 1
    if last:
        raise NotProven("the inclusion proof is too short")
    if found != expected:
        raise NotProven(f"leaf {index} does not lead to the root of the tree of {size}")


def check_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that one tree begins with the other (RFC 9162 2.1.4.2). Raises `NotProven`; so does an empty first tree."""
    if not 1 <= first <= second:
        raise NotProven(f"nothing proves a tree of {second} leaves consistent with one of {first}")
    _check_hashes(*proof)
    if first == second:
        if proof or first_root != second_root:
            raise NotProven(f"two trees of {first} leaves are not the same")
        return
    path = [first_root, *proof] if first.bit_count() == 1 else list(proof)
    if not path:
        raise NotProven("the consistency proof is empty")
    number, last = first - 1, second - 1
    while number & 1:
        number >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise NotProven("the consistency proof is too long")
        if number & 1 or number == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        number >>= 1
        last >>= 1
    if last:
        raise NotProven("the consistency proof is too short")
    if old != first_root:
        raise NotProven(f"the tree of {second} leaves does not begin with that of {first}")
    if new != second_root:
        raise NotProven(f"the consistency proof does not lead to the root of the tree of {second}")


def _check_hashes(*hashes: bytes) -> None:
    """A shorter hash before a longer one would make the same node as two whole ones."""
    if any(len(each) != HASH_BYTES for each in hashes):
        raise NotProven(f"a hash of the proof does not have {HASH_BYTES} bytes")


def _split(size: int) -> int:
    """The largest power of two below a size above one."""
    return 1 << (size - 1).bit_length() - 1


def _range(node: Node, low: int, high: int) -> bytes:
    """The root over the leaves from `low` up to `high`, as the tree divides them."""
    size = high - low
    if size.bit_count() == 1:
        level = size.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(size)
    return node_hash(_range(node, low, middle), _range(node, middle, high))
