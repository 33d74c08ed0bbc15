"""The manual's example does what the manual says."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.imports.csv import Produced, Rejected, load, read

MANUAL = Path(__file__).parents[3] / "docs" / "import-csv.md"


def test_the_manuals_example_does_what_the_manual_says(tmp_path):
    text = MANUAL.read_text(encoding="utf-8")
    for language, name in ("csv", "ventes.csv"), ("toml", "mapping.toml"):
        block, *_ = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
        (tmp_path / name).write_text(block, encoding="utf-8")
    *before, first, second, third = read([tmp_path], load(tmp_path / "mapping.toml"))
    assert [len(result.lines) for result in before if isinstance(result, Produced)] == [1, 1]
    assert isinstance(first, Produced)
    assert [line["stream"] for line in first.lines] == ["customer-elan-sa", "deal-V-1", "deal-V-1"]
    assert first.lines[1]["data"]["title"] == "Bac acier V-1"
    assert first.lines[1]["data"]["owner"] == "rep-1"
    assert first.lines[2]["data"]["value"] == {"minor": 123_450, "currency": "EUR"}
    assert isinstance(second, Produced)
    assert [line["type"] for line in second.lines] == ["deal.opened"]
    assert second.lines[0]["effective_at"] == "2026-03-03"
    assert "customer" not in second.lines[0]["data"]
    assert isinstance(third, Rejected)
    assert third.reason in " ".join(text.split())
