"""`checkpoint`, `prove`, `verify` and `bundle` as a user runs them: what they print, where, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ledger.proof.notes import ProofFile, Verifier, opened
from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl

KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
"""Somebody else's."""


@pytest.fixture
def told(sales_ledger):
    """A ledger of four events; the first is the book's own opening."""
    assert sales_ledger("append", "-", stdin=jsonl(PIPELINE, OPENED, WON)).code == 0
    return sales_ledger


@pytest.fixture
def alter(database_url):
    def run(statement):
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    return run


def key_of(ran):
    return Verifier.parse(ran.err.splitlines()[-1].removeprefix("The verifier key is "))


def test_a_checkpoint_is_printed_alone_and_the_key_beside_it(told, tmp_path):
    ran = told("checkpoint")
    assert ran.code == 0
    assert opened(ran.out, key_of(ran)).size == 4
    written = told("checkpoint", "--output", str(tmp_path / "note"))
    assert (tmp_path / "note").read_text(encoding="utf-8") == ran.out
    assert (written.out, written.code) == ("", 0)
    assert str(tmp_path / "note") in written.err


def test_one_event_is_proved_to_somebody_who_has_nothing_but_the_file_and_the_key(told, tmp_path, monkeypatch):
    key = str(key_of(told("checkpoint")))
    path = str(tmp_path / "deal.tlog-proof")
    assert told("prove", "4", "--output", path).code == 0
    monkeypatch.setenv("LEDGER_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/at/all.db")
    ran = told("verify", path, "--key", key)
    assert ran.code == 0
    assert json.loads(ran.out)["type"] == "deal.won"
    assert ran.err == "is event 4 of the 4 that sales-ledger.local/main signed.\n"
    (tmp_path / "key").write_text(key + "\n")
    assert told("verify", path, "--key", str(tmp_path / "key")).code == 0


def test_a_proof_that_was_altered_or_is_of_another_key_is_not_so(told, tmp_path):
    ran = told("prove", "3")
    proof = ProofFile.parse(ran.out)
    key = str(opened_key(told))
    path = tmp_path / "altered.tlog-proof"
    path.write_text(str(proof._replace(entry=proof.entry.replace(b"125000", b"925000"))))
    ran = told("verify", str(path), "--key", key)
    assert (ran.code, ran.out) == (1, "")
    assert "does not lead to the root" in ran.err
    path.write_text(str(proof))
    assert told("verify", str(path), "--key", KEY).code == 1


def opened_key(told):
    return key_of(told("checkpoint"))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["prove", "5"], "position 5: the log has 4 events"),
        (["prove", "0"], "--help"),
        (["prove"], "--help"),
        (["verify", "nothing-here"], "there is no file nothing-here; name a proof"),
        (["verify", "nothing-here", "--key", KEY], "there is no file nothing-here; name a proof"),
        (["verify", "--checkpoint", "nothing-here"], "there is no file nothing-here; correct its name"),
        (["verify", "{proof}", "--key", "nothing-here"], "--key 'nothing-here' is neither a file nor a key"),
        (["verify", "{proof}", "--key", "x" * 300], "is neither a file nor a key"),
        (["verify", "{proof}", "--key", "{proof}"], "proof, a file, holds no key"),
        (["verify", "{proof}"], "checked with --key"),
        (["verify", "{proof}", "--checkpoint", "{proof}"], "a proof file holds its own"),
        (["verify", "{folder}"], "there is no bundle in"),
        (["bundle", "{folder}"], "is not an empty folder"),
        (["checkpoint", "--output", "{folder}"], "Is a directory"),
    ],
)
def test_wrong_use_is_one_line_that_says_what_to_do(told, tmp_path, arguments, match):
    proof = tmp_path / "proof"
    proof.write_text(told("prove", "1").out)
    ran = told(*(each.format(proof=proof, folder=tmp_path) for each in arguments))
    assert (ran.code, ran.out) == (2, "")
    assert match in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_sound_ledger_verifies_with_and_without_what_was_kept_elsewhere(told, tmp_path):
    ran = told("verify")
    assert ran.code == 0
    assert "4 entries, root" in ran.out
    assert "as 0 checkpoints say." in ran.out
    assert "No checkpoint from outside was given" in ran.err
    note = tmp_path / "kept.note"
    key = str(key_of(told("checkpoint", "--output", str(note))))
    told("append", "-", stdin=jsonl({**OPENED, "stream": "deal-2"}))
    ran = told("verify", "--checkpoint", str(note), "--key", key)
    assert (ran.code, ran.err) == (0, "")
    assert "5 entries" in ran.out
    assert "as 1 checkpoint says." in ran.out, "what is kept elsewhere was signed here"


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("UPDATE events SET version = 7 WHERE position = 4", "a column of position 4 does not say what its entry says"),
        ("UPDATE events SET effective_at = 9223372036854775807 WHERE position = 4", "a column of position 4"),
        ("DELETE FROM events WHERE position = 3", "after position 2 comes 4"),
        ("UPDATE events SET position = 9 WHERE position = 4", "1 entries lie outside of the 4"),
        ("UPDATE vault SET sealed = ''", "is not the one that was sealed there"),
        ("DELETE FROM vault", "is missing"),
        ("UPDATE vault SET subject_ref = 'another'", "does not stand where its entry says"),
        ("UPDATE heads SET stamp = stamp + 1", "does not state the root or the time of its last entry"),
        ("UPDATE heads SET position = 8", "the log's head says 8 entries; 4 are there"),
        ("UPDATE heads SET position = 7", "the log's head was damaged"),
    ],
)
def test_what_was_altered_is_said_and_the_exit_code_is_1(told, alter, statement, match):
    alter(statement)
    ran = told("verify")
    assert ran.code == 1
    assert match in ran.out
    assert "wrong" in ran.err.splitlines()[-1]


