"""The rules of a task."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, retracted, say

TASK = "task-t1"


def planned(due_at="2026-02-17T09:00:00Z", **more):
    return say(TASK, "task.planned", **({"kind": "follow_up", "due_at": due_at, "owner": "ana"} | more))


def rescheduled(due_at):
    return say(TASK, "task.rescheduled", due_at=due_at)


PLANNED = planned()
ASSIGNED = say(TASK, "task.assigned", owner="bob")
DONE = say(TASK, "task.done")
CANCELLED = say(TASK, "task.cancelled", reason="duplicate")
CHANGES = [rescheduled("2026-03-01T09:00:00Z"), ASSIGNED]
ENDINGS = [DONE, CANCELLED]


def test_a_task_is_planned_once():
    book = given().when(PLANNED).then("task.planned", {"plan.owner": "ana", "ending": None})
    book.when(PLANNED).nothing()
    book.when(planned(owner="bob")).refused("already_planned", "task.assigned")
    book.when(ASSIGNED).then("task.assigned")
    book.when(PLANNED).nothing()


@pytest.mark.parametrize("line", [*CHANGES, *ENDINGS], ids=lambda line: line["type"])
def test_planned_first(line):
    given().when(line).refused("not_planned", "task.planned first")


@pytest.mark.parametrize(
    ("due_at", "written"),
    [
        ("2026-02-17T09:00:00Z", "2026-02-17T09:00:00.000000Z"),
        ("2026-02-17T10:00:00.5+01:00", "2026-02-17T09:00:00.500000Z"),
        ("2026-02-17", "2026-02-17T22:59:59.999999Z"),
        ("2026-03-29", "2026-03-29T21:59:59.999999Z"),
        ("2019-01-01", "2019-01-01T22:59:59.999999Z"),
    ],
)
def test_a_due_time_is_written_one_way_and_a_date_is_the_end_of_that_day(due_at, written):
    book = given().when(planned(due_at)).then("task.planned", {"plan.due_at": written})
    book.when(planned(written)).nothing()
    book.when(rescheduled(due_at)).nothing()
    book.when(rescheduled("2026-05-01")).then("task.rescheduled", {"plan.due_at": "2026-05-01T21:59:59.999999Z"})
    book.when(rescheduled("2026-05-01")).nothing()
    book.when(corrected(TASK, 1, planned(due_at, owner="eve")["data"])).then("event.corrected", {"plan.owner": "eve"})
    book.when(retracted(TASK, 2)).then("event.retracted", {"plan.due_at": written})


def test_a_date_is_read_in_the_time_zone_of_the_book():
    opening = {"name": "b", "currency": "JPY", "fiscal_year_start_month": 4, "locale": "en", "time_zone": "Asia/Tokyo"}
    book = given(say("book", "book.opened", "2020-01-01", **opening))
    book.when(planned("2026-02-17")).then("task.planned", {"plan.due_at": "2026-02-17T14:59:59.999999Z"})


@pytest.mark.parametrize("line", CHANGES, ids=lambda line: line["type"])
def test_a_task_is_put_off_and_handed_over(line):
    book = given(PLANNED).when(line).then(line["type"])
    book.when(line).nothing()


def test_handing_over_to_whom_it_belongs_is_no_news():
    given(PLANNED).when(say(TASK, "task.assigned", owner="ana")).nothing()
    given(PLANNED).when(rescheduled("2026-02-17T09:00:00Z")).nothing()


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda line: line["type"])
def test_a_task_ends_once(ending):
    book = given(PLANNED).when(ending).then(ending["type"], {"ending.TYPE": ending["type"]})
    book.when(ending).nothing()
    for line in (*CHANGES, *ENDINGS):
        if line != ending:
            book.when(line).refused("task_ended", f"there is already {ending['type']}")
    book.when(ending, history=True).refused("task_ended", "a task ends once")
    book.when(retracted(TASK, 2)).then("event.retracted", {"ending": None})
    book.when(ASSIGNED).then("task.assigned")


def test_a_back_dated_change_must_leave_the_whole_history_legal():
    book = given(PLANNED | {"effective_at": "2025-06-01"}, DONE | {"effective_at": "2025-09-01"})
    book.when(ASSIGNED | {"effective_at": "2025-08-01"}).then("task.assigned", {"plan.owner": "bob"})
    book.when(CANCELLED | {"effective_at": "2025-08-01"}).refused(
        "task_ended", "then task.done would no longer be allowed"
    )
    book.when(ASSIGNED | {"effective_at": "2025-05-01"}).refused("not_planned")
    book.when(retracted(TASK, 1)).refused("not_planned", "then task.assigned would no longer be allowed")


def test_what_is_due_lies_ahead_but_its_planning_does_not():
    given().when(PLANNED | {"effective_at": "2026-02-17"}).refused("in_the_future")
    given(PLANNED).when(DONE | {"effective_at": "2026-02-17"}).refused("in_the_future")
