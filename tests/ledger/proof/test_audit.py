"""Reading a whole log while it is in use: what is appended meanwhile is no finding, and what is altered still is one."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ledger.application import open_ledger
from ledger.proof import audit as auditing
from ledger.proof.audit import MOST_FINDINGS, audit
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
    monkeypatch.setattr(auditing, "PAGE", 100)
    lines = history(150)
    ledger.append(lines[:250], actor="tests")
    left = iter([lines[250:400], lines[400:520], lines[520:]])

    def meanwhile(position, size):
        ledger.append(next(left, []), actor="tests")
        LogTree(ledger.recorder).grow(ledger.head().position)

    found = audit(ledger.recorder, [], meanwhile)
    assert found.findings == []
    assert found.size == 251
    assert ledger.head().position == 602
    assert audit(ledger.recorder, []).findings == []


def test_what_is_altered_is_found_while_others_append(ledger, monkeypatch):
    monkeypatch.setattr(auditing, "PAGE", 100)
    lines = history(100)
    ledger.append(lines[:300], actor="tests")
    run(ledger, "UPDATE vault SET commitment = 'x' || commitment WHERE stream = 'deal-d3'")
    found = audit(ledger.recorder, [], lambda *_: ledger.append(lines[300:], actor="tests"))
    assert len(found.findings) == 2
    assert sum("which no entry says" in each for each in found.findings) == 1
    assert sum("is missing" in each for each in found.findings) == 1


def test_a_checkpoint_of_an_empty_log_is_one_of_the_empty_tree(ledger):
    assert audit(ledger.recorder, [Checkpoint("a/main", 0, EMPTY_ROOT)]).findings == []
    [finding] = audit(ledger.recorder, [Checkpoint("a/main", 0, bytes(32))]).findings
    assert "the first 0 entries are not those" in finding


def test_only_the_first_hundred_findings_are_told(ledger):
    ledger.append(history(50), actor="tests")
    run(ledger, "UPDATE events SET effective_at = effective_at + 1")
    assert len(audit(ledger.recorder, []).findings) == MOST_FINDINGS
