"""Whether a line may be appended, by the rules of its stream and the stream's whole visible history.

`decide` is pure: state, line and time in, a `Draft` out, or None where it is already so, or `Refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from ledger import deal
from ledger.checks import check
from ledger.codec import Recorded
from ledger.errors import Conflict, Refused
from ledger.events import (
    EVENTS,
    BookHistoryClosed,
    CustomerMerged,
    DealAbandoned,
    DealCredited,
    DealDelivered,
    DealInvoiced,
    DealLost,
    DealMerged,
    DealReopened,
    DealWon,
    Event,
    EventCorrected,
    EventRetracted,
    PipelineDefined,
    PipelineRedefined,
    Sealed,
)
from ledger.history import Visible, visible
from ledger.kinds import KINDS, fields_to_seal
from ledger.stream import Stream, replay
from ledger.times import day_start, format_instant, is_date, parse_date, parse_instant

PENDING = 2**62
"""Stands for the position of the event being decided: after all others."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """A line as somebody says it, decoded and checked. `effective_at` is an instant, the text of a date, or omitted."""

    stream: str
    event: Event
    effective_at: int | str | None = None
    recorded_at: int | None = None
    source: str | None = None
    expected_version: int | None = None
    key: str | None = None
    data: bytes | None = None
    """The event's canonical bytes, where reading has made them already."""


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event decided and not yet stored; times that are None become the log's own stamp.

    Where the event is last in effect (`in_order`), `state` is the stream's state after it.
    """

    stream: str
    version: int
    event: Event
    effective_at: int | None
    recorded_at: int | None
    source: str | None
    in_order: bool
    state: Any = None


class World(Protocol):
    """What a decision may ask beyond its own stream."""

    def stream(self, name: str) -> Stream:
        """Another stream, empty if there is none."""

    def time_zone(self) -> str:
        """The book's time zone."""

    def reveal(self, sealed: Iterable[Sealed]) -> dict[str, Any]:
        """Values from the vault, by commitment."""


def decide(stream: Stream, said: Said, world: World, now: int, *, history: bool) -> Draft | None:
    """The draft of what was said, or None where it is already so. Raises `Refused` or `Conflict`.

    `now` is the log's time; `history` allows claimed recording times and keeps repetitions (DESIGN 4).
    """
    if said.expected_version is not None and said.expected_version != stream.version:
        raise Conflict(
            f"{stream.name} is at version {stream.version}, not {said.expected_version}; read it again and decide anew"
        )
    if isinstance(said.event, EventRetracted | EventCorrected):
        return _decide_modifier(stream, said, said.event, world, now, history=history)
    effective_at, recorded_at = _times(stream, said, world, now, history=history)
    at = now if effective_at is None else effective_at
    in_order = at >= stream.last_effective_at
    before = stream.state if in_order else stream.state_at(at)
    event = said.event if history else _with_known_seals(stream, said.event, world)
    try:
        after = KINDS[stream.kind].evolve(before, event)
        if not history and (after == before or _counted_already(stream, event, effective_at)):
            return None
        _check_references(stream, before, event, at, world)
        if not in_order:
            _check_whole(stream, _pending(stream, event, at, recorded_at or now))
    except Refused:
        if not history and _already_said(stream, event, at):
            return None
        raise
    return Draft(stream.name, stream.version + 1, said.event, effective_at, recorded_at, said.source, in_order, after)


def _times(stream: Stream, said: Said, world: World, now: int, *, history: bool) -> tuple[int | None, int | None]:
    effective_at = None if said.effective_at is None else _instant(stream, said.effective_at, world)
    recorded_at = said.recorded_at
    if history:
        if recorded_at is None and effective_at is not None:
            recorded_at = min(max(effective_at, stream.last_recorded_at), now)
        elif effective_at is None:
            effective_at = recorded_at
    if recorded_at is not None:
        if recorded_at > now:
            raise Refused("in_the_future", f"recorded_at {format_instant(recorded_at)} lies in the future")
        if recorded_at < stream.last_recorded_at:
            raise Refused(
                "recorded_goes_back",
                f"recorded_at {format_instant(recorded_at)} is before the stream's last,"
                f" {format_instant(stream.last_recorded_at)}; give a stream's lines in the order they were recorded",
            )
    _check_not_ahead(stream, effective_at, recorded_at, now)
    return effective_at, recorded_at


