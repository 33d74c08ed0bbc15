"""`erase` and `rewrap`, and what `status` and `doctor` say of the keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.cli.conftest import OPENED, PIPELINE, jsonl

JOINED: dict = {
    "stream": "person-ana",
    "type": "person.joined",
    "effective_at": "2026-01-01",
    "data": {"team": "north", "role": "rep", "name": "Ana Diallo", "email": "ana@example.org"},
}


@pytest.fixture
def filled(sales_ledger, tmp_path, monkeypatch):
    monkeypatch.setenv("LEDGER_TRUST_DIR", str(tmp_path / "trust"))
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, JOINED, OPENED)).code == 0
    return sales_ledger


def key_file(tmp_path) -> Path:
    [path] = (Path(tmp_path) / "trust" / "main").glob("keys-*.db")
    return path


def test_a_person_is_erased_in_every_answer(filled):
    before = filled("events", "--format", "jsonl").out
    dry = filled("erase", "person-ana", "--dry-run")
    assert dry.out.splitlines()[-1] == "1 subject would be erased."
    assert filled("events", "--format", "jsonl").out == before
    done = filled("erase", "person-ana", "--actor", "dpo")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "1 subject erased, 2 sealed values gone."
    shown = filled("events", "--format", "jsonl").out
    assert "Diallo" not in shown
    assert shown.count("$erased") == 2
    assert "(effacé)" in filled("history", "deal-1", "--lang", "fr").out
    assert "name: (erased)" in filled("events").out
    assert filled("history", "person-ana").out.startswith("(erased) (person-ana)\n")
    report = filled("report", "pipeline", "--by", "owner", "--lang", "fr")
    assert "(effacé)" in report.out
    assert filled("erase", "person-ana").out.splitlines()[-1] == "All of that was erased before."
    ref = done.out.partition("(")[2].partition(")")[0]
    assert f"What was personal about subject {ref.removeprefix('subject-')} was erased" in filled("history", ref).out


def test_the_title_of_an_erased_deal_is_shown_as_erased_where_a_figure_is_explained(filled):
    assert filled("erase", "deal-1").code == 0
    assert '"title":"(erased)"' in filled("explain", "pipeline", "--format", "json").out
    assert '"title":"(effacé)"' in filled("explain", "pipeline", "--format", "json", "--lang", "fr").out


@pytest.mark.parametrize("thing", ["person-nobody", "ana", "customer-x/y"])
def test_what_cannot_be_erased_is_one_line(filled, thing):
    shown = filled("erase", thing)
    assert shown.code == 2
    assert shown.err.count("\n") == 1


def test_status_counts_keys_and_doctor_is_content(filled):
    assert "8 data keys of sales-ledger.local/main, 0 subjects erased" in filled("status").out
    filled("erase", "person-ana")
    assert "7 data keys of sales-ledger.local/main, 1 subject erased" in filled("status").out
    assert "UNUSABLE" not in filled("status").out
    assert "erasure" not in filled("doctor").out


def test_a_new_book_needs_no_keys(sales_ledger, tmp_path):
    assert sales_ledger("append", "-", stdin=jsonl(PIPELINE)).code == 0
    assert "none yet" in sales_ledger("status").out


def test_a_missing_key_store_is_told_by_status_and_doctor_and_stops_what_needs_it(filled, tmp_path):
    key_file(tmp_path).rename(tmp_path / "elsewhere")
    assert "UNUSABLE: the key store" in filled("status").out
    found = filled("doctor")
    assert found.code == 1
    assert "is missing" in found.out
    for command in (["events"], ["history", "person-ana"], ["erase", "person-ana"], ["append", "-"]):
        told = OPENED | {"stream": "deal-2"}
        told.pop("effective_at")
        shown = filled(*command, stdin=jsonl(told))
        assert shown.code == 2, command
        assert "LEDGER_TRUST_DIR" in shown.err
        assert shown.err.count("\n") == 1, shown.err
    assert filled("verify").code == 0, "the log needs no keys"
    assert "were not checked" in filled("verify").err


def test_a_key_store_that_is_not_this_databases_is_told(filled, tmp_path):
    path = key_file(tmp_path)
    other = path.with_name("keys-0000000000000000.db")
    path.rename(other)
    assert "belongs to another database" in filled("doctor").out


def test_a_wrong_wrapping_key_is_told(filled, tmp_path, monkeypatch):
    monkeypatch.setenv("LEDGER_WRAPPING_KEY", "A" * 43 + "=")
    assert "UNUSABLE" in filled("status").out
    shown = filled("events")
    assert shown.code == 2
    assert "LEDGER_WRAPPING_KEY holds another" in shown.err
    monkeypatch.setenv("LEDGER_WRAPPING_KEY", "not a key")
    assert "is no wrapping key" in filled("events").err


def test_the_key_store_is_wrapped_anew(filled, tmp_path, monkeypatch):
    own = tmp_path / "trust" / "main" / "wrapping.key"
    before = own.read_text()
    assert filled("rewrap").code == 0
    assert own.read_text() != before
    assert "Ana Diallo" in filled("events").out
    new = tmp_path / "new.key"
    told = filled("rewrap", "--to", str(new))
    assert told.code == 0
    assert f"LEDGER_WRAPPING_KEY_FILE={new}" in told.err
    assert "holds another" in filled("events").err
    monkeypatch.setenv("LEDGER_WRAPPING_KEY_FILE", str(new))
    assert "Ana Diallo" in filled("events").out
    assert "--to" in filled("rewrap").err
