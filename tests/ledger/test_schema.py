"""The schemas say what reading a line says: both take, or both refuse, whatever stands in any field of any event."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from msgspec.structs import fields

from ledger.errors import Refused
from ledger.events import EVENTS, DealWon, EventCorrected
from ledger.kinds import kind_of_event
from ledger.lines import read
from ledger.schema import DATE, INSTANT, data_schema, line_schema, parts_of
from ledger.times import FIRST_YEAR, LAST_YEAR, parse_date, parse_instant

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
    "amount",
    "call",
    "in",
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
    "interactions:demo",
    "interactions:nothing",
    {"company": True},
    {"company": False},
    {"team": "a", "person": None},
    {"team": "a", "person": "b"},
    {"from": "2026-01-01", "to": "2026-03-31"},
    {"from": "2026-01-01"},
    {"scale": "nps", "score": 10},
    {"scale": "csat", "score": 0},
    {"scale": "csat", "score": 6},
    {"scale": "ces", "score": 7},
]
ONLY_THE_LEDGER_KNOWS = {"time_zone"}
"""Fields whose values are names that a schema does not list."""
LEFT_TO_THE_DECISION = {(EventCorrected, "effective_at")}


@cache
def _schema(event):
    return Draft202012Validator(line_schema(event))


def _stream(event):
    kind = kind_of_event(event.TYPE) or "deal"
    return {"book": "book", "rate": "rate-USD"}.get(kind, f"{kind}-1")


@cache
def _required(event):
    """What the event requires, each the first probe that its schema takes."""
    schema = line_schema(event)
    return {name: _first_taken(schema, name) for name in schema["properties"]["data"].get("required", ())}


def _first_taken(schema, name):
    if name in ONLY_THE_LEDGER_KNOWS:
        return "Europe/Paris"
    field = schema["properties"]["data"]["properties"][name] | {"$defs": schema.get("$defs", {})}
    return next(each for each in PROBES if each is not None and Draft202012Validator(field).is_valid(each))


def _line(event, **data):
    return {"stream": _stream(event), "type": event.TYPE, "data": _required(event) | data}


def _taken(line) -> bool:
    try:
        read(json.dumps(line, ensure_ascii=False).encode())
    except Refused:
        return False
    return True


def _check(event, line, field=None):
    by_schema = _schema(event).is_valid(line)
    if not (by_schema and field in ONLY_THE_LEDGER_KNOWS):
        assert by_schema == _taken(line), line


each_event = pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.TYPE)


@each_event
def test_every_schema_is_one_and_takes_what_the_ledger_takes(event):
    Draft202012Validator(line_schema(event, history=True))
    assert _schema(event).is_valid(_line(event))
    assert _taken(_line(event))


@each_event
def test_schema_and_ledger_agree_on_any_value_in_any_field(event):
    for field in (each for each in fields(event) if (event, each.name) not in LEFT_TO_THE_DECISION):
        for probe in PROBES:
            _check(event, _line(event, **{field.encode_name: probe}), field.name)


@each_event
def test_they_agree_on_what_is_missing_or_too_much(event):
    line = _line(event)
    for name in line["data"]:
        _check(event, line | {"data": {key: value for key, value in line["data"].items() if key != name}})
    for name in line:
        _check(event, {key: value for key, value in line.items() if key != name})
    _check(event, _line(event, surprise=1))
    _check(event, line | {"surprise": 1})


ENVELOPE = [
    ("stream", ["", "deal", "deal-", "deal-1", "deal-a b", "book", "book-1", "rate-USD", "rate-usd", "moon-1", 1]),
    ("effective_at", PROBES),
    ("expected_version", PROBES),
    ("key", [None, "", "k", "k" * 200, "k" * 201, 1]),
    ("recorded_at", ["2026-03-31T16:00:00Z"]),
]


@each_event
@pytest.mark.parametrize(("field", "values"), ENVELOPE, ids=[name for name, _ in ENVELOPE])
def test_they_agree_on_the_envelope(event, field, values):
    for value in values:
        _check(event, _line(event) | {field: value})


@pytest.mark.parametrize("text", ["1899-12-31", f"{FIRST_YEAR}-01-01", f"{LAST_YEAR}-12-31", "2200-01-01"])
def test_dates_begin_and_end_where_they_are_taken(text):
    def is_taken(parse, said):
        try:
            parse(said)
        except Refused:
            return False
        return True

    assert Draft202012Validator(DATE).is_valid(text) == is_taken(parse_date, text)
    instant = f"{text}T12:00:00Z"
    assert Draft202012Validator(INSTANT).is_valid(instant) == is_taken(parse_instant, instant)


def test_history_has_two_fields_more():
    more = line_schema(DealWon, history=True)["properties"].keys() - line_schema(DealWon)["properties"].keys()
    assert more == {"recorded_at", "source"}


def test_parts_may_lie_elsewhere():
    schema = data_schema(DealWon, "#/components/schemas/")
    assert schema["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/Line"}
    assert parts_of(DealWon, "#/components/schemas/").keys() == {"Line", "Margin", "Money"}
    assert "$defs" not in schema
