"""The rules of customers and their contacts."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import retracted, say

CUSTOMER = "customer-c"


def registered(name="c", **more):
    return say(f"customer-{name}", "customer.registered", **({"name": "Acme", "kind": "lead"} | more))


REGISTERED = registered()
MERGED = say(CUSTOMER, "customer.merged", into="d")
CONTACT = say(CUSTOMER, "contact.added", contact="j", name="Jean", phone="1")
CHANGES = [
    say(CUSTOMER, "customer.qualified", kind="customer"),
    say(CUSTOMER, "customer.reclassified", region="south", attributes={"size": 3}),
    say(CUSTOMER, "customer.assigned", owner="bob"),
    say(CUSTOMER, "customer.renamed", name="Acme & Sons"),
    say(CUSTOMER, "customer.churned", reason="price"),
    CONTACT,
    MERGED,
]


@pytest.mark.parametrize("line", CHANGES, ids=lambda line: line["type"])
def test_registered_first(line):
    given().when(line).refused("unknown_customer", "register it first")


def test_a_customer_is_registered_once():
    given(REGISTERED).when(registered(kind="customer")).refused("already_registered")
    given(REGISTERED).when(REGISTERED).nothing()


def test_kinds_go_forward_and_back_freely():
    book = given(REGISTERED)
    for kind in ("customer", "lead", "prospect"):
        book.when(say(CUSTOMER, "customer.qualified", kind=kind)).then("customer.qualified", {"profile.kind": kind})


def test_what_is_named_changes_and_the_rest_stays():
    book = given(registered(region="north", country="FR"), *CHANGES[:4])
    profile = book.stream(CUSTOMER).state.profile
    found = (profile.kind, profile.region, profile.country, profile.owner, profile.name, profile.attributes)
    assert found == ("customer", "south", "FR", "bob", "Acme & Sons", {"size": 3})


def test_contacts_come_change_and_go():
    book = given(REGISTERED, CONTACT)
    book.when(CONTACT).nothing()
    book.when(say(CUSTOMER, "contact.added", contact="j", name="Joan")).refused("already_added", "contact.changed")
    book.when(say(CUSTOMER, "contact.added", contact="k", name="Kim")).then("contact.added")
    book.when(CONTACT).nothing()
    book.when(say(CUSTOMER, "contact.changed", contact="j", name="Jeanne")).then("contact.changed")
    assert (book.stream(CUSTOMER).state.contacts["j"].name, book.stream(CUSTOMER).state.contacts["j"].phone) == (
        "Jeanne",
        "1",
    )
    removed = say(CUSTOMER, "contact.removed", contact="j")
    book.when(removed).then("contact.removed")
    book.when(removed).nothing()
    book.when(say(CUSTOMER, "contact.changed", contact="j", phone="2")).refused(
        "unknown_contact", "contact.added first"
    )
    book.when(say(CUSTOMER, "contact.removed", contact="z")).refused("unknown_contact")
    book.when(CONTACT).then("contact.added")


def test_a_churned_customer_may_come_back_and_go_again():
    churned, back = say(CUSTOMER, "customer.churned", reason="price"), say(CUSTOMER, "customer.reactivated")
    book = given(REGISTERED).when(churned).then("customer.churned", {"churned": True})
    book.when(say(CUSTOMER, "customer.churned", reason="other")).refused("already_churned")
    book.when(back).then("customer.reactivated", {"churned": False})
    book.when(churned).then("customer.churned")


def test_nothing_after_a_merge_but_its_retraction():
    book = given(REGISTERED, MERGED)
    for line in CHANGES[:-1]:
        book.when(line).refused("customer_merged", "merged into d")
    book.when(MERGED).nothing()
    book.when(retracted(CUSTOMER, 2)).then("event.retracted", {"merged_into": None})
    book.when(CHANGES[0]).then("customer.qualified")


def test_no_merging_in_circles():
    book = given(registered("a"), registered("b"), registered("c"))
    book.when(say("customer-a", "customer.merged", into="a")).refused("merge_in_circle")
    book.when(say("customer-a", "customer.merged", into="b")).then("customer.merged")
    book.when(say("customer-b", "customer.merged", into="c")).then("customer.merged")
    book.when(say("customer-c", "customer.merged", into="a")).refused("merge_in_circle", "by way of others")
    correction = say("customer-b", "event.corrected", version=2, reason="x", data={"into": "a"})
    book.when(correction).refused("merge_in_circle")
    book.when(retracted("customer-a", 2)).then("event.retracted")
    book.when(say("customer-c", "customer.merged", into="a")).then("customer.merged")
    book.when(retracted("customer-a", 3)).refused("merge_in_circle")


def test_what_happened_cannot_lie_ahead():
    given().when(REGISTERED | {"effective_at": "2027-01-01"}).refused("in_the_future")
