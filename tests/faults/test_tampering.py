"""Whoever may write the database alters it in every way; which of it is found, and by whom.

Without a checkpoint all is found that does not fit together. What was made to fit again is found by any checkpoint from
before; where the key was taken too and the checkpoints here signed anew, by one that lies outside. What came after that
one cannot be found by anybody: the last rows of the table say so, and `docs/audit.md`.
"""

from __future__ import annotations

import sys
from collections import Counter
from random import Random

import pytest

from ledger.proof.audit import audit
from ledger.proof.log_tree import LogTree
from ledger.proof.notes import Checkpoint
from tests.faults.attacker import BESIDE, ON_ENTRIES, OUTSIDE, Attacked, altered, fitting, history, read_store
from tests.support.proving import recorder_of

SEED = 20_261_125
EVIDENCE = ("none", "signer", "outside")
LAST = "after the outside one"

SHORT = pytest.param(3, id="short")
LONG = [pytest.mark.soak, pytest.mark.timeout(3_600)]
SOAK = pytest.param(45, id="soak", marks=LONG)


@pytest.fixture
def log(database_url, tmp_path):
    log = Attacked(database_url, tmp_path)
    yield log
    log.close()


def attacks():
    """What is done, with which power, and by which evidence it must be found."""
    all_, held, outside = set(EVIDENCE), {"signer", "outside"}, {"outside"}
    nobody: set[str] = set()
    before, after = range(OUTSIDE), range(OUTSIDE, 319)
    yield "flip a bit", "rows", altered, before, all_
    for name, change in ON_ENTRIES.items():
        if name != "restore a backup":
            yield name, "rows", change, before, all_
        yield name, "fit", change, before, held
        yield name, "re-signed", change, before, outside
    for name in ("alter an entry", "cut the log"):
        yield f"{name} {LAST}", "rows", ON_ENTRIES[name], after, all_
        yield f"{name} {LAST}", "fit", ON_ENTRIES[name], after, {"signer"}
        yield f"{name} {LAST}", "re-signed", ON_ENTRIES[name], after, nobody


def carry_out(log, power, change, random, within):
    rows = change(log.rows, random, within)
    if power == "rows":
        log.write_rows([row | {"position": position} for position, row in enumerate(rows, 1)])
        return
    entries = fitting([row["entry"] for row in rows])
    log.write_fitting(entries)
    if power == "re-signed":
        log.sign_anew(entries)


def row_of(name, power, trials, found):
    return f"{name:42} {power:10} {trials:6} {found['none']:8} {found['signer']:8} {found['outside']:8}"


@pytest.mark.parametrize("trials", [SHORT, SOAK])
def test_what_was_tampered_with_is_found_by_whom_the_documents_say(log, trials, capsys, request):
    random = Random(SEED)
    assert not log.found("signer"), "the clean log is clean"
    told = [row_of("tampering", "power", "trials", dict(zip(EVIDENCE, EVIDENCE, strict=True)))]
    total = 0

    def tally(name, power, expected, attempt):
        nonlocal total
        found: Counter[str] = Counter()
        for number in range(trials):
            attempt()
            for evidence in EVIDENCE:
                findings = log.found(evidence)
                found[evidence] += bool(findings)
                case = f"seed {SEED}, {name}, {power}, trial {number}, {evidence}: {findings[:3]}"
                assert bool(findings) is (evidence in expected), case
            log.restore()
        told.append(row_of(name, power, trials, found))
        total += trials

    for name, power, change, within, expected in attacks():
        tally(name, power, expected, lambda: carry_out(log, power, change, random, within))  # noqa: B023 (called at once)
    for name, disturb in BESIDE.items():
        tally(name, "rows", set(EVIDENCE), lambda: disturb(log, random))  # noqa: B023
    assert not log.found("signer"), "the log is clean again"
    with capsys.disabled():
        sys.stdout.write(f"\n{request.node.name}: {total} trials, found by verify\n" + "\n".join(told) + "\n")


@pytest.mark.parametrize("trials", [pytest.param(6, id="short"), pytest.param(100, id="soak", marks=LONG)])
def test_a_read_store_that_was_edited_is_found_by_replay_check(log, trials, capsys, request):
    random = Random(SEED)
    assert log.drift() == 0
    for number in range(trials):
        undo = read_store(log, random)
        assert log.drift(), f"seed {SEED}, trial {number}"
        undo()
    assert log.drift() == 0
    with capsys.disabled():
        sys.stdout.write(f"\n{request.node.name}: {trials} of {trials} found\n")


@pytest.mark.parametrize("books", [pytest.param(12, id="short"), pytest.param(500, id="soak", marks=LONG)])
def test_no_clean_log_is_said_to_be_altered(database_url, books, capsys, request):
    """Logs of 0 to 40 entries, and now and then of 300, with checkpoints taken at random while they grew."""
    random = Random(SEED)
    lines = history(75)
    alarms, entries = 0, 0
    for number in range(books):
        with recorder_of(database_url, f"book_{number}") as recorder:
            alarms += len(grown(recorder, lines, 300 if number % 25 == 10 else random.randrange(40), random).findings)
            entries += recorder.head().position
    with capsys.disabled():
        sys.stdout.write(f"\n{request.node.name}: {books} clean logs, {entries} entries, {alarms} false alarms\n")
    assert alarms == 0


def grown(recorder, lines, size, random):
    from ledger.application import Ledger

    ledger, held, done = Ledger(recorder, ""), [], 0
    while done < size:
        some = random.randint(1, min(60, size - done))
        ledger.append(lines[done : done + some], actor="tests")
        done += some
        if random.random() < 0.4:
            position = recorder.head().position
            held.append(Checkpoint("ledger.example/main", position, LogTree(recorder).root(position)))
    return audit(recorder, held)
