"""The command as a user runs it: its words, its two outputs and its exit code, over either database."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ledger.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def sales_ledger(database_url, capsys, monkeypatch, tmp_path) -> Callable[..., Ran]:
    """Run `sales-ledger ARGUMENTS` on the test's own database, in this process."""
    monkeypatch.setenv("LEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("LEDGER_TRUST_DIR", str(tmp_path / "trust"))
    monkeypatch.setenv("LEDGER_LANG", "en")

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = main(list(arguments))
        return Ran(code, *capsys.readouterr())

    return run


def jsonl(*lines: dict) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


EUR = "EUR"

PIPELINE: dict = {
    "stream": "pipeline-main",
    "type": "pipeline.defined",
    "effective_at": "2026-01-01",
    "data": {
        "name": "Sales",
        "stages": [
            {"stage": "offer", "name": "Offer", "probability_bp": 5000, "category": "pipeline"},
            {"stage": "deal", "name": "Deal", "probability_bp": 9000, "category": "commit"},
        ],
    },
}

OPENED: dict = {
    "stream": "deal-1",
    "type": "deal.opened",
    "effective_at": "2026-02-03T10:00:00Z",
    "data": {
        "pipeline": "main",
        "stage": "offer",
        "owner": "ana",
        "title": "Sensors for the east wing",
        "value": {"minor": 125_000, "currency": EUR},
        "expected_close_on": "2026-03-31",
    },
}

WON: dict = {"stream": "deal-1", "type": "deal.won", "effective_at": "2026-03-31T16:00:00Z", "data": {}}
