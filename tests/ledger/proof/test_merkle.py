"""The Merkle tree of RFC 9162, against published vectors and a naive tree."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.proof.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash

INPUTS = [
    bytes.fromhex(text)
    for text in ",00,10,2021,3031,40414243,5051525354555657,606162636465666768696a6b6c6d6e6f".split(",")
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


@pytest.mark.parametrize("size", ROOTS)
def test_the_published_roots(size):
    frontier = Frontier()
    for entry in INPUTS[:size]:
        frontier.append(entry)
    assert frontier.root().hex() == ROOTS[size]


def test_the_published_leaf_and_node():
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert Frontier().root() == EMPTY_ROOT


def test_the_frontier_has_the_naive_trees_root_at_every_size_up_to_300():
    frontier = Frontier()
    leaves: list[bytes] = []
    for size in range(300):
        assert (frontier.size, frontier.root()) == (size, naive_root(leaves))
        leaves.append(f"entry {size}".encode())
        frontier = Frontier.from_bytes(size, frontier.to_bytes())
        frontier.append(leaves[-1])


def test_a_copy_grows_by_itself():
    frontier = Frontier()
    frontier.append(b"a")
    copy = frontier.copy()
    copy.append(b"b")
    assert frontier.root() == naive_root([b"a"])
    assert copy.root() == naive_root([b"a", b"b"])


@pytest.mark.parametrize(("size", "stored"), [(1, b""), (3, bytes(32)), (0, bytes(32)), (2, bytes(64)), (1, bytes(31))])
def test_a_frontier_that_does_not_fit_its_size_is_no_frontier(size, stored):
    with pytest.raises(ValueError, match=r"complete subtrees|bytes"):
        Frontier.from_bytes(size, stored)
