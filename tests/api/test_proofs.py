"""Checkpoints and proofs over HTTP: they hold, they fit together, and what cannot be proved is said."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from contextlib import closing

import pytest

from ledger.proof import tree
from ledger.proof.merkle import leaf_hash
from ledger.proof.notes import opened
from ledger.proof.signing import desk_of


@pytest.fixture
def checkpoint(client, settings):
    answer = client.get("/v1/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return opened(answer.content.decode(), desk_of(settings, "main").verifier)


def decoded(hashes):
    return [b64decode(each, validate=True) for each in hashes]


def alter(settings, statement):
    with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as database:
        database.execute(statement)
        database.commit()


def test_every_event_is_proved_under_the_checkpoint(client, checkpoint):
    assert checkpoint.size == client.get("/health").json()["head"] == 11
    for position in range(1, checkpoint.size + 1):
        told = client.get("/v1/proofs/inclusion", params={"position": position, "size": checkpoint.size}).json()
        assert (told["position"], told["size"]) == (position, 11)
        entry = b64decode(told["entry"], validate=True)
        assert decoded([told["leaf"], told["root"]]) == [leaf_hash(entry), checkpoint.root]
        tree.check_inclusion(leaf_hash(entry), position - 1, 11, decoded(told["hashes"]), checkpoint.root)


def test_every_earlier_size_is_the_beginning_of_every_later_one(client, checkpoint):
    for second in range(1, 12):
        for first in range(1, second + 1):
            told = client.get("/v1/proofs/consistency", params={"first": first, "second": second}).json()
            roots = decoded([told["first_root"], told["second_root"]])
            tree.check_consistency(first, roots[0], second, roots[1], decoded(told["hashes"]))
    assert roots[1] == checkpoint.root


def test_a_proof_is_about_the_whole_log_unless_a_size_is_named(client):
    assert client.get("/v1/proofs/inclusion", params={"position": 3}).json()["size"] == 11
    assert client.get("/v1/proofs/consistency", params={"first": 3}).json()["second"] == 11


def test_the_same_note_is_given_until_the_log_grows(client, checkpoint):
    first = client.get("/v1/checkpoint").text
    assert client.get("/v1/checkpoint").text == first
    line = {"stream": "team-south", "type": "team.created", "data": {"name": "Sud"}}
    assert client.post("/v1/events", json=[line]).status_code == 201
    assert client.get("/v1/checkpoint").text.split("\n")[1] == "12"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/proofs/inclusion", 400),
        ("/v1/proofs/inclusion?position=0", 400),
        ("/v1/proofs/inclusion?position=x", 400),
        ("/v1/proofs/inclusion?position=12", 400),
        ("/v1/proofs/inclusion?position=5&size=4", 400),
        ("/v1/proofs/inclusion?position=5&size=12", 404),
        ("/v1/proofs/inclusion?position=5&size=0", 400),
        ("/v1/proofs/inclusion?position=99999999999999999999", 400),
        ("/v1/proofs/consistency?first=0&second=5", 400),
        ("/v1/proofs/consistency?first=6&second=5", 400),
        ("/v1/proofs/consistency?first=6&second=12", 404),
    ],
)
def test_what_cannot_be_proved_is_a_problem_that_says_why(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_an_empty_log_has_a_checkpoint_and_no_proofs(empty_client):
    assert empty_client.get("/v1/checkpoint").text.split("\n")[1] == "0"
    assert empty_client.get("/v1/proofs/inclusion?position=1").status_code == 404
    assert empty_client.get("/v1/proofs/consistency?first=1").status_code == 404


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET entry = replace(entry, 'tests', 'other') WHERE position = 2",
        "DELETE FROM events WHERE position = 11",
        "UPDATE events SET entry = x'7b7d' WHERE position = 2",
    ],
)
def test_an_altered_log_is_not_signed(client, settings, checkpoint, statement):
    alter(settings, statement)
    answer = client.get("/v1/checkpoint")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:sales-ledger:problem:not_proven")


def test_a_folder_for_the_key_that_cannot_be_written_is_said(client, settings, tmp_path):
    (tmp_path / "sales-ledger.db.trust" / "main" / "lock").mkdir()
    answer = client.get("/v1/checkpoint")
    assert answer.status_code == 503
    assert "LEDGER_TRUST_DIR" in answer.json()["detail"]
