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
    from collections.abc import Iterable, Sequence

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
_OTHERS = [("actor", str), ("source", str | None, None), ("stream", str), ("version", int)]


def _entry_type(event: type[Event], envelope: list[Any]) -> Any:
    """An entry of this event in its current schema; no other passes."""
    return msgspec.defstruct(
        "Entry" + event.__name__,
        [("data", event), ("schema", Literal[schema_of(event.TYPE)]), *envelope],
        kw_only=True,
        frozen=True,
        gc=False,
        tag_field="type",
        tag=event.TYPE,
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


def _entry_of_any_type(envelope: list[Any]) -> Any:
    entries = [_entry_type(event, envelope) for event in EVENTS.values()]
    union: Any = entries[0]
    for entry in entries[1:]:
        union |= entry
    return union


@cache
def _decode_current() -> Any:
    """Decodes any entry of a current schema."""
    return decoder_of(_entry_of_any_type(_OTHERS + _TIMES)).decode


@cache
def _decode_many() -> Any:
    """Decodes a list of them, without their times, which are at hand in the copied columns."""
    return decoder_of(list[_entry_of_any_type(_OTHERS)]).decode  # type: ignore[misc]


_decode_any = msgspec.json.Decoder(_AnySchema).decode


def _decode(entry: bytes) -> tuple[Any, Event]:
    try:
        decoded = _decode_current()(entry)
    except msgspec.MsgspecError:
        return _decode_older(entry)
    return decoded, decoded.data


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

TYPED_COLUMNS = "position, effective_at, recorded_at, appended_at, entry"
_typed_columns = itemgetter(0, 4, 5, 6, 7)


def from_rows(rows: Iterable[Any]) -> list[Recorded]:
    """Typed events from the log's rows. Raises `UnreadableEvent`."""
    return typed(list(map(_typed_columns, rows)))


def typed(rows: Sequence[Any]) -> list[Recorded]:
    """Typed events from `TYPED_COLUMNS`, taking the instants from the copied columns. Raises `UnreadableEvent`.

    The entries are decoded as one list, which costs far less than one by one. Where that fails, some are of an older
    schema or cannot be read: then each is decoded alone.
    """
    try:
        found = _decode_many()(b"[" + b",".join([row[4] for row in rows]) + b"]")
    except (msgspec.MsgspecError, TypeError):
        found = ()
    if len(found) != len(rows):
        return [_one(*row) for row in rows]
    recorded = Recorded
    return [
        recorded(
            position,
            entry.stream,
            entry.version,
            (data := entry.data).TYPE,
            effective_at,
            recorded_at,
            appended_at,
            data,
            entry.actor,
            entry.source,
        )
        for (position, effective_at, recorded_at, appended_at, _), entry in zip(rows, found, strict=True)
    ]


def _one(position: int, effective_at: int, recorded_at: int, appended_at: int, entry: bytes) -> Recorded:
    decoded, data = _decode(entry)
    stream, version, actor, source = decoded.stream, decoded.version, decoded.actor, decoded.source
    return Recorded(position, stream, version, data.TYPE, effective_at, recorded_at, appended_at, data, actor, source)


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
