"""The schemas say what reading a line says: both take, or both refuse, whatever stands in any field of any event."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from msgspec.structs import fields

from ledger.errors import Refused
from ledger.events import EVENTS
from ledger.kinds import kind_of_event
from ledger.lines import read
from ledger.schema import DATE, INSTANT, line_schema

LINE = {"product": "p1", "quantity": "2.5", "value": {"minor": 5, "currency": "EUR"}}
STAGE = {"stage": "s", "name": "S", "probability_bp": 5, "category": "commit"}
PROBES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    12,
    13,
    10_000,
    10_001,
    36_501,
    -1,
    2**53 - 1,
    2**53,
    2**53 + 1,
    1.5,
    "",
    " ",
    "a",
    "A b",
    "a" * 41,
    "a" * 65,
    "é" * 200,
    "é" * 201,
    "x" * 10_001,
    "EUR",
    "eur",
    "1.5",
    "1.1234567",
    "1.1234567890123",
    "-1",
    "fr",
    "fr-FR",
    "rep",
    "lead",
    "commit",
    "Europe/Paris",
    "2026-03-31",
    "2026-13-31",
    "1899-12-31",
    "2200-01-01",
    "2026-03-31T16:00:00Z",
    "2026-03-31T25:00:00Z",
    "2026-03-31T16:00:00",
    {},
    {"minor": 5, "currency": "EUR"},
    {"minor": -5, "currency": "EUR"},
    {"minor": 10**12 + 1, "currency": "EUR"},
    {"minor": 5, "currency": "euro"},
    {"minor": 5},
    {"minor": 5, "currency": "EUR", "more": 1},
    {"shoe_size": 42, "big": True, "brand": "x"},
    {"Shoe": 1},
    {"k" * 65: 1},
    {f"k{number}": number for number in range(33)},
    {f"k{number}": number for number in range(101)},
    {"k": "x" * 201},
    {"k": 2**53},
    {"k": ["a", "b"]},
    {"k": ["x" * 201]},
    [],
    [1],
    [LINE],
    [LINE | {"product": None}],
    [LINE | {"quantity": "many"}],
    [LINE | {"margin": {"minor": -5, "currency": "EUR"}}],
    [LINE | {"value": {"minor": -5, "currency": "EUR"}}],
    [LINE] * 201,
    [STAGE],
    [STAGE | {"category": "sure"}],
    [STAGE | {"probability_bp": 10_001}],
    [STAGE | {"stage": f"s{number}"} for number in range(51)],
    {"$sealed": {"c": "x", "s": "y"}},
]
FIELDS = [(event, field.name) for event in EVENTS.values() for field in fields(event)]


def _taken(line: dict[str, Any], event: Any) -> tuple[bool, bool]:
    by_schema = jsonschema.Draft202012Validator(line_schema(event)).is_valid(line)
    try:
        read(json.dumps(line, ensure_ascii=False).encode())
    except Refused:
        return by_schema, False
    return by_schema, True


def _stream(event) -> str:
    kind = kind_of_event(event.TYPE) or "deal"
    return {"book": "book", "rate": "rate-USD"}.get(kind, f"{kind}-1")


def _whole(event) -> dict[str, Any]:
    """A line of the event with its required fields, each the first probe that the ledger takes."""
    line: dict[str, Any] = {"stream": _stream(event), "type": event.TYPE, "data": {}}
    for field in (each.name for each in fields(event) if each.required):
        for probe in PROBES:
            line["data"][field] = probe
            try:
                read(json.dumps(line).encode())
            except Refused as refused:
                if field not in str(refused).partition(" must be ")[0].partition(" - at ")[2] + str(refused):
                    break
                if "missing required field" in str(refused) and f"`{field}`" not in str(refused):
                    break
            else:
                break
    return line


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.TYPE)
def test_every_schema_is_one(event):
    jsonschema.Draft202012Validator.check_schema(line_schema(event, history=True))
