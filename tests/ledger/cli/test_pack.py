from __future__ import annotations

from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl


def test_a_pack_is_written_and_says_what_proves_it(sales_ledger, tmp_path):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED, WON)).code == 0
    path = tmp_path / "pack.pdf"
    done = sales_ledger("pack", "--as-of", "2026-04-30", "--role", "manager", "--lang", "fr", "--output", str(path))
    assert (done.code, done.err) == (0, "")
    assert path.read_bytes().startswith(b"%PDF")
    assert "position 4 of the log, Merkle root " in done.out


def test_a_pack_for_nobody_is_refused(sales_ledger, tmp_path):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE)).code == 0
    done = sales_ledger("pack", "--role", "king", "--output", str(tmp_path / "pack.pdf"))
    assert (done.code, done.out) == (2, "")
    assert "director or manager" in done.err
    assert sales_ledger("pack").code == 2
