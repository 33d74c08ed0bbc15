"""Pipelines: the stages that deals go through, and their probabilities."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import Attributes, Event, PipelineDefined, PipelineRedefined, Stage


class State(msgspec.Struct, frozen=True, gc=False):
    """A pipeline's name and stages in force, in order."""

    name: str
    stages: list[Stage]
    attributes: Attributes | None = None


def evolve(state: State | None, event: Event) -> State:
    """The pipeline after an event. Raises `Refused`."""
    match event:
        case PipelineDefined(name=name, stages=stages, attributes=attributes):
            if state is not None:
                raise Refused("already_defined", "this pipeline is defined; change it with pipeline.redefined")
            return State(name, stages, attributes)
        case PipelineRedefined(stages=stages):
            if state is None:
                raise Refused("unknown_pipeline", "no such pipeline at that time; define it with pipeline.defined")
            return msgspec.structs.replace(state, stages=stages)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a pipeline")
