"""JSON Schema (2020-12) of what may be said: every event's data and line, from the structs and the rules on them.

What a schema cannot say, the ledger still asks: that a day or currency exists, that lines add up, what the stream allows.
"""

from __future__ import annotations

import inspect
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from ledger.checks import (
    ATTRIBUTE_KEY,
    LENGTHS,
    MAX_ATTRIBUTE_KEY,
    MAX_ATTRIBUTES,
    MAX_LINES,
    MAX_NAME,
    MAX_SETTINGS,
    MAX_STAGES,
    PATTERNS,
    RANGES,
    SCORES,
    SETTING_KEY,
)
from ledger.codec import MAX_SAFE_INTEGER
from ledger.events import EVENTS, Attributes, Event, Line, Money, Part, Rule, Satisfaction, Scope, Stage
from ledger.kinds import KINDS, kind_of_event
from ledger.lines import MAX_KEY, MAX_SOURCE
from ledger.money import MAX_MINOR
from ledger.times import DATE_PATTERN, INSTANT_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LOCAL = "#/$defs/"
"""Where a schema that stands alone keeps the parts it refers to."""

Schema = dict[str, Any]


def whole(pattern: str) -> str:
    """A pattern of Python's `fullmatch` as JSON Schema has them."""
    return f"^({pattern})$"


DATE: Schema = {"type": "string", "format": "date", "pattern": whole(DATE_PATTERN)}
INSTANT: Schema = {"type": "string", "format": "date-time", "pattern": whole(INSTANT_PATTERN)}
WHEN: Schema = {"anyOf": [DATE, INSTANT]}

_TEXT: Schema = {"type": "string", "maxLength": MAX_NAME}
_INTEGER: Schema = {"type": "integer", "exclusiveMinimum": -MAX_SAFE_INTEGER, "exclusiveMaximum": MAX_SAFE_INTEGER}
_PLAIN: dict[Any, Schema] = {str: _TEXT, int: _INTEGER, bool: {"type": "boolean"}, types.NoneType: {"type": "null"}}
_MOST: dict[Any, int] = {Line: MAX_LINES, Stage: MAX_STAGES}


def data_schema(event: type[Event], refs: str = LOCAL) -> Schema:
    """What the `data` of an event of this type may be. Texts to be sealed are plain strings here.

    With `refs` elsewhere, the schemas of `parts_of(event, refs)` are to be put there; else they come with it.
    """
    schema = _of_struct(event, refs)
    parts = parts_of(event, refs) if refs == LOCAL else {}
    return schema | ({"$defs": parts} if parts else {})


def line_schema(event: type[Event], *, history: bool = False) -> Schema:
    """A whole event line of this type; `history` with the fields that only imported history may claim."""
    data = data_schema(event)
    parts = data.pop("$defs", {})
    schema = _line(
        event.TYPE, data.pop("description"), stream_schema(kind_of_event(event.TYPE)), {"const": event.TYPE}, data
    )
    if history:
        schema["properties"] |= {
            "recorded_at": _or_null(INSTANT | {"description": "When the source system recorded it."}),
            "source": _or_null(_printable(MAX_SOURCE, "The source system.")),
        }
    return {"$schema": DIALECT} | schema | ({"$defs": parts} if parts else {})


def lines_schema(*, history: bool = False) -> Schema:
    """A whole event line of whatever type: exactly one of the types' own schemas, which lie under `$defs`."""
    parts: Schema = {}
    lines: Schema = {}
    for event in EVENTS.values():
        line = line_schema(event, history=history)
        del line["$schema"]
        parts |= line.pop("$defs", {})
        lines[event.TYPE] = line
    assert parts.keys().isdisjoint(lines)
    described = any_line_schema()
    return {
        "$schema": DIALECT,
        "title": described["title"],
        "description": described["description"],
        "oneOf": [{"$ref": LOCAL + name} for name in lines],
        "$defs": lines | dict(sorted(parts.items())),
    }


def any_line_schema() -> Schema:
    """An event line of whatever type; its data is any object."""
    described = "What happened, to what, and when; the ledger decides whether it may be."
    return _line("EventLine", described, stream_schema(None), {"enum": list(EVENTS)}, {"type": "object"})


def _line(title: str, description: str, stream: Schema, event_type: Schema, data: Schema) -> Schema:
    fields: Schema = {
        "stream": stream,
        "type": event_type,
        "data": data,
        "effective_at": EFFECTIVE_AT,
        "expected_version": _or_null(
            {"type": "integer", "minimum": 0, "exclusiveMaximum": MAX_SAFE_INTEGER}
            | {"description": "The stream's version before this event; 0 where it begins."}
        ),
        "key": _or_null(_printable(MAX_KEY, "Makes the line repeatable: said again with its key, it is stored once.")),
    }
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": fields,
        "required": ["stream", "type", *(["data"] if "required" in data else [])],
        "additionalProperties": False,
    }


def parts_of(event: type[Event], refs: str = LOCAL) -> dict[str, Schema]:
    """The schemas of the values that an event's data refers to, by name, those within others included."""
    found: dict[str, Schema] = {}
    ahead: list[type[Part]] = [event]
    while ahead:
        for name, part in _parts_in(ahead.pop()):
            if name not in found:
                found[name] = _of_part(name, part, refs)
                ahead.append(part)
    return dict(sorted(found.items()))


