"""What the things that events refer to were called: read from their own streams, at the time of the event."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ledger.codec import Recorded
from ledger.events import Erased, Sealed
from ledger.kinds import KINDS
from ledger.plain import Revealer
from ledger.story.fields import standing
from ledger.story.life import states

Timeline = tuple[list[int], list[Any]]

REFERENCES = {
    "campaign": "campaign",
    "customer": "customer",
    "deal": "deal",
    "owner": "person",
    "person": "person",
    "pipeline": "pipeline",
    "product": "product",
    "team": "team",
}
"""Fields that name another thing, and its kind."""

SAME_KIND = ("into", "parent")
"""Fields that name another thing of the event's own kind."""

_CALLED = ("name", "title", "number", "subject", "statement")


class Reader(Revealer, Protocol):
    """Whoever holds the log, and the vault."""

    def streams(self, streams: Sequence[str]) -> Mapping[str, list[Recorded]]:
        """The events of several streams; streams without events are missing."""
        ...


class Names:
    """Names as known at one instant; `values` holds what lies behind commitments, by commitment."""

    def __init__(self, timelines: Mapping[str, Timeline], values: Mapping[str, Any]) -> None:
        self._timelines = timelines
        self.values = values

    def of(self, kind: str, thing: str, at: int) -> str | Erased | None:
        """The name of a thing at an instant, or at its beginning where that is later."""
        return self._text(called(self._state(f"{kind}-{thing}", at), kind))

    def stage(self, pipeline: str, stage: str, at: int) -> str | None:
        """A stage's name in its pipeline, as at an instant; one that is gone keeps its last."""
        there, *others = self._states(f"pipeline-{pipeline}", at) or [None]
        for state in (there, *reversed(others)):
            for each in state.stages if state is not None else ():
                if each.stage == stage:
                    return str(each.name)
        return None

    def contact(self, customer: str, contact: str, at: int) -> str | Erased | None:
        """The name of a person at a customer's."""
        for state in self._states(f"customer-{customer}", at):
            if state is not None and contact in state.contacts:
                return self._text(state.contacts[contact].name)
        return None

    def _state(self, stream: str, at: int) -> Any:
        return next(iter(self._states(stream, at)), None)

    def _states(self, stream: str, at: int) -> list[Any]:
        """The state at an instant, then all."""
        instants, found = self._timelines.get(stream, ([], []))
        return [found[max(0, bisect_right(instants, at) - 1)], *found] if found else []

    def _text(self, value: Any) -> str | Erased | None:
        if isinstance(value, Sealed):
            value = self.values.get(value.commitment.c)
        return value if isinstance(value, str | Erased) else None


def called(state: Any, kind: str) -> Any:
    """What a thing is called in its own events, sealed or in clear; None for what has neither name nor title."""
    values = standing(state, kind)
    return next((values[name] for name in _CALLED if values.get(name) is not None), None)


def names_for(reader: Reader, kind: str, said: Sequence[msgspec.Struct], known_at: int) -> Names:
    """The names of all that these structs refer to, as known then, and what is sealed in both."""
    wanted = sorted({stream for each in said for stream in references(each, kind)})
    timelines: dict[str, Timeline] = {}
    for stream, events in reader.streams(wanted).items():
        found = states(events, known_at)
        timelines[stream] = ([at for at, _ in found], [state for _, state in found])
    names = (name for stream, (_, found) in timelines.items() for state in found for name in _names(stream, state))
    own = (getattr(part, name) for each in said for part in structs_in(each) for name in part.__struct_fields__)
    return Names(timelines, reader.reveal(each for each in (*own, *names) if isinstance(each, Sealed)))


def references(value: Any, kind: str) -> Iterator[str]:
    """The streams that an event, or a part of one, refers to."""
    for holder in structs_in(value):
        for name in holder.__struct_fields__:
            thing = getattr(holder, name)
            to = kind if name in SAME_KIND else REFERENCES.get(name)
            if isinstance(thing, str) and to in KINDS:
                yield f"{to}-{thing}"


def structs_in(value: Any) -> Iterator[msgspec.Struct]:
    """A struct and all the structs inside it."""
    match value:
        case msgspec.Struct():
            yield value
            for name in value.__struct_fields__:
                yield from structs_in(getattr(value, name))
        case list() | tuple():
            for each in value:
                yield from structs_in(each)
        case _:
            return


def _names(stream: str, state: Any) -> Iterator[Any]:
    yield called(state, stream.partition("-")[0])
    yield from (contact.name for contact in getattr(state, "contacts", {}).values())
