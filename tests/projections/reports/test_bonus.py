"""The base for pay."""

from __future__ import annotations

import pytest

from tests.support.book import eur

COLUMNS = ("sales", "gross_minor", "credits", "credited_minor", "base_minor", "base_quantity")


@pytest.fixture
def paid(book):
    book.deal("a", "2026-01-05", eur(1_000), margin=eur(400), quantity="5").won("a", "2026-02-01")
    book.deal("b", "2026-01-05", eur(500), margin=eur(100), owner="bob").won("b", "2026-02-01")
    book.say("deal-a", "deal.invoiced", "2026-03-01", invoice="i1", value=eur(600), margin=eur(250))
    book.say("deal-a", "deal.invoiced", "2026-04-01", invoice="i2", value=eur(400))
    book.say("deal-a", "deal.delivered", "2026-03-02", value=eur(700))
    book.say("deal-a", "deal.credited", "2026-03-03", invoice="i1", value=eur(150), margin=eur(60), reason="returned")
    return book


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("amount", (1, 1_000, 1, -150, 850, None)),
        ("margin", (1, 400, 1, -60, 340, None)),
        ("invoiced", (1, 600, 1, -150, 450, None)),
        ("delivered", (1, 700, 1, -150, 550, None)),
        ("quantity", (1, None, 0, None, None, 5)),
    ],
)
def test_credit_notes_are_deducted_whatever_the_basis(paid, basis, expected):
    assert paid.rows("bonus", *COLUMNS, period="2026-Q1", basis=basis, where="owner=ana") == [expected]


def test_by_rep_on_what_was_won(paid):
    assert paid.rows("bonus", "owner", "base_minor", period="2026-Q1") == [("ana", 850), ("bob", 500)]
    assert paid.totals("bonus", period="2026-Q1")["base_minor"] == 1_350
    assert paid.totals("bonus", period="2026-Q2")["base_minor"] == 0


def test_a_credit_note_counts_when_it_is_known(paid):
    paid.say("deal-b", "deal.credited", "2026-03-20", "2026-04-10", value=eur(80), reason="returned")
    assert paid.totals("bonus", period="2026-Q1", as_of="2026-03-31", where="owner=bob")["base_minor"] == 500
    restated = paid.totals("bonus", period="2026-Q1", as_of="2026-03-31", known_at="now", where="owner=bob")
    assert restated["base_minor"] == 420
    paid.retracted("deal-b", 3, "2026-05-01")
    restated = paid.totals("bonus", period="2026-Q1", as_of="2026-03-31", known_at="now", where="owner=bob")
    assert restated["base_minor"] == 500


def test_an_empty_book_pays_nothing(empty_book):
    answer = empty_book.report("bonus", basis="invoiced")
    assert answer.rows == []
    assert answer.totals["base_minor"] == 0


def test_the_lines_behind_a_base_add_up_to_it(paid):
    explained = paid.explained("bonus", {"owner": "ana"}, period="2026-Q1", basis="invoiced")
    assert [(each.state, each.figures.get("gross_minor"), each.figures.get("credited_minor"))
            for each in explained.lines] == [("gross", 600, None), ("credit", None, -150)]  # fmt: skip
    assert explained.figures["base_minor"] == 450
