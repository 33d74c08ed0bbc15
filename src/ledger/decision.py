"""Whether a line may be appended, by the rules of its stream and the stream's whole visible history.

`decide` is pure: state, line and time in, a `Draft` out, or None where it is already so, or `Refused`.
"""

from __future__ import annotations

from ledger.amending import amend
from ledger.codec import Recorded
from ledger.errors import Conflict, Refused
from ledger.events import EventCorrected, EventRetracted
from ledger.history import visible
from ledger.kinds import KINDS
from ledger.references import check_references
from ledger.repeating import already_said, counted_already, with_known_seals
from ledger.said import PENDING, Draft, Said, World, as_written, pending, times_of
from ledger.stream import Stream, replay


def decide(stream: Stream, said: Said, world: World, now: int, *, history: bool) -> Draft | None:
    """The draft of what was said, or None where it is already so. Raises `Refused` or `Conflict`.

    `now` is the log's time; `history` allows claimed recording times and keeps repetitions (DESIGN 4).
    """
    if stream.kind == "subject":
        raise Refused("erase_only", "no line can erase, and an erasure is for good; use sales-ledger erase")
    if said.expected_version is not None and said.expected_version != stream.version:
        raise Conflict(
            f"{stream.name} is at version {stream.version}, not {said.expected_version}; read it again and decide anew"
        )
    if isinstance(said.event, EventRetracted | EventCorrected):
        return amend(stream, said, said.event, world, now, history=history)
    effective_at, recorded_at = times_of(stream, said, world, now, history=history)
    at = now if effective_at is None else effective_at
    in_order = at >= stream.last_effective_at
    before = stream.state if in_order else stream.state_at(at)
    written = as_written(said.event, world)
    event = written if history else with_known_seals(stream, written, world)
    try:
        after = KINDS[stream.kind].evolve(before, event)
        if not history and (after == before or counted_already(stream, event, effective_at)):
            return None
        check_references(stream, before, event, at, world)
        if not in_order:
            _check_whole(stream, pending(stream, event, at, recorded_at or now))
    except Refused:
        if not history and already_said(stream, event, at):
            return None
        raise
    return Draft(stream.name, stream.version + 1, written, effective_at, recorded_at, said.source, in_order, after)


def _check_whole(stream: Stream, newcomer: Recorded) -> None:
    replay(stream.kind, visible([*stream.events, newcomer]), newcomer=PENDING)
