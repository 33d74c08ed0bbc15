"""Every event type can come from a row of a file, each of its values from a column of its own."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from ledger.events import EVENTS, MODIFIERS
from ledger.examples import EXAMPLES
from ledger.imports.csv import Produced, load, read
from ledger.kinds import kind_of_event
from ledger.times import format_instant, parse_instant

FROM_ROWS = [name for name, event in EVENTS.items() if event not in MODIFIERS]


class Sheet:
    """A row made up as the mapping that reads it is."""

    def __init__(self) -> None:
        self.row: dict[str, str] = {}

    def column(self, text: str) -> str:
        name = f"colonne {len(self.row)}"
        self.row[name] = text
        return f"{{{name}}}"

    def node(self, name: str, value: Any) -> str:
        """What the mapping says of a value, in TOML; nothing is said of how it is to be read."""
        match value:
            case bool():
                return json.dumps(value)
            case {"minor": int(minor), "currency": str(currency)}:
                amount = self.column(f"{minor // 100},{minor % 100:02}")
                return f'{{ from = "{amount}", currency = "{self.column(currency)}" }}'
            case dict():
                members = ", ".join(f"{key} = {self.node(key, member)}" for key, member in value.items())
                return f"{{ {members} }}"
            case list():
                return f"[{', '.join(self.node(name, item) for item in value)}]"
            case int() if name == "probability_bp":
                return f'"{self.column(f"{value // 100} %")}"'
            case int():
                return self.whole_number(value)
            case _:
                return f'"{self.column(str(value))}"'

    def whole_number(self, value: int) -> str:
        return f'"{self.column(str(value))}"'


class FreelyTyped(Sheet):
    """Of attributes and settings the field does not say what they are."""

    def whole_number(self, value: int) -> str:
        return f'{{ from = "{self.column(str(value))}", as = "integer" }}'


@pytest.mark.parametrize("event_type", FROM_ROWS)
def test_every_type_can_come_from_a_row(event_type, tmp_path):
    line = EXAMPLES[event_type]
    kind, _, thing = line["stream"].partition("-")
    assert kind == kind_of_event(event_type)
    free = {"attributes", "thresholds", "score_weights", "dashboard"}
    sheet = FreelyTyped() if free & line["data"].keys() else Sheet()
    identity = f'id = "{sheet.column(thing)}"\n' if thing else ""
    data = sheet.node("data", line["data"])
    at = sheet.column("31/03/2026")
    (tmp_path / "mapping.toml").write_text(
        f'[[files]]\nname = "export.csv"\n[[files.events]]\ntype = "{event_type}"\n{identity}'
        f'effective_at = "{at}"\ndata = {data}\n',
        encoding="utf-8",
    )
    with (tmp_path / "export.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sheet.row.keys(), delimiter=";")
        writer.writeheader()
        writer.writerow(sheet.row)
    (made,) = read([tmp_path], load(tmp_path / "mapping.toml"))
    assert isinstance(made, Produced), made
    wanted = {"stream": line["stream"], "type": event_type, "effective_at": "2026-03-31", "data": line["data"]}
    if "T" in (due_at := line["data"].get("due_at", "")):
        wanted["data"] = line["data"] | {"due_at": format_instant(parse_instant(due_at))}
    assert made.lines == [wanted]
