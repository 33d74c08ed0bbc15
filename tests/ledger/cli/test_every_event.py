"""Every type of event from the command line into the log, the read store and a history that people read."""

from __future__ import annotations

import json

from ledger.events import EVENTS
from tests.contracts.test_repeating import EVERY_DECISION
from tests.ledger.cli.conftest import jsonl


def test_every_type_goes_in_by_append_and_comes_out_again(sales_ledger, tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(jsonl(*EVERY_DECISION))
    done = sales_ledger("append", str(path))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{len(EVERY_DECISION)} events appended from position 1 to {len(EVERY_DECISION)}")

    listed = [json.loads(line) for line in sales_ledger("events", "--format", "jsonl").out.splitlines()]
    assert {event["type"] for event in listed} == set(EVENTS) - {"subject.erased"}  # which no line can say
    for given, stored in zip(EVERY_DECISION, listed, strict=True):
        assert (stored["stream"], stored["type"]) == (given["stream"], given["type"])

    checked = sales_ledger("replay", "--check")
    assert (checked.code, checked.err) == (0, "")
    now = listed[-1]["appended_at"]
    for stream in {line["stream"] for line in EVERY_DECISION}:
        told = sales_ledger("history", stream, "--format", "jsonl")
        happened = sum(event["stream"] == stream and event["effective_at"] <= now for event in listed)
        assert (told.code, len(told.out.splitlines())) == (0, happened), stream
