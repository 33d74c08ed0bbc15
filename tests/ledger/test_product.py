"""The rules of a product."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, eur, retracted, say

AHEAD = "2027-01-01"
PRODUCT = "product-p"
LISTED = say(PRODUCT, "product.listed", name="P", unit_price=eur(500))
RETIRED = say(PRODUCT, "product.retired")


def changed(at=None, **fields):
    return say(PRODUCT, "product.changed", at, **fields)


def test_a_product_is_listed_once():
    book = given().when(LISTED).then("product.listed", {"unit_price.minor": 500, "retired": False})
    book.when(LISTED).nothing()
    book.when(say(PRODUCT, "product.listed", name="Q")).refused("already_listed", "product.changed")


@pytest.mark.parametrize("line", [changed(name="x"), RETIRED], ids=lambda line: line["type"])
def test_listed_first(line):
    given().when(line).refused("unknown_product", "product.listed first")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("name", "Q", ("name", "Q")),
        ("range", "pumps", ("range", "pumps")),
        ("unit_price", eur(600), ("unit_price.minor", 600)),
        ("unit_cost", eur(200), ("unit_cost.minor", 200)),
    ],
)
def test_what_is_named_changes_and_the_rest_stays(field, value, shown):
    listing = LISTED["data"] | {"range": "taps", "unit_cost": eur(100)}
    rest = {"name": "P", "range": "taps", "unit_price.minor": 500, "unit_cost.minor": 100}
    book = given(LISTED | {"data": listing})
    book.when(changed(**{field: value})).then("product.changed", rest | dict([shown]))
    book.when(changed(**{field: value})).nothing()


def test_a_retired_product_may_be_listed_again():
    book = given(LISTED, RETIRED)
    book.when(RETIRED).nothing()
    book.when(RETIRED, history=True).refused("product_retired")
    book.when(changed(name="R")).refused("product_retired", "only product.listed")
    book.when(say(PRODUCT, "product.listed", name="R")).then("product.listed", {"unit_price": None, "retired": False})


def test_what_is_planned_must_leave_the_whole_history_legal():
    book = given(LISTED, changed(AHEAD, unit_cost=eur(200)))
    book.when(say(PRODUCT, "product.retired", "2026-06-01")).refused(
        "product_retired", "then product.changed would no longer be allowed"
    )
    book.when(say(PRODUCT, "product.retired", "2028-01-01")).then("product.retired")
    book.when(changed("2028-06-01", name="R")).refused("product_retired")
    book.when(retracted(PRODUCT, 1)).refused("unknown_product")
    book.when(corrected(PRODUCT, 1, LISTED["data"] | {"name": "Z"})).then("event.corrected", {"name": "Z"})
