"""Tasks: planned, put off or handed over, and ended once."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import Event, TaskAssigned, TaskCancelled, TaskDone, TaskPlanned, TaskRescheduled


class State(msgspec.Struct, frozen=True, gc=False):
    """A task as it stands; `plan` keeps owner and due time up to date."""

    plan: TaskPlanned
    ending: TaskDone | TaskCancelled | None = None


def evolve(state: State | None, event: Event) -> State:
    """The task after an event. Raises `Refused`."""
    replace = msgspec.structs.replace
    match event:
        case TaskPlanned():
            if state is not None:
                raise Refused("already_planned", "this task is planned; use task.rescheduled or task.assigned")
            return State(event)
        case _ if state is None:
            raise Refused("not_planned", f"{event.TYPE} needs a task; plan it with task.planned first")
        case _ if state.ending is not None:
            raise Refused("task_ended", f"{event.TYPE} refused: there is already {state.ending.TYPE}; a task ends once")
        case TaskRescheduled(due_at=due_at):
            return replace(state, plan=replace(state.plan, due_at=due_at))
        case TaskAssigned(owner=owner):
            return replace(state, plan=replace(state.plan, owner=owner))
        case TaskDone() | TaskCancelled():
            return replace(state, ending=event)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a task")
