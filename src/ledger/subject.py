"""Subjects: whom sealed values are about, by their random refs, once those values are erased."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import Event, SubjectErased


class State(msgspec.Struct, frozen=True, gc=False):
    """A subject that is erased; there is no other event about one."""


def evolve(state: State | None, event: Event) -> State:  # noqa: ARG001 (there is one event, and no way back)
    """The subject after an event. Raises `Refused`."""
    match event:
        case SubjectErased():
            return State()
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a subject")
