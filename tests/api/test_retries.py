"""Clients that repeat their commands over connections that are cut: each command is stored exactly once."""

from __future__ import annotations

import secrets
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any

import httpx
import pytest

from ledger.application import open_ledger
from tests.support.cutting import CuttingProxy
from tests.support.lines import check_log, eur, opened, pipeline
from tests.support.serving import served

CLIENTS = 32
TOGETHER = 4
"""So many clients say the same commands under the same keys, at the same time and in an order of their own."""

DEALS = 8
MOST_TRIES = 200

Command = tuple[str, str, dict[str, Any]]
"""Key, path and body."""


def commands(group, number):
    """Commands that would add up if they were stored twice."""
    return [
        (
            f"{group}.{index}",
            f"/v1/deals/d{(group + index) % DEALS}/invoice",
            {"invoice": f"F-{group}-{index}", "value": eur(100 + index)},
        )
        for index in range(number)
    ]


def insist(client: httpx.Client, command: Command) -> tuple[httpx.Response, int]:
    """Say a command until there is an answer; how often it took."""
    key, path, body = command
    for tries in range(1, MOST_TRIES):
        try:
            return client.post(path, json=body, headers={"Idempotency-Key": f'"{key}"'}), tries
        except httpx.TransportError:
            pass
    raise AssertionError(f"no answer to {key} in {MOST_TRIES} tries")


def work(address, said, seed):
    """One client says its commands in an order of its own; the answers by key, and the tries."""
    rng = Random(seed)
    answers, tries = {}, 0
    with httpx.Client(base_url=address, timeout=30) as client:
        for command in rng.sample(said, len(said)):
            answer, needed = insist(client, command)
            assert answer.status_code == 201, answer.text
            answers[command[0]] = (answer.json()["stream"], answer.json()["version"], answer.json()["position"])
            tries += needed
    return answers, tries


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [6, pytest.param(250, marks=[pytest.mark.soak, pytest.mark.timeout(3_000)])], ids=["short", "long"]
)
def test_each_command_is_stored_once_however_often_it_is_sent(database_url, tmp_path, capsys, number):
    seed = secrets.randbits(32)
    said = {group: commands(group, number) for group in range(CLIENTS // TOGETHER)}
    log = tmp_path / "server.log"
    with served(database_url, log) as address:
        setup = [pipeline(), *(opened(f"d{each}") for each in range(DEALS))]
        won = [{"stream": f"deal-d{each}", "type": "deal.won", "data": {}} for each in range(DEALS)]
        assert httpx.post(f"{address}/v1/events", json=setup + won, timeout=60).status_code == 201
        with CuttingProxy(int(address.rpartition(":")[2]), seed) as proxy, ThreadPoolExecutor(CLIENTS) as threads:
            working = [
                threads.submit(work, f"http://127.0.0.1:{proxy.port}", said[each // TOGETHER], seed + each)
                for each in range(CLIENTS)
            ]
            told = [each.result() for each in working]
    tries = sum(needed for _, needed in told)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{CLIENTS} clients, {number * len(said)} commands, {tries} requests,"
            f" {proxy.cuts} connections cut, {proxy.swallowed} answers swallowed (seed {seed})\n"
        )
    assert proxy.swallowed, "no answer was lost on its way; the proxy tests nothing"
    assert log.read_text() == ""

    answers = defaultdict(set)
    for answered, _ in told:
        for key, answer in answered.items():
            answers[key].add(answer)
    ledger = open_ledger(database_url)
    with closing(ledger.recorder):
        check_log(ledger)
        invoiced = {event.position: event for event in ledger.entries() if event.type == "deal.invoiced"}
    assert Counter(len(each) for each in answers.values()) == {1: number * len(said)}, f"seed {seed}"
    assert Counter(event.data.invoice for event in invoiced.values()) == {
        command[2]["invoice"]: 1 for each in said.values() for command in each
    }
    for command in (command for each in said.values() for command in each):
        ((stream, version, position),) = answers[command[0]]
        event = invoiced[position]
        assert (event.stream, event.version, event.data.invoice) == (stream, version, command[2]["invoice"])
        assert f"/{event.stream.removeprefix('deal-')}/" in command[1]
