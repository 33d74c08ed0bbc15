"""One stream's life: every event known by then, what the thing was before and after it, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ledger.codec import Recorded
from ledger.errors import Refused
from ledger.events import Event, EventCorrected, EventRetracted
from ledger.history import Visible, amendments, restated, visible
from ledger.kinds import KINDS, kind_of
from ledger.times import FOREVER


class Correction(msgspec.Struct, frozen=True, gc=False):
    """A correction in force, and what the event said and when it took effect before and after it."""

    event: Recorded
    effective_at: tuple[int, int]
    data: tuple[Event, Event]


class Moment(msgspec.Struct, frozen=True, gc=False):
    """One event of a life. Instants are microseconds.

    `effective_at` and `data` are as they count, corrections applied; `before` and `after` are the thing's states
    around it, after a retracted event those it would have led to. A retraction or correction stands where it was
    recorded, without states, and names its `target`.
    """

    event: Recorded
    effective_at: int
    data: Event
    before: Any = None
    after: Any = None
    retraction: Recorded | None = None
    corrections: tuple[Correction, ...] = ()
    target: Recorded | None = None


def life(events: Sequence[Recorded], as_of: int = FOREVER, known_at: int = FOREVER) -> list[Moment]:
    """What was known by `known_at` to have happened by `as_of`, in order of effect.

    `events` is the whole stream in order of version. Retracted events are there; retractions and corrections are
    there where what they finally speak of is.
    """
    retractions, corrections = amendments(events, known_at)
    happened, amending = [], []
    for event in events:
        if event.recorded_at > known_at:
            continue
        if isinstance(event.data, EventRetracted | EventCorrected):
            target = events[event.data.version - 1]
            retraction = retractions.get(event.version)
            amending.append(Moment(event, event.recorded_at, event.data, retraction=retraction, target=target))
        else:
            steps = tuple(_steps(event, corrections.get(event.version, ())))
            effective_at, data = (steps[-1].effective_at[1], steps[-1].data[1]) if steps else _said(event)
            retraction = retractions.get(event.version)
            happened.append(Moment(event, effective_at, data, retraction=retraction, corrections=steps))
    shown = [each for each in _with_states(happened) if each.effective_at <= as_of]
    there = {each.event.version for each in shown}
    for each in amending:
        assert each.target is not None
        if each.target.version in there:
            there.add(each.event.version)
            shown.append(each)
    return sorted(shown, key=_order)


def states(events: Sequence[Recorded], known_at: int = FOREVER) -> list[tuple[int, Any]]:
    """The states a stream went through as known, each with the instant from which it holds."""
    found: list[tuple[int, Any]] = []
    state, evolve = None, KINDS[kind_of(events[0].stream)].evolve
    for each in visible(events, known_at):
        state = _evolved(evolve, state, each)
        found.append((each.effective_at, state))
    return found


def _said(event: Recorded) -> tuple[int, Event]:
    return event.effective_at, event.data


def _steps(event: Recorded, corrections: Iterable[Recorded]) -> Iterator[Correction]:
    effective_at, data = _said(event)
    for correction in corrections:
        assert isinstance(correction.data, EventCorrected)
        new_at, new_data = restated(correction.data, effective_at, data)
        yield Correction(correction, (effective_at, new_at), (data, new_data))
        effective_at, data = new_at, new_data


def _with_states(happened: list[Moment]) -> Iterator[Moment]:
    if not happened:
        return
    state, evolve = None, KINDS[kind_of(happened[0].event.stream)].evolve
    for each in sorted(happened, key=_order):
        after = _evolved(evolve, state, each)
        yield msgspec.structs.replace(each, before=state, after=after)
        if each.retraction is None:
            state = after


def _evolved(evolve: Any, state: Any, event: Moment | Visible) -> Any:
    """What an early `known_at` leaves odd (a win without its opening) changes nothing."""
    try:
        return evolve(state, event.data)
    except Refused:
        return state


def _order(moment: Moment) -> tuple[int, int]:
    return moment.effective_at, moment.event.position
