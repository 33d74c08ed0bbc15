"""Every report of a book of 100,000 deals, which both databases hold: no error, the same answer from both."""

from __future__ import annotations

import os
from datetime import date
from time import process_time

import pytest

from ledger.application import open_ledger
from projections.reports import REPORTS, answer
from projections.store import ReadStore

EMPTY = {"duplicates"}
"""What a book made by a program may have none of."""
YEAR = {"period": "2025"}


@pytest.fixture(scope="module")
def stores():
    """The read stores of the books whose addresses LEDGER_LARGE_BOOKS holds, made as by benchmarks/large.py."""
    urls = os.environ.get("LEDGER_LARGE_BOOKS", "").split()
    if not urls:
        pytest.skip("no large books here: set LEDGER_LARGE_BOOKS to their addresses")
    ledgers = [open_ledger(url) for url in urls]
    yield [ReadStore.open(ledger) for ledger in ledgers]
    for ledger in ledgers:
        ledger.close()


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_both_databases_tell_the_same_of_a_large_book(stores, report, capsys):
    period = YEAR if "period" in report.parameters and not report.snapshot else {}
    for known_at in ("2025-12-20", "2025-12-31"):
        asked = {"as_of": "2025-12-20", "known_at": known_at} | period
        said = []
        began = process_time()
        for store in stores:
            found = answer(store, report.name, asked, today=date(2026, 1, 1))
            said.append((found.rows, found.totals, found.columns))
        with capsys.disabled():
            seconds = process_time() - began
            print(f"\n{report.name:20} known {known_at} {len(said[0][0]):6} rows {seconds:6.1f} s")  # noqa: T201
        assert said[0][0] or report.name in EMPTY
        assert all(each == said[0] for each in said)
