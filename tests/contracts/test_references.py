"""What a decision rests on beyond its own stream, while another process changes it: here a second ledger on the same log.

What a ledger refers to it reads again after a second; here never, unless the log says that it has moved on.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ledger import session
from ledger.application import open_ledger
from ledger.codec import encode
from ledger.errors import Refused
from tests.support.lines import check_log, opened, pipeline, retracted, say


@pytest.fixture(autouse=True)
def _never_read_again(monkeypatch):
    monkeypatch.setattr(session, "MAX_AGE_S", 3_600)


@pytest.fixture
def other(ledger, database_url, book, clock):
    with closing(open_ledger(database_url, book, clock=clock)) as other:
        yield other


def registered(*customers):
    return [say(f"customer-{each}", "customer.registered", name=each.title(), kind="customer") for each in customers]


def merged(customer, into):
    return say(f"customer-{customer}", "customer.merged", into=into)


def kinds(ledger, stream):
    return [event.type for event in ledger.stream(stream)]


def test_a_merge_seen_too_late_closes_no_circle(ledger, other):
    ledger.append(registered("a", "b", "c", "x"), actor="ana")
    ledger.append([merged("x", "b")], actor="ana")
    other.append([merged("b", "c")], actor="bob")
    other.append([merged("c", "a")], actor="bob")
    with pytest.raises(Refused, match="customer-a cannot be merged into itself"):
        ledger.append([merged("a", "b")], actor="ana")
    assert kinds(ledger, "customer-a") == ["customer.registered"]
    check_log(ledger)


def test_nor_does_one_in_a_long_file(ledger, other):
    ledger.append(registered("a", "b", "y"), actor="ana")

    def lines():
        yield 1, merged("y", "b")
        for number in range(2, 5_000):
            yield number, say(f"customer-n{number}", "customer.registered", name="N", kind="customer")
        other.append([merged("b", "a")], actor="bob")
        yield 5_000, merged("a", "b")

    *_, last = ledger.append_each(((number, encode(line)) for number, line in lines()), actor="ana")
    assert last.error is not None
    assert "cannot be merged into itself" in str(last.error)
    check_log(ledger)


def test_of_two_merges_at_once_one_is_refused(ledger, other):
    for number in range(20):
        ledger.append(registered(f"a{number}", f"b{number}"), actor="ana")

        def merge(each, customer, into):
            try:
                return each.append([merged(customer, into)], actor="ana")[0].appended
            except Refused as refused:
                return refused.code

        with ThreadPoolExecutor(2) as threads:
            one = threads.submit(merge, ledger, f"a{number}", f"b{number}")
            two = threads.submit(merge, other, f"b{number}", f"a{number}")
        assert {one.result(), two.result()} == {True, "merge_in_circle"}
    check_log(ledger)


def test_a_retraction_seen_too_late_brings_no_circle_back(ledger, other):
    ledger.append(registered("a", "b", "x"), actor="ana")
    ledger.append([merged("a", "b")], actor="ana")
    ledger.append([retracted("customer-a", 2)], actor="ana")
    ledger.append([merged("x", "b")], actor="ana")
    other.append([merged("b", "a")], actor="bob")
    with pytest.raises(Refused, match="customer-a cannot be merged into itself"):
        ledger.append([retracted("customer-a", 3)], actor="ana")
    check_log(ledger)


def test_history_ends_for_everybody_at_once(ledger, other):
    past = opened("d1", "2026-01-05") | {"recorded_at": "2026-01-05T12:00:00Z"}
    ledger.append([pipeline(), past], actor="ana", history=True)
    ledger.append([past | {"stream": "deal-d0"}], actor="ana", history=True)
    other.append([say("book", "book.history_closed")], actor="bob")
    with pytest.raises(Refused, match="history is closed"):
        ledger.append([past | {"stream": "deal-d2"}], actor="ana", history=True)
    other.append([opened("d3")], actor="bob")
    assert kinds(ledger, "deal-d2") == []
    check_log(ledger)
