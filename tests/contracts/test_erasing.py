"""Erasing: what is personal is gone for everybody and for good; the log stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from ledger.application import open_ledger
from ledger.errors import BadRequest, KeysUnusable, NotFound, NotProven, Refused
from ledger.events import Commitment, Erased, Sealed
from ledger.log.database import make_engine
from ledger.plain import plain_events
from ledger.privacy import erasing
from ledger.privacy.erasing import covered, erase, finish, unfinished
from ledger.proof.audit import audit
from ledger.story import locale_of, told
from tests.support.lines import check_log, corrected, opened, pipeline, retracted, say

ANA = say("person-ana", "person.joined", name="Ana Ruiz", email="ana@example.org", team="north", role="rep")
PAUL = say("customer-p", "customer.registered", name="Paul Klee", kind="lead", person=True)
JO = say("customer-p", "contact.added", contact="jo", name="Jo Lund", email="jo@example.org")
ACME = say("customer-acme", "customer.registered", name="Acme", kind="lead")
KIM = say("customer-acme", "contact.added", contact="kim", name="Kim Sato")
WITH_PAUL = opened("paul", title="Easels for Paul", customer="p")
WITH_ACME = opened("acme", title="Brushes for Kim", customer="acme")
TALK = say("interaction-1", "interaction.logged", kind="call", direction="in", customer="p", notes="Paul is ill")
TALK_JO = say(
    "interaction-2", "interaction.logged", kind="call", direction="in", customer="p", contact="jo", notes="Jo moved"
)
TASK = say("task-1", "task.planned", kind="call", due_at="2026-06-30", owner="ana", customer="p", subject="Visit Paul")
EVERYTHING = [pipeline(), ANA, PAUL, JO, ACME, KIM, WITH_PAUL, WITH_ACME, TALK, TALK_JO, TASK]


@pytest.fixture
def ledger(ledger):
    ledger.append(EVERYTHING, actor="ana")
    return ledger


def seals(ledger):
    return {
        (event.stream, name): value
        for event in ledger.feed(0, 1_000)
        for name in event.data.__struct_fields__
        if isinstance(value := getattr(event.data, name), Sealed)
    }


def shown(ledger):
    """What is read of every sealed value."""
    found = seals(ledger)
    values = ledger.reveal(found.values())
    return {where: values.get(seal.commitment.c) for where, seal in found.items()}


def erased_in(ledger):
    return {stream for (stream, _), value in shown(ledger).items() if isinstance(value, Erased)}


def entries(ledger):
    return [bytes(row[7]) for row in ledger.feed_rows(0, 1_000)]


def test_a_person_is_erased_and_the_log_stands(ledger):
    before = entries(ledger)
    done = erase(ledger, "person-ana", actor="dpo")
    assert (list(done.subjects), done.newly, done.values) == (["person-ana"], 1, 2)
    after = entries(ledger)
    assert after[: len(before)] == before
    [said] = after[len(before) :]
    assert msgspec.json.decode(said)["stream"] == f"subject-{done.subjects['person-ana']}"
    assert (msgspec.json.decode(said)["type"], msgspec.json.decode(said)["data"]) == ("subject.erased", {})
    assert check_log(ledger) == len(after)
    assert erased_in(ledger) == {"person-ana"}
    assert shown(ledger)["deal-paul", "title"] == "Easels for Paul"
    assert shown(ledger)["person-ana", "name"] == Erased(seals(ledger)["person-ana", "name"].commitment)


def test_erasing_a_customer_covers_its_contacts_and_the_texts_of_what_was_with_it(ledger):
    done = erase(ledger, "customer-p", actor="dpo")
    assert list(done.subjects) == ["customer-p", "customer-p/jo", "deal-paul", "interaction-1", "task-1"]
    assert erased_in(ledger) == {"customer-p", "deal-paul", "interaction-1", "interaction-2", "task-1"}
    assert shown(ledger)["customer-acme", "name"] == "Kim Sato"


def test_so_does_what_was_only_once_with_it_and_what_a_correction_gave_it(ledger):
    ledger.append([say("deal-paul", "deal.reclassified", customer="acme")], actor="ana")
    moved = TALK["data"] | {"customer": "acme"}
    ledger.append([corrected("interaction-1", 1, moved)], actor="ana")
    assert {"deal-paul", "deal-acme", "interaction-1"} <= covered(ledger, "customer-acme").keys()
    assert {"deal-paul", "interaction-1"} <= covered(ledger, "customer-p").keys()


def test_duplicates_of_a_customer_are_the_same_customer(ledger):
    ledger.append([say("customer-acme", "customer.merged", into="p")], actor="ana")
    family = covered(ledger, "customer-p")
    assert family == covered(ledger, "customer-acme")
    assert {"customer-acme/kim", "customer-p/jo", "deal-acme", "deal-paul"} <= family.keys()
    ledger.append([retracted("customer-acme", 3)], actor="ana")
    assert "customer-acme/kim" not in covered(ledger, "customer-p")


def test_a_contact_is_erased_alone(ledger):
    assert list(erase(ledger, "customer-p/jo", actor="dpo").subjects) == ["customer-p/jo"]
    assert erased_in(ledger) == {"customer-p", "interaction-2"}  # the contact lies on its customer's stream
    assert shown(ledger)["interaction-1", "notes"] == "Paul is ill"


def test_a_subject_is_named_by_its_ref_too(ledger):
    [ref] = covered(ledger, "person-ana").values()
    assert covered(ledger, f"subject-{ref}") == {"person-ana": ref}


@pytest.mark.parametrize("thing", ["customer-p/nobody", "person-nobody", "team-north", "subject-nobody", "deal-x"])
def test_where_nothing_was_sealed_there_is_nothing_to_erase(ledger, thing):
    with pytest.raises(NotFound, match="nothing personal"):
        erase(ledger, thing, actor="dpo")


@pytest.mark.parametrize("thing", ["ana", "", "deal-paul/jo", "customer-p/", "customer-"])
def test_what_is_not_a_thing_is_one_clear_error(ledger, thing):
    with pytest.raises(BadRequest):
        erase(ledger, thing, actor="dpo")


# Afterwards -------------------------------------------------------------------------------------------------------


def test_nothing_more_can_be_sealed_about_whoever_is_erased(ledger):
    erase(ledger, "customer-p", actor="dpo")
    head = ledger.head()
    for line in (
        say("customer-p", "customer.renamed", name="Paul Again"),
        say("customer-p", "contact.changed", contact="jo", phone="1"),
        say("deal-paul", "deal.retitled", title="Easels again"),
        TALK_JO | {"stream": "interaction-3"},
    ):
        with pytest.raises(Refused, match="has been erased") as refused:
            ledger.append([line], actor="ana")
        assert refused.value.code == "subject_erased"
        [outcome] = ledger.append_each([(1, msgspec.json.encode(line))], actor="ana")
        assert outcome.error.code == "subject_erased"
        [outcome] = ledger.append_each([(1, msgspec.json.encode(line))], actor="ana", dry_run=True)
        assert outcome.error.code == "subject_erased"
    assert ledger.head() == head
    ledger.append([say("deal-paul", "deal.won"), say("customer-p", "customer.churned", reason="gone")], actor="ana")


def test_another_process_that_has_the_key_at_hand_can_seal_nothing_either(ledger, database_url, clock):
    other = open_ledger(database_url, ledger.book, clock=clock)
    other.append([say("deal-paul", "deal.retitled", title="Old easels")], actor="ana")
    erase(ledger, "deal-paul", actor="dpo")
    with pytest.raises(Refused) as refused:
        other.append([say("deal-paul", "deal.retitled", title="New easels")], actor="ana")
    assert refused.value.code == "subject_erased"
    assert "deal-paul" in erased_in(other)
    assert other.recorder.with_values(list(covered(other, "deal-paul").values())) == set()
    other.close()


def test_an_erasure_between_deciding_and_storing_wins(ledger, monkeypatch):
    """The key was fetched, the value sealed; then the fence came."""
    real = ledger.recorder.append_many

    def append_many(requests):
        monkeypatch.undo()
        erase(ledger, "deal-paul", actor="dpo")
        return real(requests)

    monkeypatch.setattr(ledger.recorder, "append_many", append_many)
    with pytest.raises(Refused) as refused:
        ledger.append([say("deal-paul", "deal.retitled", title="New easels")], actor="ana")
    assert refused.value.code == "subject_erased"
    assert len(ledger.stream("deal-paul")) == 1


def test_no_line_can_erase_or_take_an_erasure_back(ledger):
    [ref] = erase(ledger, "person-ana", actor="dpo").subjects.values()
    for line in (
        say(f"subject-{ref}", "subject.erased"),
        say("subject-other", "subject.erased"),
        retracted(f"subject-{ref}", 1),
        corrected(f"subject-{ref}", 1, {}),
    ):
        with pytest.raises(Refused, match="sales-ledger erase") as refused:
            ledger.append([line], actor="ana")
        assert refused.value.code == "erase_only"


def test_erasing_again_appends_nothing(ledger):
    erase(ledger, "customer-p", actor="dpo")
    head = ledger.head()
    done = erase(ledger, "customer-p", actor="dpo")
    assert (done.newly, done.values, ledger.head()) == (0, 0, head)
    assert not unfinished(ledger)


def test_what_comes_later_about_the_same_customer_is_erased_by_erasing_again(ledger):
    erase(ledger, "customer-p", actor="dpo")
    ledger.append([opened("later", title="Frames", customer="p")], actor="ana")
    assert erase(ledger, "customer-p", actor="dpo").newly == 1
    assert "deal-later" in erased_in(ledger)


def test_an_erased_value_is_shown_as_one(ledger):
    erase(ledger, "person-ana", actor="dpo")
    [event] = plain_events(ledger.stream("person-ana"), ledger)
    seal = seals(ledger)["person-ana", "name"].commitment
    assert event["data"]["name"] == {"$erased": {"c": seal.c, "s": seal.s}}
    now = ledger.now()
    for language, word in (("en", "(erased)"), ("fr", "(effacé)")):
        pair = {"as_of": now, "known_at": now, "time_zone": "Europe/Paris", "locale": locale_of(language)}
        story = told(ledger, ledger.stream("person-ana"), **pair)
        assert story.name == word
        assert word in story.life[0].text
        assert word in told(ledger, ledger.stream("deal-paul"), **pair).life[0].text  # its owner


# Cut short --------------------------------------------------------------------------------------------------------

STEPS = ["_fence", "_record", "_destroy", "_delete"]


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_was_cut_short_is_finished(ledger, monkeypatch, step):
    def cut(*arguments):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(erasing, step, cut)
        with pytest.raises(RuntimeError):
            erase(ledger, "customer-p", actor="dpo")
    refs = sorted(covered(ledger, "customer-p").values())
    fenced = step != "_fence"
    assert unfinished(ledger) == (refs if fenced else [])
    assert bool(erased_in(ledger)) == fenced
    assert finish(ledger, actor="dpo") == (refs if fenced else [])
    erase(ledger, "customer-p", actor="dpo")
    assert erased_in(ledger) == {"customer-p", "deal-paul", "interaction-1", "interaction-2", "task-1"}
    assert not unfinished(ledger)
    assert ledger.recorder.with_values(refs) == set()
    assert not ledger.recorder.keys.store.keys(refs)
    assert len([entry for entry in entries(ledger) if b'"subject.erased"' in entry]) == len(refs)


def test_a_restored_database_meets_the_fences(ledger, monkeypatch):
    """As after a restore: values and log as of before, the key store as it is now."""
    refs = list(covered(ledger, "customer-p").values())
    rows = ledger.recorder.all("SELECT * FROM vault WHERE book = ?", [ledger.book])
    with monkeypatch.context() as patched:
        for step in ("_record", "_delete"):
            patched.setattr(erasing, step, lambda *_: 0)
        erase(ledger, "customer-p", actor="dpo")
    assert ledger.recorder.all("SELECT * FROM vault WHERE book = ?", [ledger.book]) == rows
    assert unfinished(ledger) == sorted(refs)
    assert len(erased_in(ledger)) == 5
    assert not audit(ledger.recorder, []).findings
    finish(ledger, actor="dpo")
    assert not unfinished(ledger)
    assert ledger.recorder.with_values(refs) == set()


def test_an_older_key_store_is_brought_up_to_what_the_log_says(ledger, database_url, clock):
    ledger.recorder.keys.store.counts()
    path = ledger.recorder.keys.store.path
    shutil.copy(path, f"{path}.old")
    refs = list(erase(ledger, "person-ana", actor="dpo").subjects.values())
    ledger.recorder.keys.close()
    Path(f"{path}.old").replace(path)
    again = open_ledger(database_url, ledger.book, clock=clock)
    assert again.recorder.keys.store.keys(refs)
    assert finish(again, actor="dpo") == refs
    assert not again.recorder.keys.store.keys(refs)
    assert erased_in(again) == {"person-ana"}
    again.close()


# Tampering --------------------------------------------------------------------------------------------------------


def alter(ledger, statement, **parameters):
    engine = make_engine(ledger.engine.url)
    with engine.begin() as connection:
        connection.execute(text(statement), {"book": ledger.book, **parameters})
    engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "stream = 'deal-acme'",
        "version = 2",
        "field = 'note'",
        "subject_ref = (SELECT ref FROM subjects WHERE book = :book AND subject = 'deal-acme')",
        "sealed = (SELECT sealed FROM vault WHERE book = :book AND stream = 'deal-acme')",
    ],
)
def test_a_value_that_was_moved_is_refused(ledger, change):
    alter(ledger, f"UPDATE vault SET {change} WHERE book = :book AND stream = 'deal-paul'")
    with pytest.raises(NotProven, match="not the one that was sealed there"):
        shown(ledger)
    assert len(audit(ledger.recorder, []).findings) == 1


def test_a_value_that_was_taken_away_is_no_erased_one(ledger):
    alter(ledger, "DELETE FROM vault WHERE book = :book AND stream = 'deal-paul'")
    assert shown(ledger)["deal-paul", "title"] is None


# Without its keys -------------------------------------------------------------------------------------------------


def test_without_its_key_store_the_log_is_read_and_nothing_personal_is(ledger, database_url, clock):
    path = ledger.recorder.keys.store.path
    ledger.recorder.keys.close()
    path.rename(f"{path}.away")
    bare = open_ledger(database_url, ledger.book, clock=clock)
    assert check_log(bare) == bare.head().position
    for use in (
        lambda: shown(bare),
        lambda: bare.append([opened("x", title="X")], actor="ana"),
        lambda: finish(bare, actor="a"),
    ):
        with pytest.raises(KeysUnusable, match="is missing"):
            use()
    assert not path.exists()
    bare.close()


def test_no_answer_that_is_kept_for_a_retry_holds_what_was_said(ledger):
    ledger.append([opened("key", title="Blue easels")], actor="ana", key="k1")
    [(outcome, body)] = ledger.recorder.all(
        "SELECT outcome, body_hmac FROM idempotency WHERE book = ? AND key = ?", [ledger.book, "k1"]
    )
    assert b"easel" not in bytes(outcome) + bytes(body)
    assert b"Blue" not in repr(ledger._appender._session.__dict__).encode()


def test_a_dry_run_makes_no_keys(database_url, book, clock):
    empty = open_ledger(database_url, book, clock=clock)
    [outcome] = empty.append_each([(1, msgspec.json.encode(ANA))], actor="ana", dry_run=True)
    assert outcome.error is None
    assert not empty.recorder.has_subjects()
    empty.append([ANA], actor="ana")
    assert empty.recorder.keys.store.counts()[0] == 8
    empty.close()


def test_a_commitment_that_is_in_no_vault_opens_nothing(ledger):
    assert ledger.reveal([Sealed(Commitment("c", "s"))]) == {}
