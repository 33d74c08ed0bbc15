"""How each customer stands."""

from __future__ import annotations

from tests.support.book import eur


def won(book, customer, at, minor=1, margin=0):
    deal = f"{customer}-{at}"
    return book.deal(deal, at, eur(minor), customer=customer, margin=eur(margin)).won(deal, at)


def met(book, name, customer, at, kind="call", **more):
    said = {"kind": kind, "direction": "in", "customer": customer}
    return book.say(f"interaction-{name}", "interaction.logged", at, **(said | more))


def line(book, customer, **asked):
    [row] = book.report("loyalty", where=f"customer={customer}", **asked).rows
    return row


def test_one_line_tells_what_a_customer_bought_and_what_passed(book):
    book.customer("c", "2023-01-01")
    won(book, "c", "2024-02-29", 100, 10)
    won(book, "c", "2025-05-10", 200, 20)
    won(book, "c", "2026-03-10", 300, 30)
    met(book, "i1", "c", "2026-01-05")
    met(book, "i2", "c", "2026-02-05", "visit")
    met(book, "i3", "c", "2026-02-06", "prospecting_meeting")
    met(book, "i4", "c", "2026-02-07", "complaint").say("interaction-i4", "interaction.resolved", "2026-03-20")
    met(book, "i5", "c", "2026-02-08", "support_request")
    met(book, "i6", "c", "2026-02-09", "survey", satisfaction={"scale": "nps", "score": 9})
    met(book, "i7", "c", "2026-02-10", "survey", satisfaction={"scale": "csat", "score": 4})
    row = line(book, "c", as_of="2026-04-30")
    assert [row[name] for name in ("first_win", "last_win", "wins", "wins_12m", "wins_24m", "regular")] == [
        "2024-02-29", "2026-03-10", 3, 2, 2, 0
    ]  # fmt: skip
    assert [row["revenue_minor"], row["margin_minor"], row["satisfaction"]] == [600, 60, 0.825]
    counts = ("interactions", "calls", "emails", "meetings", "support_requests", "complaints", "open_complaints")
    assert [row[name] for name in counts] == [7, 1, 0, 2, 1, 1, 0]
    assert (row["last_contact"], row["health"]) == ("2026-02-10", "active")
    before = line(book, "c", as_of="2026-03-15")
    assert (before["open_complaints"], before["health"]) == (1, "at_risk")


def test_regular_means_a_win_in_each_of_the_last_two_years(book):
    won(book, "c", "2024-05-10")
    won(book, "c", "2025-05-10")
    assert line(book, "c", as_of="2026-05-09")["regular"] == 1
    assert line(book, "c", as_of="2026-05-10", rule="declared")["regular"] == 0
    won(book, "d", "2026-01-01")
    assert line(book, "d", as_of="2026-05-09")["regular"] == 0


def test_twelve_months_up_to_the_eve_of_the_leap_day_begin_on_the_first_of_march(book):
    won(book, "c", "2022-03-01")
    won(book, "c", "2023-02-28")
    won(book, "c", "2023-03-01")
    assert [line(book, "c", as_of="2024-02-28")[name] for name in ("wins_12m", "wins_24m", "regular")] == [1, 3, 1]


def test_what_nobody_says_a_win_brought_is_unknown(book):
    book.deal("silent", "2026-01-06", customer="c").won("silent", "2026-02-05")
    assert [line(book, "c")[name] for name in ("wins", "revenue_minor", "margin_minor")] == [1, None, None]
    won(book, "c", "2026-03-05", 300, 30)
    assert [line(book, "c")[name] for name in ("wins", "revenue_minor", "margin_minor")] == [2, 300, 30]


