"""Events as plain data for people and clients: ISO instants, sealed values put back where they may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ledger.events import EventCorrected, Sealed
from ledger.times import format_instant

if TYPE_CHECKING:
    from ledger.codec import Recorded

_SEALED = frozenset(Sealed.__struct_encode_fields__)


class Revealer(Protocol):
    """Whoever holds the vault."""

    def reveal(self, sealed: Iterable[Sealed]) -> Mapping[str, Any]:
        """The values behind commitments, `Erased` where their subject is; those that are not in the vault are missing."""
        ...


def plain_events(events: Iterable[Recorded], vault: Revealer | None = None) -> list[dict[str, Any]]:
    """Each event as the dictionary that `events --format jsonl` writes.

    Without a vault a sealed value stays `{"$sealed": …}`; where its subject is erased it is `{"$erased": …}`.
    """
    recorded = list(events)
    values = vault.reveal(sealed for event in recorded for sealed in _sealed(event.data)) if vault else {}
    return [_plain(event, values) for event in recorded]


def plain_data(data: msgspec.Struct, values: Mapping[str, Any]) -> dict[str, Any]:
    """An event's fields as JSON types; `values` maps commitments to what they stand for."""
    said: dict[str, Any] = msgspec.to_builtins(data)
    return {name: _revealed(value, values) for name, value in said.items()}


def _revealed(value: Any, values: Mapping[str, Any]) -> Any:
    """A value where it was sealed and may be seen; also in what a correction says."""
    sealed = _as_sealed(value)
    if sealed is not None and sealed.commitment.c in values:
        return msgspec.to_builtins(values[sealed.commitment.c])
    if sealed is None and isinstance(value, dict):
        return {name: _revealed(each, values) for name, each in value.items()}
    return value


def _as_sealed(value: Any) -> Sealed | None:
    return msgspec.convert(value, Sealed) if isinstance(value, dict) and value.keys() == _SEALED else None


def _sealed(data: msgspec.Struct) -> Iterable[Sealed]:
    values: list[Any] = [getattr(data, name) for name in data.__struct_fields__]
    values += data.data.values() if isinstance(data, EventCorrected) and data.data else ()
    found = (value if isinstance(value, Sealed) else _as_sealed(value) for value in values)
    return (each for each in found if each is not None)


def _plain(event: Recorded, values: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "type": event.type,
        "effective_at": format_instant(event.effective_at),
        "recorded_at": format_instant(event.recorded_at),
        "appended_at": format_instant(event.appended_at),
        "actor": event.actor,
        "source": event.source,
        "data": plain_data(event.data, values),
    }
    if event.source is None:
        del fields["source"]
    return fields
