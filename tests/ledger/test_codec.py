"""Entries: canonical bytes, and the events read back from them, also those of an older schema."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import codec, events, upcasters
from ledger.codec import Envelope, encode, from_entry, from_rows
from ledger.errors import UnreadableEvent
from ledger.events import EVENTS, Part
from ledger.kinds import KINDS, kind_of_event

STRUCTS = [
    *EVENTS.values(),
    events.Money,
    events.Line,
    events.Stage,
    events.Scope,
    events.Period,
    events.Satisfaction,
    Envelope,
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
KEY = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
PLAIN = st.recursive(
    st.none() | st.booleans() | SAFE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=8,
)


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, whatever its rule says: canonical is canonical of everything that can be typed."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in (str, int, bool):
        return {str: TEXT, int: SAFE, bool: st.booleans()}[hint]
    if hint is Any:
        return PLAIN
    if hint is type(None):
        return st.none()
    if origin in (Union, types.UnionType):
        return st.one_of(*map(any_of, inner))
    if origin is list:
        return st.lists(any_of(inner[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(KEY, any_of(inner[1]), max_size=5)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return any_struct(hint)
    return st.sampled_from(inner)


def any_struct(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: any_of(hint) for name, hint in get_type_hints(kind).items() if name != "TYPE"})


def plain(value: Any) -> Any:
    """What a struct stands for: optional fields that are absent are left out, `null` that must be said stays."""
    if isinstance(value, msgspec.Struct):
        fields = {
            field.encode_name: plain(getattr(value, field.name))
            for field in msgspec.structs.fields(type(value))
            if field.required or getattr(value, field.name) is not None
        }
        return dict(reversed(fields.items()))
    if isinstance(value, list):
        return list(map(plain, value))
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_fields_stand_in_alphabetical_order(kind):
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    assert names == sorted(names)
    assert all(name.isascii() and name == name.lower() for name in names)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_optional_fields_default_to_none_and_a_type_belongs_to_a_kind(kind):
    assert all(field.required or field.default is None for field in msgspec.structs.fields(kind))
    assert kind_of_event(kind.TYPE) in {None, *KINDS}
    assert issubclass(kind, Part)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(EVENTS.values())).flatmap(any_struct))
def test_the_bytes_of_any_event_are_those_of_rfc_8785(event):
    assert encode(event) == rfc8785.dumps(plain(event))


@settings(max_examples=100, deadline=None)
@given(PLAIN)
def test_the_bytes_of_plain_data_are_those_of_rfc_8785(value):
    assert encode(value) == rfc8785.dumps(value)


def test_control_characters_are_escaped_the_short_way():
    every = "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028é😀'
    assert encode(every) == rfc8785.dumps(every)


def entry(type_="team.renamed", schema=1, data=None, **more):
    fields = {"actor": "ana", "book": "main", "stream": "team-a", "version": 2, "type": type_, "schema": schema}
    fields |= dict.fromkeys(("appended_at", "effective_at", "recorded_at"), "2026-01-02T03:04:05.000006Z")
    return encode(fields | {"data": {"name": "x"} if data is None else data} | more)


def row(stored, type_="team.renamed"):
    return (7, "team-a", 2, type_, 1, 2, 3, stored)


def test_an_entry_is_read_from_its_bytes_and_a_row_from_its_columns():
    read = from_entry(7, entry(source="crm"))
    assert (read.position, read.effective_at % 1_000_000, read.source, read.data) == (
        7,
        6,
        "crm",
        events.TeamRenamed(name="x"),
    )
    [read] = from_rows([row(entry())])
    assert (read.effective_at, read.recorded_at, read.appended_at, read.source) == (1, 2, 3, None)


@pytest.mark.parametrize("copied", ["team.renamed", "team.created", "team.teleported"])
def test_an_event_is_of_the_type_that_its_bytes_say_whatever_the_column_says(copied):
    [read] = from_rows([row(entry(), copied)])
    assert (read.type, read.data) == ("team.renamed", events.TeamRenamed(name="x"))
    untyped = entry().replace(b',"type":"team.renamed"', b"")
    with pytest.raises(UnreadableEvent, match="missing required field `type`"):
        from_rows([row(untyped, copied)])


FIRST_USE = """
import sys, threading
import msgspec
from ledger.codec import decoder_of

sys.setswitchinterval(1e-6)
for trial in range(1_000):
    part = msgspec.defstruct("Part", [("a", int), ("b", list[int] | None, None), ("c", dict[str, int] | None, None)])
    whole = msgspec.defstruct("Whole", [(f"f{number}", part | None, None) for number in range(30)])
    together = threading.Barrier(4)

    def use():
        together.wait()
        decoder_of(whole).decode(b'{"f3": {"a": 1, "b": [1]}, "f29": {"a": 1}}')

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_need_a_decoder_at_once_do_not_crash_the_process():
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def two_schemas(monkeypatch):
    """A team's name was once called its label, and before that its labels."""

    def first(data):
        return {"label": data["labels"][0]}

    def second(data):
        return {"name": data["label"]}

    monkeypatch.setitem(upcasters.UPCASTERS, "team.renamed", (first, second))
    monkeypatch.setitem(codec._SCHEMAS, "team.renamed", 3)


@pytest.mark.parametrize(("schema", "data"), [(1, {"labels": ["x", "y"]}), (2, {"label": "x"}), (3, {"name": "x"})])
def test_an_older_schema_is_lifted_step_by_step(two_schemas, schema, data):
    stored = entry(schema=schema, data=data)
    assert from_entry(7, stored).data == events.TeamRenamed(name="x")
    assert from_rows([row(stored)])[0].data == events.TeamRenamed(name="x")
    assert upcasters.schema_of("team.renamed") == 3


def test_an_older_entry_that_would_pass_for_a_newer_one_is_lifted_all_the_same(monkeypatch):
    monkeypatch.setitem(upcasters.UPCASTERS, "team.renamed", (lambda data: {"name": data["name"].upper()},))
    monkeypatch.setitem(codec._SCHEMAS, "team.renamed", 2)
    assert from_entry(7, entry(data={"name": "x"})).data == events.TeamRenamed(name="X")
    assert from_rows([row(entry(data={"name": "x"}))])[0].data == events.TeamRenamed(name="X")


@pytest.mark.parametrize(
    ("stored", "type_", "words"),
    [
        (entry(schema=2), "team.renamed", "schema 2, which a newer version wrote; upgrade"),
        (entry(schema=0), "team.renamed", "schema 0"),
        (entry("team.teleported"), "team.teleported", "unknown event type 'team.teleported'; a newer version wrote it"),
        (entry(data={"title": "x"}), "team.renamed", "cannot be read"),
        (b"\xff", "team.renamed", "cannot be read"),
        (b"{}", "team.renamed", "cannot be read"),
        (b"", "team.renamed", "cannot be read"),
    ],
)
def test_what_cannot_be_read_says_so(stored, type_, words):
    for read in (lambda: from_entry(7, stored), lambda: from_rows([row(stored, type_)])):
        with pytest.raises(UnreadableEvent, match=words):
            read()
