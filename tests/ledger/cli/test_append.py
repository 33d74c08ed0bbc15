from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl


@pytest.fixture
def lines(tmp_path):
    """Write event lines to a file and give its path."""

    def write(*given: dict, name: str = "lines.jsonl") -> str:
        path = tmp_path / name
        path.write_bytes(jsonl(*given))
        return str(path)

    return write


def test_lines_go_in_and_come_out_as_events(sales_ledger, lines):
    done = sales_ledger("append", lines(PIPELINE, OPENED, WON))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("3 events appended from position 2 to 4")
    listed = sales_ledger("events", "--format", "jsonl")
    found = [json.loads(line) for line in listed.out.splitlines()]
    assert [event["type"] for event in found] == ["book.opened", "pipeline.defined", "deal.opened", "deal.won"]
    assert found[2]["data"]["title"] == "Sensors for the east wing"


def test_standard_input_is_a_file_too(sales_ledger):
    done = sales_ledger("append", "-", stdin=jsonl(PIPELINE, OPENED))
    assert done.code == 0
    assert sales_ledger("events", "--stream", "deal-1").out.count("deal.opened") == 1


def test_saying_it_again_appends_nothing(sales_ledger, lines):
    sales_ledger("append", lines(PIPELINE, OPENED, WON))
    again = sales_ledger("append", lines(PIPELINE, OPENED, WON))
    assert again.code == 0
    assert again.out == "0 events appended, 3 already known\n"


def test_what_a_file_says_twice_is_told_from_what_the_log_knew(sales_ledger, lines):
    sales_ledger("append", lines(PIPELINE, name="before.jsonl"))
    keyed = {**OPENED, "key": "a deal"}
    done = sales_ledger("append", lines(PIPELINE, keyed, WON, keyed, WON, keyed))
    assert done.code == 0
    assert done.out == "2 events appended from position 3 to 4, 1 already known, 3 duplicates in the file\n"
    assert sales_ledger("append", lines(keyed)).out == "0 events appended, 1 already known\n"


def test_a_key_with_another_body_is_refused(sales_ledger, lines):
    other = {**OPENED, "stream": "deal-2", "key": "a deal"}
    done = sales_ledger("append", lines(PIPELINE, {**OPENED, "key": "a deal"}, other))
    assert (done.code, done.out.splitlines()[-1]) == (1, "2 events appended from position 2 to 3, 1 line refused")
    assert done.err.startswith("line 3: the idempotency key 'a deal' was used with another body")


def test_refused_lines_are_kept_unchanged_and_can_be_appended_once_mended(sales_ledger, lines, tmp_path):
    rejects = tmp_path / "rejects.jsonl"
    late = {**WON, "stream": "deal-2"}
    done = sales_ledger("append", lines(PIPELINE, late, OPENED), "--rejects", str(rejects))
    assert done.code == 1
    assert "1 line refused" in done.out
    comment, line, *rest = rejects.read_bytes().splitlines(keepends=True)
    assert comment.startswith(b"# line 2: ")
    assert line == jsonl(late)
    assert rest == []
    mended = tmp_path / "mended.jsonl"
    mended.write_bytes(comment + jsonl(WON))
    assert sales_ledger("append", str(mended)).code == 0
    assert sales_ledger("events", "--type", "deal.won", "--format", "jsonl").out.count("deal-1") == 1


def test_bad_lines_are_named_and_the_others_stored(sales_ledger, tmp_path):
    path = tmp_path / "mixed.jsonl"
    bad = [b"\xff\xfe not utf-8\n", b"{not json\n", b'{"stream":"deal-1","type":"deal.sung","data":{}}\n', b"[]\n"]
    path.write_bytes(b"".join([b"\xef\xbb\xbf", jsonl(PIPELINE), *bad, b"\n", jsonl(OPENED)]))
    done = sales_ledger("append", str(path))
    assert done.code == 1
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["line 2", "line 3", "line 4", "line 5"]
    assert sales_ledger("events", "--stream", "deal-1", "--format", "jsonl").out.count("\n") == 1


def test_a_dry_run_decides_everything_and_stores_nothing(sales_ledger, lines):
    sales_ledger("append", lines(PIPELINE))
    tried = sales_ledger("append", lines(OPENED, WON, {**WON, "stream": "deal-2"}), "--dry-run")
    assert tried.code == 1
    assert tried.out.startswith("2 events would be appended, 1 line refused")
    assert "deal." not in sales_ledger("events").out


def test_a_dry_run_makes_no_ledger_and_no_book(sales_ledger, lines, tmp_path):
    path = tmp_path / "none.db"
    tried = sales_ledger("append", lines(PIPELINE), "--dry-run", "--database", f"sqlite:///{path}")
    assert (tried.code, tried.out, path.exists()) == (0, "1 event would be appended\n", False)
    sales_ledger("append", lines(PIPELINE))
    tried = sales_ledger("append", lines(PIPELINE), "--dry-run", "--book", "other")
    assert (tried.code, tried.out) == (0, "1 event would be appended\n")
    assert "there is no book other in" in sales_ledger("status", "--book", "other").err


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_said_to_be_empty(sales_ledger, tmp_path, content):
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    done = sales_ledger("append", str(path))
    assert (done.code, done.out) == (2, "")
    assert "holds no event line" in done.err


def test_a_missing_file_is_one_line(sales_ledger):
    done = sales_ledger("append", "nowhere.jsonl")
    assert done.code == 2
    assert done.err == "sales-ledger: nowhere.jsonl: No such file or directory\n"


def test_claimed_recording_times_need_history(sales_ledger, lines):
    sales_ledger("append", lines(PIPELINE, name="pipeline.jsonl"))
    claimed = lines({**OPENED, "recorded_at": "2026-02-04T10:00:00Z", "source": "crm"})
    refused = sales_ledger("append", claimed)
    assert refused.code == 1
    assert "--history" in refused.err
    assert sales_ledger("append", claimed, "--history").code == 0
    shown = sales_ledger("history", "deal-1")
    assert "2026-02-04 11:00:00" in shown.out


def test_rejects_never_go_where_lines_are_read(sales_ledger, lines):
    file = Path(lines(PIPELINE, OPENED))
    before = file.read_bytes()
    done = sales_ledger("append", str(file), "--rejects", str(file))
    assert (done.code, file.read_bytes()) == (2, before)
    assert "--rejects names" in done.err
