"""The examples: one good line for each event type, from which the bad ones are made too."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from ledger.codec import encode
from ledger.errors import Refused
from ledger.events import EVENTS, Part, Rule
from ledger.examples import EXAMPLES
from ledger.kinds import kind_of
from ledger.lines import read

TYPES = sorted(EVENTS)


def fields_of(part: type[Part]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(part)}


def changed(type_: str, **fields: Any) -> dict[str, Any]:
    return EXAMPLES[type_] | {"data": EXAMPLES[type_]["data"] | fields}


def refusal(line: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        read(msgspec.json.encode(line))
    said = str(refused.value)
    assert "\n" not in said
    return refused.value.code, said


def test_every_event_type_has_its_example():
    assert EXAMPLES.keys() == EVENTS.keys()
    assert all(line["type"] == type_ for type_, line in EXAMPLES.items())
    assert all(line.keys() <= {"stream", "type", "data", "effective_at"} for line in EXAMPLES.values())


@pytest.mark.parametrize("type_", TYPES)
def test_an_example_is_read_as_it_is_written(type_):
    line = EXAMPLES[type_]
    said = read(msgspec.json.encode(line))
    assert (said.stream, said.event.TYPE) == (line["stream"], type_)
    assert encode(said.event) == encode(line["data"])


@pytest.mark.parametrize("type_", TYPES)
def test_a_field_that_is_not_there_is_refused(type_):
    code, said = refusal(changed(type_, colour="red"))
    assert (code, "unknown field `colour`" in said, type_ in said) == ("bad_data", True, True), said


@pytest.mark.parametrize("type_", TYPES)
def test_a_field_that_is_missing_is_named(type_):
    data = EXAMPLES[type_]["data"]
    for name, field in fields_of(EVENTS[type_]).items():
        without = EXAMPLES[type_] | {"data": {key: each for key, each in data.items() if key != name}}
        if field.required:
            code, said = refusal(without)
            assert (code, f"missing required field `{name}`" in said) == ("bad_data", True), said
        else:
            assert read(msgspec.json.encode(without)).stream == EXAMPLES[type_]["stream"]


@pytest.mark.parametrize("type_", TYPES)
def test_a_field_of_another_type_is_named(type_):
    for name in fields_of(EVENTS[type_]):
        code, said = refusal(changed(type_, **{name: 1.5}))
        assert (code, f"$.{name}`" in said) == ("bad_data", True), said


def test_an_example_lies_on_a_stream_of_its_kind_and_on_no_other():
    for type_, line in EXAMPLES.items():
        if type_.startswith("event."):
            continue
        other = "team-x" if kind_of(line["stream"]) != "team" else "deal-x"
        code, said = refusal(line | {"stream": other})
        assert (code, f"{type_} does not belong on a {kind_of(other)} stream" in said) == ("wrong_stream", True), said


# Out of range ---------------------------------------------------------------------------------------------------------

OUT_OF_RANGE: dict[Rule, list[Any]] = {
    Rule.ID: ["", "two words", "é", "x" * 65],
    Rule.CODE: ["", "Too expensive", "x" * 41],
    Rule.DATE: ["31/03/2026", "2026-02-30", "0001-01-01", "2026-03-31T00:00:00Z"],
    Rule.DECIMAL: ["", "-1", "1e3", "1,5"],
    Rule.QUANTITY: ["", "-1", "0.0000001", "1,5"],
    Rule.NAME: ["", " ", "x" * 201, "a\x00b"],
    Rule.CURRENCY: ["eur", "EUX", ""],
    Rule.BASIS_POINTS: [-1, 10_001],
    Rule.TIME_ZONE: ["Moon/Sea", ""],
    Rule.LOCALE: ["french", "FR"],
    Rule.MONTH: [0, 13],
    Rule.DAYS: [0, 36_501],
    Rule.VERSION: [0, -1],
    Rule.COUNT: [-1, 10**12 + 1],
    Rule.MINUTES: [-1, 100_001],
    Rule.SCORE: [-1, 11],
    Rule.METRIC: ["", "turnover", "interactions:", "interactions:lunch", "amount|margin"],
    Rule.DUE: ["", "tomorrow", "2026-02-30", "2026-03-31T16:00:00"],
    Rule.PERSONAL: ["", "x" * 201],
    Rule.FREE_TEXT: ["", "x" * 10_001],
}


def rules_in(hint: Any) -> list[Rule]:
    if get_origin(hint) is Annotated:
        return [get_args(hint)[1]]
    return [rule for inner in get_args(hint) for rule in rules_in(inner)] if is_union(hint) else []


def is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def bad_values(part: type[Part]) -> list[tuple[str, Any]]:
    hints = get_type_hints(part, include_extras=True)
    return [
        (name, bad)
        for name, field in fields_of(part).items()
        for rule in rules_in(hints[field.name])
        for bad in OUT_OF_RANGE[rule]
    ]


def test_every_rule_has_values_that_break_it():
    assert OUT_OF_RANGE.keys() == set(Rule)


@pytest.mark.parametrize("type_", TYPES)
def test_a_value_out_of_range_is_named(type_):
    for name, bad in bad_values(EVENTS[type_]):
        code, said = refusal(changed(type_, **{name: bad}))
        assert code in {"bad_value", "bad_date", "bad_instant", "unknown_time_zone"}, said
        assert said.startswith(name), said


@pytest.mark.parametrize("type_", TYPES)
def test_a_choice_that_is_not_offered_is_named(type_):
    hints = get_type_hints(EVENTS[type_], include_extras=True)
    for name, field in fields_of(EVENTS[type_]).items():
        hint = hints[field.name]
        options = get_args(hint) if is_union(hint) else (hint,)
        if any(get_origin(each) is Literal and isinstance(get_args(each)[0], str) for each in options):
            code, said = refusal(changed(type_, **{name: "another"}))
            assert (code, f"$.{name}`" in said) == ("bad_data", True), said


MONEY: dict[str, list[Any]] = {
    "minor": [10**12 + 1, -(10**12) - 1, 10**40],
    "currency": ["EUX", "eur", ""],
}


@pytest.mark.parametrize("type_", TYPES)
def test_money_is_a_whole_number_of_a_currency_there_is(type_):
    for name, value in EXAMPLES[type_]["data"].items():
        if not (isinstance(value, dict) and "minor" in value):
            continue
        for part, bads in MONEY.items():
            for bad in bads:
                code, said = refusal(changed(type_, **{name: value | {part: bad}}))
                assert (code, said.startswith(f"{name}.{part}")) == ("bad_value", True), said
        assert refusal(changed(type_, **{name: value | {"minor": 0.5}}))[0] == "bad_data"
        below = changed(type_, **{name: value | {"minor": -1}})
        if name == "margin":
            assert read(msgspec.json.encode(below))
        else:
            assert "zero or more" in refusal(below)[1]


NESTED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no scope": ("objective.set", {"scope": {}}, "scope must be exactly one of company, team, person"),
    "two scopes": ("objective.set", {"scope": {"team": "a", "person": "b"}}, "not 'person and team'"),
    "no company": ("forecast.submitted", {"scope": {"company": False}}, "$.scope.company"),
    "a team with spaces": ("forecast.submitted", {"scope": {"team": "the north"}}, "scope.team must be an id"),
    "another scope": ("objective.set", {"scope": {"region": "north"}}, "unknown field `region`"),
    "a period that ends before it begins": (
        "objective.set",
        {"period": {"from": "2026-04-01", "to": "2026-03-31"}},
        "period.to must be 2026-04-01 or later",
    ),
    "a period without an end": ("forecast.submitted", {"period": {"from": "2026-04-01"}}, "required field `to`"),
    "a day that does not exist": (
        "forecast.submitted",
        {"period": {"from": "2026-02-29", "to": "2026-03-31"}},
        "period.from: the date 2026-02-29 does not exist",
    ),
    "a target in euros and cents": ("objective.set", {"target": {"minor": 1.5, "currency": "EUR"}}, "$.target.minor"),
    "a number as target": ("objective.set", {"target": 40}, "$.target"),
    "a target below nothing": ("objective.revised", {"target": "-40"}, "target must be a decimal string"),
    "an NPS of 11": (
        "interaction.logged",
        {"satisfaction": {"scale": "nps", "score": 11}},
        "satisfaction.score must be a score from 0 to 10 on scale nps",
    ),
    "a CSAT of 0": ("interaction.logged", {"satisfaction": {"scale": "csat", "score": 0}}, "from 1 to 5 on scale csat"),
    "a CSAT of 6": ("interaction.logged", {"satisfaction": {"scale": "csat", "score": 6}}, "from 1 to 5 on scale csat"),
    "a CES of 8": ("interaction.logged", {"satisfaction": {"scale": "ces", "score": 8}}, "from 1 to 7 on scale ces"),
    "a score without its scale": ("interaction.logged", {"satisfaction": {"score": 8}}, "required field `scale`"),
    "half a point": ("interaction.logged", {"satisfaction": {"scale": "nps", "score": 8.5}}, "$.satisfaction.score"),
    "another time zone": ("book.settings_changed", {"time_zone": "Asia/Tokyo"}, "unknown field `time_zone`"),
    "a stage twice": (
        "pipeline.redefined",
        {"stages": [{"stage": "a", "name": "A", "probability_bp": 1, "category": "commit"}] * 2},
        "a stage twice",
    ),
    "a stage without a name": (
        "pipeline.defined",
        {"stages": [{"stage": "a", "name": "", "probability_bp": 1, "category": "commit"}]},
        "stages[0].name must be a text of 1 to 200 characters",
    ),
    "a line sold at less than nothing": (
        "quote.issued",
        {"lines": [{"product": "p", "quantity": "1", "value": {"minor": -1, "currency": "EUR"}}]},
        "lines[0].value.minor must be zero or more",
    ),
    "a threshold with spaces": ("book.settings_changed", {"thresholds": {"win rate": 1}}, "keyed by lower-case names"),
}


@pytest.mark.parametrize("name", NESTED)
def test_a_value_inside_a_value_is_named(name):
    type_, fields, words = NESTED[name]
    assert words in refusal(changed(type_, **fields))[1]


@pytest.mark.parametrize("scale", ["nps", "csat", "ces"])
def test_the_ends_of_a_scale_belong_to_it(scale):
    low, high = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}[scale]
    for score in (low, high):
        assert read(msgspec.json.encode(changed("interaction.logged", satisfaction={"scale": scale, "score": score})))
