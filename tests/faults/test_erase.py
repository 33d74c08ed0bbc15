"""An erasure that is killed anywhere is done by doing it again, and nothing comes back meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ledger.application import open_ledger
from ledger.events import Erased, Sealed
from ledger.privacy.erasing import covered, erase, finish, unfinished
from tests.faults.test_kill import importing_tests
from tests.support.lines import check_log, opened, pipeline, say

LINES = [
    pipeline(),
    say("customer-p", "customer.registered", name="Paul Klee", kind="lead", person=True),
    say("customer-p", "contact.added", contact="jo", name="Jo Lund"),
    opened("d1", title="Easels for Paul", customer="p"),
]


def erased(ledger):
    seals = [
        value
        for event in ledger.feed(0, 100)
        for name in event.data.__struct_fields__
        if isinstance(value := getattr(event.data, name), Sealed)
    ]
    values = ledger.reveal(seals)
    return [isinstance(values[seal.commitment.c], Erased) for seal in seals]


@pytest.mark.parametrize("step", ["_fence", "_record", "_destroy", "_delete"])
@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_killed_at_any_step(database_url, step, moment):
    ledger = open_ledger(database_url)
    ledger.append(LINES, actor="ana")
    command = [sys.executable, "-m", "tests.faults.eraser", database_url, "main", "customer-p", step, moment]
    child = subprocess.run(command, env=importing_tests(), capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    fenced = (step, moment) not in {("_fence", "before"), ("_fence", "within")}
    done = (step, moment) == ("_delete", "after")
    assert erased(ledger) == [fenced] * 3
    assert bool(unfinished(ledger)) == (fenced and not done)
    check_log(ledger)
    if fenced:
        finish(ledger, actor="dpo")
    else:
        erase(ledger, "customer-p", actor="dpo")
    refs = list(covered(ledger, "customer-p").values())
    assert not unfinished(ledger)
    assert erased(ledger) == [True] * 3
    assert not ledger.recorder.with_values(refs)
    assert not ledger.recorder.keys.store.keys(refs)
    assert check_log(ledger) == 1 + len(LINES) + len(refs)  # each said once
    ledger.close()
