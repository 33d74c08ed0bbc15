"""Whatever is done to a good line, its schema and the ledger take or refuse it alike (Hypothesis)."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ledger.errors import Refused
from ledger.events import EVENTS
from ledger.examples import EXAMPLES
from ledger.lines import MAX_KEY, read
from ledger.schema import line_schema, lines_schema
from ledger.times import FIRST_YEAR, LAST_YEAR

BEYOND = (
    "does not exist",  # a day or an instant of no calendar
    "an ISO 4217 currency code",  # three letters that no country has
    "unknown time zone",
    "a text without NUL characters",
    "names a stage twice",
    "or later, which it begins on",
)
"""What only the ledger knows; a schema may take it."""

texts = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", " ", "EUR", "XQQ", "1.5", "-1", "2026-02-30", "2026-02-28", "2026-02-28T10:00:00Z", "\x00", "é" * 201]
    ),
    st.integers(10, 70).map(lambda length: "a" * length),
    st.sampled_from([199, 200, 201, 9_999, 10_000, 10_001]).map(lambda length: "b" * length),
    st.dates().map(str),
)
integers = st.one_of(
    st.integers(-2, 13),
    st.sampled_from(
        [edge + step for edge in (10_000, 36_500, 100_000, 10**12, -(10**12), 2**53, -(2**53)) for step in (-1, 0, 1)]
    ),
)
fractions = st.floats(allow_nan=False, allow_infinity=False).filter(lambda each: not each.is_integer())
plain = st.one_of(st.none(), st.booleans(), integers, fractions, texts)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["minor", "currency", "k", "K"]), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(value, path=()):
    """Where something stands in a line: every key and index, outermost first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        yield (*path, name)
        yield from places(each, (*path, name))


@st.composite
def mutated(draw, type_):
    """The type's example with one to three things changed, taken away, added or repeated."""
    line = copy.deepcopy(EXAMPLES[type_])
    for _ in range(draw(st.integers(1, 3))):
        found = [path for path in places(line) if path not in {("stream",), ("type",)} and path[:2] != ("data", "data")]
        if not found:
            break
        *path, name = draw(st.sampled_from(found))
        holder: Any = line
        for each in path:
            holder = holder[each]
        match draw(st.sampled_from(["replace", "remove", "add", "repeat"])):
            case "replace":
                holder[name] = draw(values)
            case "remove":
                del holder[name]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["surprise", "value", "reason", "note", "attributes", "key"]))] = draw(
                    values
                )
            case "repeat" if isinstance(holder, list):
                holder += [holder[name]] * draw(st.sampled_from([1, 50, 199, 200]))
            case _:
                pass
    return line


def beyond_a_schema(line, said):
    """Whether it takes the ledger to refuse this; what is printable is for Unicode to say, how long for a schema."""
    if "printable characters" in said:
        return 1 <= len(line["key"]) <= MAX_KEY
    return any(each in said for each in BEYOND)


def refusal(line):
    """Why the ledger does not take a line; None where it does."""
    try:
        read(json.dumps(line, ensure_ascii=False).encode(errors="surrogatepass"))
    except Refused as refused:
        return str(refused)
    return None


@cache
def validator(type_):
    return Draft202012Validator(line_schema(EVENTS[type_]))


@pytest.mark.parametrize("type_", sorted(EVENTS))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_schema_and_ledger_agree_on_what_has_been_tampered_with(type_, data):
    line = data.draw(mutated(type_))
    said = refusal(line)
    if said is None:
        assert validator(type_).is_valid(line), line
    elif not beyond_a_schema(line, said):
        assert not validator(type_).is_valid(line), said


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_schema_of_any_type_takes_what_the_types_own_takes(data):
    type_ = data.draw(st.sampled_from(sorted(EVENTS)))
    line = data.draw(mutated(type_))
    assert _any().is_valid(line) == validator(type_).is_valid(line)


@cache
def _any():
    return Draft202012Validator(lines_schema())


def test_a_whole_number_written_with_a_point_is_an_integer_to_schemas_only():
    line = EXAMPLES["deal.probability_set"] | {"data": {"probability_bp": 5000.0}}
    assert validator("deal.probability_set").is_valid(line)
    assert "got `float`" in (refusal(line) or "")


def test_years_that_are_taken_are_those_of_the_ledger():
    for year, taken in ((FIRST_YEAR - 1, False), (FIRST_YEAR, True), (LAST_YEAR, True), (LAST_YEAR + 1, False)):
        line = EXAMPLES["deal.won"] | {"effective_at": f"{year}-06-15"}
        assert (validator("deal.won").is_valid(line), refusal(line) is None) == (taken, taken)
