"""Many writers at once, in threads and in processes: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger.application import open_ledger
from ledger.errors import Conflict, Refused
from tests.support.lines import check_log, entries, eur, opened, pipeline, say, team


def rename(name, version=None):
    line = say("team-a", "team.renamed", name=name)
    return line if version is None else line | {"expected_version": version}


def at_once(work, writers):
    """Run `work(number)` in that many threads, all starting together; their answers."""
    barrier = threading.Barrier(writers)

    def start(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(writers) as threads:
        return list(threads.map(start, range(writers)))


@pytest.mark.parametrize("writers", [2, 8, 64])
def test_writers_that_say_which_version_they_saw_lose_no_update(ledger, writers):
    """Each adds one to a counter that it has read; whoever comes late reads again. The sum is right."""
    ledger.append([say("product-a", "product.listed", name="0")], actor="ana")
    each = max(1, 64 // writers)

    def work(number):
        for _ in range(each):
            while True:
                events = ledger.stream("product-a")
                count = int(events[-1].data.name) + 1
                line = say("product-a", "product.changed", name=str(count)) | {"expected_version": len(events)}
                try:
                    ledger.append([line], actor=f"w{number}")
                except Conflict:
                    continue
                break

    at_once(work, writers)
    events = ledger.stream("product-a")
    assert [int(event.data.name) for event in events] == list(range(writers * each + 1))
    check_log(ledger)


@pytest.mark.parametrize("writers", [16, 64])
def test_writers_that_do_not_care_about_the_version_all_succeed(ledger, writers):
    ledger.append([team("a")], actor="ana")
    each = 2

    def work(number):
        return [ledger.append([rename(f"{number} {turn}")], actor=f"w{number}")[0].version for turn in range(each)]

    versions = [version for told in at_once(work, writers) for version in told]
    assert sorted(versions) == list(range(2, 2 + writers * each))
    assert check_log(ledger) == 2 + writers * each


def test_of_two_closings_at_once_one_is_refused(ledger):
    ledger.append([pipeline(), *(opened(f"d{number}") for number in range(12))], actor="ana")

    def work(number):
        won = number % 2 == 0
        told = []
        for deal in range(12):
            line = say(f"deal-d{deal}", "deal.won" if won else "deal.lost", **({} if won else {"reason": "x"}))
            try:
                told.append(ledger.append([line], actor="ana")[0].appended)
            except Refused:
                told.append(False)
        return told

    answers = at_once(work, 4)
    for deal in range(12):
        assert [answer[deal] for answer in answers].count(True) == 1
        assert len(ledger.stream(f"deal-d{deal}")) == 2
    check_log(ledger)


def test_first_appends_at_once_open_the_book_once(ledger):
    at_once(lambda number: ledger.append([team(f"t{number}")], actor="ana"), 16)
    assert [entry["type"] for entry in entries(ledger)].count("book.opened") == 1
    assert check_log(ledger) == 17


def test_requests_of_many_threads_stay_whole(ledger):
    def work(number):
        for turn in range(5):
            ledger.append([team(f"{name}{number}-{turn}") for name in "abc"], actor=f"w{number}")

    at_once(work, 12)
    rows = [entry for entry in entries(ledger) if entry["type"] == "team.created"]
    groups: dict[int, list[dict[str, Any]]] = {}
    for entry in rows:
        groups.setdefault(entry["columns"]["appended_at"], []).append(entry)
    assert len(groups) == 60
    for group in groups.values():
        positions = [entry["columns"]["position"] for entry in group]
        assert positions == list(range(positions[0], positions[0] + 3))
        assert len({entry["actor"] for entry in group}) == 1
    check_log(ledger)


def _write(url, book, number, barrier):
    ledger = open_ledger(url, book)
    barrier.wait(60)

    def work(thread):
        me = f"w{number}-{thread}"
        for turn in range(4):
            while True:
                version = len(ledger.stream("team-a"))
                try:
                    ledger.append([rename(f"{me}-{turn}", version), team(f"{me}-{turn}")], actor=me)
                except Conflict:
                    continue
                break
            ledger.append([rename(f"{me}-{turn} again")], actor=me)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()


@pytest.mark.slow
def test_writers_in_several_processes(ledger, database_url, book):
    ledger.append([team("a")], actor="ana")
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=_write, args=(database_url, book, n, barrier)) for n in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    renames = [event.data.name for event in ledger.stream("team-a")[1:]]
    assert len(renames) == len(set(renames)) == 2 * 3 * 4 * 2
    assert check_log(ledger) == 2 + 2 * 3 * 4 * 3


def test_credit_notes_of_many_threads_are_all_there(ledger):
    """Nothing of these is ever "already so": each thread's own must be counted."""
    ledger.append([pipeline(), opened(), say("deal-d1", "deal.won")], actor="ana")
    line = say("deal-d1", "deal.credited", value=eur(1), reason="x")
    at_once(lambda _: [ledger.append([line], actor="ana") for _ in range(5)], 8)
    assert len(ledger.stream("deal-d1")) == 42
    check_log(ledger)


def test_merges_at_once_close_no_circle(ledger):
    names = [f"c{number}" for number in range(8)]
    ledger.append([say(f"customer-{name}", "customer.registered", name=name, kind="lead") for name in names], actor="a")

    def work(number):
        into = names[(number + 1) % len(names)]
        try:
            return ledger.append([say(f"customer-{names[number]}", "customer.merged", into=into)], actor="a")[
                0
            ].appended
        except Refused as refused:
            return refused.code

    answers = at_once(work, len(names))
    assert sorted(map(str, answers)) == ["True"] * (len(names) - 1) + ["merge_in_circle"]


def test_a_request_refused_in_the_middle_leaves_the_others_of_its_moment_whole(ledger):
    ledger.append([team("a")], actor="ana")

    def work(number):
        lines = [rename(f"{number} first"), rename(f"{number} second")]
        if number % 2:
            lines.append(rename("third", version=1))
        try:
            return [told.version for told in ledger.append(lines, actor=f"w{number}")]
        except Conflict:
            return []

    told = at_once(work, 12)
    assert [bool(versions) for versions in told] == [number % 2 == 0 for number in range(12)]
    assert sorted(version for versions in told for version in versions) == list(range(2, 14))
    assert len(ledger.stream("team-a")) == 13
    check_log(ledger)