def _check_not_ahead(stream: Stream, effective_at: int | None, recorded_at: int | None, now: int) -> None:
    limit = now if recorded_at is None else recorded_at
    if effective_at is not None and effective_at > limit and not KINDS[stream.kind].planned:
        when = "now" if recorded_at is None else f"it was recorded, {format_instant(recorded_at)}"
        raise Refused(
            "in_the_future", f"effective_at {format_instant(effective_at)} is after {when}; what happened lies behind"
        )


def _instant(stream: Stream, said: int | str, world: World) -> int:
    """An instant as given, or the start of a date but not before the stream's latest event of that day."""
    if isinstance(said, int):
        return said
    return parse_instant(said) if not is_date(said) else _on(stream, said, world)


def _on(stream: Stream, text: str, world: World) -> int:
    day = parse_date(text)
    start = day_start(day, world.time_zone())
    if start > stream.last_effective_at:
        return start
    end = day_start(day + timedelta(days=1), world.time_zone())
    return max([start, *(event.effective_at for event in stream.shown if event.effective_at < end)])


def _pending(stream: Stream, event: Event, effective_at: int, recorded_at: int) -> Recorded:
    version = stream.version + 1
    return Recorded(PENDING, stream.name, version, event.TYPE, effective_at, recorded_at, recorded_at, event, "")


def _check_whole(stream: Stream, pending: Recorded) -> None:
    replay(stream.kind, visible([*stream.events, pending]), newcomer=PENDING)


def _already_said(stream: Stream, event: Event, at: int) -> bool:
    """Whether the last word on what the event speaks of, at its time, is the event itself."""
    topic = _topic(event)
    words = (each.data for each in reversed(stream.shown) if each.effective_at <= at and _topic(each.data) == topic)
    return next(words, None) == event


def _topic(event: Event) -> tuple[Any, str | None]:
    """What an event has the last word on, until the next one on the same topic."""
    opens_or_closes = isinstance(event, DealWon | DealLost | DealAbandoned | DealReopened | DealMerged)
    return "closing" if opens_or_closes else type(event), getattr(event, "contact", None)


def _counted_already(stream: Stream, event: Event, at: int | None) -> bool:
    """Invoices, deliveries and credit notes add up; said twice for one instant they are one."""
    return isinstance(event, DealInvoiced | DealDelivered | DealCredited) and any(
        each.effective_at == at and each.data == event for each in stream.shown
    )


def _with_known_seals(stream: Stream, event: Event, world: World, version: int | None = None) -> Event:
    """The event with each text replaced by the stream's own seal of the same text, so that the two compare equal.

    The seals of one event, as first said and as corrected, when its `version` is given; else those of the whole stream.
    """
    for name in fields_to_seal(stream.kind, stream.state, event) if stream.events else ():
        seals = _seals_of(stream, version, name)
        known = world.reveal(seals)
        for seal in reversed(seals):
            if known.get(seal.commitment.c) == getattr(event, name):
                event = msgspec.structs.replace(event, **{name: seal})
                break
    return event


def _check_references(stream: Stream, before: Any, event: Event, at: int, world: World) -> None:
    match event:
        case CustomerMerged(into=into) | DealMerged(into=into):
            _check_merge(stream, into, world)
        case _ if stream.kind == "deal" and (named := deal.stage_named(event, before)) is not None:
            _check_stage(*named, at, world)
        case _:
            pass


def _check_stage(pipeline: str, stage: str, at: int, world: World) -> None:
    stages = None
    for shown in world.stream(f"pipeline-{pipeline}").shown:
        if shown.effective_at > at:
            break
        if isinstance(shown.data, PipelineDefined | PipelineRedefined):
            stages = shown.data.stages
    if stages is None:
        raise Refused(
            "unknown_pipeline",
            f"there is no pipeline {pipeline!r} at {format_instant(at)}; append pipeline.defined from an earlier time",
        )
    if not any(each.stage == stage for each in stages):
        known = ", ".join(each.stage for each in stages)
        raise Refused(
            "unknown_stage", f"pipeline {pipeline!r} has no stage {stage!r} at {format_instant(at)}; it has {known}"
        )


def _check_merge(stream: Stream, into: str, world: World) -> None:
    target = f"{stream.kind}-{into}"
    for _ in range(1_000):
        if target == stream.name:
            raise Refused(
                "merge_in_circle", f"{stream.name} cannot be merged into itself, directly or by way of others"
            )
        merged = next(
            (event.data for event in world.stream(target).shown if isinstance(event.data, CustomerMerged | DealMerged)),
            None,
        )
        if merged is None:
            return
        target = f"{stream.kind}-{merged.into}"
    raise Refused("merge_in_circle", f"{stream.name} would end a chain of more than 1,000 merges")


