"""What a stream's events say at an instant of knowledge: retractions and corrections resolved, in order of effect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ledger.codec import Recorded
from ledger.events import EVENTS, Event, EventCorrected, EventRetracted
from ledger.times import FOREVER, parse_instant


class Visible(msgspec.Struct, frozen=True, gc=False):
    """An event as it counts: when it took effect, what it says, and the recorded event that made it so.

    `origin` is the position of the original event, `position` and `appended_at` those of its last correction in force.
    """

    effective_at: int
    origin: int
    data: Event
    position: int
    appended_at: int


def visible(events: Sequence[Recorded], known_at: int = FOREVER) -> list[Visible]:
    """The visible history of one stream at `known_at`, by `(effective_at, origin)`.

    `events` is the whole stream in order of version. A retraction or correction counts from its own `recorded_at`
    unless it is itself retracted by then; corrections of one event apply in order of version, each replacing what it
    names (DESIGN 4).
    """
    retracted: set[int] = set()
    corrections: dict[int, list[Recorded]] = {}
    for event in reversed(events):
        if event.recorded_at > known_at or event.version in retracted:
            continue
        match event.data:
            case EventRetracted(version=version):
                retracted.add(version)
            case EventCorrected(version=version):
                corrections.setdefault(version, []).append(event)
            case _:
                pass
    shown = [
        _corrected(event, corrections.get(event.version, ()))
        for event in events
        if event.recorded_at <= known_at
        and event.version not in retracted
        and not isinstance(event.data, EventRetracted | EventCorrected)
    ]
    shown.sort(key=_order)
    return shown


def _order(event: Visible) -> tuple[int, int]:
    return event.effective_at, event.origin


def _corrected(event: Recorded, corrections: Iterable[Recorded]) -> Visible:
    effective_at, data, last = event.effective_at, event.data, event
    for correction in sorted(corrections, key=lambda each: each.version):
        said = correction.data
        assert isinstance(said, EventCorrected)
        if said.effective_at is not None:
            effective_at = parse_instant(said.effective_at)
        if said.data is not None:
            data = msgspec.convert(said.data, EVENTS[event.type])
        last = correction
    return Visible(effective_at, event.position, data, last.position, last.appended_at)
