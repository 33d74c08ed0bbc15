"""What an event refers to beyond its own stream and must exist: a pipeline's stage, the survivor of a merge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ledger import deal
from ledger.errors import Refused
from ledger.events import CustomerMerged, DealMerged, Event, PipelineDefined, PipelineRedefined
from ledger.history import Visible
from ledger.kinds import KINDS
from ledger.said import World
from ledger.stream import Stream
from ledger.times import format_instant


def check_references(stream: Stream, before: Any, event: Event, at: int, world: World) -> None:
    """Raise `Refused` for a stage, pipeline or merge that cannot be referred to at that time."""
    match event:
        case CustomerMerged(into=into) | DealMerged(into=into):
            _check_merge(stream, into, world)
        case _ if stream.kind == "deal" and (named := deal.stage_named(event, before)) is not None:
            _check_stage(*named, at, world)
        case _:
            pass


def _check_stage(pipeline: str, stage: str, at: int, world: World) -> None:
    stages = None
    for shown in world.stream(f"pipeline-{pipeline}").shown:
        if shown.effective_at > at:
            break
        if isinstance(shown.data, PipelineDefined | PipelineRedefined):
            stages = shown.data.stages
    if stages is None:
        raise Refused(
            "unknown_pipeline",
            f"there is no pipeline {pipeline!r} at {format_instant(at)}; append pipeline.defined from an earlier time",
        )
    if not any(each.stage == stage for each in stages):
        known = ", ".join(each.stage for each in stages)
        raise Refused(
            "unknown_stage", f"pipeline {pipeline!r} has no stage {stage!r} at {format_instant(at)}; it has {known}"
        )


def _check_merge(stream: Stream, into: str, world: World) -> None:
    target = f"{stream.kind}-{into}"
    for _ in range(1_000):
        if target == stream.name:
            raise Refused(
                "merge_in_circle", f"{stream.name} cannot be merged into itself, directly or by way of others"
            )
        merged = next(
            (event.data for event in world.stream(target).shown if isinstance(event.data, CustomerMerged | DealMerged)),
            None,
        )
        if merged is None:
            return
        target = f"{stream.kind}-{merged.into}"
    raise Refused("merge_in_circle", f"{stream.name} would end a chain of more than 1,000 merges")


def check_new_references(stream: Stream, after: list[Visible], world: World) -> None:
    """What a changed history refers to and did not before: another stage, pipeline, time or merge."""
    known = {(origin, at, named) for origin, at, named, *_ in _references(stream.kind, stream.shown)}
    for origin, at, named, before, event in _references(stream.kind, after):
        if (origin, at, named) not in known:
            check_references(stream, before, event, at, world)


def _references(kind: str, shown: Iterable[Visible]) -> Iterator[tuple[int, int, object, Any, Event]]:
    """Each event that refers to another stream: its origin, time, what it names, the state before it, itself."""
    state = None
    for each in shown:
        named: object = deal.stage_named(each.data, state) if kind == "deal" else None
        if isinstance(each.data, CustomerMerged | DealMerged):
            named = each.data.into
        if named is not None:
            yield each.origin, each.effective_at, named, state, each.data
        state = KINDS[kind].evolve(state, each.data)
