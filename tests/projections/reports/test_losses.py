"""Why deals were lost."""

from __future__ import annotations

from tests.support.book import eur

ASKED = ("losses", "reason", "competitor", "lost", "amount_minor", "share")


def test_an_empty_book_lost_nothing(empty_book):
    answer = empty_book.report("losses", period="2026-Q1")
    assert (answer.rows, answer.totals) == ([], {"lost": 0, "amount_minor": 0, "share": None})


def test_by_reason_and_competitor(book):
    for deal, value, why in (
        ("a", 100, {"reason": "price", "competitor": "acme"}),
        ("b", 200, {"reason": "price", "competitor": "acme"}),
        ("c", 400, {"reason": "price"}),
        ("d", 800, {"reason": "delay", "competitor": "acme"}),
    ):
        book.deal(deal, "2026-01-05", eur(value)).lost(deal, "2026-02-01", **why)
    book.deal("e", "2026-01-05", eur(5)).abandoned("e", "2026-02-01")
    book.deal("f", "2026-01-05", eur(7)).lost("f", "2026-04-01")
    assert book.rows(*ASKED, period="2026-Q1") == [
        ("delay", "acme", 1, 800, 0.25),
        ("price", "acme", 2, 300, 0.5),
        ("price", None, 1, 400, 0.25),
    ]
    assert book.totals("losses", period="2026-Q1") == {"lost": 4, "amount_minor": 1_500, "share": 1.0}
    only = book.rows(*ASKED, period="2026-Q1", where="competitor=acme")
    assert [row[-1] for row in only] == [1 / 3, 2 / 3]


def test_a_reopened_loss_is_none_and_a_back_dated_one_was_not_known(book):
    book.deal("a", "2026-01-05", eur(100)).lost("a", "2026-02-01").reopened("a", "2026-02-20")
    book.deal("b", "2026-01-05", eur(30)).lost("b", "2026-03-20", recorded="2026-04-15")
    assert book.totals("losses", as_of="2026-02-10")["amount_minor"] == 100
    assert book.totals("losses", as_of="2026-03-31")["lost"] == 0
    assert book.totals("losses", as_of="2026-03-31", known_at="now")["amount_minor"] == 30
    book.retracted("deal-b", 2, "2026-05-01")
    assert book.totals("losses", as_of="2026-03-31", known_at="now")["lost"] == 0


def test_the_share_of_a_cell_is_that_of_its_row(book):
    for deal, reason in (("a", "price"), ("b", "price"), ("c", "delay")):
        book.deal(deal, "2026-01-05", eur(1)).lost(deal, "2026-02-01", reason=reason)
    explained = book.explained("losses", {"reason": "price", "competitor": None})
    assert (len(explained.lines), explained.figures["share"]) == (2, 2 / 3)
    book.deal("d", "2025-01-05", eur(1)).lost("d", "2025-02-01", reason="price")
    rows = book.rows("losses", "reason", "share", "previous_share", period="2026", compare="previous_year")
    assert rows == [("delay", 1 / 3, 0), ("price", 2 / 3, 1.0)]


def test_a_reason_of_before_alone_has_no_part_now_where_there_is_a_whole(book):
    book.deal("a", "2025-01-05", eur(1)).lost("a", "2025-02-01", reason="price")
    asked = ("losses", "reason", "lost", "share", "previous_share", "change_share")
    compared = {"period": "2026", "compare": "previous_year"}
    assert book.rows(*asked, **compared) == [("price", 0, None, 1, None)]
    book.deal("b", "2026-01-05", eur(1)).lost("b", "2026-02-01", reason="delay")
    assert book.rows(*asked, **compared) == [("delay", 1, 1, 0, 1), ("price", 0, 0, 1, -1)]
