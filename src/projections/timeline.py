"""The bitemporal fold that all kinds share: one stream's events in, rectangles of business time and knowledge out.

A fold says how a state steps from event to event and which payloads a state shows in each table. Here its states are
laid out over both times: a row holds while its payload does, for everyone who knows what was known then.

Knowledge proceeds through the instants at which events were recorded. Each changes the visible history from some
instant of effect on; that tail is folded anew and its rows compared with those before: equal ones stay, others are
closed at that knowledge and replaced. Of what *happened* nobody asks beyond what is known (`as_of <= known_at`), so a
row whose lost part lies wholly there is shortened instead: an event in order costs one row. What is *planned* is right
everywhere. `ledger.history.visible` is the specification; property tests hold this to it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.any_order import in_any_order
from projections.in_order import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.codec import Recorded
    from projections.grown import Shown
    from projections.rectangle import Row


class Fold(NamedTuple):
    """How one kind of stream becomes rows.

    `step(state, event, at, position)` is total: it never raises on an odd order of events, and returns None while there
    is nothing yet. `tables` gives for each table the payloads that a state shows, in any order, no two equal (`Grown`
    where many may add up); a state of None shows none. `events` are the types that count, `ignored` those of the kind that do not, and why;
    `planned` kinds may hold events ahead of their recording.
    """

    step: Callable[[Any, Any, int, int], Any]
    tables: tuple[tuple[str, Callable[[Any], Shown]], ...]
    events: tuple[type[Any], ...]
    ignored: Mapping[type[Any], str] = MappingProxyType({})
    planned: bool = False


def rectangles(events: Sequence[Recorded], fold: Fold) -> list[list[Row]]:
    """The rows of one stream, a list for each of the fold's tables.

    `events` is the whole stream by version. `(as_of, known_at)` reads from the rows what folding
    `visible(events, known_at)` up to `as_of` shows; for what happened, where `as_of <= known_at`.
    """
    rows = in_order(events, fold)
    return in_any_order(events, fold) if rows is None else rows
