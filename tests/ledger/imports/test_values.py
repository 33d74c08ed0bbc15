"""Numbers, money and dates as people and spreadsheets write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.imports import values
from ledger.imports.rows import RowRefused
from ledger.imports.values import Formats

NOTHING_SAID = Formats()
THIN, NO_BREAK = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1054", "1054"),
        ("1054.5", "1054.5"),
        ("1054,5", "1054.5"),
        ("1 234,56", "1234.56"),
        (f"1{THIN}234{THIN}567,8", "1234567.8"),
        (f"12{NO_BREAK}345", "12345"),
        ("1'234.50", "1234.50"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("0,500", "0.5"),
        ("1234,567", "1234.567"),
        ("-3", "-3"),
        ("\u22123,5", "-3.5"),
        ("+7", "7"),
    ],
)
def test_a_number_that_reads_in_one_way_only_is_read(text, expected):
    assert values.number(text, None) == Decimal(expected)


@pytest.mark.parametrize("text", ["1,234", "12.345", "999,000"])
def test_a_number_that_reads_in_two_ways_is_refused_until_the_mapping_says_which(text):
    with pytest.raises(RowRefused, match=r'say decimal = "," or decimal = "\."'):
        values.number(text, None)
    assert values.number(text, ",") != values.number(text, ".")


@pytest.mark.parametrize(
    "text", ["", "abc", "1.2.3", "1,23,4", "1 23", "12 3456", "1e5", "0x10", "1,234,56", "١٢", "--1", "1.", ".", "NaN"]
)
def test_what_is_not_a_number_is_refused(text):
    with pytest.raises(RowRefused, match="is not a number"):
        values.number(text, None)


@pytest.mark.parametrize(("text", "mark"), [("1234.5", ","), ("1234,5", "."), ("0,500", "."), ("1.234.567", ".")])
def test_a_number_that_contradicts_the_mapping_is_refused(text, mark):
    with pytest.raises(RowRefused, match="does not fit the mapping"):
        values.number(text, mark)


def test_a_number_of_hundreds_of_digits_is_refused():
    with pytest.raises(RowRefused, match="more than 21 digits"):
        values.number("9" * 400, None)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2), st.sampled_from([",", "."]))
def test_a_number_written_with_a_known_mark_comes_back_exactly(value, mark):
    assert values.number(f"{value:f}".replace(".", mark), mark) == value


@given(st.integers(0, 10**12), st.sampled_from([" ", THIN, NO_BREAK, "'", "."]))
def test_french_money_with_grouped_thousands_comes_back_to_the_cent(minor, group):
    euros, cents = divmod(minor, 100)
    written = f"{euros:,}".replace(",", group) + f",{cents:02} €"
    assert values.money_minor(written, "EUR", ",") == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1054", "USD", 105400),
        ("$1,054.20", "USD", 105420),
        ("1 054,20 EUR", "EUR", 105420),
        ("USD 12", "USD", 1200),
        ("1200", "JPY", 1200),
        ("1234,567", "TND", 1234567),
        ("0", "USD", 0),
        ("1050.500", "USD", 105050),
    ],
)
def test_money_is_read_to_its_currencys_minor_units(text, currency, minor):
    assert values.money_minor(text, currency, None) == minor


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("1050.505", "USD", "more than the 2 decimals of USD"),
        ("12.5", "JPY", "more than the 0 decimals of JPY"),
        ("-5", "USD", "is negative"),
        ("12 €", "USD", "is not in USD"),
        ("(12)", "USD", "is not a number"),
    ],
)
def test_money_that_cannot_be_stored_exactly_is_refused(text, currency, reason):
    with pytest.raises(RowRefused, match=reason):
        values.money_minor(text, currency, None)


def test_a_margin_may_be_negative_where_the_mapping_says_so():
    assert values.money_minor("-5", "USD", None, negative=True) == -500


@pytest.mark.parametrize(("text", "expected"), [("1,50", "1.5"), ("100", "100"), ("-0", "0"), ("0.0", "0")])
def test_a_quantity_becomes_a_plain_decimal_string(text, expected):
    assert values.decimal_text(text, None) == expected


@pytest.mark.parametrize(("text", "expected"), [("25", 2500), ("25 %", 2500), ("12,5%", 1250), ("100%", 10000)])
def test_a_percentage_becomes_basis_points(text, expected):
    assert values.basis_points(text, None) == expected


@pytest.mark.parametrize("text", ["101", "-1", "33.333"])
def test_a_percentage_out_of_bounds_or_too_fine_is_refused(text):
    with pytest.raises(RowRefused, match=r"percentage|two ways"):
        values.basis_points(text, None)


def test_a_fraction_is_not_a_whole_number():
    with pytest.raises(RowRefused, match="not a whole number"):
        values.integer("2.5", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-03-01", "2017-03-01"),
        ("2017/3/1", "2017-03-01"),
        ("25/12/2017", "2017-12-25"),
        ("25.12.2017", "2017-12-25"),
        ("12/25/2017", "2017-12-25"),
        ("5/5/2017", "2017-05-05"),
        ("29/02/2016", "2016-02-29"),
        ("2017-03-01 00:00:00", "2017-03-01"),
        ("2017-03-01T16:00:00Z", "2017-03-01T16:00:00.000000Z"),
        ("2017-03-01T16:00:00.5+02:00", "2017-03-01T14:00:00.500000Z"),
    ],
)
def test_a_date_that_reads_in_one_way_only_is_read(text, expected):
    assert values.moment(text, NOTHING_SAID) == expected


def test_a_date_that_reads_in_two_ways_is_refused_until_the_mapping_says_which():
    with pytest.raises(RowRefused, match='say dates = "dmy" or dates = "mdy"'):
        values.moment("03/04/2017", NOTHING_SAID)
    assert values.moment("03/04/2017", Formats(dates="dmy")) == "2017-04-03"
    assert values.moment("03/04/2017", Formats(dates="mdy")) == "2017-03-04"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2017-02-29", "does not exist"),
        ("31/04/2017", "does not exist"),
        ("2017-13-01", "does not exist"),
        ("0001-01-01", "between 1900 and 2199"),
        ("9999-12-31", "between 1900 and 2199"),
        ("01/02/17", "is not a date"),
        ("yesterday", "is not a date"),
        ("42795", "is not a date"),
        ("2017-03-01T25:00:00Z", "does not exist"),
        ("2017-03-01 14:30", "has a time but no time zone"),
    ],
)
def test_a_date_that_is_none_is_refused(text, reason):
    with pytest.raises(RowRefused, match=reason):
        values.moment(text, NOTHING_SAID)


def test_a_local_time_is_placed_in_the_mappings_time_zone():
    paris = Formats(time_zone="Europe/Paris")
    assert values.moment("01/07/2017 14:30", Formats(",", "dmy", "Europe/Paris")) == "2017-07-01T12:30:00.000000Z"
    with pytest.raises(RowRefused, match="clocks went forward"):
        values.moment("2017-03-26 02:30", paris)


def test_a_date_wanted_without_time_drops_the_local_time_but_refuses_an_instant():
    assert values.day("2017-03-01 14:30", NOTHING_SAID) == "2017-03-01"
    with pytest.raises(RowRefused, match="instant where a date is wanted"):
        values.day("2017-03-01T14:30:00Z", NOTHING_SAID)


def test_a_file_teaches_its_decimal_mark_and_date_order():
    learnt = values.learn(NOTHING_SAID, ["1,234", "12,5", "7"], ["03/04/2017", "25/12/2017"])
    assert (learnt.decimal, learnt.dates) == (",", "dmy")


def test_a_file_that_contradicts_itself_teaches_nothing():
    learnt = values.learn(NOTHING_SAID, ["12.5", "12,5"], ["12/25/2017", "25/12/2017"])
    assert learnt == NOTHING_SAID


def test_what_the_mapping_says_is_not_unlearnt():
    said = Formats(".", "mdy")
    assert values.learn(said, ["12,5"], ["25/12/2017"]) == said
