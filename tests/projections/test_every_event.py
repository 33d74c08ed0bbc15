"""Every type of event goes through the read store, whether a report reads it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select, update

from ledger.application import open_ledger
from projections.check import check
from projections.rebuild import rebuild
from projections.runner import run_batch
from projections.store import ReadStore
from projections.tables import TABLES
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


def test_whatever_is_altered_in_any_table_is_found(database_url: str):
    clock = Clock()
    ledger = open_ledger(database_url, clock=clock)
    for line in decisions(clock):
        ledger.append([line], actor="ana")
    store = ReadStore.open(ledger)
    while run_batch(ledger, store):
        pass
    for name, table in TABLES.items():
        with store.view() as view:
            row = view.rows(select(table).limit(1))[0]
        same = and_(*(column == getattr(row, column.name) for column in table.primary_key.columns))
        with store.engine.begin() as connection:
            connection.execute(update(table).where(same).values(position=table.c.position + 1))
        assert [(found.table, found.stream) for found in check(ledger, store)] == [(name, row.stream)]
        with store.engine.begin() as connection:
            connection.execute(update(table).where(same).values(position=table.c.position - 1))
    assert check(ledger, store) == []
    ledger.engine.dispose()