def _parts_in(kind: type[Part]) -> list[tuple[str, type[Part]]]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        (_name_of(each, field.name), each)
        for field in msgspec.structs.fields(kind)
        for each in _flat(hints[field.name])
        if isinstance(each, type) and issubclass(each, Part)
    ]


def _flat(hint: Any) -> list[Any]:
    inside = () if get_origin(hint) in (None, Literal, Annotated) else get_args(hint)
    return [hint, *(found for each in inside for found in _flat(each))]


def _name_of(part: type[Part], field: str) -> str:
    """Money may be negative in a margin and nowhere else, so that there are two kinds of it."""
    return "Margin" if part is Money and field == "margin" else part.__name__


def _of_part(name: str, part: type[Part], refs: str) -> Schema:
    schema = _of_struct(part, refs) | {"title": name}
    if part is Money:
        least = -MAX_MINOR if name == "Margin" else 0
        schema["properties"]["minor"] = {"type": "integer", "minimum": least, "maximum": MAX_MINOR}
    if part is Scope:
        said: Schema = {"not": {"type": "null"}}
        schema["oneOf"] = [{"required": [each], "properties": {each: said}} for each in schema["properties"]]
    if part is Satisfaction:
        schema["oneOf"] = [
            {"properties": {"scale": {"const": scale}, "score": {"minimum": low, "maximum": high}}}
            for scale, (low, high) in SCORES.items()
        ]
    return schema


def _of_struct(kind: type[Part], refs: str) -> Schema:
    hints = get_type_hints(kind, include_extras=True)
    fields = msgspec.structs.fields(kind)
    schema: Schema = {
        "title": getattr(kind, "TYPE", kind.__name__),
        "description": inspect.getdoc(kind) or "",
        "type": "object",
        "properties": {field.encode_name: _of(hints[field.name], field.name, refs) for field in fields},
        "additionalProperties": False,
    }
    required = [field.encode_name for field in fields if field.required]
    return schema | ({"required": required} if required else {})


def _of(hint: Any, field: str, refs: str) -> Schema:
    origin, inside = get_origin(hint), get_args(hint)
    if hint == Attributes:
        keys = {"pattern": whole(ATTRIBUTE_KEY.pattern), "maxLength": MAX_ATTRIBUTE_KEY}
        return _pairs(MAX_ATTRIBUTES, keys, _of(inside[1], field, refs))
    if origin is Annotated:
        return rule_schema(inside[1])
    if origin in (Union, types.UnionType):
        *options, last = inside
        if last is types.NoneType and len(options) == 1:
            return _or_null(_of(options[0], field, refs))
        return {"anyOf": [_of(each, field, refs) for each in inside]}
    if origin is Literal:
        return {"enum": list(inside)}
    if origin is list:
        bounds = {"minItems": 1, "maxItems": _MOST[inside[0]]} if inside[0] in _MOST else {}
        return {"type": "array", "items": _of(inside[0], field, refs)} | bounds
    if origin is dict:
        keys = {"pattern": whole(SETTING_KEY.pattern)}
        return {"type": "object"} if inside[1] is Any else _pairs(MAX_SETTINGS, keys, _of(inside[1], field, refs))
    return _PLAIN[hint] if hint in _PLAIN else {"$ref": refs + _name_of(hint, field)}


def rule_schema(rule: Rule) -> Schema:
    """What a value under a rule must look like."""
    if rule in RANGES:
        low, high, wanted = RANGES[rule]
        return {"type": "integer", "minimum": low, "maximum": high, "description": _sentence(wanted)}
    if rule in LENGTHS:
        return {"type": "string", "maxLength": LENGTHS[rule], "pattern": r"\S"}
    if rule is Rule.DATE:
        return DATE
    if rule is Rule.DUE:
        return WHEN
    if rule is Rule.TIME_ZONE:
        return {"type": "string", "minLength": 1, "description": "An IANA time zone such as Europe/Paris."}
    pattern, wanted = PATTERNS[rule]
    return {"type": "string", "pattern": whole(pattern.pattern), "description": _sentence(wanted)}


def _sentence(wanted: str) -> str:
    return f"{wanted[0].upper()}{wanted[1:]}."


def _pairs(most: int, keys: Schema, values: Schema) -> Schema:
    return {"type": "object", "maxProperties": most, "propertyNames": keys, "additionalProperties": values}


def _printable(most: int, description: str) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most, "description": description}


def _or_null(schema: Schema) -> Schema:
    """Null says no more than leaving it out."""
    if isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    options = schema.get("anyOf", [schema])
    rest = {name: value for name, value in schema.items() if name == "description"}
    return {"anyOf": [*options, {"type": "null"}]} | rest


EFFECTIVE_AT = _or_null(WHEN | {"description": "When it was true: a date or an instant; now by default."})


def stream_schema(kind: str | None) -> Schema:
    """The names that streams of a kind, or of any kind, have."""
    thing = PATTERNS[Rule.ID][0].pattern
    names = {each: f"{each}-{thing}" for each in KINDS} | {
        "book": "book",
        "rate": f"rate-{PATTERNS[Rule.CURRENCY][0].pattern}",
    }
    pattern = "|".join(names.values()) if kind is None else names[kind]
    return {"type": "string", "pattern": whole(pattern)}
