"""One stream's whole history as decisions see it: what is visible, and the state it adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.codec import Recorded
from ledger.errors import Refused
from ledger.history import Visible, visible
from ledger.kinds import KINDS, kind_of

NEVER = -(2**63)


class Stream:
    """A stream's events in order of version, what of them is visible, and the `state` that this adds up to.

    `state` is None before the first visible event. It belongs to one decision at a time; `add` grows it in place.
    """

    __slots__ = ("_shown", "_state", "events", "kind", "name")

    def __init__(self, name: str, events: Iterable[Recorded] = ()) -> None:
        self.name = name
        self.kind = kind_of(name)
        self.events = list(events)
        self._shown: list[Visible] | None = None
        self._state: Any = None

    @property
    def version(self) -> int:
        """The number of events, which is the version of the last one."""
        return len(self.events)

    @property
    def last_recorded_at(self) -> int:
        """Before which no further event of this stream may be recorded."""
        return self.events[-1].recorded_at if self.events else NEVER

    @property
    def shown(self) -> list[Visible]:
        """The visible history with all that is known, in order of effect."""
        if self._shown is None:
            self._shown = visible(self.events)
            self._state = replay(self.kind, self._shown)
        return self._shown

    @property
    def state(self) -> Any:
        """What the visible history adds up to."""
        return self._state if self.shown else None

    @property
    def last_effective_at(self) -> int:
        """When the last visible event took effect."""
        return self.shown[-1].effective_at if self.shown else NEVER

    def state_at(self, instant: int) -> Any:
        """The state at an instant of effect, with all that is known."""
        if self.last_effective_at <= instant:
            return self.state
        return replay(self.kind, [event for event in self.shown if event.effective_at <= instant])

    def add(self, event: Recorded, *, in_order: bool, state: Any) -> None:
        """One more event. `in_order`: it speaks of no other event and is the last in effect; `state` is that after it."""
        if in_order:
            self.shown.append(
                Visible(event.effective_at, event.position, event.data, event.position, event.appended_at)
            )
            self._state = state
        else:
            self._shown = None
        self.events.append(event)

    def settle(self, index: int, settled: Recorded) -> None:
        """An event that was added before it was stored, now with the position and times that the log gave it."""
        provisional = self.events[index]
        self.events[index] = settled
        if self._shown and self._shown[-1].origin == provisional.position:
            self._shown[-1] = Visible(
                settled.effective_at, settled.position, settled.data, settled.position, settled.appended_at
            )
        else:
            self._shown = None

    @staticmethod
    def project(stream: Stream | None, events: Iterable[Recorded]) -> Stream | None:
        """Projector function for the library's repository: the stream with these events after those it has."""
        recorded = list(events)
        if stream is None:
            return Stream(recorded[0].stream, recorded) if recorded else None
        return Stream(stream.name, [*stream.events, *recorded]) if recorded else stream


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
