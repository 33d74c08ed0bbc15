"""Retractions and corrections: whether they may be appended, and what they make of the stream's history."""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.checks import check
from ledger.codec import Recorded
from ledger.errors import Refused
from ledger.events import EVENTS, BookHistoryClosed, Event, EventCorrected, EventRetracted, Sealed
from ledger.history import visible
from ledger.kinds import fields_to_seal
from ledger.references import check_new_references
from ledger.repeating import seals_of, with_known_seals
from ledger.said import Draft, Said, World, as_written, check_not_ahead, instant_of, pending, times_of
from ledger.stream import Stream, replay
from ledger.times import format_instant


def amend(
    stream: Stream, said: Said, event: EventRetracted | EventCorrected, world: World, now: int, *, history: bool
) -> Draft | None:
    """The draft of a retraction or correction, or None where it is already so. Raises `Refused`."""
    if not 1 <= event.version <= stream.version:
        there = f"its versions are 1 to {stream.version}" if stream.version else "it has none yet"
        raise Refused("unknown_version", f"{stream.name} has no event {event.version}; {there}")
    target = stream.events[event.version - 1]
    if isinstance(target.data, BookHistoryClosed):
        raise Refused("closed_for_good", "a book's history is closed for good; that cannot be retracted or corrected")
    _, recorded_at = times_of(stream, msgspec.structs.replace(said, effective_at=None), world, now, history=history)
    if history and recorded_at is None and said.effective_at is not None:
        claimed = max(instant_of(stream, said.effective_at, world), stream.last_recorded_at)
        recorded_at = min(claimed, now)
    if isinstance(event, EventCorrected):
        event = _completed(stream, event, target, world, recorded_at or now)
    elif not history and _is_retracted(stream, event.version):
        return None
    after = _shown_with(stream, event, recorded_at or now)
    if not history and _same_facts(_shown_with(stream, _comparable(stream, event, world), recorded_at or now), stream):
        return None
    replay(stream.kind, after, newcomer=target.position)
    check_new_references(stream, after, world)
    return Draft(stream.name, stream.version + 1, event, recorded_at, recorded_at, said.source, in_order=False)


def _shown_with(stream: Stream, event: Event, recorded_at: int) -> list[Any]:
    return visible([*stream.events, pending(stream, event, recorded_at, recorded_at)])


def _comparable(stream: Stream, event: Event, world: World) -> Event:
    """A correction whose texts are the seals they repeat."""
    if not isinstance(event, EventCorrected) or event.data is None:
        return event
    corrected = msgspec.convert(event.data, EVENTS[stream.events[event.version - 1].type])
    sealed = with_known_seals(stream, corrected, world, event.version)
    return msgspec.structs.replace(event, data=msgspec.to_builtins(sealed))


def _is_retracted(stream: Stream, version: int) -> bool:
    retracted: set[int] = set()
    for event in reversed(stream.events):
        if isinstance(event.data, EventRetracted) and event.version not in retracted:
            retracted.add(event.data.version)
    return version in retracted


def _same_facts(after: list[Any], stream: Stream) -> bool:
    return [(each.effective_at, each.origin, each.data) for each in after] == [
        (each.effective_at, each.origin, each.data) for each in stream.shown
    ]


def _completed(
    stream: Stream, event: EventCorrected, target: Recorded, world: World, recorded_at: int
) -> EventCorrected:
    """The correction with its time written as an instant and its data checked against the type it corrects."""
    if isinstance(target.data, EventRetracted | EventCorrected):
        raise Refused("not_correctable", f"event {target.version} is itself a {target.type}; retract it instead")
    if event.effective_at is None and event.data is None:
        raise Refused("nothing_corrected", "event.corrected needs effective_at, data or both")
    if _is_retracted(stream, target.version):
        raise Refused("retracted", f"event {target.version} is retracted; retract the retraction first")
    if event.effective_at is not None:
        effective_at = instant_of(stream, event.effective_at, world)
        check_not_ahead(stream, effective_at, recorded_at, recorded_at)
        event = msgspec.structs.replace(event, effective_at=format_instant(effective_at))
    if event.data is not None:
        try:
            corrected = msgspec.convert(event.data, EVENTS[target.type])
        except msgspec.ValidationError as error:
            raise Refused("bad_data", f"data of {target.type}: {error}") from None
        check(_without_own_seals(corrected, stream, target))
        event = msgspec.structs.replace(event, data=msgspec.to_builtins(as_written(corrected, world)))
    return event


def _without_own_seals(corrected: Event, stream: Stream, target: Recorded) -> Event:
    """The new data with seals it takes over from the event it corrects replaced by a stand-in that passes checks."""
    for name in fields_to_seal(stream.kind, stream.state, corrected):
        seal = getattr(corrected, name)
        if isinstance(seal, Sealed) and seal in seals_of(stream, target.version, name):
            corrected = msgspec.structs.replace(corrected, **{name: "…"})
    return corrected
