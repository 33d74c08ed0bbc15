"""The catalogue of events as a page: what each means, its fields with their rules, an example. Made from the structs."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from functools import cache

import msgspec

from ledger.checks import PATTERNS, sealable
from ledger.events import EVENTS, Event, Rule
from ledger.examples import EXAMPLES
from ledger.kinds import KINDS, kind_of_event
from ledger.lines import read
from ledger.schema import DATE, INSTANT, LOCAL, Schema, data_schema, parts_of, rule_schema
from ledger.story.names import REFERENCES, SAME_KIND

TABLE = "| field | required | what it is |\n|---|---|---|"
COMMAND = "sales-ledger schema --format markdown"

_MARKS = {Rule.PERSONAL: "**P**", Rule.FREE_TEXT: "**T**"}

_NAMED = {rule_schema(rule)["pattern"]: PATTERNS[rule][1].partition(":")[0] for rule in (Rule.ID, Rule.CODE)}
"""Patterns that the page explains once."""

_HEAD = f"""# Events

Everything that can be said to the ledger, one section for each kind of stream. This page is made from the code by
`{COMMAND}`; change it there. `sales-ledger schema` says the same as JSON Schema for a whole line
of any type, `sales-ledger schema deal.won` for one.

An **event line** is one JSON object:

| field | required | what it is |
|---|---|---|
| `stream` | yes | the thing it happened to, as in the heading of each section |
| `type` | yes | what happened |
| `data` | where a field is required | the fields below |
| `effective_at` | | when it was true: a date or an instant; now by default |
| `expected_version` | | refuse it unless the stream has so many events |
| `key` | | said again with the same key, it is stored once |
| `recorded_at`, `source` | | when and where it was first recorded; only of imported history |

A field that is not listed, a field twice, or a value that breaks its rule refuses the line. Null says no more than
leaving a field out, except where a table says "or null". What the stream's rules forbid (a deal cannot be won twice) is
refused too.

**P** marks personal data and **T** free text. Both are sealed into the vault, and the log holds only a commitment to
them, so that they may be erased later without breaking a proof.

- a date: `2026-03-31`, read in the book's time zone
- an instant: `2026-03-31T16:00:00Z`, always with a zone
- {PATTERNS[Rule.ID][1]}
- {PATTERNS[Rule.CODE][1]}
"""


def page() -> str:
    """The whole catalogue in Markdown."""
    parts = {name: schema for event in EVENTS.values() for name, schema in parts_of(event).items()}
    return "\n".join([_HEAD, *_contents(), *map(_kind, [*KINDS, None]), *_parts(parts)])


def entry(event: type[Event]) -> str:
    """One event type in Markdown: its meaning, its fields, an example line."""
    meaning = inspect.getdoc(event) or ""
    line = json.dumps(EXAMPLES[event.TYPE], ensure_ascii=False)
    rows = list(_fields(data_schema(event), event))
    table = "\n".join([TABLE, *rows]) if rows else "No fields."
    return f"### `{event.TYPE}`\n\n{meaning}\n\n{table}\n\n```json\n{line}\n```\n"


def _contents() -> Iterator[str]:
    yield "| kind | stream | events |\n|---|---|---|"
    for kind in KINDS:
        events = ", ".join(f"`{event.TYPE}`" for event in _events_of(kind))
        yield f"| [{kind}](#{kind}) | `{_stream(kind)}` | {events} |"
    yield f"| [any](#any-stream) | every stream | {', '.join(f'`{event.TYPE}`' for event in _events_of(None))} |\n"


def _kind(kind: str | None) -> str:
    if kind is None:
        head = (
            "## Any stream\n\nEvery stream also takes these two. Nothing in the log is changed: they are events too.\n"
        )
    else:
        ahead = " Its events may be recorded before they take effect." if KINDS[kind].planned else ""
        head = f"## {kind}\n\n{_purpose(kind)} Streams: `{_stream(kind)}`.{ahead}\n"
    return "\n".join([head, *map(entry, _events_of(kind))])


def _events_of(kind: str | None) -> list[type[Event]]:
    return [event for event in EVENTS.values() if kind_of_event(event.TYPE) == kind]


def _stream(kind: str) -> str:
    return {"book": "book", "rate": "rate-{CUR}"}.get(kind, f"{kind}-{{id}}")


def _purpose(kind: str) -> str:
    """What the module of a kind's rules says of itself."""
    module = sys.modules[KINDS[kind].evolve.__module__]
    return (inspect.getdoc(module) or "").partition("\n")[0]


