"""Every type of event goes through the read store, whether a report reads it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.application import open_ledger
from projections.check import check
from projections.rebuild import rebuild
from projections.runner import run_batch
from projections.store import ReadStore
from tests.contracts.test_repeating import decisions
from tests.support.lines import Clock

if TYPE_CHECKING:
    import pytest


def test_every_type_of_event_is_folded_live_and_by_a_rebuild(database_url: str, caplog: pytest.LogCaptureFixture):
    clock = Clock()
    ledger = open_ledger(database_url, clock=clock)
    for line in decisions(clock):
        ledger.append([line], actor="ana")
    store = ReadStore.open(ledger)
    while run_batch(ledger, store):
        pass
    assert store.position() == ledger.head().position
    assert store.quarantined() == []
    assert rebuild(ledger, workers=1).quarantined == 0
    assert not caplog.records
    assert check(ledger, ReadStore.open(ledger)) == []
    ledger.engine.dispose()
