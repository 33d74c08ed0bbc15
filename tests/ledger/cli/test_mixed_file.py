"""A file with bad lines of every sort: each of them in the rejects with its reason, every other line stored."""

from __future__ import annotations

import json

import pytest

from benchmarks.mixed import append_file
from ledger.application import open_ledger
from tests.support.mixed import SORTS, write_mixed


def check(ledger, path, rejects, good, refused) -> None:
    """Every bad line stands unchanged in the rejects with its number and reason, and every good one in the log."""
    found = rejects.read_bytes().splitlines()
    assert len(found) == 2 * len(refused)
    for comment, line, (number, (raw, reason)) in zip(found[::2], found[1::2], refused.items(), strict=True):
        said = comment.decode()
        assert said.startswith(f"# line {number}: "), said
        assert reason in said
        assert line == raw
    assert ledger.head().position == good
    stored = ledger.entries()
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number not in refused:
                wanted, event = json.loads(line), next(stored)
                assert (event.stream, event.type) == (wanted["stream"], wanted["type"]), f"line {number}"


def test_every_bad_line_is_in_the_rejects_and_every_good_one_in_the_log(sales_ledger, database_url, tmp_path):
    path, rejects = tmp_path / "mixed.jsonl", tmp_path / "rejects.jsonl"
    good, refused = write_mixed(path, 3_000, share=0.03)
    assert {reason for _, reason in refused.values()} == {bad.reason for bad in SORTS.values()}
    done = sales_ledger("append", str(path), "--history", "--rejects", str(rejects))
    assert done.code == 1
    summary = f"{good:,} events appended from position 1 to {good:,}, {len(refused)} lines refused (see {rejects})\n"
    assert (done.out, done.err) == (summary, "")
    ledger = open_ledger(database_url)
    check(ledger, path, rejects, good, refused)
    ledger.close()


@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_so_it_is_with_half_a_million_lines(database_url, tmp_path, capsys):
    path, rejects = tmp_path / "mixed.jsonl", tmp_path / "rejects.jsonl"
    good, refused = write_mixed(path, 500_000)
    step = append_file(database_url, path, rejects)
    with capsys.disabled():
        print(  # noqa: T201 (what a soak is run for)
            f"\n{good + len(refused):,} lines, {len(refused):,} of them bad, in {step.seconds:.1f} s,"
            f" {1e6 * step.cpu_s / (good + len(refused)):.0f} µs of processor a line, peak {step.peak_mb:,.0f} MB"
        )
    ledger = open_ledger(database_url)
    check(ledger, path, rejects, good, refused)
    ledger.close()
