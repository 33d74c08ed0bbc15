"""Reading a whole log while it is in use: what is appended meanwhile is no finding, and what is altered still is one."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from ledger.application import open_ledger
from ledger.privacy.erasing import erase
from ledger.privacy.key_file import KeyPlace
from ledger.proof import audit as auditing
from ledger.proof import entries, log_tree
from ledger.proof.audit import audit
from ledger.proof.entries import MOST_FINDINGS
from ledger.proof.log_tree import LogTree
from ledger.proof.merkle import EMPTY_ROOT
from ledger.proof.notes import Checkpoint
from tests.faults.attacker import history
from tests.support.lines import eur, opened, say

COLUMN = "a column of position {} does not say what its entry says"


@pytest.fixture
def ledger(database_url):
    ledger = open_ledger(database_url)
    yield ledger
    ledger.close()


def run(ledger, statement, **values):
    with ledger.engine.begin() as connection:
        connection.execute(text(statement), values)


def write_entry(ledger, position, entry):
    run(ledger, "UPDATE events SET entry = :entry WHERE position = :position", entry=entry, position=position)


def test_appends_and_proofs_meanwhile_are_no_findings(ledger, monkeypatch):
    """More events, more sealed values, more kept nodes: of streams that the audit has seen, and of new ones."""
    monkeypatch.setattr(auditing, "RANGE", 256)
    lines = history(250)
    ledger.append(lines[:700], actor="tests")
    left = iter([lines[700:800], lines[800:920], lines[920:]])

    def meanwhile(position, size):
        ledger.append(next(left, []), actor="tests")
        LogTree(ledger.recorder).grow(ledger.head().position)

    found = audit(ledger.recorder, [], meanwhile)
    assert found.findings == []
    assert found.size == 701
    assert ledger.head().position == 1_002
    assert audit(ledger.recorder, []).findings == []


def test_what_is_altered_is_found_while_others_append(ledger, monkeypatch):
    lines = history(100)
    ledger.append(lines[:300], actor="tests")
    run(ledger, "UPDATE vault SET commitment = 'x' || commitment WHERE stream = 'deal-d3'")
    found = audit(ledger.recorder, [], lambda *_: ledger.append(lines[300:], actor="tests"))
    assert len(found.findings) == 2
    assert sum("which no entry says" in each for each in found.findings) == 1
    assert sum("is missing" in each for each in found.findings) == 1


ALTERATIONS = [
    "SELECT 1",
    "DELETE FROM events WHERE position = 256",
    "DELETE FROM events WHERE position > 600",
    "UPDATE events SET appended_at = appended_at + 10000000 WHERE position = 512",
    "UPDATE events SET version = version + 100 WHERE position = 300",
    "UPDATE events SET entry = (SELECT entry FROM events WHERE position = 203) WHERE position = 400",
    "UPDATE vault SET field = 'note' WHERE stream = 'deal-d5'",
    "UPDATE vault SET sealed = '' WHERE stream = 'deal-d5'",
]


def altered(ledger, statement):
    """A log of 1,002 entries with this done to it; checkpoints from before."""
    ledger.append(history(250), actor="tests")
    sizes = (1, 256, 300, 512, 700, 1_002)
    held = [Checkpoint("a/main", size, LogTree(ledger.recorder).root(size)) for size in sizes]
    run(ledger, "DELETE FROM tree_nodes")
    if not statement.startswith("SELECT"):
        run(ledger, statement)
    return held


@pytest.mark.parametrize("statement", ALTERATIONS)
def test_in_ranges_is_found_what_is_found_in_one(ledger, monkeypatch, statement):
    held = altered(ledger, statement)
    alone = audit(ledger.recorder, held)
    assert bool(alone.findings) is not statement.startswith("SELECT")
    monkeypatch.setattr(auditing, "RANGE", 256)
    in_turn = audit(ledger.recorder, held)
    assert (in_turn.size, len(in_turn.findings)) == (alone.size, len(alone.findings))
    if not alone.findings:
        assert in_turn.root == alone.root == ledger.recorder.head().frontier.root()


@pytest.mark.parametrize("statement", ALTERATIONS)
def test_several_processes_find_what_one_finds(ledger, monkeypatch, statement):
    held = altered(ledger, statement)
    monkeypatch.setattr(auditing, "RANGE", 256)
    in_turn = audit(ledger.recorder, held, workers=1)
    monkeypatch.setattr(auditing, "SMALL", 0)
    assert audit(ledger.recorder, held, workers=2) == in_turn


def test_the_other_processes_open_what_is_sealed_with_the_same_keys(database_url, monkeypatch, tmp_path):
    """Also where these lie elsewhere than by default."""
    monkeypatch.setattr(auditing, "RANGE", 256)
    monkeypatch.setattr(auditing, "SMALL", 0)
    with closing(open_ledger(database_url, keys=KeyPlace(str(tmp_path / "keys")))) as ledger:
        ledger.append(history(75), actor="tests")
        found = audit(ledger.recorder, [], workers=2)
        assert (found.size, found.findings, found.unread) == (302, [], "")


def test_a_checkpoint_of_an_empty_log_is_one_of_the_empty_tree(ledger):
    assert audit(ledger.recorder, [Checkpoint("a/main", 0, EMPTY_ROOT)]).findings == []
    [finding] = audit(ledger.recorder, [Checkpoint("a/main", 0, bytes(32))]).findings
    assert "the first 0 entries are not those" in finding


def test_only_the_first_hundred_findings_are_told(ledger, monkeypatch):
    monkeypatch.setattr(auditing, "RANGE", 128)
    ledger.append(history(75), actor="tests")
    run(ledger, "UPDATE events SET effective_at = effective_at + 1")
    assert len(audit(ledger.recorder, []).findings) == MOST_FINDINGS


# What each finding says -----------------------------------------------------------------------------------------------


@pytest.fixture
def in_two(ledger, monkeypatch):
    """A log of 302 entries, read in two ranges; deal d63 stands in both of them."""
    monkeypatch.setattr(auditing, "RANGE", 256)
    ledger.append(history(75), actor="tests")
    LogTree(ledger.recorder).grow(302)
    return ledger


def test_of_a_clean_log_nothing_is_said(in_two):
    told: list[tuple[int, int]] = []
    head = in_two.recorder.head()
    found = audit(in_two.recorder, [], lambda *each: told.append(each))
    assert found == auditing.Audited(302, head.frontier.root(), [], "")
    assert told == [(256, 302), (302, 302)]


def test_a_stream_may_pause_for_a_whole_range(ledger, monkeypatch):
    monkeypatch.setattr(auditing, "RANGE", 256)
    pipeline, *deals = history(150)
    late = opened("late")
    ledger.append([pipeline, late, *deals, say(late["stream"], "deal.revalued", value=eur(5))], actor="tests")
    assert audit(ledger.recorder, []).findings == []
    assert audit(ledger.recorder, []).size == 604


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM events WHERE position = 1", "after position 0 comes 2"),
        ("DELETE FROM events WHERE position = 5", "after position 4 comes 6"),
        ("DELETE FROM events WHERE position = 5", "deal-d0 has version 4 at position 6, out of turn"),
        ("DELETE FROM events WHERE position = 256", "deal-d63 has version 3 from position 257 on, out of turn"),
        ("DELETE FROM events WHERE position = 257", "after position 256 comes 258"),
        ("DELETE FROM events WHERE position = 302", "the log's head says 302 entries; 301 are there"),
        (
            "UPDATE events SET entry = (SELECT entry FROM events WHERE position = 255) WHERE position = 257",
            "deal-d63 has version 1 again from position 257 on, out of turn",
        ),
        ("UPDATE events SET version = 9 WHERE position = 5", COLUMN.format(5)),
        ("UPDATE events SET recorded_at = effective_at WHERE position = 2", COLUMN.format(2)),
        ("UPDATE events SET effective_at = 4611686018427387904 WHERE position = 5", COLUMN.format(5)),
        ("UPDATE events SET appended_at = appended_at - 1 WHERE position = 5", "time goes back at position 5"),
        ("UPDATE events SET appended_at = appended_at - 1 WHERE position = 257", "time goes back at position 257"),
        ("UPDATE heads SET position = 301", "1 entries lie outside of the 301 that the log's head counts"),
        ("UPDATE heads SET stamp = stamp + 1", "the log's head does not state the root or the time of its last entry"),
        (
            "UPDATE tree_nodes SET number = 1",
            "nodes of level 8 are kept of more entries than there are; empty tree_nodes",
        ),
    ],
)
def test_what_was_altered_is_named(in_two, statement, finding):
    run(in_two, statement)
    assert finding in audit(in_two.recorder, []).findings


def test_a_stream_cannot_begin_with_its_second_version(in_two):
    [(entry,)] = in_two.recorder.all("SELECT entry FROM events WHERE position = ?", [260])
    write_entry(in_two, 260, entry.replace(b"deal-d64", b"deal-new"))
    assert "deal-new has version 2 from position 257 on, out of turn" in audit(in_two.recorder, []).findings


def test_after_an_entry_that_cannot_be_read_the_others_are(in_two):
    write_entry(in_two, 5, b"[]")
    run(in_two, "UPDATE events SET version = 9 WHERE position = 9")
    findings = audit(in_two.recorder, []).findings
    assert any(each.startswith("the entry at position 5 cannot be read: ") for each in findings)
    assert COLUMN.format(9) in findings


@pytest.mark.parametrize(
    ("column", "finding"),
    [("entry", "the entry at position 5 is not stored as bytes"), ("effective_at", COLUMN.format(5))],
)
def test_in_sqlite_a_text_may_stand_anywhere(sqlite_url, column, finding):
    with closing(open_ledger(sqlite_url)) as ledger:
        ledger.append(history(3), actor="tests")
        run(ledger, f"UPDATE events SET {column} = 'x' WHERE position = 5")
        assert finding in audit(ledger.recorder, []).findings


def test_under_a_damaged_head_nothing_is_read(in_two):
    run(in_two, "UPDATE heads SET position = 303")
    found = audit(in_two.recorder, [])
    assert (found.size, found.root, found.unread) == (0, EMPTY_ROOT, "")
    [finding] = found.findings
    assert finding.startswith("the log's head was damaged (a tree of 303 leaves ")


def test_a_checkpoint_says_what_does_not_fit_it(in_two):
    held = [Checkpoint("a/main", 400, bytes(32)), Checkpoint("a/main", 300, bytes(32))]
    assert audit(in_two.recorder, held).findings == [
        "a checkpoint of 400 entries exists, and the log has 302: it was cut",
        "the first 300 entries are not those of the checkpoint of that size",
    ]


def test_without_the_keys_all_is_checked_but_the_values(in_two, database_url):
    path = in_two.recorder.keys.store.path
    path.unlink()
    with closing(open_ledger(database_url)) as other:
        found = audit(other.recorder, [])
    assert (found.size, found.findings) == (302, [])
    assert f"the key store {path} is missing" in found.unread


def test_a_sealed_value_is_held_to_its_place_and_its_commitment(in_two):
    [(commitment,)] = in_two.recorder.all("SELECT commitment FROM vault WHERE stream = ?", ["deal-d5"])
    this = f"WHERE commitment = '{commitment}'"
    run(in_two, f"UPDATE vault SET stream = 'deal-d6' {this}")
    elsewhere = f"the sealed value {commitment} does not stand where its entry says"
    assert audit(in_two.recorder, []).findings == [elsewhere]
    run(in_two, f"UPDATE vault SET stream = 'deal-d5', field = 'note' {this}")
    [finding] = audit(in_two.recorder, []).findings
    assert finding.startswith("the sealed note of deal-d5, version 1, is not the one that was sealed there")
    run(in_two, f"DELETE FROM vault {this}")
    assert audit(in_two.recorder, []).findings == [f"the sealed value {commitment} is missing"]


def test_of_the_erased_no_value_is_missing(in_two):
    assert erase(in_two, "deal-d5", actor="dpo").values == 1
    found = audit(in_two.recorder, [])
    assert (found.size, found.findings) == (303, [])


@pytest.mark.parametrize("size", [256, 302])
def test_the_nodes_of_every_level_are_held_to_the_entries(ledger, monkeypatch, size):
    """Tiles of four leaves, so that a short log keeps nodes of both levels; 256 entries fill the last of them."""
    for module in (log_tree, entries, auditing):
        monkeypatch.setattr(module, "WIDTH", 4)
    for module in (log_tree, auditing):
        monkeypatch.setattr(module, "KEPT", (2, 4))
    monkeypatch.setattr(log_tree, "TILE", 2)
    ledger.append(history(75)[: size - 1], actor="tests")
    LogTree(ledger.recorder).grow(size)
    assert audit(ledger.recorder, []).findings == []
    for level, number in ((2, 1), (4, 0), (4, size // 16 - 1)):
        this = f"WHERE level = {level} AND number = {number}"
        [(kept,)] = ledger.recorder.all(f"SELECT hash FROM tree_nodes {this}", [])
        run(ledger, f"UPDATE tree_nodes SET hash = :hash {this}", hash=bytes(32))
        told = f"the kept node {number} of level {level} is not that of the entries; empty tree_nodes"
        assert audit(ledger.recorder, []).findings == [told]
        run(ledger, f"UPDATE tree_nodes SET hash = :hash {this}", hash=kept)
    run(ledger, f"INSERT INTO tree_nodes VALUES ('main', 4, {size // 16}, :hash)", hash=bytes(32))
    told = "nodes of level 4 are kept of more entries than there are; empty tree_nodes"
    assert audit(ledger.recorder, []).findings == [told]


@pytest.mark.parametrize("names", [["effective_at"], ["recorded_at"], ["appended_at"], ["recorded_at", "appended_at"]])
def test_each_copied_time_is_held_to_its_entry(ledger, names):
    ledger.append(history(3), actor="tests")
    run(ledger, f"UPDATE events SET {', '.join(f'{name} = {name} - 1' for name in names)} WHERE position = 5")
    findings = audit(ledger.recorder, []).findings
    assert "a column of position 5 does not say what its entry says" in findings
