"""What has become of the quotes issued in a period."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.support.book import eur


def test_quotes_to_orders_by_cohort_of_issue(book):
    for quote in ("q1", "q2", "q3", "q4", "q5"):
        book.quote(quote, "2026-01-05", eur(70), owner="ana" if quote < "q4" else "bob")
    book.accepted("q1", "2026-04-01").say("quote-q2", "quote.declined", "2026-01-20", reason="price")
    book.say("quote-q3", "quote.withdrawn", "2026-01-21").quote("late", "2026-04-05", eur(1))
    totals = book.totals("conversion", period="2026-Q1")
    names = ("quotes", "accepted", "declined", "expired", "withdrawn", "open", "conversion", "quotes_per_order")
    assert [totals[name] for name in names] == [5, 1, 1, 0, 1, 2, 0.2, 5]
    assert book.totals("conversion", period="2026-Q1", as_of="2026-03-31")["quotes_per_order"] is None
    assert book.rows("conversion", "owner", "quotes", by="owner", period="2026-Q1") == [("ana", 3), ("bob", 2)]


def test_a_quote_expires_the_day_after_until_accepted(book):
    book.quote("q", "2026-01-05", eur(70), valid_until="2026-01-31").accepted("q", "2026-02-10")

    def status(as_of):
        return book.rows("conversion", "status", by="status", as_of=as_of)

    assert status("2026-01-31") == [("open",)]
    assert status("2026-01-31T23:00:00Z") == [("expired",)]
    assert status("2026-02-10") == [("accepted",)]


def test_a_quote_takes_its_customer_s_labels_of_the_day_it_was_issued(book):
    book.customer("c1", "2025-01-01", channel="web")
    book.say("customer-c1", "customer.reclassified", "2026-02-01", channel="fair")
    book.quote("q1", "2026-01-05", eur(1)).quote("q2", "2026-02-05", eur(1))
    assert book.rows("conversion", "channel", "quotes", by="channel") == [("fair", 1), ("web", 1)]


def test_an_empty_book_and_other_conversions(empty_book):
    answer = empty_book.report("conversion", period="2026-Q1")
    assert (answer.rows, answer.totals["conversion"]) == ([], None)
    with pytest.raises(BadRequest, match="of=joy is not possible in conversion; write quotes or leads or carts"):
        empty_book.report("conversion", of="joy")


def test_visits_per_order(book):
    book.person("ana", "2025-01-01", "north")
    for number, (owner, kind) in enumerate((("ana", "visit"), ("ana", "visit"), ("bob", "visit"), ("ana", "call"))):
        book.say(f"interaction-{number}", "interaction.logged", "2026-02-01", kind=kind, direction="out",
                 customer="c1", owner=owner)  # fmt: skip
    book.deal("a", "2026-01-05", eur(1)).won("a", "2026-02-10").deal("b", "2026-01-05", eur(1)).won("b", "2026-04-10")
    asked = {"of_": "interactions:visit", "period": "2026-Q1"}
    totals = book.totals("conversion", **asked)
    assert totals == {"contacts": 3, "orders": 1, "conversion": 1 / 3, "contacts_per_order": 3.0}
    rows = book.rows("conversion", "owner", "contacts", "orders", "contacts_per_order", by="owner", **asked)
    assert rows == [("ana", 2, 1, 2.0), ("bob", 1, 0, None)]
    assert book.rows("conversion", "team", "contacts", by="team", **asked) == [("north", 2), (None, 1)]


def test_leads_are_converted_once_they_are_customers_or_have_bought(book):
    for name in ("bought", "turned", "still", "twin"):
        book.customer(name, "2026-01-05", kind="lead", channel="web", owner="ana")
    book.customer("always", "2026-01-05").customer("early", "2025-12-05", kind="lead")
    book.deal("a", "2026-01-06", eur(1), customer="bought").won("a", "2026-02-01")
    book.say("customer-turned", "customer.qualified", "2026-02-15", kind="customer")
    book.say("customer-twin", "customer.merged", "2026-03-01", into="still")
    asked = {"of_": "leads", "period": "2026-Q1"}

    def counts(day, known_at=None):
        totals = book.totals("conversion", as_of=day, known_at=known_at or day, **asked)
        return totals["leads"], totals["customers"]

    assert [counts(day) for day in ("2026-01-31", "2026-02-10", "2026-02-20", "2026-03-05")] == [
        (4, 0), (4, 1), (4, 2), (3, 2),
    ]  # fmt: skip
    book.deal("b", "2026-01-06", eur(1), customer="twin").won("b", "2026-03-10")
    assert counts("2026-03-31") == (3, 3)  # what the duplicate bought, its survivor did
    assert book.rows("conversion", "channel", "owner", "leads", by="channel,owner", **asked) == [("web", "ana", 3)]
    book.retracted("deal-a", 2, "2026-05-01")
    assert counts("2026-03-31", "now") == (3, 2)


def test_carts_become_orders(book):
    for number in range(4):
        book.say(f"interaction-{number}", "interaction.logged", "2026-02-01", kind="cart", direction="in",
                 customer="c1")  # fmt: skip
    book.say("interaction-0", "interaction.converted", "2026-02-05", deal="a")
    asked = {"of_": "carts", "period": "2026-02"}
    assert book.totals("conversion", **asked) == {"carts": 4, "orders": 1, "conversion": 0.25, "carts_per_order": 4.0}
    assert book.totals("conversion", as_of="2026-02-03", **asked)["orders"] == 0
    explained = book.explained("conversion", of="carts")
    assert [each.state for each in explained.lines] == ["converted", "open", "open", "open"]
    assert explained.figures["orders"] == 1


def test_without_orders_there_is_no_conversion(empty_book):
    totals = empty_book.totals("conversion", of_="leads")
    assert totals == {"leads": 0, "customers": 0, "conversion": None, "leads_per_customer": None}
