"""The rules of an interaction."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, retracted, say

TALK = "interaction-i1"
DEAL = "deal-d1"


def logged(kind="call", **more):
    return say(TALK, "interaction.logged", **({"kind": kind, "direction": "out", "customer": "c"} | more))


KINDS = [
    *("call", "email", "visit", "meeting", "prospecting_meeting", "demo", "proposal", "document", "support_request"),
    *("maintenance", "complaint", "web_visit", "cart", "survey", "other"),
]
RESOLVABLE = ("support_request", "complaint")
CONVERTIBLE = ("visit", "web_visit", "cart")
RESOLVED = say(TALK, "interaction.resolved")
CONVERTED = say(TALK, "interaction.converted", deal="d1")


@pytest.mark.parametrize("kind", KINDS)
def test_an_interaction_of_any_kind_is_logged_once(kind):
    book = given().when(logged(kind)).then("interaction.logged", {"logged.kind": kind, "resolved": False})
    book.when(logged(kind)).nothing()
    book.when(logged(kind, owner="bob")).refused("already_logged", "event.corrected")


def test_it_holds_whatever_is_known_of_it():
    more = {"contact": "j", "deal": "d1", "owner": "ana", "campaign": "spring", "duration_minutes": 0}
    more |= {"outcome": "not_reached", "attributes": {"site": "Ancenis"}}
    more |= {"satisfaction": {"scale": "ces", "score": 7}, "notes": "To call back"}
    state = {"logged.duration_minutes": 0, "logged.satisfaction.score": 7, "logged.notes": "To call back"}
    given().when(logged("survey", **more)).then("interaction.logged", state)


@pytest.mark.parametrize("line", [RESOLVED, CONVERTED], ids=lambda line: line["type"])
def test_logged_first(line):
    given().when(line).refused("not_logged", "interaction.logged first")


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_support_request_or_a_complaint_is_resolved_and_once(kind):
    book = given(logged(kind))
    if kind not in RESOLVABLE:
        book.when(RESOLVED).refused("wrong_kind", f"of kind support_request or complaint, not {kind}")
        return
    book.when(RESOLVED).then("interaction.resolved", {"resolved": True})
    book.when(RESOLVED).nothing()
    book.when(RESOLVED, history=True).refused("already_resolved", "log another one")


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_cart_or_a_visit_becomes_an_order_and_only_one(kind):
    book = given(logged(kind))
    if kind not in CONVERTIBLE:
        book.when(CONVERTED).refused("wrong_kind", f"of kind cart or visit or web_visit, not {kind}")
        return
    book.when(CONVERTED).then("interaction.converted", {"converted": "d1"})
    book.when(CONVERTED).nothing()
    book.when(say(TALK, "interaction.converted", deal="d2")).refused("already_converted", "became deal d1")


def test_nothing_that_followed_may_lose_its_ground():
    book = given(logged("complaint"), RESOLVED)
    book.when(retracted(TALK, 1)).refused("not_logged", "then interaction.resolved would no longer be allowed")
    book.when(corrected(TALK, 1, logged("call")["data"])).refused("wrong_kind", "then interaction.resolved")
    book.when(corrected(TALK, 1, logged("support_request")["data"])).then(
        "event.corrected", {"logged.kind": "support_request", "resolved": True}
    )
    book.when(retracted(TALK, 2)).then("event.retracted", {"resolved": False})
    book.when(RESOLVED).then("interaction.resolved")


def test_it_cannot_be_settled_before_it_was_logged():
    book = given(logged("complaint") | {"effective_at": "2025-06-01"})
    book.when(RESOLVED | {"effective_at": "2025-05-31"}).refused("not_logged")
    book.when(RESOLVED | {"effective_at": "2025-06-02"}).then("interaction.resolved")
    book.when(RESOLVED | {"effective_at": "2025-06-01T12:00:00Z"}).refused(
        "already_resolved", "then interaction.resolved would no longer be allowed"
    )


def test_what_happened_cannot_lie_ahead():
    given().when(logged() | {"effective_at": "2027-01-01"}).refused("in_the_future", "what happened lies behind")
