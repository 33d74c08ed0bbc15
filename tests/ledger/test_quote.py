"""The rules of a quote."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import eur, say

QUOTE = "quote-q"
ISSUED = say(QUOTE, "quote.issued", customer="c", number="Q-1", value=eur(100), valid_until="2026-06-30")
REVISED = say(QUOTE, "quote.revised", value=eur(90))
ENDINGS = [say(QUOTE, f"quote.{how}") for how in ("accepted", "declined", "expired", "withdrawn")]


def test_a_quote_is_issued_once():
    book = given().when(ISSUED).then("quote.issued", {"worth.value.minor": 100, "valid_until": "2026-06-30"})
    book.when(ISSUED).nothing()
    book.when(say(QUOTE, "quote.issued", customer="c", number="Q-2", value=eur(1))).refused("already_issued", "revised")


@pytest.mark.parametrize("line", [REVISED, *ENDINGS])
def test_issued_first(line):
    given().when(line).refused("not_issued", "quote.issued first")


def test_a_revision_changes_what_it_names():
    book = given(ISSUED).when(REVISED).then("quote.revised", {"worth.value.minor": 90, "valid_until": "2026-06-30"})
    book.when(say(QUOTE, "quote.revised", valid_until="2026-09-30")).then("quote.revised", {"worth.value.minor": 90})


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda line: line["type"])
def test_a_quote_ends_once(ending):
    book = given(ISSUED).when(ending).then(ending["type"])
    book.when(ending).nothing()
    book.when(REVISED).refused("quote_ended", f"there is already {ending['type']}")
    for other in ENDINGS:
        if other != ending:
            book.when(other).refused("quote_ended", "a quote ends once")


def test_an_acceptance_may_be_back_dated_beyond_its_validity():
    book = given(ISSUED | {"effective_at": "2025-01-01"})
    book.when(ENDINGS[0] | {"effective_at": "2025-12-31"}).then("quote.accepted")
    book.when(REVISED | {"effective_at": "2025-06-01"}).then("quote.revised", {"ending.TYPE": "quote.accepted"})


def test_lines_and_money_agree():
    line = {"product": "p", "quantity": "1", "value": eur(60)}
    given().when(ISSUED | {"data": ISSUED["data"] | {"lines": [line]}}).refused("lines_do_not_add_up")
    given(ISSUED).when(say(QUOTE, "quote.revised", lines=[line])).then("quote.revised", {"worth.value.minor": 60})
    usd = {"minor": 1, "currency": "USD"}
    given(ISSUED).when(say(QUOTE, "quote.revised", margin=usd)).refused("mixed_currencies")
