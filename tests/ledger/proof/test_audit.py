"""Reading a whole log while it is in use: what is appended meanwhile is no finding, and what is altered still is one."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ledger.application import open_ledger
from ledger.proof import audit as auditing
from ledger.proof.audit import audit
from ledger.proof.entries import MOST_FINDINGS
from ledger.proof.log_tree import LogTree
from ledger.proof.merkle import EMPTY_ROOT
from ledger.proof.notes import Checkpoint
from tests.faults.attacker import history


@pytest.fixture
def ledger(database_url):
    ledger = open_ledger(database_url)
    yield ledger
    ledger.close()


def run(ledger, statement):
    with ledger.engine.begin() as connection:
        connection.execute(text(statement))


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


def test_a_checkpoint_of_an_empty_log_is_one_of_the_empty_tree(ledger):
    assert audit(ledger.recorder, [Checkpoint("a/main", 0, EMPTY_ROOT)]).findings == []
    [finding] = audit(ledger.recorder, [Checkpoint("a/main", 0, bytes(32))]).findings
    assert "the first 0 entries are not those" in finding


def test_only_the_first_hundred_findings_are_told(ledger):
    ledger.append(history(50), actor="tests")
    run(ledger, "UPDATE events SET effective_at = effective_at + 1")
    assert len(audit(ledger.recorder, []).findings) == MOST_FINDINGS


@pytest.mark.parametrize("names", [["effective_at"], ["recorded_at"], ["appended_at"], ["recorded_at", "appended_at"]])
def test_each_copied_time_is_held_to_its_entry(ledger, names):
    ledger.append(history(3), actor="tests")
    run(ledger, f"UPDATE events SET {', '.join(f'{name} = {name} - 1' for name in names)} WHERE position = 5")
    findings = audit(ledger.recorder, []).findings
    assert "a column of position 5 does not say what its entry says" in findings