def test_health(book):
    for customer in ("loyal", "fresh", "quiet", "gone", "old", "cross"):
        book.customer(customer, "2023-01-01")
    for customer in ("loyal", "cross"):
        won(book, customer, "2024-12-01")
        won(book, customer, "2026-05-01")
    won(book, "fresh", "2026-05-01")
    won(book, "quiet", "2025-09-28")
    won(book, "gone", "2026-05-01").say("customer-gone", "customer.churned", "2026-06-01", reason="price")
    won(book, "old", "2025-06-29")
    met(book, "i", "cross", "2026-05-05", "survey", satisfaction={"scale": "ces", "score": 3})
    rows = book.rows("loyalty", "customer", "health", as_of="2026-06-30")
    assert dict(rows) == {
        "loyal": "loyal", "fresh": "active", "quiet": "at_risk", "gone": "lapsed", "old": "lapsed", "cross": "at_risk"
    }  # fmt: skip
    assert book.rows("loyalty", "customer", where="health=loyal", as_of="2026-06-30") == [("loyal",)]
    assert dict(book.rows("loyalty", "customer", "health", rule="declared", as_of="2026-06-30"))["old"] == "at_risk"


def test_merged_customers_are_one_line(book):
    book.customer("a", "2024-01-01").customer("b", "2024-01-01")
    won(book, "a", "2026-01-10", 5)
    won(book, "b", "2026-02-10", 7)
    met(book, "i", "a", "2026-02-11")
    met(book, "j", "b", "2026-02-12", "email")
    book.say("customer-a", "customer.merged", "2026-03-01", into="b")
    columns = ("customer", "wins", "revenue_minor", "interactions", "calls", "emails", "last_contact")
    assert book.rows("loyalty", *columns, as_of="2026-02-28") == [
        ("a", 1, 5, 1, 1, 0, "2026-02-11"), ("b", 1, 7, 1, 0, 1, "2026-02-12")
    ]  # fmt: skip
    assert book.rows("loyalty", *columns) == [("b", 2, 12, 2, 1, 1, "2026-02-12")]


def test_totals_add_up(book):
    won(book, "a", "2025-01-10", 5, 2)
    won(book, "b", "2026-02-10", 7, 3)
    met(book, "i", "a", "2026-02-11", satisfaction={"scale": "nps", "score": 10})
    met(book, "j", "b", "2026-02-12", satisfaction={"scale": "nps", "score": 0})
    totals = book.totals("loyalty")
    assert [totals[name] for name in ("wins", "revenue_minor", "margin_minor", "interactions")] == [2, 12, 5, 2]
    assert [totals[name] for name in ("first_win", "last_win", "last_contact", "satisfaction")] == [
        "2025-01-10", "2026-02-10", "2026-02-12", 0.5
    ]  # fmt: skip


def test_what_was_learnt_late_and_retracted(book):
    won(book, "c", "2026-01-10")
    book.deal("late", "2026-01-05", eur(1), customer="c").won("late", "2026-01-12", recorded="2026-05-10")
    met(book, "i", "c", "2026-01-20", "complaint").retracted("interaction-i", 1, "2026-06-10")
    assert (line(book, "c", as_of="2026-01-31")["wins"], line(book, "c", as_of="2026-01-31")["open_complaints"]) == (
        1,
        1,
    )
    restated = line(book, "c", as_of="2026-01-31", known_at="now")
    assert (restated["wins"], restated["open_complaints"], restated["last_contact"]) == (2, 0, None)


def test_an_empty_book_and_one_with_a_prospect_only(empty_book, book):
    assert empty_book.report("loyalty").rows == []
    assert empty_book.totals("loyalty")["satisfaction"] is None
    book.customer("c", "2026-01-01", kind="prospect")
    met(book, "i", "c", "2026-01-20")
    assert book.report("loyalty").rows == []


def test_a_series_and_a_comparison_use_the_settings_of_their_own_dates(book):
    """Nobody knew of the thirty days on 31 July."""
    won(book.customer("c", "2024-01-01"), "c", "2025-06-11")
    book.say("book", "book.settings_changed", "2025-10-01", lapse_after_days=30)
    asked = {"as_of": "2025-11-04", "period": "2025-Q3", "every": "month"}
    assert [row["health"] for row in book.report("loyalty", **asked).rows] == ["active"] * 3
    assert line(book, "c", as_of="2025-07-31")["health"] == "active"
    assert line(book, "c", as_of="2025-11-04")["health"] == "lapsed"
