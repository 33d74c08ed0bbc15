"""Tasks: `task_versions`. Of two endings the later in effect counts."""

from __future__ import annotations

from typing import assert_never

import msgspec

from ledger.events import TaskAssigned, TaskCancelled, TaskDone, TaskPlanned, TaskRescheduled
from ledger.times import parse_instant
from projections.rectangle import Payloads
from projections.timeline import Fold

TaskEvent = TaskPlanned | TaskRescheduled | TaskAssigned | TaskDone | TaskCancelled


class State(msgspec.Struct, frozen=True, gc=False):
    """The columns of `task_versions` in their order."""

    status: str
    kind: str
    owner: str
    customer: str | None
    contact: str | None
    deal: str | None
    due_at: int
    planned_at: int
    ended_at: int | None = None


def step(state: State | None, event: TaskEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The task after an event; None before it was planned."""
    if state is None:
        return _planned(event, at) if isinstance(event, TaskPlanned) else None
    replace = msgspec.structs.replace
    match event:
        case TaskRescheduled(due_at=due_at):
            return state if state.status != "planned" else replace(state, due_at=parse_instant(due_at))
        case TaskAssigned(owner=owner):
            return state if state.status != "planned" else replace(state, owner=owner)
        case TaskDone():
            return replace(state, status="done", ended_at=at)
        case TaskCancelled():
            return replace(state, status="cancelled", ended_at=at)
        case TaskPlanned():
            return state  # planned a second time, seen before the retraction of the first
        case _:
            assert_never(event)


def _planned(event: TaskPlanned, at: int) -> State:
    due_at = parse_instant(event.due_at)
    return State("planned", event.kind, event.owner, event.customer, event.contact, event.deal, due_at, at)


def _versions(state: State) -> Payloads:
    return (msgspec.structs.astuple(state),)


FOLD = Fold(step, (("task_versions", _versions),), TaskEvent.__args__)
