"""The tree over a stored log: the same proofs as from all its entries, on both databases and over every border."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import text

from ledger.errors import DatabaseUnusable, NotProven
from ledger.proof import log_tree, tree
from ledger.proof.log_tree import LogTree, fold
from ledger.proof.merkle import EMPTY_ROOT, leaf_hash
from tests.ledger.proof import naive
from tests.support.proving import entries_of, grow_to, recorder_of

BORDERS = [1, 255, 256, 257, 511, 512, 513, 16_383, 16_384, 16_640, 65_535, 65_536, 65_537, 65_792, 66_000]


@pytest.fixture
def recorder(database_url):
    with recorder_of(database_url) as recorder:
        yield recorder


def run(recorder, statement):
    with recorder.engine.begin() as connection:
        connection.execute(text(statement))


def kept(recorder, level):
    rows = recorder.all("SELECT number, hash FROM tree_nodes WHERE level = ? ORDER BY number", [level])
    return [(number, bytes(hashed)) for number, hashed in rows]


def check_some(log, leaves, size, root):
    """Inclusion of leaves beside every border, under an independently known root."""
    near = {place + step for place in (0, 256, size // 2, size // 256 * 256, 65_536, size - 1) for step in (-1, 0, 1)}
    for index in near & set(range(size)):
        tree.check_inclusion(leaves[index], index, size, log.inclusion(index, size), root)


@pytest.mark.slow
def test_proofs_hold_over_every_border_while_the_log_grows(recorder):
    roots, old = {}, LogTree(recorder)
    for size in BORDERS:
        grow_to(recorder, size)
        roots[size] = recorder.head().frontier.root()
        assert LogTree(recorder).root(size) == old.root(size) == roots[size]
    leaves = [leaf_hash(entry) for entry in entries_of(recorder)]
    assert [number for number, _ in kept(recorder, 8)] == list(range(66_000 // 256))
    assert [number for number, _ in kept(recorder, 16)] == [0]
    fresh = LogTree(recorder)
    for size in BORDERS:
        assert fresh.root(size) == roots[size]
        check_some(fresh, leaves, size, roots[size])
    for second in BORDERS:
        for first in filter(lambda each: each <= second, BORDERS):
            proof = old.consistency(first, second)
            tree.check_consistency(first, roots[first], second, roots[second], proof)


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of four leaves, so that short logs have nodes far above those that are kept."""
    monkeypatch.setattr(log_tree, "TILE", 2)
    monkeypatch.setattr(log_tree, "KEPT", (2, 4))
    monkeypatch.setattr(log_tree, "WIDTH", 4)
    monkeypatch.setattr(log_tree, "PAGE", 8)
    monkeypatch.setattr(log_tree, "ROWS_AT_HAND", 3)


def test_every_proof_is_that_of_the_rfc_whatever_is_kept(recorder, small_tiles):
    living, entries, told = LogTree(recorder), [], []
    for size in (*range(12), 15, 16, 17, 31, 33, 63, 64, 65, 66, 127, 128, 129, 131):
        grow_to(recorder, size)
        entries = entries_of(recorder)
        living.grow(size, lambda done, whole: told.append((done, whole)))
        assert living.root(size) == naive.mth(entries)
    assert all(0 < done <= whole for done, whole in told)
    assert told[-1] == (128, 128)
    assert len(kept(recorder, 2)) == 131 // 4
    assert len(kept(recorder, 4)) == 131 // 16
    for log in (living, LogTree(recorder)):
        for index in range(131):
            assert log.inclusion(index, 131) == naive.path(index, entries)
        for first in range(1, 132):
            assert log.consistency(first, 131) == naive.proof(first, entries)
        for size in range(132):
            assert log.root(size) == naive.mth(entries[:size])


def test_the_nodes_far_above_those_that_are_kept_are_made_of_them(recorder, small_tiles):
    grow_to(recorder, 400)
    log, entries = LogTree(recorder), entries_of(recorder)
    for size in (255, 256, 257, 384, 400):
        assert log.root(size) == naive.mth(entries[:size])
        assert log.inclusion(200, size) == naive.path(200, entries[:size])


