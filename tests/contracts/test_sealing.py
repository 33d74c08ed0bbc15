"""Names and free text: in the vault, and never in the log."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import msgspec
import pytest
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import Refused
from ledger.events import Commitment, Sealed
from tests.support.lines import corrected, entries, opened, pipeline, retracted, say

SECRETS = [
    "Ana Ruiz",
    "ana@example.org",
    "Pumps for Mrs Weiß",
    "Jean Petit",
    "jean@example.org",
    "+33 1 23",
    "too dear\n\u0007😀",
]
VAULT = "commitment, subject_ref, stream, version, field, sealed"
ANA = say("person-ana", "person.joined", name="Ana Ruiz", email="ana@example.org", team="north", role="rep")
DEAL = opened(title="Pumps for Mrs Weiß")
CUSTOMER = say("customer-c", "customer.registered", name="Acme", kind="lead")
CONTACT = say("customer-c", "contact.added", contact="j", name="Jean Petit", email="jean@example.org", phone="+33 1 23")
LOST = say("deal-d1", "deal.lost", reason="price", note="too dear\n\u0007😀")


@pytest.fixture
def told(ledger):
    ledger.append([pipeline(), ANA, DEAL, CUSTOMER], actor="ana")
    ledger.append([CONTACT, LOST], actor="ana")
    return ledger


def seals(event):
    values = (getattr(event.data, name) for name in event.data.__struct_fields__)
    return [value for value in values if hasattr(value, "commitment")]


def sealed_in(ledger, stream):
    return [seal for event in ledger.stream(stream) for seal in seals(event)]


def test_no_personal_value_and_no_free_text_stands_in_the_log(told):
    correction = corrected("deal-d1", 1, DEAL["data"] | {"title": "Jean Petit"})
    correction["data"]["note"] = "Ana Ruiz told me"
    told.append([correction, retracted("deal-d1", 2)], actor="ana")
    log = b"".join(bytes(row[7]) for row in told.feed_rows(0, 100))
    for secret in SECRETS:
        for form in (secret, msgspec.json.encode(secret)[1:-1].decode(), repr(secret)[1:-1]):
            assert form.encode() not in log
    assert b"Acme" in log


def test_every_commitment_is_that_of_its_value(told):
    """Opened without a line of ours: salt and value by the subject's key, bound to where the value was said."""
    rows = told.recorder.all(f"SELECT {VAULT} FROM vault WHERE book = ?", [told.book])
    assert len(rows) == 7
    salts = set()
    for commitment, ref, stream, version, field, sealed in rows:
        nonce, encrypted = bytes(sealed)[:12], bytes(sealed)[12:]
        about = rfc8785.dumps([f"sales-ledger.local/{told.book}", stream, version, field, ref])
        opened = AESGCM(told.recorder.keys.key(ref)).decrypt(nonce, encrypted, about)
        salt, value = opened[:32], opened[32:]
        assert rfc8785.dumps(msgspec.json.decode(value)) == value
        assert commitment == b64encode(sha256(b"\x02" + salt + value).digest()).decode()
        salts.add(salt)
    assert len(salts) == 7
    seal = entries(told)[2]["data"]["name"]["$sealed"]
    assert set(seal) == {"c", "s"}
    assert told.reveal(sealed_in(told, "person-ana"))[seal["c"]] == "Ana Ruiz"


def test_what_was_sealed_is_joined_again(told):
    revealed = told.reveal([*sealed_in(told, "customer-c"), *sealed_in(told, "deal-d1")])
    assert sorted(revealed.values()) == sorted(SECRETS[2:])


def test_a_subject_has_one_random_name_for_good_and_a_contact_its_own(told):
    told.append([say("deal-d1", "deal.reopened", stage="lead", reason="x")], actor="ana")
    told.append([say("deal-d1", "deal.retitled", title="More pumps")], actor="ana")
    told.append([say("customer-c", "contact.changed", contact="j", phone="+33 9 99")], actor="bob")
    told.append([say("customer-c", "contact.added", contact="k", name="Kim")], actor="bob")

    def refs(stream):
        return [seal.commitment.s for seal in sealed_in(told, stream)]

    assert len(set(refs("deal-d1"))) == 1
    assert len(set(refs("person-ana"))) == 1
    contacts = refs("customer-c")
    assert len(set(contacts[:4])) == 1
    assert contacts[4] != contacts[0]
    everybody = {*refs("deal-d1"), *refs("person-ana"), *contacts}
    assert len(everybody) == 4
    for ref in everybody:
        assert len(ref) == 20
        assert not any(name in ref for name in ("ana", "deal", "customer"))
    named = dict(told.recorder.all("SELECT subject, ref FROM subjects WHERE book = ?", [told.book]))
    assert set(named) == {"person-ana", "deal-d1", "customer-c/j", "customer-c/k"}
    assert set(named.values()) == everybody


TALK = say("interaction-1", "interaction.logged", kind="call", direction="in", customer="c", contact="j", notes="Leaks")
TASK = say(
    "task-1", "task.planned", kind="call", due_at="2026-06-30", owner="ana", customer="c", contact="j", subject="Ask"
)
QUARTER = {"from": "2026-07-01", "to": "2026-09-30"}
GOAL: dict[str, Any] = {
    "scope": {"person": "ana"},
    "metric": "won_count",
    "period": QUARTER,
    "target": "9",
    "statement": "Do more",
}
OBJECTIVE = say("objective-1", "objective.set", **GOAL)
MONEY = {"minor": 5, "currency": "EUR"}
CALL = say(
    "call-1",
    "forecast.submitted",
    scope={"person": "ana"},
    period=QUARTER,
    category="commit",
    value=MONEY,
    note="Without the big one",
)


