"""Event lines as people and programs write them (DESIGN 8): JSON in, `Said` out, or one clear refusal."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from ledger.checks import check
from ledger.codec import MAX_ENTRY_BYTES, decoder_of, encode
from ledger.errors import Refused
from ledger.events import EVENTS, Event
from ledger.kinds import event_class, kind_of
from ledger.said import Said
from ledger.times import is_date, parse_date, parse_instant

MAX_LINE_BYTES = 1_000_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_KEY = 200
MAX_SOURCE = 64


class Line(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One event line. `data` stays raw until the type says what it is."""

    stream: str
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    effective_at: str | None = None
    expected_version: int | None = None
    key: str | None = None
    recorded_at: str | None = None
    source: str | None = None


_SAID_OF_IT = [
    (field.name, field.type, field.default)
    for field in msgspec.structs.fields(Line)
    if field.name not in ("stream", "type", "data")
]
_decode_line = msgspec.json.Decoder(Line).decode


@cache
def _decoder(event: type[Event]) -> msgspec.json.Decoder[Any]:
    return decoder_of(event)


@cache
def _decode_whole() -> Any:
    """Decodes a line and its event at once, where nothing is wrong with either."""
    union: Any = None
    for event in EVENTS.values():
        nothing_required = not any(field.required for field in msgspec.structs.fields(event))
        data = ("data", event, msgspec.field(default_factory=event)) if nothing_required else ("data", event)
        line = msgspec.defstruct(
            "Line" + event.__name__,
            [("stream", str), data, *_SAID_OF_IT],
            kw_only=True,
            frozen=True,
            gc=False,
            forbid_unknown_fields=True,
            tag_field="type",
            tag=event.TYPE,
        )
        union = line if union is None else union | line
    return decoder_of(union).decode


def read(raw: bytes, *, history: bool = False) -> Said:
    """A line decoded, its values checked. Raises `Refused` with what is wrong with it.

    `history` admits `recorded_at` and `source`, which only imported history may claim.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise Refused("too_large", f"the line has {len(raw)} bytes; an entry holds at most {MAX_ENTRY_BYTES}")
    try:
        return _read(raw, history=history)
    except RecursionError:
        raise _too_deep() from None


def _read(raw: bytes, *, history: bool) -> Said:
    try:
        line = _decode_whole()(raw)
        event: Event = line.data
        event_class(event.TYPE, kind_of(line.stream))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        line, event = _decode_apart(raw)
    data = encode(event)
    _refuse_duplicate_keys(raw, line, data)
    check(event)
    _check_envelope(line, history=history)
    return Said(
        line.stream,
        event,
        _date_or_instant(line.effective_at),
        None if line.recorded_at is None else parse_instant(line.recorded_at),
        line.source,
        line.expected_version,
        line.key,
        data,
    )


def _decode_apart(raw: bytes) -> tuple[Line, Event]:
    """A line, then its event. Raises `Refused` for the first thing that is wrong."""
    try:
        line = _decode_line(raw)
    except UnicodeDecodeError:
        raise Refused("not_utf8", "the line is not UTF-8; save the file as UTF-8 and try again") from None
    except msgspec.MsgspecError as error:
        raise _not_a_line(raw, error) from None
    event_type = event_class(line.type, kind_of(line.stream))
    try:
        return line, _decoder(event_type).decode(line.data)
    except UnicodeDecodeError:
        raise Refused("not_utf8", "the line is not UTF-8; save the file as UTF-8 and try again") from None
    except msgspec.MsgspecError as error:
        raise Refused("bad_data", f"data of {line.type}: {_lower(error)}") from None


def body_hmac(secret: bytes, bodies: Iterable[bytes]) -> bytes:
    """What two requests with the same idempotency key are compared by: their canonical lines, without the keys."""
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for body in bodies:
        try:
            line = msgspec.json.decode(body)
            line.pop("key", None)
            digest.update(encode(line))
        except RecursionError:
            raise _too_deep() from None
        digest.update(b"\n")
    return digest.digest()


def check_key(key: str) -> None:
    """Whether a text can be an idempotency key. Raises `Refused`."""
    if not (1 <= len(key) <= MAX_KEY and key.isprintable()):
        raise Refused("bad_key", f"key must have 1 to {MAX_KEY} printable characters")


def _check_envelope(line: Line, *, history: bool) -> None:
    if not history and (line.recorded_at is not None or line.source is not None):
        raise Refused(
            "history_only",
            "recorded_at and source are for imported history: leave them out, or append the line with"
            " `sales-ledger append --history`, as no request to the service can",
        )
    if line.key is not None:
        check_key(line.key)
    if line.source is not None and not (1 <= len(line.source) <= MAX_SOURCE and line.source.isprintable()):
        raise Refused("bad_source", f"source must have 1 to {MAX_SOURCE} printable characters")
    if line.expected_version is not None and not 0 <= line.expected_version < 2**53:
        raise Refused("bad_value", "expected_version must be the stream's version, 0 for a new stream")


def _date_or_instant(text: str | None) -> int | str | None:
    if text is None:
        return None
    if is_date(text):
        parse_date(text)
        return text
    return parse_instant(text)


def _refuse_duplicate_keys(raw: bytes, line: Line, data: bytes) -> None:
    """JSON readers disagree about a key that comes twice.

    Without escapes every second quotation mark ends a text, so a line with as many of them as the event read from it has
    keys and texts says none twice. Other lines are read once more, slowly.
    """
    texts = 2 + (line.effective_at is not None) + (line.recorded_at is not None)
    texts += (line.key is not None) + (line.source is not None)
    keys = texts + (line.expected_version is not None) + (b'"data":' in raw)
    if b"\\" not in raw and raw.count(b'"') == 2 * (keys + texts) + data.count(b'"'):
        return
    refuse_duplicate_keys(raw)


def refuse_duplicate_keys(raw: bytes) -> None:
    """Raise `Refused` for JSON in which any object has a key twice, or which is not UTF-8; it must be JSON."""
    try:
        json.loads(raw, object_pairs_hook=_unique, parse_int=str)  # an integer may have thousands of digits
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise Refused("not_utf8", "the JSON is not UTF-8; write it as UTF-8 and try again") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("duplicate_key", f"the key {twice[:40]!r} comes twice; say it once")
    return found


def _too_deep() -> Refused:
    return Refused("too_deep", "the line is nested too deeply; what an event holds goes down a few levels only")


def _not_a_line(raw: bytes, error: msgspec.MsgspecError) -> Refused:
    if not raw.strip():
        return Refused("empty_line", "the line is empty")
    if raw.startswith(BYTE_ORDER_MARK):
        return Refused("bad_line", "the line begins with a byte order mark; save the file as UTF-8 without one")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return Refused("not_utf8", "the line is not UTF-8; save the file as UTF-8 and try again")
    return Refused("bad_line", f"not an event line: {_lower(error)}")


def _lower(error: Exception) -> str:
    said = str(error)
    return said if said[:2].isupper() else said[:1].lower() + said[1:]
