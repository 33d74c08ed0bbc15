"""Inclusion and consistency proofs against RFC 9162 written out word for word, and what verification must refuse."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import NotProven
from ledger.proof import tree
from ledger.proof.merkle import EMPTY_ROOT, leaf_hash, node_hash
from tests.ledger.proof import naive

MOST = 130
ENTRIES = [f"entry {number}".encode() for number in range(MOST)]


@cache
def root_of(size):
    return naive.mth(ENTRIES[:size])


@cache
def node(level, number):
    return naive.NaiveTree(ENTRIES)(level, number)


@cache
def consistency(first, second):
    return tuple(naive.proof(first, ENTRIES[:second]))


def test_the_root_of_every_size_up_to_130():
    assert tree.root(node, 0) == EMPTY_ROOT == root_of(0)
    for size in range(1, MOST + 1):
        assert tree.root(node, size) == root_of(size)


def test_every_inclusion_proof_up_to_130_leaves_is_that_of_the_rfc_and_holds():
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = tree.inclusion(node, index, size)
            assert proof == naive.path(index, ENTRIES[:size])
            tree.check_inclusion(leaf_hash(ENTRIES[index]), index, size, proof, root_of(size))


def test_every_consistency_proof_up_to_130_leaves_is_that_of_the_rfc_and_holds():
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            proof = tree.consistency(node, first, second)
            assert tuple(proof) == consistency(first, second)
            tree.check_consistency(first, root_of(first), second, root_of(second), proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (4, 3)])
def test_a_leaf_that_is_not_there_has_no_proof(index, size):
    with pytest.raises(ValueError, match=f"a tree of {size} leaves has no leaf {index}"):
        tree.inclusion(node, index, size)
    with pytest.raises(NotProven, match=f"leaf {index} lies outside of the tree of {size}"):
        tree.check_inclusion(leaf_hash(b""), index, size, [], EMPTY_ROOT)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 3), (-1, 3), (4, 3)])
def test_there_is_no_consistency_proof_from_nothing_nor_backwards(first, second):
    with pytest.raises(ValueError, match=f"no consistency proof from {first} to {second} leaves"):
        tree.consistency(node, first, second)
    with pytest.raises(NotProven, match=f"a tree of {second} leaves consistent with one of {first}"):
        tree.check_consistency(first, EMPTY_ROOT, second, root_of(max(second, 0)), [])


def test_a_tree_is_consistent_with_itself_by_no_hashes_at_all():
    tree.check_consistency(5, root_of(5), 5, root_of(5), [])
    with pytest.raises(NotProven, match="not the same"):
        tree.check_consistency(5, root_of(5), 5, root_of(4), [])
    with pytest.raises(NotProven, match="not the same"):
        tree.check_consistency(5, root_of(5), 5, root_of(5), [root_of(5)])


# Refusals -------------------------------------------------------------------------------------------------------------


def flipped(hashed):
    """The hash with each of its bits flipped in turn."""
    for bit in range(8 * len(hashed)):
        yield bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(hashed))


def altered(proof):
    """A proof cut, extended, reordered, doubled or stripped of any of its hashes; and each way only once."""
    hashes = list(proof)
    changed = [hashes[:place] + hashes[place + 1 :] for place in range(len(hashes))]
    changed += [[*hashes[:place], EMPTY_ROOT, *hashes[place:]] for place in range(len(hashes) + 1)]
    changed += [[*hashes[:place], hashes[place], *hashes[place:]] for place in range(len(hashes))]
    changed += [
        [*hashes[:place], hashes[place + 1], hashes[place], *hashes[place + 2 :]]
        for place in range(len(hashes) - 1)
        if hashes[place] != hashes[place + 1]
    ]
    changed += [hashes[: len(hashes) // 2], hashes[::-1] if len(hashes) > 1 else [EMPTY_ROOT, *hashes]]
    return [each for each in changed if each != hashes]


def refused(check, *arguments):
    with pytest.raises(NotProven):
        check(*arguments)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 64, 130])
def test_no_flipped_bit_of_an_inclusion_proof_passes(size):
    for index in {0, size // 3, size - 1}:
        leaf, root, proof = leaf_hash(ENTRIES[index]), root_of(size), tree.inclusion(node, index, size)
        for other in flipped(leaf):
            refused(tree.check_inclusion, other, index, size, proof, root)
        for other in flipped(root):
            refused(tree.check_inclusion, leaf, index, size, proof, other)
        for place, hashed in enumerate(proof):
            for other in flipped(hashed):
                refused(tree.check_inclusion, leaf, index, size, [*proof[:place], other, *proof[place + 1 :]], root)


@pytest.mark.parametrize("size", range(1, 41))
def test_no_inclusion_proof_passes_that_is_cut_extended_reordered_or_of_another_leaf(size):
    root = root_of(size)
    for index in range(size):
        leaf, proof = leaf_hash(ENTRIES[index]), tree.inclusion(node, index, size)
        for other in altered(proof):
            refused(tree.check_inclusion, leaf, index, size, other, root)
        for elsewhere in set(range(size)) - {index}:
            refused(tree.check_inclusion, leaf, elsewhere, size, proof, root)
            refused(tree.check_inclusion, leaf, index, size, tree.inclusion(node, elsewhere, size), root)


@pytest.mark.parametrize("pair", [(1, 2), (2, 3), (3, 7), (4, 8), (6, 8), (7, 13), (64, 130), (65, 130), (129, 130)])
def test_no_flipped_bit_of_a_consistency_proof_passes(pair):
    first, second = pair
    old, new, proof = root_of(first), root_of(second), consistency(first, second)
    for other in flipped(old):
        refused(tree.check_consistency, first, other, second, new, proof)
    for other in flipped(new):
        refused(tree.check_consistency, first, old, second, other, proof)
    for place, hashed in enumerate(proof):
        for other in flipped(hashed):
            refused(tree.check_consistency, first, old, second, new, [*proof[:place], other, *proof[place + 1 :]])


@pytest.mark.parametrize("second", range(2, 34))
def test_no_consistency_proof_passes_that_is_cut_extended_reordered_or_of_other_sizes(second):
    for first in range(1, second):
        old, new, proof = root_of(first), root_of(second), consistency(first, second)
        for other in altered(proof):
            refused(tree.check_consistency, first, old, second, new, other)
        for smaller in set(range(1, second)) - {first}:
            refused(tree.check_consistency, smaller, root_of(smaller), second, root_of(second + 1), proof)
            refused(tree.check_consistency, first, root_of(smaller), second, new, proof)
            if consistency(smaller, second) != proof:
                refused(tree.check_consistency, first, old, second, new, consistency(smaller, second))


def test_a_byte_may_not_move_from_one_hash_to_the_next():
    proof = tree.inclusion(node, 3, 13)
    leaf = leaf_hash(ENTRIES[3])
    with pytest.raises(NotProven, match="32 bytes"):
        tree.check_inclusion(leaf + proof[0][:1], 3, 13, [proof[0][1:], *proof[1:]], root_of(13))
    for longer, hashes in (leaf + b"x", proof), (leaf, [*proof[:-1], proof[-1] + b"x"]):
        with pytest.raises(NotProven, match="32 bytes"):
            tree.check_inclusion(longer, 3, 13, hashes, root_of(13))
    first, second = 6, 13
    hashes = consistency(first, second)
    moved = [hashes[0][:-1], hashes[0][-1:] + hashes[1], *hashes[2:]]
    with pytest.raises(NotProven, match="32 bytes"):
        tree.check_consistency(first, root_of(first), second, root_of(second), moved)


def test_a_node_cannot_pass_for_a_leaf():
    inner = node_hash(leaf_hash(b"a"), leaf_hash(b"b"))
    assert leaf_hash(leaf_hash(b"a") + leaf_hash(b"b")) != inner


@given(st.integers(1, 2**40), st.data())
def test_proofs_of_very_large_trees_are_short_and_hold(size, data):
    """Every leaf alike, so that a complete subtree's root follows from its level alone."""
    same = [leaf_hash(b"x")]
    while len(same) < 42:
        same.append(node_hash(same[-1], same[-1]))

    def alike(level, number):
        assert (number + 1) << level <= size
        return same[level]

    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(alike, index, size)
    assert len(proof) <= size.bit_length()
    tree.check_inclusion(same[0], index, size, proof, tree.root(alike, size))
    first = data.draw(st.integers(1, size))
    between = tree.consistency(alike, first, size)
    assert len(between) <= size.bit_length() + 1
    tree.check_consistency(first, tree.root(alike, first), size, tree.root(alike, size), between)


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=32, max_size=32), max_size=12), st.randoms())
def test_random_hashes_prove_nothing(root, hashes, random: Random):
    first, second = sorted((random.randrange(1, 200), random.randrange(1, 200)))
    refused(tree.check_inclusion, leaf_hash(b"x"), first - 1, second, hashes, root)
    refused(tree.check_consistency, first, leaf_hash(b"x"), second, root, hashes)


def test_consistency_follows_from_step_to_step():
    sizes = sorted(Random(9162).sample(range(1, MOST + 1), 20))
    for first, second in pairwise(sizes):
        tree.check_consistency(first, root_of(first), second, root_of(second), tree.consistency(node, first, second))


def test_what_is_wrong_with_a_proof_is_said():
    leaf, proof, between = leaf_hash(ENTRIES[3]), tree.inclusion(node, 3, 13), list(consistency(6, 13))
    for hashes, match in (([*proof, EMPTY_ROOT], "too long"), (proof[:-1], "too short")):
        with pytest.raises(NotProven, match=f"the inclusion proof is {match}"):
            tree.check_inclusion(leaf, 3, 13, hashes, root_of(13))
    for hashes, match in (([*between, EMPTY_ROOT], "too long"), (between[:-1], "too short"), ([], "empty")):
        with pytest.raises(NotProven, match=f"the consistency proof is {match}"):
            tree.check_consistency(6, root_of(6), 13, root_of(13), hashes)
