"""Kinds of streams that no report reads yet: their events are known, and make no rows."""

from __future__ import annotations

from ledger.events import EVENTS
from projections.timeline import Fold


def unfolded(first_word: str, *, planned: bool = False) -> Fold:
    """The fold, showing nothing, of a kind whose event types begin with this word."""
    ignored = {event: "no report reads it yet" for name, event in EVENTS.items() if name.startswith(f"{first_word}.")}
    return Fold(lambda state, event, at, position: None, (), (), ignored, planned)  # noqa: ARG005
