"""The ledger that a bundle makes: the same log, to the byte, without a database of ours."""

from __future__ import annotations

import pytest

from ledger.errors import NotProven
from ledger.proof import reading
from ledger.proof.audit import audit
from ledger.proof.bundle import write_bundle
from ledger.proof.log_tree import LogTree
from ledger.proof.notes import Checkpoint
from ledger.proof.reading import bundled
from ledger.proof.signing import SigningDesk
from tests.support.proving import entries_of, grow_to, recorder_of


@pytest.fixture
def made(database_url, tmp_path):
    """A log of twelve entries in a book of its own, and the folder of its bundle."""
    with recorder_of(database_url, "north") as recorder:
        grow_to(recorder, 7)
        grow_to(recorder, 12)
        desk = SigningDesk(tmp_path / "trust", "ledger.example", "north")
        write_bundle(tmp_path / "bundle", recorder, LogTree(recorder), desk)
        yield recorder, tmp_path / "bundle"


def test_a_bundle_makes_the_log_that_it_was_made_of(made, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 5)
    recorder, bundle = made
    with bundled(bundle) as ledger:
        assert ledger.book == "north"
        assert entries_of(ledger.recorder) == entries_of(recorder)
        ours, theirs = ledger.recorder.head(), recorder.head()
        assert (ours.position, ours.stamp, ours.frontier.root()) == (12, theirs.stamp, theirs.frontier.root())
        assert ledger.recorder.now() == theirs.stamp, "its clock stands still"
        held = Checkpoint("ledger.example/north", 12, theirs.frontier.root())
        assert audit(ledger.recorder, [held]).findings == []


def test_a_bundle_that_does_not_hold_makes_none(made):
    _, bundle = made
    (bundle / "entries.jsonl").write_bytes(b"")
    with pytest.raises(NotProven, match="the bundle does not hold: 0 entries are there"), bundled(bundle):
        pass
