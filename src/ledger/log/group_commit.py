"""Group commit: appends that arrive while a commit is under way go together in the next one.

The first caller leads: it writes what is waiting, tells the others how it went, and hands the lead to one of those
who came in the meantime. Nobody waits for a timer, so a lone caller pays nothing. The others wake one another in turn:
threads woken all at once would only wait again, for the interpreter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import Lock
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

PATIENCE = 8
"""So many times in a row the interpreter is offered to others who do not come."""


class _Waiting(Generic[Job, Result]):
    """A job and its caller. `leads`: the caller is to write; `here`: it waits still; `after`: whom it wakes next."""

    __slots__ = ("after", "error", "here", "job", "leads", "result", "wake")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.here = True
        self.after: _Waiting[Job, Result] | None = None
        self.wake = Lock()
        self.wake.acquire()


class GroupCommit(Generic[Job, Result]):
    """Calls `write(jobs)` with as many waiting jobs as there are, one call at a time.

    `write` returns for each job its result or the exception that this job alone is refused with.
    If `write` raises, every job of that group is refused with it.
    """

    def __init__(self, write: Callable[[Sequence[Job]], Sequence[Result | BaseException]], most: int) -> None:
        self._write = write
        self._most = most
        self._mutex = Lock()
        self._queue: list[_Waiting[Job, Result]] = []
        self._led = False
        self._last = 1

    def submit(self, job: Job) -> Result:
        """Write a job with whoever else is waiting; returns its result or raises its refusal.

        Who is interrupted (Ctrl-C) before its job is begun takes it back; afterwards it never hears what came of it.
        """
        mine: _Waiting[Job, Result] = _Waiting(job)
        with self._mutex:
            self._queue.append(mine)
            mine.leads = not self._led
            self._led = True
        try:
            if not mine.leads:
                mine.wake.acquire()
            if mine.leads:
                self._let_others_in()
        except BaseException:
            self._leave(mine)
            raise
        finally:
            if mine.after is not None:
                mine.after.wake.release()
        if mine.leads:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]

    def _let_others_in(self) -> None:
        """Those whom the last group woke are about to come back: let them, as long as they do."""
        waiting, in_vain = len(self._queue), 0
        while waiting < self._last and in_vain < PATIENCE:
            time.sleep(0)
            in_vain = in_vain + 1 if len(self._queue) == waiting else 0
            waiting = len(self._queue)

    def _lead(self, mine: _Waiting[Job, Result]) -> None:
        with self._mutex:
            group, self._queue = self._queue[: self._most], self._queue[self._most :]
        self._last = len(group)
        try:
            outcomes: Sequence[Result | BaseException] = self._write([waiting.job for waiting in group])
        except BaseException as error:  # noqa: BLE001 (whatever it is, those who wait must hear of it)
            outcomes = [error] * len(group)
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                waiting.error = outcome
            else:
                waiting.result = outcome
        with self._mutex:
            others = [waiting for waiting in group if waiting.here and waiting is not mine]
            for waiting, after in pairwise(others):
                waiting.after = after
        if others:
            others[0].wake.release()
        self._hand_on()

    def _hand_on(self) -> None:
        """Whoever waits longest leads next."""
        with self._mutex:
            self._led = bool(self._queue)
            if not self._queue:
                return
            successor = self._queue[0]
            successor.leads = True
        successor.wake.release()

    def _leave(self, mine: _Waiting[Job, Result]) -> None:
        """Interrupted: nobody may wait for it."""
        with self._mutex:
            mine.here = False
            if mine in self._queue:
                self._queue.remove(mine)
        if mine.leads:
            self._hand_on()
