"""What a stream's events say at an instant of knowledge: retractions and corrections resolved, in order of effect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ledger.codec import Recorded
from ledger.events import Event, EventCorrected, EventRetracted
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


def amendments(
    events: Sequence[Recorded], known_at: int = FOREVER
) -> tuple[dict[int, Recorded], dict[int, list[Recorded]]]:
    """The retractions and the corrections in force at `known_at`, by the version they speak of.

    Of several retractions of one event the first; corrections in order of version.
    """
    retractions: dict[int, Recorded] = {}
    corrections: dict[int, list[Recorded]] = {}
    for event in reversed(events):
        if event.recorded_at > known_at or event.version in retractions:
            continue
        match event.data:
            case EventRetracted(version=version):
                retractions[version] = event
            case EventCorrected(version=version):
                corrections.setdefault(version, []).insert(0, event)
            case _:
                pass
    return retractions, corrections


def restated(correction: EventCorrected, effective_at: int, data: Event) -> tuple[int, Event]:
    """When an event took effect and what it says, once corrected."""
    if correction.effective_at is not None:
        effective_at = parse_instant(correction.effective_at)
    if correction.data is not None:
        data = msgspec.convert(correction.data, type(data))
    return effective_at, data


def visible(events: Sequence[Recorded], known_at: int = FOREVER) -> list[Visible]:
    """The visible history of one stream at `known_at`, by `(effective_at, origin)`.

    `events` is the whole stream in order of version. A retraction or correction counts from its own `recorded_at`
    unless it is itself retracted by then; corrections of one event apply in order of version, each replacing what it
    names (DESIGN 4).
    """
    retracted, corrections = amendments(events, known_at)
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
    for correction in corrections:
        assert isinstance(correction.data, EventCorrected)
        effective_at, data = restated(correction.data, effective_at, data)
        last = correction
    return Visible(effective_at, event.position, data, last.position, last.appended_at)
