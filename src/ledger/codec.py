"""Entries: the canonical bytes that are hashed and stored, and the events read back from them.

Canonical means equal to RFC 8785: keys sorted, no floats, integers within 2^53, shortest escapes. Structs have their
fields in alphabetical order, so msgspec writes them sorted; dictionaries are sorted by the encoder.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ledger.errors import UnreadableEvent
from ledger.events import EVENTS, Event
from ledger.times import format_instant, parse_instant
from ledger.upcasters import schema_of, upcast

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ENTRY_BYTES = 65_535
MAX_SAFE_INTEGER = 2**53


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An entry as it is written: everything here is hashed."""

    actor: str
    appended_at: str
    book: str
    causation: str | None = None
    correlation: str | None = None
    data: msgspec.Raw
    effective_at: str
    recorded_at: str
    schema: int
    source: str | None = None
    stream: str
    type: str
    version: int


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event with where and when it stands in the log. Instants are microseconds."""

    position: int
    stream: str
    version: int
    type: str
    effective_at: int
    recorded_at: int
    appended_at: int
    data: Event
    actor: str
    source: str | None = None


_encoder = msgspec.json.Encoder(order="deterministic")
encode = _encoder.encode
"""Canonical JSON bytes of a struct from `events`, an `Envelope`, or plain data without floats."""


_learning = Lock()


def decoder_of(type_: Any) -> msgspec.json.Decoder[Any]:
    """A decoder made by one thread at a time.

    msgspec learns a struct's fields when it first needs them; another thread that needs the same struct meanwhile takes
    it half learnt, and the process crashes.
    """
    with _learning:
        return msgspec.json.Decoder(type_)


_TIMES = [("appended_at", str), ("effective_at", str), ("recorded_at", str)]
_OTHERS = [("actor", str), ("schema", int), ("source", str | None, None), ("stream", str), ("version", int)]


def _entry_type(event: type[Event], envelope: list[Any], tag_field: str | None = None) -> Any:
    return msgspec.defstruct(
        "Entry" + event.__name__,
        [("data", event), *envelope],
        kw_only=True,
        frozen=True,
        gc=False,
        tag_field=tag_field,
        tag=tag_field and event.TYPE,
    )


class _AnySchema(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose data may be of an older schema."""

    type: str
    actor: str
    appended_at: str
    data: dict[str, Any]
    effective_at: str
    recorded_at: str
    schema: int
    source: str | None = None
    stream: str
    version: int


@cache
def _decode_current() -> Any:
    """Decodes any entry of a current schema."""
    entries = [_entry_type(event, _OTHERS + _TIMES, tag_field="type") for event in EVENTS.values()]
    union: Any = entries[0]
    for entry in entries[1:]:
        union |= entry
    return decoder_of(union).decode


@cache
def _decode_by_type() -> dict[str, Any]:
    """What decodes entries of a type and current schema, without their times, for who has the copied columns.

    To learn the type from the entry it would have to be gone through twice.
    """
    return {
        name: decoder_of(_entry_type(event, [*_OTHERS, ("type", Literal[name])])).decode
        for name, event in EVENTS.items()
    }


_decode_any = msgspec.json.Decoder(_AnySchema).decode
_SCHEMAS = {event_type: schema_of(event_type) for event_type in EVENTS}


def _decode(entry: bytes) -> tuple[Any, Event]:
    try:
        decoded = _decode_current()(entry)
        if decoded.schema == _SCHEMAS[decoded.data.TYPE]:
            return decoded, decoded.data
    except msgspec.MsgspecError:
        pass
    return _decode_older(entry)


def _decode_older(entry: bytes) -> tuple[Any, Event]:
    try:
        decoded = _decode_any(entry)
        event_type = EVENTS[decoded.type]
        if not 1 <= decoded.schema <= schema_of(decoded.type):
            raise UnreadableEvent(f"{decoded.type} has schema {decoded.schema}, which a newer version wrote; upgrade")
        return decoded, msgspec.convert(upcast(decoded.type, decoded.schema, decoded.data), event_type)
    except KeyError as error:
        raise UnreadableEvent(f"unknown event type {error}; a newer version wrote it; upgrade") from None
    except msgspec.MsgspecError as error:
        raise UnreadableEvent(f"an entry cannot be read: {error}") from None


Row = tuple[int, str, int, str, int, int, int, bytes]
"""`position, stream, version, type, effective_at, recorded_at, appended_at, entry` as the log's table has them."""

TYPED_COLUMNS = "position, type, effective_at, recorded_at, appended_at, entry"
_typed_columns = itemgetter(0, 3, 4, 5, 6, 7)


def from_rows(rows: Iterable[Any]) -> list[Recorded]:
    """Typed events from the log's rows. Raises `UnreadableEvent`."""
    return typed(map(_typed_columns, rows))


def typed(rows: Iterable[Any]) -> list[Recorded]:
    """Typed events from `TYPED_COLUMNS`, taking the instants from the copied columns. Raises `UnreadableEvent`."""
    decode, schemas, recorded = _decode_by_type(), _SCHEMAS, Recorded
    events: list[Recorded] = []
    append = events.append
    for position, copied_type, effective_at, recorded_at, appended_at, entry in rows:
        try:
            decoded = decode[copied_type](entry)
            data, event_type = decoded.data, decoded.type
            if decoded.schema != schemas[event_type]:
                decoded, data = _decode_older(entry)
        except (KeyError, msgspec.MsgspecError):
            decoded, data = _decode_older(entry)
            event_type = data.TYPE
        append(
            recorded(
                position,
                decoded.stream,
                decoded.version,
                event_type,
                effective_at,
                recorded_at,
                appended_at,
                data,
                decoded.actor,
                decoded.source,
            )
        )
    return events


def from_entry(position: int, entry: bytes) -> Recorded:
    """A typed event from the hashed bytes and nothing else. Raises `UnreadableEvent`."""
    decoded, data = _decode(entry)
    return Recorded(
        position,
        decoded.stream,
        decoded.version,
        data.TYPE,
        parse_instant(decoded.effective_at),
        parse_instant(decoded.recorded_at),
        parse_instant(decoded.appended_at),
        data,
        decoded.actor,
        decoded.source,
    )


__all__ = [
    "MAX_ENTRY_BYTES",
    "MAX_SAFE_INTEGER",
    "TYPED_COLUMNS",
    "Envelope",
    "Recorded",
    "encode",
    "format_instant",
    "from_entry",
    "from_rows",
    "typed",
]
