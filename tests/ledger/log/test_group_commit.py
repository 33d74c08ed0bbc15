"""Group commit: who waits together is written together, and each hears of its own outcome."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.log.group_commit import GroupCommit


class Disk:
    """Writes jobs when told to, and remembers which it was given together."""

    def __init__(self):
        self.groups = []
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.writing = threading.Lock()

    def write(self, jobs):
        assert self.writing.acquire(blocking=False), "one write at a time"
        self.groups.append(list(jobs))
        self.begun.set()
        self.may_go_on.wait(10)
        self.writing.release()
        if "power cut" in jobs:
            raise OSError("power cut")
        return [ValueError(job) if job < 0 else job * 10 for job in jobs]


@pytest.fixture
def disk():
    return Disk()


def submitted_during_a_write(disk, group, jobs):
    """The first job is being written while the others arrive; what each got."""
    with ThreadPoolExecutor(len(jobs)) as threads:
        waiting = [threads.submit(group.submit, jobs[0])]
        disk.begun.wait(10)
        waiting += [threads.submit(group.submit, job) for job in jobs[1:]]
        while len(group._queue) < len(jobs) - 1:
            pass
        disk.may_go_on.set()
        return [each.exception(10) or each.result() for each in waiting]


def test_a_lone_job_is_written_at_once(disk):
    disk.may_go_on.set()
    group = GroupCommit(disk.write, 10)
    assert [group.submit(1), group.submit(2)] == [10, 20]
    assert disk.groups == [[1], [2]]


def test_those_who_come_during_a_write_go_together_in_the_next(disk):
    group = GroupCommit(disk.write, 10)
    assert submitted_during_a_write(disk, group, [1, 2, 3, 4]) == [10, 20, 30, 40]
    assert [sorted(each) for each in disk.groups] == [[1], [2, 3, 4]]


def test_a_group_holds_only_so_many_and_the_lead_is_handed_on(disk):
    group = GroupCommit(disk.write, 2)
    assert submitted_during_a_write(disk, group, [1, 2, 3, 4, 5, 6]) == [10, 20, 30, 40, 50, 60]
    assert [len(each) for each in disk.groups] == [1, 2, 2, 1]


def test_a_refusal_is_for_the_one_it_concerns(disk):
    group = GroupCommit(disk.write, 10)
    told = submitted_during_a_write(disk, group, [1, 2, -3, 4])
    assert [str(each) for each in told] == ["10", "20", "-3", "40"]
    assert isinstance(told[2], ValueError)


def test_a_failed_write_is_told_to_all_of_its_group_and_to_nobody_else(disk):
    group = GroupCommit(disk.write, 10)
    told = submitted_during_a_write(disk, group, [1, 2, "power cut"])
    assert told[0] == 10
    assert [str(each) for each in told[1:]] == ["power cut"] * 2
    assert group.submit(5) == 50


def test_many_threads_each_get_their_own_answer(disk):
    disk.may_go_on.set()
    group = GroupCommit(disk.write, 8)
    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(group.submit, range(2_000))) == [number * 10 for number in range(2_000)]
    assert sorted(job for jobs in disk.groups for job in jobs) == list(range(2_000))


@pytest.fixture
def ctrl_c():
    """Ctrl-C interrupts, also where whoever started the tests had it ignored, as a shell does in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("begun", [False, True], ids=["still waiting", "being written"])
def test_who_is_interrupted_keeps_nobody_waiting(disk, begun):
    """Ctrl-C reaches the main thread alone, here while two others wait around it."""
    group = GroupCommit(disk.write, 10)
    main = threading.get_ident()

    def waiting(count):
        while len(group._queue) < count:
            pass

    def interrupt():
        waiting(2)
        third = threads.submit(group.submit, 4)
        waiting(3)
        if begun:
            disk.begun.clear()
            disk.may_go_on.set()
            disk.may_go_on = threading.Event()
            disk.begun.wait(10)
        signal.pthread_kill(main, signal.SIGINT)
        return third

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(group.submit, 1)
        disk.begun.wait(10)
        second = threads.submit(group.submit, 2)
        waiting(1)
        interrupting = threads.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            group.submit(3)
        disk.may_go_on.set()
        assert [first.result(10), second.result(10), interrupting.result(10).result(10)] == [10, 20, 40]
    assert [sorted(each) for each in disk.groups] == [[1], [2, 3, 4] if begun else [2, 4]]
    assert group.submit(5) == 50


def test_who_is_interrupted_as_it_is_to_lead_hands_the_lead_on(disk, monkeypatch):
    group = GroupCommit(disk.write, 10)
    disk.may_go_on.set()

    def interrupted():
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(group, "_let_others_in", interrupted)
    with pytest.raises(KeyboardInterrupt):
        group.submit(1)
    assert group.submit(2) == 20
    assert disk.groups == [[2]]
