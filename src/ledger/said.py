"""What is said and what is decided of it: the line, the draft, the world between them, and when things happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from ledger.codec import Recorded
from ledger.errors import Refused
from ledger.events import Event, Sealed, TaskPlanned, TaskRescheduled
from ledger.kinds import KINDS
from ledger.stream import Stream
from ledger.times import day_end, day_start, format_instant, is_date, parse_date, parse_instant

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
        """Values from the vault, by commitment; `Erased` for those of erased subjects."""


def times_of(stream: Stream, said: Said, world: World, now: int, *, history: bool) -> tuple[int | None, int | None]:
    """`effective_at, recorded_at` of what was said; None is left to the log. Raises `Refused`."""
    effective_at = None if said.effective_at is None else instant_of(stream, said.effective_at, world)
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
    check_not_ahead(stream, effective_at, recorded_at, now)
    return effective_at, recorded_at


def check_not_ahead(stream: Stream, effective_at: int | None, recorded_at: int | None, now: int) -> None:
    """Raise `Refused` for what happened after it was recorded."""
    limit = now if recorded_at is None else recorded_at
    if effective_at is not None and effective_at > limit and not KINDS[stream.kind].planned:
        when = "now" if recorded_at is None else f"it was recorded, {format_instant(recorded_at)}"
        raise Refused(
            "in_the_future", f"effective_at {format_instant(effective_at)} is after {when}; what happened lies behind"
        )


def instant_of(stream: Stream, said: int | str, world: World) -> int:
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


def as_written(event: Event, world: World) -> Event:
    """The event with what is due written as an instant; a date means the end of that day."""
    if not isinstance(event, TaskPlanned | TaskRescheduled):
        return event
    due = event.due_at
    instant = day_end(parse_date(due), world.time_zone()) if is_date(due) else parse_instant(due)
    return msgspec.structs.replace(event, due_at=format_instant(instant))


def pending(stream: Stream, event: Event, effective_at: int, recorded_at: int) -> Recorded:
    """The event being decided, as if it were stored last."""
    version = stream.version + 1
    return Recorded(PENDING, stream.name, version, event.TYPE, effective_at, recorded_at, recorded_at, event, "")
