"""What a field of an event takes: so that a mapping's mistakes show before any row is read, and `as` is rarely needed.

Types are those of `ledger.events`, rules included. Only what a mapping can say is looked at; the row itself is checked
by the ledger like any other event line.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from ledger.checks import check_value
from ledger.errors import Refused
from ledger.events import Attributes, Money, Part, Rule, Sealed
from ledger.imports.mapping import Kind
from ledger.imports.rows import CannotImport

_KINDS_BY_RULE: dict[Rule, Kind] = {
    Rule.DATE: "date",
    Rule.CODE: "code",
    Rule.DUE: "moment",
    Rule.BASIS_POINTS: "percent",
    Rule.DECIMAL: "decimal",
    Rule.QUANTITY: "decimal",
}
_SHAPES: dict[Kind, str] = {
    "text": "text",
    "decimal": "text",
    "date": "text",
    "moment": "text",
    "slug": "text",
    "code": "text",
    "integer": "integer",
    "percent": "integer",
    "money": "money",
}
_WORDS = {
    "money": 'money: { from = "{column}", as = "money" }',
    "integer": "a whole number",
    "boolean": "true",
    "text": "text",
    "list": "a list",
}


class Field(NamedTuple):
    """A field of a struct: what it takes, and whether it must be there."""

    hint: Any
    required: bool


@cache
def fields_of(struct: type[Part]) -> dict[str, Field]:
    """The fields of an event or of a part of one, by the names they have in an event line."""
    hints = get_type_hints(struct, include_extras=True)
    return {field.encode_name: Field(hints[field.name], field.required) for field in msgspec.structs.fields(struct)}


def part_of(hint: Any) -> type[Part] | None:
    """The struct that a field takes, such as a scope or a period."""
    return next((each for each in _alternatives(hint) if isinstance(each, type) and issubclass(each, Part)), None)


def item_of(hint: Any) -> Any:
    """What the lists that a field takes are of; None where it takes none."""
    return next((get_args(each)[0] for each in _alternatives(hint) if get_origin(each) is list), None)


def member_of(hint: Any) -> Any:
    """What stands under a key that is free to choose, as in attributes; None where keys are not."""
    return next((get_args(each)[1] for each in _alternatives(hint) if get_origin(each) is dict), None)


def kind_for(hint: Any) -> Kind:
    """How a column's text is read where the mapping does not say: as the field wants it."""
    for each in _alternatives(hint):
        rule = get_args(each)[1] if get_origin(each) is Annotated else None
        if rule in _KINDS_BY_RULE:
            return _KINDS_BY_RULE[rule]
    shapes = _shapes(hint)
    if "text" in shapes or not shapes:
        return "text"
    return "money" if "money" in shapes else "integer" if "integer" in shapes else "text"


def takes_money(hint: Any) -> bool:
    """Whether amounts can stand in the field."""
    return "money" in _shapes(hint)


def check_kind(kind: Kind, hint: Any, where: str) -> None:
    """Raise `CannotImport` if values read as this kind can never stand in the field."""
    if hint is not Any and _SHAPES[kind] not in _shapes(hint):
        raise CannotImport(f"{where} takes {wanted(hint)}, and a column read as {kind} is none")


def check_constant(value: Any, hint: Any, where: str) -> None:
    """Raise `CannotImport` if the field does not take this value."""
    if hint is Any:
        return
    try:
        check_value(hint, msgspec.convert(value, hint), where)
    except msgspec.ValidationError:
        raise CannotImport(f"{where} takes {wanted(hint)}, not {value!r}") from None
    except Refused as refused:
        raise CannotImport(str(refused)) from None


def check_keys(keys: Iterable[str], hint: Any, where: str) -> None:
    """Raise `CannotImport` if attributes cannot be named so."""
    if hint in (Attributes, Attributes | None):
        check_constant(dict.fromkeys(keys, 0), hint, where)


def wanted(hint: Any) -> str:
    """What a field takes, for people."""
    literals = [str(value) for each in _alternatives(hint) if get_origin(each) is Literal for value in get_args(each)]
    if literals and literals != ["True"]:
        return f"one of {', '.join(literals)}"
    part = part_of(hint)
    if part is not None and part is not Money:
        return f"{{ {', '.join(fields_of(part))} }}"
    words = [word for shape, word in _WORDS.items() if shape in _shapes(hint)]
    return " or ".join(words) or "{ keys and values }"


@cache
def _shapes(hint: Any) -> frozenset[str]:
    found = set()
    for each in _alternatives(hint):
        base = get_args(each)[0] if get_origin(each) is Annotated else each
        values = get_args(base) if get_origin(base) is Literal else ()
        for kind in map(type, values) if values else _alternatives(base):
            if kind is Money:
                found.add("money")
            elif kind is bool:
                found.add("boolean")
            elif kind is int:
                found.add("integer")
            elif kind is str:
                found.add("text")
            elif get_origin(kind) is list:
                found.add("list")
    return frozenset(found)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(each for each in get_args(hint) if each not in (type(None), Sealed))
    return (hint,)
