"""Group commit: appends that arrive while a commit is under way go together in the next one.

The first caller leads: it writes what is waiting, tells the others how it went, and hands the lead to one of those
who came in the meantime. Nobody waits for a timer, so a lone caller pays nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

PATIENCE = 3
"""So many times in a row the interpreter is offered to others who do not come."""


class _Waiting(Generic[Job, Result]):
    __slots__ = ("error", "job", "result", "settled", "wake")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.settled = False
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
        """Write a job with whoever else is waiting; returns its result or raises its refusal."""
        mine: _Waiting[Job, Result] = _Waiting(job)
        with self._mutex:
            self._queue.append(mine)
            follow = self._led
            self._led = True
        if follow:
            mine.wake.acquire()
        if not mine.settled:
            self._lead()
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

    def _lead(self) -> None:
        self._let_others_in()
        with self._mutex:
            group, self._queue = self._queue[: self._most], self._queue[self._most :]
        self._last = len(group)
        try:
            outcomes: Sequence[Result | BaseException] = self._write([waiting.job for waiting in group])
        except BaseException as error:  # noqa: BLE001 (whatever it is, those who wait must hear of it)
            outcomes = [error] * len(group)
        with self._mutex:
            self._led = bool(self._queue)
            successor = self._queue[0] if self._queue else None
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                waiting.error = outcome
            else:
                waiting.result = outcome
            waiting.settled = True
            waiting.wake.release()
        if successor is not None:
            successor.wake.release()