def _decide_modifier(
    stream: Stream, said: Said, event: EventRetracted | EventCorrected, world: World, now: int, *, history: bool
) -> Draft | None:
    if not 1 <= event.version <= stream.version:
        raise Refused(
            "unknown_version", f"{stream.name} has no event {event.version}; its versions are 1 to {stream.version}"
        )
    target = stream.events[event.version - 1]
    if isinstance(target.data, BookHistoryClosed):
        raise Refused("closed_for_good", "a book's history is closed for good; that cannot be retracted or corrected")
    _, recorded_at = _times(stream, msgspec.structs.replace(said, effective_at=None), world, now, history=history)
    if history and recorded_at is None and said.effective_at is not None:
        claimed = max(_instant(stream, said.effective_at, world), stream.last_recorded_at)
        recorded_at = min(claimed, now)
    if isinstance(event, EventCorrected):
        event = _completed(stream, event, target, world, recorded_at or now)
    elif not history and _is_retracted(stream, event.version):
        return None
    after = _shown_with(stream, event, recorded_at or now)
    if not history and _same_facts(_shown_with(stream, _comparable(stream, event, world), recorded_at or now), stream):
        return None
    replay(stream.kind, after, newcomer=target.position)
    _check_new_references(stream, after, world)
    return Draft(stream.name, stream.version + 1, event, recorded_at, recorded_at, said.source, in_order=False)


def _shown_with(stream: Stream, event: Event, recorded_at: int) -> list[Any]:
    return visible([*stream.events, _pending(stream, event, recorded_at, recorded_at)])


def _comparable(stream: Stream, event: Event, world: World) -> Event:
    """A correction whose texts are the seals they repeat."""
    if not isinstance(event, EventCorrected) or event.data is None:
        return event
    corrected = msgspec.convert(event.data, EVENTS[stream.events[event.version - 1].type])
    sealed = _with_known_seals(stream, corrected, world, event.version)
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
        effective_at = _instant(stream, event.effective_at, world)
        _check_not_ahead(stream, effective_at, recorded_at, recorded_at)
        event = msgspec.structs.replace(event, effective_at=format_instant(effective_at))
    if event.data is not None:
        try:
            corrected = msgspec.convert(event.data, EVENTS[target.type])
        except msgspec.ValidationError as error:
            raise Refused("bad_data", f"data of {target.type}: {error}") from None
        check(_without_own_seals(corrected, stream, target))
        event = msgspec.structs.replace(event, data=msgspec.to_builtins(corrected))
    return event


def _without_own_seals(corrected: Event, stream: Stream, target: Recorded) -> Event:
    """The new data with seals it takes over from the event it corrects replaced by a stand-in that passes checks."""
    for name in fields_to_seal(stream.kind, stream.state, corrected):
        seal = getattr(corrected, name)
        if isinstance(seal, Sealed) and seal in _seals_of(stream, target.version, name):
            corrected = msgspec.structs.replace(corrected, **{name: "…"})
    return corrected


def _seals_of(stream: Stream, version: int | None, name: str) -> list[Sealed]:
    """The seals that a field has had, in one event of the stream or in all, as first said and as corrected."""
    seals: list[Any] = []
    for event in stream.events:
        match event.data:
            case EventCorrected(version=corrected, data=dict(data)) if version in (None, corrected):
                if isinstance(data.get(name), dict):
                    seals.append(msgspec.convert(data[name], Sealed))
            case _ if version in (None, event.version):
                seals.append(getattr(event.data, name, None))
            case _:
                pass
    return [seal for seal in seals if isinstance(seal, Sealed)]


def _check_new_references(stream: Stream, after: list[Visible], world: World) -> None:
    """What a changed history refers to and did not before: another stage, pipeline, time or merge."""
    known = {(origin, at, named) for origin, at, named, *_ in _references(stream.kind, stream.shown)}
    for origin, at, named, before, event in _references(stream.kind, after):
        if (origin, at, named) not in known:
            _check_references(stream, before, event, at, world)


def _references(kind: str, shown: Iterable[Visible]) -> Iterator[tuple[int, int, object, Any, Event]]:
    """Each event that refers to another stream: its origin, time, what it names, the state before it, itself."""
    state = None
    for each in shown:
        named: object = deal.stage_named(each.data, state) if kind == "deal" else None
        if isinstance(each.data, CustomerMerged | DealMerged):
            named = each.data.into
        if named is not None:
            yield each.origin, each.effective_at, named, state, each.data
        state = KINDS[kind].evolve(state, each.data)
