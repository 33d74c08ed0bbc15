"""What an event changes, field by field, read from the states around it: for any event, by the names in its struct."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_type_hints

import msgspec

from ledger.events import EVENTS, Event, Part, Sealed
from ledger.kinds import OPENINGS, kind_of_event

ENDINGS = ("closing", "ending")
"""Where states keep how a thing ended, which is not what it is."""

NO_FIELDS: Mapping[str, Any] = {}


class Change(msgspec.Struct, frozen=True, gc=False):
    """A field's value before and after an event; None stands for none.

    `before` is None too where the thing does not take the value over: an invoice's amount changes no deal's.
    """

    field: str
    before: Any
    after: Any


@cache
def hints(event: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The annotated type of each field of a struct."""
    return get_type_hints(event, include_extras=True)


@cache
def hints_of_kind(kind: str) -> Mapping[str, Any]:
    """The annotated types of all fields that events of a kind of stream have, those of its openings first."""
    events = [event for event in EVENTS.values() if kind_of_event(event.TYPE) == kind]
    found: dict[str, Any] = {}
    for event in sorted(events, key=lambda each: each not in OPENINGS):
        for name in event.__struct_fields__:
            found.setdefault(name, hints(event)[name])
    return found


def standing(state: Any, kind: str, event: Event | None = None) -> Mapping[str, Any]:
    """A thing's values as it stands, by the names that its events give them.

    The state's own fields go before those of its parts, and these before those of the events that it keeps. Where the event
    speaks of one part of many, as a contact, the values are that part's.
    """
    if state is None:
        return NO_FIELDS
    part = _part_spoken_of(state, event)
    if part is not None:
        return part
    kept: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for name in state.__struct_fields__:
        value = getattr(state, name)
        if name in ENDINGS:
            continue
        if isinstance(value, Event):
            kept |= msgspec.structs.asdict(value)
        elif isinstance(value, msgspec.Struct) and not isinstance(value, Part | Sealed):
            parts |= msgspec.structs.asdict(value)
        else:
            own[name] = value
    known = hints_of_kind(kind)
    return {name: value for name, value in (kept | parts | own).items() if name in known}


def _part_spoken_of(state: Any, event: Event | None) -> Mapping[str, Any] | None:
    for name in event.__struct_fields__ if event is not None else ():
        parts = getattr(state, f"{name}s", None)
        if isinstance(parts, dict):
            found = parts.get(getattr(event, name))
            return NO_FIELDS if found is None else msgspec.structs.asdict(found)
    return None


def changes(event: Event, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What an event says, then what else became different by it."""
    said = set()
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if value is None and name not in required(type(event)):
            continue
        said.add(name)
        yield Change(name, before.get(name) if name in after and after[name] == value else None, value)
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if name not in said and old != new:
            yield Change(name, old, new)


def differences(before: Event, after: Event) -> Iterator[Change]:
    """Where two events of one type differ."""
    for name in before.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(name, old, new)


@cache
def required(event: type[Event]) -> frozenset[str]:
    """The fields that an event always has, null among their values or not."""
    return frozenset(field.name for field in msgspec.structs.fields(event) if field.required)
