"""A server that is restarted under an open ledger."""

from __future__ import annotations

import pytest

from ledger.application import open_ledger
from ledger.errors import DatabaseUnusable
from tests.support import postgres
from tests.support.lines import check_log, team


@pytest.mark.slow
@pytest.mark.postgres
def test_reads_go_on_after_a_restart_and_appends_after_one_clear_refusal():
    with postgres.running(fsync=False) as server:
        ledger = open_ledger(server.url())
        ledger.append([team("a")], actor="ana")
        server.crash()
        for work in (ledger.head, lambda: ledger.append([team("b")], actor="ana"), lambda: ledger.feed(0, 10)):
            with pytest.raises(DatabaseUnusable, match="check that it runs"):
                work()
        server.restart()
        assert ledger.head().position == 2
        assert len(ledger.feed(0, 10)) == 2
        for _ in range(2):
            try:
                ledger.append([team("b")], actor="ana")
            except DatabaseUnusable:
                continue
            break
        assert check_log(ledger) == 3
        ledger.close()
