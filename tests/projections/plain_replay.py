"""The other way to the same answer: one fold over the visible history, one date at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.history import Visible, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.codec import Recorded
    from projections.grown import Shown
    from projections.rectangle import Payload
    from projections.timeline import Fold


def shown_at(fold: Fold, events: Sequence[Recorded], as_of: int, known_at: int) -> dict[str, dict[Payload, int]]:
    """What a stream shows at a pair: by table, each payload with the position of the event it holds from."""
    history = [event for event in visible(events, known_at) if event.effective_at <= as_of]
    states: list[Any] = [None]
    for event in history:
        states.append(fold.step(states[-1], event.data, event.effective_at, event.position))
    found: dict[str, dict[Payload, int]] = {}
    for table, show in fold.tables:
        seen = [(event, () if state is None else show(state)) for event, state in zip(history, states[1:], strict=True)]
        found[table] = {payload: _maker(seen, payload) for payload in (seen[-1][1] if seen else ())}
    return found


def _maker(seen: Sequence[tuple[Visible, Shown]], payload: Payload) -> int:
    """The event from which a payload has held without a gap, looking only at the ends of instants until the first."""
    ends = {event.effective_at: payloads for event, payloads in seen}
    start = seen[-1][0].effective_at
    for instant in sorted(ends, reverse=True):
        if payload not in ends[instant]:
            break
        start = instant
    maker = -1
    for event, payloads in reversed([each for each in seen if each[0].effective_at == start]):
        if payload not in payloads:
            break
        maker = event.position
    return maker