def test_a_ledger_that_was_cut_is_found_by_a_checkpoint_kept_elsewhere(told, alter, tmp_path, database_url):
    note = tmp_path / "kept.note"
    key = str(key_of(told("checkpoint", "--output", str(note))))
    for path in (tmp_path / "trust" / "main" / "checkpoints").iterdir():
        path.unlink()
    alter("DELETE FROM events")
    alter("DELETE FROM vault")
    nothing = "x''" if database_url.startswith("sqlite") else "''"
    alter(f"UPDATE heads SET position = 0, frontier = {nothing}")
    assert told("verify").code == 0
    ran = told("verify", "--checkpoint", str(note), "--key", key)
    assert ran.code == 1
    assert "a checkpoint of 4 entries exists, and the log has 0: it was cut" in ran.out


def test_an_altered_entry_is_not_proved(told, alter):
    assert told("checkpoint").code == 0
    alter("UPDATE events SET entry = (SELECT entry FROM events WHERE position = 2) WHERE position = 1")
    for command in (["prove", "1"], ["prove", "3"], ["checkpoint"]):
        ran = told(*command)
        assert (ran.code, ran.out) == (1, "")
        assert "run sales-ledger verify" in ran.err


def test_a_bundle_is_checked_by_the_command_too(told, tmp_path):
    note = tmp_path / "kept.note"
    key = str(key_of(told("checkpoint", "--output", str(note))))
    folder = tmp_path / "bundle"
    ran = told("bundle", str(folder))
    assert ran.code == 0
    assert "4 entries in" in ran.out
    ran = told("verify", str(folder))
    assert ran.code == 0
    assert "4 entries, 3 streams" in ran.out
    assert "The key came with the bundle" in ran.err
    ran = told("verify", str(folder), "--key", key, "--checkpoint", str(note))
    assert (ran.code, ran.err) == (0, "")
    entries = folder / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b"125000", b"925000"))
    ran = told("verify", str(folder))
    assert ran.code == 1
    assert "the bundle does not hold: the first 4 entries are not those that were signed" in ran.err


def test_a_bundle_holds_no_personal_value_and_no_free_text(told, tmp_path):
    folder = tmp_path / "bundle"
    told("bundle", str(folder))
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Sensors" not in everything
    assert b"$sealed" in (folder / "entries.jsonl").read_bytes()
    assert b"PRIVATE+KEY" not in everything


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_key_is_kept_beside_an_sqlite_file_and_never_in_the_database(told, tmp_path, monkeypatch):
    monkeypatch.delenv("LEDGER_TRUST_DIR")
    assert told("checkpoint").code == 0
    path = tmp_path / "sales-ledger.db.trust" / "main" / "signing.key"
    secret = path.read_text().split("+", 4)[-1].strip().encode()
    for file in Path(tmp_path).glob("sales-ledger.db*"):
        if file.is_file():
            assert secret not in file.read_bytes()


def test_a_name_that_no_key_can_have_leaves_no_key_behind(sales_ledger, monkeypatch):
    assert sales_ledger("append", "-", stdin=jsonl(PIPELINE)).code == 0
    with monkeypatch.context() as with_spaces:
        with_spaces.setenv("LEDGER_ORIGIN", "a b")
        ran = sales_ledger("checkpoint")
        assert ran.code != 0
        assert "see LEDGER_ORIGIN" in ran.err
    assert sales_ledger("checkpoint").code == 0


def test_a_signing_key_that_is_no_text_is_one_line(told, tmp_path):
    told("checkpoint")
    (path,) = tmp_path.glob("**/signing.key")
    path.write_bytes(b"\xff\xfe\x00")
    ran = told("checkpoint")
    assert (ran.code, ran.out) == (1, "")
    assert "signing.key is no text, and so no signing key; put it back from its copy" in ran.err
