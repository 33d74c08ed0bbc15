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


DEALS = """
[[files]]
name = "deals.csv"
unique = "{id}"
[[files.events]]
type = "team.created"
once = true
id = "{team}"
effective_at = 2026-01-01
data = { name = "{name}" }
[[files.events]]
type = "deal.opened"
id = "{id}"
effective_at = "{opened}"
data = { pipeline = "main", stage = "offer", owner = "ana", title = "{id}" }
[[files.events]]
type = "deal.won"
id = "{id}"
unless = { won = "" }
effective_at = "{won}"
"""


@pytest.fixture
def deals(sales_ledger, tmp_path):
    """Import rows of deals, written in the encoding that the mapping says."""

    def run(rows: str, *options: str, encoding: str = "utf-8"):
        mapping = f'source = "crm"\nencoding = "{encoding}"\n{MAPPING}{DEALS}'
        (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
        (tmp_path / "deals.csv").write_bytes(f"id;team;name;opened;won\n{rows}".encode(encoding))
        return sales_ledger("import", "csv", str(tmp_path), "--mapping", str(tmp_path / "mapping.toml"), *options)

    return run


def test_a_grown_file_imported_again_stores_only_what_is_new(deals):
    first = "d1;t;Nord;2026-02-01;2026-03-01\nd2;t;Nord;2026-02-02;\n"
    assert deals(first).out == "5 events appended from position 2 to 6\n"
    assert deals(first).out == "0 events appended, 5 already known\n"
    grown = "d3;t;Nord;2026-02-03;\nd2;t;Nord;2026-02-02;2026-03-02\nd1;t;Nord;2026-02-01;2026-03-01\n"
    assert deals(grown).out == "2 events appended from position 7 to 8, 5 already known\n"


def test_what_is_repeated_in_a_file_is_counted_and_what_contradicts_itself_named(deals):
    row = "d1;t;Nord;2026-02-01;\n"
    done = deals(row + row + "d1;t;Nord;2026-02-02;\nd2;t;Est;2026-02-01;\n")
    assert done.code == 1
    assert done.out.splitlines()[-1] == (
        "4 events appended from position 2 to 5, 1 duplicate in the file, 1 described otherwise than before,"
        " 1 row refused"
    )
    assert done.err.splitlines() == [
        "deals.csv line 4: 'd1' was already read at deals.csv line 2, with other content; it must be unique",
        "deals.csv line 5: team-t: team.created says name 'Est'; deals.csv line 2 said 'Nord', which stays",
    ]


def test_a_row_that_has_changed_since_is_refused_with_its_reason(deals):
    deals("d1;t;Nord;2026-02-01;\n")
    done = deals("d1;t;Nord;2026-02-05;\n")
    assert (done.code, done.out) == (1, "0 events appended, 1 already known, 1 row refused\n")
    assert "the deal.opened of this row was stored by an earlier import and says something else now" in done.err


def test_refused_rows_are_kept_as_they_stand_in_their_file(deals, tmp_path):
    rejects = tmp_path / "rejects.csv"
    rows = 'd1;t;Été;31/02/2026;\n"d2";t;"Été\n2";2026-02-01;2026-01-01\nd3;t;Été;2026-02-01\n'
    done = deals(rows, "--rejects", str(rejects), encoding="cp1252")
    assert (done.code, done.err) == (1, "")
    kept = rejects.read_bytes()
    assert [line.partition(b": ")[0] for line in kept.splitlines() if line.startswith(b"#")] == [
        b"# deals.csv line 2",
        b"# deals.csv line 3",
        b"# deals.csv line 5",
    ]
    for row in ("d1;t;Été;31/02/2026;\n", '"d2";t;"Été\n2";2026-02-01;2026-01-01\n', "d3;t;Été;2026-02-01\n"):
        assert row.encode("cp1252") in kept


def test_a_wrong_mapping_stores_nothing_not_even_an_empty_database(sales_ledger, tmp_path):
    (tmp_path / "deals.csv").write_text("id;opened\n")
    (tmp_path / "mapping.toml").write_text(DEALS)
    done = sales_ledger("import", "csv", str(tmp_path), "--mapping", str(tmp_path / "mapping.toml"))
    assert (done.code, done.out) == (2, "")
    wanted = "deals.csv has no column 'team', which the mapping reads for team.created; its columns are: id, opened"
    assert wanted in done.err
    assert done.err.count("\n") == 1
    assert sales_ledger("events").out == ""


def test_csv_needs_a_mapping(sales_ledger, tmp_path):
    done = sales_ledger("import", "csv", str(tmp_path))
    assert done.code == 2
    assert "--mapping FILE" in done.err


def test_an_unknown_source_is_refused(sales_ledger, tmp_path):
    assert sales_ledger("import", "paper", str(tmp_path)).code == 2