def _fields(schema: Schema, event: type[Event] | None = None) -> Iterator[str]:
    required = schema.get("required", ())
    kind = None if event is None else kind_of_event(event.TYPE)
    for name, field in schema["properties"].items():
        to = kind if name in SAME_KIND else REFERENCES.get(name)
        said = _words(field, nullable=name in required, to=to)
        if event is not None:
            said += _mark(event, name)
        yield f"| `{name}` | {'yes' if name in required else ''} | {said} |"


def _mark(event: type[Event], field: str) -> str:
    """How a field is sealed, where it is."""
    mark = _MARKS.get(dict(sealable(event)).get(field, Rule.ID))
    if mark is None:
        return ""
    kind = kind_of_event(event.TYPE)
    not_always = kind is not None and KINDS[kind].sealed_fields(None, _example(event)) is not None
    return f"; {mark} of a person" if not_always else f"; {mark}"


@cache
def _example(event: type[Event]) -> Event:
    return read(msgspec.json.encode(EXAMPLES[event.TYPE])).event


def _parts(parts: dict[str, Schema]) -> Iterator[str]:
    yield "## Values of several fields\n"
    for name in sorted(parts):
        table = "\n".join([TABLE, *_fields(parts[name])])
        yield f"### {name}\n\n{parts[name]['description']}\n\n{table}\n"


def _words(schema: Schema, *, nullable: bool, to: str | None = None) -> str:
    """What a schema takes, in words; null only where it says more than leaving the field out. Ids are those of `to`."""
    options = schema.get("anyOf", [schema])
    said = [_one(each, to) for each in options if each != {"type": "null"}]
    null = len(said) < len(options) or "null" in _types(schema) or None in schema.get("enum", ())
    return " or ".join([*said, "null"] if null and nullable else said)


def _types(schema: Schema) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else found


def _one(schema: Schema, to: str | None) -> str:
    match schema:
        case {"$ref": str(ref)}:
            name = ref.removeprefix(LOCAL)
            return f"[{name}](#{name.lower()})"
        case {"enum": list(values)}:
            return ", ".join(f"`{json.dumps(each).strip(chr(34))}`" for each in values if each is not None)
        case {"pattern": pattern} if pattern in (DATE["pattern"], INSTANT["pattern"]):
            return "a date" if pattern == DATE["pattern"] else "an instant"
        case {"pattern": pattern} if pattern in _NAMED:
            return f"the id of a [{to}](#{to})" if to and _NAMED[pattern] == "an id" else _NAMED[pattern]
        case {"description": str(description)}:
            return _escaped(f"{description[0].lower()}{description[1:]}".removesuffix("."))
    types = _types(schema)
    if "array" in types:
        bounds = f" of {schema['minItems']} to {schema['maxItems']}" if "maxItems" in schema else ""
        return f"a list{bounds}: {_words(schema['items'], nullable=True)}"
    if "object" in types:
        return _table(schema)
    if "string" in types:
        return f"a text of {'1 to' if 'pattern' in schema else 'at most'} {schema['maxLength']:,} characters"
    if "integer" in types:
        return _integer(schema)
    assert types == ["boolean"], schema
    return "true or false"


def _table(schema: Schema) -> str:
    values = schema.get("additionalProperties")
    if not isinstance(values, dict):
        return "the whole new data of the event, as its own type has it"
    keys = schema["propertyNames"]["pattern"].removeprefix("^(").removesuffix(")$")
    return f"at most {schema['maxProperties']} pairs, keys `{keys}`, values: {_words(values, nullable=True)}"


def _integer(schema: Schema) -> str:
    if "minimum" in schema:
        return f"an integer from {schema['minimum']:,} to {schema['maximum']:,}"
    return "an integer within 2^53"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
