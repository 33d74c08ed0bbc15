"""Customers that look the same."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.reports.likeness import LARGEST_BLOCK, blocks, candidates, likeness, words

COLUMNS = ("customer", "other", "score")


def contact(book, customer, contact, at="2026-01-02"):
    return book.say(f"customer-{customer}", "contact.added", at, contact=contact, name="Somebody")


def test_the_same_name_in_another_dress_is_found(book):
    book.customer("a", "2026-01-01", name="Lumérys Énergie SAS", country="FR")
    book.customer("b", "2026-01-02", name="ENERGIE LUMERYS S.A.", country="FR")
    book.customer("c", "2026-01-03", name="Boulangerie Martin", country="FR")
    [row] = book.report("duplicates").rows
    assert [row[name] for name in ("customer", "other", "score", "name_likeness", "same_country")] == [
        "a",
        "b",
        80,
        1,
        1,
    ]
    assert (row["customer_name"], row["other_name"]) == ("Lumérys Énergie SAS", "ENERGIE LUMERYS S.A.")


def test_countries_and_contacts_weigh(book):
    book.customer("a", "2026-01-01", name="Acme", country="FR")
    book.customer("b", "2026-01-02", name="Acme", country="DE")
    book.customer("c", "2026-01-03", name="Acme")
    contact(book, "a", "k1", "2026-01-05")
    contact(book, "c", "k1", "2026-01-05")
    assert book.rows("duplicates", *COLUMNS) == [("a", "b", 70), ("a", "c", 95), ("b", "c", 75)]
    assert book.rows("duplicates", *COLUMNS, as_of="2026-01-04") == [("a", "b", 70), ("a", "c", 75), ("b", "c", 75)]
    assert book.totals("duplicates") == {
        "pairs": 3, "score": None, "name_likeness": None, "same_country": None, "shared_contacts": None
    }  # fmt: skip


def test_names_that_differ_too_much_are_none(book):
    for customer, name in {"a": "Martin Bois", "b": "Martin Fils Charpente", "c": "Durand Bois"}.items():
        book.customer(customer, "2026-01-01", name=name, country="FR")
        contact(book, customer, "k")
    assert book.report("duplicates").rows == []


def test_filters_take_the_one_registered_first_or_the_other(book):
    for customer, country in {"a": "FR", "b": "DE", "c": "FR"}.items():
        book.customer(customer, "2026-01-01", name="Acme", country=country)
    assert book.rows("duplicates", "customer", "other", where="country=FR") == [("a", "b"), ("a", "c")]
    assert book.rows("duplicates", "customer", "other", where="other=c") == [("a", "c"), ("b", "c")]
    assert book.rows("duplicates", "customer", "other", "country", where="country=DE,other=c", by="country") == [
        ("b", "c", "DE")
    ]


def test_each_row_is_what_its_line_says(book):
    for customer, name in {"a": "Acme Bois", "b": "Acme Bois SA", "c": "Acme Boi"}.items():
        book.customer(customer, "2026-01-01", name=name)
        contact(book, customer, "k")
    rows = {row["other"]: row for row in book.report("duplicates", where="customer=a").rows}
    for other, row in rows.items():
        explained = book.explained("duplicates", {"customer": "a", "other": other})
        assert explained.figures == {name: row[name] for name in explained.figures}
        assert explained.lines[0].figures.items() <= row.items()


def test_who_is_merged_is_no_duplicate_any_more(book):
    for customer in ("a", "b"):
        book.customer(customer, "2026-01-01", name="Acme", country="FR")
    book.say("customer-a", "customer.merged", "2026-02-01", into="b")
    assert book.rows("duplicates", *COLUMNS, as_of="2026-01-31") == [("a", "b", 80)]
    assert book.report("duplicates").rows == []


def test_persons_are_not_compared(book):
    for customer in ("a", "b"):
        book.customer(customer, "2026-01-01", name="Jeanne Martin", person=True)
        contact(book, customer, "k")
    assert book.report("duplicates").rows == []


def test_a_contact_that_many_have_brings_none_together(book):
    book.customer("a", "2026-01-01", name="Alumerysenergie").customer("b", "2026-01-02", name="Blumerysenergie")
    contact(book, "a", "k")
    contact(book, "b", "k")
    assert book.rows("duplicates", "customer", "other", "shared_contacts") == [("a", "b", 1)]
    for number in range(LARGEST_BLOCK - 1):
        book.customer(f"p{number}", "2026-01-03", name="Somebody", person=True)
        contact(book, f"p{number}", "k", "2026-02-01")
    assert book.report("duplicates").rows == []
    assert book.rows("duplicates", "customer", "other", as_of="2026-01-31") == [("a", "b")]


def test_the_one_registered_first_is_the_customer(book):
    book.customer("a", "2026-01-02", name="Acme").customer("b", "2026-01-01", name="Acme")
    assert book.rows("duplicates", "customer", "other") == [("b", "a")]


def test_a_name_corrected_later(book):
    book.customer("a", "2026-01-01", name="Acme").customer("b", "2026-01-01", name="Acme")
    data = {"name": "Boulangerie", "kind": "customer"}
    book.corrected("customer-b", 1, "2026-03-01", data=data)
    assert book.rows("duplicates", *COLUMNS, as_of="2026-02-01") == [("a", "b", 75)]
    assert book.rows("duplicates", *COLUMNS, as_of="2026-02-01", known_at="now") == []


def test_an_empty_book(empty_book):
    assert empty_book.totals("duplicates")["pairs"] == 0


def test_rows_and_lines_stand_in_the_order_of_ids(book):
    for day, customer in enumerate(("b", "d", "a", "c"), start=1):
        book.customer(customer, f"2026-01-0{day}", name="Acme")
    assert book.rows("duplicates", "customer", "other") == [
        ("a", "c"), ("b", "a"), ("b", "c"), ("b", "d"), ("d", "a"), ("d", "c")
    ]  # fmt: skip
    lines = book.explained("duplicates", {"customer": "b"}).lines
    assert [line.dimensions["other"] for line in lines] == ["a", "c", "d"]


def test_beside_an_earlier_date(book):
    book.customer("a", "2026-01-01", name="Acme", country="FR").customer("b", "2026-01-02", name="Acme", country="FR")
    book.customer("c", "2026-02-01", name="Acme").customer("d", "2026-02-01", name="Boulangerie")
    book.say("customer-b", "customer.merged", "2026-03-01", into="a")
    told = ("customer", "customer_name", "other", "other_name", "score", "previous_score")
    assert book.rows("duplicates", *told, compare="2026-01-31") == [
        ("a", "Acme", "b", "Acme", None, 80),
        ("a", "Acme", "c", "Acme", 75, None),
    ]


def test_at_each_date(book):
    book.customer("a", "2026-01-01", name="Acme").customer("b", "2026-01-02", name="Acme")
    book.customer("c", "2026-02-01", name="Acme")
    found = book.rows("duplicates", "date", "customer", "other", period="2026-01..2026-02", every="month")
    assert found == [
        ("2026-01-31", "a", "b"), ("2026-02-28", "a", "b"), ("2026-02-28", "a", "c"), ("2026-02-28", "b", "c")
    ]  # fmt: skip


def test_an_explanation_names_both(book):
    book.customer("a", "2026-01-01", name="Acme").customer("b", "2026-01-01", name="Acme")
    [line] = book.explained("duplicates", {"other": "b"}).lines
    assert set(line.events) == {"customer-a", "customer-b"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Lumérys Énergie S.A.S.", "lumerys energie"),
        ("GmbH", "gmbh"),
        ("", ""),
        ("Müller & Söhne KG", "muller sohne"),
    ],
)
def test_the_words_that_tell(name, wanted):
    assert words(name) == wanted


NAMES = st.lists(st.text("abcd ", min_size=1, max_size=9), max_size=12)


@given(NAMES)
def test_all_pairs_that_share_a_word_are_compared_once(names):
    told = [words(name) for name in names]
    compared = [(one, other) for one, others in candidates(blocks(dict(enumerate(told)))) for other in others]
    assert len(compared) == len(set(compared))
    assert all(one < other for one, other in compared)
    sharing = {
        pair for pair in combinations(range(len(told)), 2) if set(told[pair[0]].split()) & set(told[pair[1]].split())
    }
    assert sharing <= set(compared)
    for one, other in combinations(told, 2):
        assert 0 <= likeness(one, other) == likeness(other, one) <= 1
