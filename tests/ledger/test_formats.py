"""Numbers and amounts as people read them, whatever their size."""

from __future__ import annotations

import pytest

from ledger.formats import amount_text, count_text, number_text, percent_text


@pytest.mark.parametrize(
    ("value", "said"), [(0.00004, "0"), (1234.5, "1,234.5"), (2592 * 10**21, "2,592" + 7 * ",000"), (-0.5, "-0.5")]
)
def test_a_number_of_any_size_is_told(value, said):
    assert number_text(value, "en") == said


def test_amounts_and_shares_of_any_size_are_told():
    assert amount_text(10**30, "EUR", "en") == "10" + 9 * ",000" + ".00"
    assert amount_text(-(10**30), "JPY", "en") == "-1" + 10 * ",000"
    assert percent_text(1e28, "en") == "1" + 10 * ",000" + ".0%"


def test_one_of_a_thing_is_no_plural():
    said = [count_text(0, "event"), count_text(1, "entry", "entries"), count_text(1_200, "entry", "entries")]
    assert said == ["0 events", "1 entry", "1,200 entries"]
