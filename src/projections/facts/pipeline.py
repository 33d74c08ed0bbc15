"""Pipelines: `stage_versions`, a row for each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from ledger.events import PipelineDefined, PipelineRedefined
from projections.rectangle import Payloads
from projections.timeline import Fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Stage

PipelineEvent = PipelineDefined | PipelineRedefined


class State(msgspec.Struct, frozen=True, gc=False):
    """Stages by id: number, what was said of it last, and whether it is gone."""

    name: str
    stages: dict[str, tuple[int, Stage, int]]


def step(state: State | None, event: PipelineEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The pipeline after an event. A stage that a redefinition leaves out keeps what it last was, as gone."""
    match event:
        case PipelineDefined(name=name, stages=stages):
            return State(name, _stages({}, stages)) if state is None else state
        case PipelineRedefined(stages=stages):
            return msgspec.structs.replace(state, stages=_stages(state.stages, stages)) if state is not None else None
        case _:
            assert_never(event)


def _stages(before: dict[str, tuple[int, Stage, int]], stages: Sequence[Stage]) -> dict[str, tuple[int, Stage, int]]:
    now = {stage.stage: (number, stage, 0) for number, stage in enumerate(stages, start=1)}
    gone = {name: (number, stage, 1) for name, (number, stage, _) in before.items() if name not in now}
    return now | gone


def _versions(state: State) -> Payloads:
    return tuple(
        (state.name, stage.stage, number, stage.name, stage.probability_bp, stage.category, gone)
        for number, stage, gone in state.stages.values()
    )


FOLD = Fold(step, (("stage_versions", _versions),), PipelineEvent.__args__, planned=True)