def test_what_was_read_for_a_proof_is_at_hand_for_the_next(recorder, small_tiles, monkeypatch):
    monkeypatch.setattr(log_tree, "ROWS_AT_HAND", 64)
    grow_to(recorder, 64)
    log, entries = LogTree(recorder), entries_of(recorder)
    assert log.inclusion(21, 64) == naive.path(21, entries)
    monkeypatch.setattr(recorder, "all", None)
    assert log.inclusion(21, 64) == naive.path(21, entries)


def test_an_empty_log_has_the_empty_root(recorder):
    assert LogTree(recorder).root(0) == EMPTY_ROOT
    with pytest.raises(NotProven, match="lacks entries"):
        LogTree(recorder).root(1)


def test_there_is_no_tree_of_more_entries_than_the_log_has(recorder):
    grow_to(recorder, 300)
    with pytest.raises(NotProven, match="the log lacks entries"):
        LogTree(recorder).root(301)
    with pytest.raises(NotProven, match="no more than 300 of its first 512 entries"):
        LogTree(recorder).root(512)


def test_nodes_that_were_lost_are_made_anew(recorder):
    grow_to(recorder, 1_100)
    root = LogTree(recorder).root(1_100)
    whole = kept(recorder, 8)
    for lost in ("number = 1", "number = 0", "number > 2", "true"):
        run(recorder, f"DELETE FROM tree_nodes WHERE level = 8 AND {lost}")
        assert LogTree(recorder).root(1_100) == root
        assert kept(recorder, 8) == whole


def test_what_is_kept_is_not_made_again(recorder, monkeypatch):
    """However long the log, another process reads no more entries than those after the last kept node."""
    grow_to(recorder, 1_100)
    LogTree(recorder).grow(1_100)
    read: list[tuple] = []
    ask = recorder.all

    def counted(statement, parameters, *convert):
        rows = ask(statement, parameters, *convert)
        read.extend(rows if "SELECT entry" in statement else [])
        return rows

    monkeypatch.setattr(recorder, "all", counted)
    assert LogTree(recorder).root(1_100) == recorder.head().frontier.root()
    assert 1_100 % 256 <= len(read) <= 256


def test_what_cannot_be_kept_is_said(sqlite_url):
    with recorder_of(sqlite_url) as recorder:
        grow_to(recorder, 256)
        run(recorder, "CREATE TRIGGER full BEFORE INSERT ON tree_nodes BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        with pytest.raises(DatabaseUnusable, match=r"the disk of sqlite:///.* is full or failing"):
            LogTree(recorder).grow(256)


def test_a_kept_node_that_was_altered_makes_another_root(recorder):
    grow_to(recorder, 600)
    root = LogTree(recorder).root(600)
    run(recorder, "UPDATE tree_nodes SET hash = (SELECT hash FROM tree_nodes WHERE number = 0) WHERE number = 1")
    assert LogTree(recorder).root(600) != root


def test_two_that_keep_the_same_nodes_at_once_do_not_meet(recorder):
    grow_to(recorder, 600)
    one, two = LogTree(recorder), LogTree(recorder)
    leaves = [leaf_hash(entry) for entry in entries_of(recorder)]
    one._keep(8, 0, leaves)
    two._keep(8, 0, leaves)
    assert one.root(600) == two.root(600) == recorder.head().frontier.root()


def test_the_books_of_a_database_have_trees_of_their_own(database_url):
    with recorder_of(database_url) as one, recorder_of(database_url, "other") as two:
        grow_to(one, 520)
        grow_to(two, 300)
        assert LogTree(one).root(520) == one.head().frontier.root()
        assert LogTree(two).root(300) == two.head().frontier.root()


def test_few_rows_stay_at_hand(recorder, small_tiles):
    grow_to(recorder, 64)
    log = LogTree(recorder)
    for index in range(64):
        log.inclusion(index, 64)
        assert len(log._rows) <= 3


def test_a_fold_takes_just_as_many_nodes_as_it_says():
    leaves = [leaf_hash(b"%d" % number) for number in range(8)]
    assert fold(leaves[:1], 1) == leaves[0]
    assert fold(leaves, 8) == naive.mth([b"%d" % number for number in range(8)])
    with pytest.raises(NotProven, match="7 of 8 nodes"):
        fold(leaves[:7], 8)


def test_sizes_that_follow_each_other_are_consistent(recorder):
    grow_to(recorder, 300)
    log, entries = LogTree(recorder), entries_of(recorder)
    for first, second in pairwise(range(250, 265)):
        assert log.consistency(first, second) == naive.proof(first, entries[:second])
