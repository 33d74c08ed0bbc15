"""What sells, beside what sold before."""

from __future__ import annotations

from tests.support.book import eur, line


def sale(book, name, day, **products):
    lines = [line(product, eur(minor), "2", margin=eur(minor // 4)) for product, minor in products.items()]
    return book.deal(name, "2024-01-05", lines=lines).won(name, day)


def test_an_empty_book_sold_nothing(empty_book):
    answer = empty_book.report("products")
    assert answer.rows == []
    assert answer.totals["amount_minor"] == 0
    assert answer.totals["share"] is None


def test_products_are_ranked_and_compared(book):
    book.product("anvil", "2024-01-01", "iron").product("bolt", "2024-01-01", "steel")
    book.product("clamp", "2024-01-01", "steel").product("drill", "2024-01-01")
    sale(book, "a", "2026-05-10", anvil=400, bolt=200)
    sale(book, "b", "2026-05-11", bolt=200, drill=200)
    sale(book, "c", "2026-02-10", anvil=100, clamp=50)
    sale(book, "d", "2025-05-10", bolt=800)
    book.deal("e", "2026-01-05", eur(600)).won("e", "2026-06-01")
    asked = ("product_range", "product", "won", "amount_minor", "share", "rank",
             "previous_period_minor", "previous_year_minor")  # fmt: skip
    assert book.rows("products", *asked, period="2026-Q2") == [
        ("iron", "anvil", 1, 400, 0.25, 2, 100, 0),
        ("steel", "bolt", 2, 400, 0.25, 2, 0, 800),
        ("steel", "clamp", 0, 0, 0.0, 5, 50, 0),
        (None, "drill", 1, 200, 0.125, 4, 0, 0),
        (None, None, 1, 600, 0.375, 1, 0, 0),
    ]
    change = ("previous_period_change_minor", "previous_period_growth", "previous_year_growth")
    rows = book.rows("products", "product", *change, period="2026-Q2")
    assert rows[0] == ("anvil", 300, 3.0, None)
    assert rows[1] == ("bolt", 400, None, -0.5)
    totals = book.totals("products", period="2026-Q2")
    assert [totals[each] for each in ("won", "amount_minor", "share", "rank")] == [3, 1_600, 1.0, None]
    assert [totals["previous_period_minor"], totals["margin_minor"], totals["quantity"]] == [150, 250, 8]


def test_without_a_period_there_is_nothing_before(book):
    sale(book, "a", "2026-05-10", anvil=400)
    assert book.rows("products", "amount_minor", "previous_period_minor", "previous_year_growth") == [(400, None, None)]


def test_ranks_are_told_among_rows_alike(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "north")
    for number, (owner, product, minor) in enumerate(
        (("ana", "anvil", 3), ("ana", "bolt", 2), ("bob", "anvil", 1), ("bob", "bolt", 4))
    ):
        book.deal(f"d{number}", "2026-01-05", lines=[line(product, eur(minor))], owner=owner)
        book.won(f"d{number}", "2026-02-01")
    rows = book.rows("products", "owner", "product", "rank", by="owner")
    assert sorted(rows) == [("ana", "anvil", 1), ("ana", "bolt", 2), ("bob", "anvil", 2), ("bob", "bolt", 1)]
    explained = book.explained("products", {"product": "bolt", "product_range": None, "owner": "bob"}, by="owner")
    assert (explained.figures["rank"], explained.figures["share"]) == (1, 0.4)


def test_a_back_dated_sale_counts_once_it_is_known(book):
    book.deal("a", "2026-01-05", lines=[line("anvil", eur(7))]).won("a", "2026-03-20", recorded="2026-04-15")
    assert book.rows("products", "amount_minor", period="2026-Q1", as_of="2026-03-31") == []
    assert book.rows("products", "amount_minor", period="2026-Q1", as_of="2026-03-31", known_at="now") == [(7,)]
    book.retracted("deal-a", 2, "2026-05-01")
    assert book.rows("products", "amount_minor", period="2026-Q1", as_of="2026-03-31", known_at="now") == []
