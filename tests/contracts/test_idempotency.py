"""Retries: the same key with the same body is the same request; with another body it is an error."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from ledger.application import open_ledger
from ledger.errors import Conflict, KeyReused, Refused
from tests.support.lines import check_log, eur, opened, pipeline, say, team


def test_the_same_request_again_gets_the_first_answer(ledger, clock):
    lines = [pipeline(), opened(), say("deal-d1", "deal.won")]
    first = ledger.append(lines, actor="ana", key="k")
    clock.set("2026-07-01T00:00:00Z")
    ledger.append([say("deal-d1", "deal.reopened", stage="lead", reason="x")], actor="ana")
    head = ledger.head()
    assert ledger.append(lines, actor="ana", key="k") == first
    assert [receipt.appended for receipt in first] == [True] * 3
    assert ledger.head() == head


def test_the_way_a_body_is_written_does_not_matter(ledger):
    first = ledger.append([team("a") | {"key": "k"}], actor="ana")
    same = b'{ "key":"k", "data" : {"name":"\\u0061"},\n "type":"team.created", "stream":"team-a" }'
    assert ledger.append([same], actor="ana") == first
    assert ledger.append([team("a")], actor="ana", key="k") == first


@pytest.mark.parametrize("other", [team("a", "x"), team("b"), team("a") | {"expected_version": 0}])
def test_the_same_key_with_another_body_is_an_error(ledger, other):
    ledger.append([team("a")], actor="ana", key="k")
    head = ledger.head()
    with pytest.raises(KeyReused, match="'k' was used with another body"):
        ledger.append([other], actor="ana", key="k")
    with pytest.raises(KeyReused):
        ledger.append([team("a"), team("b")], actor="ana", key="k")
    assert ledger.head() == head


def test_keys_belong_to_an_actor_and_a_book(ledger, database_url, book):
    ledger.append([team("a")], actor="ana", key="k")
    assert ledger.append([team("b")], actor="bob", key="k")[0].appended
    other = open_ledger(database_url, f"{book}_2")
    assert other.append([team("b")], actor="ana", key="k")[0].appended
    other.close()


def test_a_refused_request_does_not_use_its_key_up(ledger):
    with pytest.raises(Refused):
        ledger.append([say("team-a", "team.closed")], actor="ana", key="k")
    with pytest.raises(Conflict):
        ledger.append([team("a") | {"expected_version": 7}], actor="ana", key="k")
    assert ledger.append([team("a")], actor="ana", key="k")[0].appended


def test_an_answer_that_it_was_already_so_is_remembered_too(ledger):
    ledger.append([team("a")], actor="ana")
    [first] = ledger.append([team("a")], actor="ana", key="k")
    assert (first.appended, first.version, first.position) == (False, 1, 2)
    ledger.append([say("team-a", "team.closed")], actor="ana")
    assert ledger.append([team("a")], actor="ana", key="k") == [first]
    with pytest.raises(KeyReused):
        ledger.append([team("b")], actor="ana", key="k")
    assert check_log(ledger) == 3


def test_what_is_news_beside_what_is_already_so_is_stored_once(ledger):
    ledger.append([pipeline(), opened(), say("deal-d1", "deal.won"), team("a")], actor="ana")
    credit = say("deal-d1", "deal.credited", value=eur(1), reason="x")
    for lines in ([credit, team("a")], [team("a"), credit], [team("b"), team("b"), credit]):
        told = ledger.append(lines, actor="ana")
        assert [receipt.appended for receipt in told].count(False) == 1
    assert [event.type for event in ledger.stream("deal-d1")].count("deal.credited") == 3
    assert check_log(ledger) == 9


def test_bodies_are_compared_without_being_kept(ledger):
    ledger.append([pipeline()], actor="ana")
    ledger.append([opened(title="Anna's secret boiler")], actor="ana", key="k")
    kept = ledger.recorder.all("SELECT body_hmac, outcome FROM idempotency WHERE book = ?", [ledger.book])
    assert len(bytes(kept[0][0])) == 32
    assert b"boiler" not in bytes(kept[0][1])


@pytest.mark.parametrize("same_ledger", [True, False], ids=["threads", "ledgers"])
def test_a_key_used_at_once_is_stored_once(ledger, database_url, book, clock, same_ledger):
    """Two ledgers on one database race as two processes do."""
    ledger.append([pipeline(), opened(), say("deal-d1", "deal.won")], actor="ana")
    ledgers = [ledger if same_ledger else open_ledger(database_url, book, clock=clock) for _ in range(8)]
    barrier = threading.Barrier(8)
    credit = say("deal-d1", "deal.credited", value=eur(1), reason="x")

    def work(number):
        told = []
        for turn in range(4):
            barrier.wait()
            told.append(ledgers[number].append([credit, team(f"t{turn}")], actor="ana", key=f"k{turn}"))
        return told

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(work, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(ledger.stream("deal-d1")) == 2 + 4
    assert check_log(ledger) == 4 + 4 * 2
    for each in ledgers:
        if each is not ledger:
            each.close()


def test_a_key_used_with_append_is_known_to_append_each_and_the_other_way_round(ledger):
    line = team("a") | {"key": "k"}
    first = ledger.append([line], actor="ana")
    [outcome] = ledger.append_each([(1, msgspec.json.encode(line))], actor="ana")
    assert [outcome.receipt] == first
    [outcome] = ledger.append_each([(1, msgspec.json.encode(team("b") | {"key": "l"}))], actor="ana")
    assert ledger.append([team("b")], actor="ana", key="l") == [outcome.receipt]
