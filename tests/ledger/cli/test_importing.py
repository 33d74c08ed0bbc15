from __future__ import annotations

import json

import pytest

MAPPING = """
[[before]]
stream = "pipeline-main"
type = "pipeline.defined"
effective_at = "2026-01-01"
[before.data]
name = "Sales"
[[before.data.stages]]
stage = "offer"
name = "Offer"
probability_bp = 5000
category = "pipeline"
"""


@pytest.fixture
def real(real_data, pytestconfig):
    """The real CRM data and the example mapping for it."""
    mapping = pytestconfig.rootpath / "docs" / "examples" / "crm_sales_opportunities.toml"
    return [str(real_data), "--mapping", str(mapping)]


@pytest.mark.slow
def test_the_real_sales_data_goes_in_and_the_undated_rows_are_refused(sales_ledger, real, tmp_path):
    rejects = tmp_path / "rejects.csv"
    done = sales_ledger("import", "csv", *real, "--rejects", str(rejects))
    assert done.code == 1
    assert f"500 rows refused (see {rejects})" in done.out
    refused = rejects.read_text().splitlines()
    assert len(refused) == 1_000
    assert all("engage_date" in reason for reason in refused[::2])
    assert all(",Prospecting," in row for row in refused[1::2])
    opened = sales_ledger("events", "--type", "deal.opened", "--limit", "10000", "--format", "jsonl")
    assert opened.out.count("\n") == 8_300


@pytest.mark.slow
def test_importing_twice_knows_every_event_and_stores_nothing_twice(sales_ledger, real):
    sales_ledger("import", "csv", *real)
    before = sales_ledger("status").out
    again = sales_ledger("import", "csv", *real)
    assert again.code == 1
    assert again.out.startswith("0 events appended, 15,149 already known, 500 rows refused (480 not shown;")
    assert len(again.err.splitlines()) == 20
    assert sales_ledger("status").out.splitlines()[:3] == before.splitlines()[:3]


def test_a_dry_run_counts_and_stores_nothing(sales_ledger, real):
    tried = sales_ledger("import", "csv", *real, "--dry-run")
    assert tried.code == 1
    assert "events would be appended, 500 rows refused" in tried.out
    assert sales_ledger("events").out == ""


def test_a_row_is_stored_whole_or_not_at_all(sales_ledger, tmp_path):
    """The second row opens a deal and wins it before it was opened: neither is stored."""
    (tmp_path / "deals.csv").write_text(
        "id,opened,won\nd1,2026-02-01,2026-03-01\nd2,2026-02-01,2026-01-15\nd3,2026-02-01,2026-03-02\n"
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        MAPPING
        + """
[[files]]
name = "deals.csv"
[[files.events]]
type = "deal.opened"
id = "{id}"
effective_at = "{opened}"
[files.events.data]
pipeline = "main"
stage = "offer"
owner = "ana"
title = "{id}"
[[files.events]]
type = "deal.won"
id = "{id}"
effective_at = "{won}"
"""
    )
    done = sales_ledger("import", "csv", str(tmp_path / "deals.csv"), "--mapping", str(mapping))
    assert done.code == 1, done
    assert "deals.csv line 3: " in done.err
    listed = sales_ledger("events", "--after", "2", "--format", "jsonl").out
    found = [json.loads(line) for line in listed.splitlines()]
    assert {event["stream"] for event in found} == {"deal-d1", "deal-d3"}
    assert len(found) == 4


def test_csv_needs_a_mapping(sales_ledger, tmp_path):
    done = sales_ledger("import", "csv", str(tmp_path))
    assert done.code == 2
    assert "--mapping FILE" in done.err


def test_an_unknown_source_is_refused(sales_ledger, tmp_path):
    assert sales_ledger("import", "paper", str(tmp_path)).code == 2
