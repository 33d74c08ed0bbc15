"""One stream's whole history as decisions see it: what is visible, and the state it adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ledger.codec import Recorded
from ledger.errors import Refused
from ledger.history import Visible, visible
from ledger.kinds import KINDS, kind_of

NEVER = -(2**63)


class Stream:
    """A stream's events in order of version, what of them is visible, and the `state` that this adds up to.

    `shown` is the visible history with all that is known, in order of effect; `state` is None before the first visible
    event, and `last_effective_at` then `NEVER`. No further event may be recorded before `last_recorded_at`.
    It belongs to one decision at a time; `add` grows it in place.
    """

    __slots__ = ("events", "kind", "last_effective_at", "last_recorded_at", "name", "shown", "state")

    def __init__(self, name: str, events: Iterable[Recorded] = ()) -> None:
        self.name = name
        self.kind = kind_of(name)
        self.events = list(events)
        self.last_recorded_at = self.events[-1].recorded_at if self.events else NEVER
        self.shown: list[Visible] = []
        self.state: Any = None
        self.last_effective_at = NEVER
        if self.events:
            self._look()

    @property
    def version(self) -> int:
        """The number of events, which is the version of the last one."""
        return len(self.events)

    def _look(self) -> None:
        self.shown = visible(self.events)
        self.state = replay(self.kind, self.shown)
        self.last_effective_at = self.shown[-1].effective_at if self.shown else NEVER

    def state_at(self, instant: int) -> Any:
        """The state at an instant of effect, with all that is known."""
        if self.last_effective_at <= instant:
            return self.state
        return replay(self.kind, [event for event in self.shown if event.effective_at <= instant])

    def add(self, event: Recorded, *, in_order: bool, state: Any) -> None:
        """One more event. `in_order`: it speaks of no other event and is the last in effect; `state` is that after it."""
        self.events.append(event)
        self.last_recorded_at = event.recorded_at
        if in_order:
            at, position = event.effective_at, event.position
            self.shown.append(Visible(at, position, event.data, position, event.appended_at))
            self.state = state
            self.last_effective_at = at
        else:
            self._look()

    def cut(self, version: int) -> None:
        """Forget the events after this version: they were decided, and will not be stored."""
        del self.events[version:]
        self.last_recorded_at = self.events[-1].recorded_at if self.events else NEVER
        self._look()

    def settle(self, settled: Sequence[Recorded]) -> None:
        """Events that were added before they were stored, now with the positions and times that the log gave them.

        What was added after them and leaves its times to the log too will be stamped later than they are.
        """
        last = settled[-1]
        provisional = self.events[last.version - 1]
        for event in settled:
            self.events[event.version - 1] = event
        for index in range(last.version, self.version):
            self.events[index] = _not_before(last.appended_at, self.events[index])
        self.last_recorded_at = self.events[-1].recorded_at
        if (
            len(settled) == 1
            and last is self.events[-1]
            and self.shown[-1:]
            and self.shown[-1].origin == provisional.position
        ):
            self.shown[-1] = Visible(last.effective_at, last.position, last.data, last.position, last.appended_at)
            self.last_effective_at = last.effective_at
        else:
            self._look()

    @staticmethod
    def project(stream: Stream | None, events: Iterable[Recorded]) -> Stream | None:
        """Projector function for the library's repository: the stream with these events after those it has."""
        recorded = list(events)
        if stream is None:
            return Stream(recorded[0].stream, recorded) if recorded else None
        return Stream(stream.name, [*stream.events, *recorded]) if recorded else stream


def _not_before(stamp: int, event: Recorded) -> Recorded:
    if event.recorded_at != event.appended_at or event.recorded_at >= stamp:
        return event
    effective_at = stamp if event.effective_at == event.recorded_at else event.effective_at
    return msgspec.structs.replace(event, effective_at=effective_at, recorded_at=stamp, appended_at=stamp)


def replay(kind: str, shown: Sequence[Visible], newcomer: int | None = None) -> Any:
    """The state after a visible history. Raises `Refused`, naming the event that is no longer legal.

    `newcomer` is the `origin` of the event that is being decided: its own refusal needs no such explanation.
    """
    evolve = KINDS[kind].evolve
    state = None
    for event in shown:
        try:
            state = evolve(state, event.data)
        except Refused as refused:
            if newcomer is None or event.origin == newcomer:
                raise
            raise Refused(refused.code, f"then {event.data.TYPE} would no longer be allowed: {refused}") from None
    return state
