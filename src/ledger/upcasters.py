"""How older stored shapes become today's: pure functions from the data of schema N to that of N + 1.

`deal.won` stored as schema 1 when three upcasters exist for it goes through all three before it is decoded.
Each upcaster is tested on a stored sample. There is none yet: every event is in its first schema.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: dict[str, tuple[Upcaster, ...]] = {}
"""By event type, in order: the first lifts schema 1 to 2."""


def schema_of(event_type: str) -> int:
    """The schema in which events of this type are written today."""
    return len(UPCASTERS.get(event_type, ())) + 1


def upcast(event_type: str, schema: int, data: dict[str, Any]) -> dict[str, Any]:
    """Lift stored data to today's schema."""
    for upcaster in UPCASTERS.get(event_type, ())[schema - 1 :]:
        data = upcaster(data)
    return data