def append_together(ledger, lines):
    ledger.append(lines, actor="ana")


def append_one_by_one(ledger, lines):
    for line in lines:
        ledger.append([line], actor="ana")


def append_as_a_file(ledger, lines):
    outcomes = list(ledger.append_each(enumerate(map(msgspec.json.encode, lines), 1), actor="ana"))
    assert [outcome.error for outcome in outcomes] == [None] * len(lines)


@pytest.mark.parametrize("append", [append_together, append_one_by_one, append_as_a_file])
@pytest.mark.parametrize("about_first", [True, False])
def test_what_is_said_about_somebody_is_theirs_whichever_stream_says_it_first(ledger, append, about_first):
    them, about = [CUSTOMER, CONTACT, ANA], [TALK, TASK, OBJECTIVE, CALL]
    append(ledger, [*about, *them] if about_first else [*them, *about])
    refs = {
        stream: {seal.commitment.s for seal in sealed_in(ledger, stream)}
        for stream in ("customer-c", "interaction-1", "task-1", "person-ana", "objective-1", "call-1")
    }
    assert refs["interaction-1"] == refs["task-1"] == refs["customer-c"]
    assert refs["objective-1"] == refs["call-1"] == refs["person-ana"]
    named = ledger.recorder.subject_refs(["customer-c/j", "person-ana"])
    assert [{named["customer-c/j"]}, {named["person-ana"]}] == [refs["customer-c"], refs["person-ana"]]


def test_what_is_about_nobody_is_the_streams_own(ledger):
    lines = [
        TALK | {"data": {name: value for name, value in TALK["data"].items() if name != "contact"}},
        TASK | {"data": {name: value for name, value in TASK["data"].items() if name != "customer"}},
        OBJECTIVE | {"data": GOAL | {"scope": {"team": "north"}}},
        CALL | {"data": CALL["data"] | {"scope": {"company": True}}},
    ]
    ledger.append(lines, actor="ana")
    for line in lines:
        [seal] = sealed_in(ledger, line["stream"])
        assert list(ledger.recorder.subject_refs([line["stream"]]).values()) == [seal.commitment.s]
    for line in lines:
        assert not ledger.append([line], actor="ana")[0].appended


def test_a_correction_may_say_that_it_was_somebody_else(ledger):
    ledger.append([TALK], actor="ana")
    data = TALK["data"] | {"contact": "k", "notes": "Drips"}
    ledger.append([corrected("interaction-1", 1, data)], actor="ana")
    sealed = ledger.stream("interaction-1")[-1].data.data["notes"]["$sealed"]
    assert ledger.recorder.subject_refs(["customer-c/k"]) == {"customer-c/k": sealed["s"]}


def test_the_same_text_twice_gives_two_commitments(told):
    told.append([opened("d2", title="Pumps for Mrs Weiß")], actor="ana")
    [first, *_], [second] = sealed_in(told, "deal-d1"), sealed_in(told, "deal-d2")
    assert first.commitment.c != second.commitment.c


def test_a_company_has_its_name_in_clear_and_a_person_does_not(told):
    told.append([say("customer-p", "customer.registered", name="Paul Klee", kind="lead", person=True)], actor="ana")
    told.append([say("customer-p", "customer.renamed", name="Paul Maria Klee")], actor="ana")
    told.append([say("customer-c", "customer.renamed", name="Acme & Sons")], actor="ana")
    log = b"".join(bytes(row[7]) for row in told.feed_rows(0, 100))
    assert b"Klee" not in log
    assert b"Acme & Sons" in log


def test_saying_a_sealed_text_again_is_saying_what_is_so(told):
    head = told.head()
    for line in (ANA, DEAL, CONTACT, LOST):
        [receipt] = told.append([line], actor="ana")
        assert not receipt.appended, line
    assert told.head() == head
    with pytest.raises(Refused):
        told.append([DEAL | {"data": DEAL["data"] | {"title": "Other"}}], actor="ana")


def test_a_correction_may_keep_a_seal_of_the_event_it_corrects_and_no_other(told):
    told.append([opened("d2", title="Other")], actor="ana")
    mine, other = (entries(told)[position - 1]["data"]["title"] for position in (4, told.head().position))
    told.append([corrected("deal-d1", 1, DEAL["data"] | {"title": mine, "owner": "bob"})], actor="ana")
    assert told.stream("deal-d1")[-1].data.data["title"] == mine
    with pytest.raises(Refused, match="not a sealed value"):
        told.append([corrected("deal-d1", 1, DEAL["data"] | {"title": other})], actor="ana")


def test_a_correction_with_new_text_is_sealed_and_saying_it_again_is_nothing(told):
    correction = corrected("deal-d1", 1, DEAL["data"] | {"title": "Valves"})
    [receipt] = told.append([correction], actor="ana")
    sealed = told.stream("deal-d1")[-1].data.data["title"]["$sealed"]
    assert told.reveal([Sealed(Commitment(**sealed))]) == {sealed["c"]: "Valves"}
    assert sealed["s"] == sealed_in(told, "deal-d1")[0].commitment.s
    assert receipt.appended
    assert not told.append([correction], actor="ana")[0].appended
    back = told.append([corrected("deal-d1", 1, DEAL["data"])], actor="ana")
    assert back[0].appended


def test_what_is_not_stored_leaves_nothing_in_the_vault(told):
    before = told.recorder.all("SELECT count(*) FROM vault", [])[0][0]
    with pytest.raises(Refused):
        told.append(
            [opened("d9", title="never"), say("deal-d9", "deal.reopened", stage="lead", reason="x")], actor="ana"
        )
    assert told.recorder.all("SELECT count(*) FROM vault", [])[0][0] == before
