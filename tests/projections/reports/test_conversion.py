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
    with pytest.raises(BadRequest, match="of=leads is not possible in conversion; write quotes"):
        empty_book.report("conversion", of="leads")
