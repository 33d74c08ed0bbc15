"""What was sold in a period, as known at any date."""

from __future__ import annotations

import pytest

from projections.reports import answer
from tests.support.book import eur, line, money


def test_an_empty_book_has_no_rows_and_no_rates(empty_book):
    answer = empty_book.report("sales", period="2026-Q1")
    assert answer.rows == []
    assert answer.totals == {
        "won": 0, "amount_minor": 0, "margin_minor": 0, "margin_rate": None, "quantity": 0, "average_minor": None,
    }  # fmt: skip


def test_a_period_without_a_denominator_has_null_ratios(book):
    book.deal("d", "2026-01-05", eur(0)).won("d", "2026-02-01")
    totals = book.totals("sales", period="2026-Q1")
    assert (totals["won"], totals["margin_rate"], totals["average_minor"]) == (1, None, 0)


def test_a_back_dated_win_is_absent_as_reported_and_there_restated(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-03-20", eur(120), recorded="2026-04-15")
    assert book.totals("sales", period="2026-Q1", as_of="2026-03-31")["won"] == 0
    assert book.totals("sales", period="2026-Q1", as_of="2026-03-31", known_at="now")["amount_minor"] == 120
    assert book.totals("sales", period="last-quarter", as_of="2026-04-30")["amount_minor"] == 120


def test_a_retracted_win_was_never_there(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-02-01").retracted("deal-d", 2, "2026-03-01")
    assert book.totals("sales", as_of="2026-02-28")["won"] == 1
    assert book.totals("sales", as_of="2026-02-28", known_at="2026-03-01")["won"] == 0
    assert book.totals("pipeline", as_of="2026-02-28", known_at="2026-03-01")["deals"] == 1


def test_a_corrected_value_counts_from_when_it_was_corrected(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-02-01", eur(500))
    book.corrected("deal-d", 2, "2026-03-01", data={"value": eur(50)}, correct_at="2026-01-31T12:00:00Z")
    assert book.totals("sales", period="2026-02", as_of="2026-02-28")["amount_minor"] == 500
    assert book.totals("sales", period="2026-02", as_of="2026-03-31")["amount_minor"] == 0
    assert book.totals("sales", period="2026-01", as_of="2026-03-31")["amount_minor"] == 50


def test_a_rep_who_changed_team_leaves_their_wins_to_the_old_one(book):
    book.person("ana", "2026-01-01", "north").say("person-ana", "person.moved", "2026-02-15", team="south")
    for number, day in enumerate(("2026-02-10", "2026-02-20", "2026-02-21")):
        book.deal(f"d{number}", "2026-01-05", eur(100)).won(f"d{number}", day)
    assert book.rows("sales", "team", "won", by="team", period="2026-Q1") == [("north", 1), ("south", 2)]
    assert book.totals("sales", where="team=north")["won"] == 1


def test_a_win_takes_the_rate_of_its_day_unless_rates_are_constant(book):
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-02-15", "0.8")
    for number, day in enumerate(("2026-02-10", "2026-02-20")):
        book.deal(f"d{number}", "2026-01-05", money(1_005, "USD")).won(f"d{number}", day)
    assert book.rows("sales", "month", "amount_minor", by="month") == [("2026-02", 904 + 804)]
    assert book.totals("sales", fx="constant")["amount_minor"] == 804 + 804
    assert book.totals("sales", currency="USD")["amount_minor"] == 2_010


def test_a_quote_accepted_without_a_deal_is_the_sale(book):
    book.quote("q1", "2026-01-05", eur(70), owner="ana").accepted("q1", "2026-02-01")
    book.deal("d", "2026-01-05", eur(40)).quote("q2", "2026-01-06", eur(40), deal="d").accepted("q2", "2026-02-02")
    assert book.rows("sales", "owner", "amount_minor", by="owner") == [("ana", 70)]


def test_a_merged_customer_s_wins_are_its_survivor_s(book):
    book.customer("old", "2025-01-01", region="east").customer("new", "2025-01-01", region="west")
    book.deal("d", "2026-01-05", eur(1), customer="old").won("d", "2026-02-01")
    book.say("customer-old", "customer.merged", "2026-05-01", into="new")
    asked = ("sales", "customer", "region")
    assert book.rows(*asked, by="customer,region", as_of="2026-04-30") == [("old", "east")]
    assert book.rows(*asked, by="customer,region", as_of="2026-05-01") == [("new", "west")]
    assert book.rows(*asked, by="customer,region", as_of="2026-04-30", known_at="now") == [("old", "east")]


def test_a_new_value_at_the_win_puts_the_difference_on_no_product(book):
    lines = [line("anvil", eur(60)), line("bolt", eur(40), "2")]
    book.deal("d", "2026-01-05", lines=lines).won("d", "2026-02-01", eur(130))
    rows = book.rows("sales", "product", "amount_minor", "won", by="product")
    assert rows == [("anvil", 60, 1), ("bolt", 40, 1), (None, 30, 1)]


@pytest.mark.parametrize(
    ("day", "period", "counts"),
    [
        ("2024-02-29T22:59:59.999999Z", "2024-02", 1),
        ("2024-02-29T23:00:00Z", "2024-02", 0),
        ("2024-02-29T12:00:00Z", "2024-02-29", 1),
        ("2024-03-31T00:59:59Z", "2024-03-31", 1),  # the night without the hour from two to three
        ("2024-03-31T21:59:59Z", "2024-03", 1),
        ("2024-03-31T22:00:00Z", "2024-03", 0),
        ("2024-10-26T22:00:00Z", "2024-10-27", 1),  # the day of 25 hours
        ("2024-10-27T22:59:59Z", "2024-10-27", 1),
        ("2024-10-27T23:00:00Z", "2024-10-27", 0),
    ],
)
def test_a_period_ends_at_local_midnight(book, day, period, counts):
    book.deal("d", "2024-01-05", eur(1)).won("d", day)
    assert book.totals("sales", period=period)["won"] == counts


def test_months_quarters_and_years_are_local_too(book):
    for number, at in enumerate(("2025-12-31T22:59:59Z", "2025-12-31T23:00:00Z", "2026-04-30T12:00:00Z")):
        book.deal(f"d{number}", "2025-01-05", eur(1)).won(f"d{number}", at)
    assert book.rows("sales", "month", by="month") == [("2025-12",), ("2026-01",), ("2026-04",)]
    assert book.rows("sales", "quarter", by="quarter") == [("2025-Q4",), ("2026-Q1",), ("2026-Q2",)]
    assert book.rows("sales", "year", "won", by="year") == [("2025", 1), ("2026", 2)]
    assert book.totals("sales", where="year=2026,quarter=2026-Q1")["won"] == 1


def test_compared_with_the_period_before_and_the_years_before(book):
    for number, (day, value) in enumerate(
        (("2026-07-10", 100), ("2026-04-20", 40), ("2025-07-05", 30), ("2024-09-01", 20), ("2026-05-20", 5))
    ):
        book.deal(f"d{number}", "2024-01-05", eur(value)).won(f"d{number}", day)
    totals = book.totals("sales", period="2026-Q3", compare="previous_period")
    assert [totals[f"{each}amount_minor"] for each in ("", "previous_", "change_")] == [100, 45, 55]
    rows = book.rows("sales", "month", "amount_minor", "previous_amount_minor", by="month", period="2026-Q3",
                     compare="previous_period")  # fmt: skip
    assert rows == [("2026-07", 100, 40), ("2026-08", 0, 5)]
    assert book.totals("sales", period="2026-Q3", compare="previous_year")["change_amount_minor"] == 70
    totals = book.totals("sales", period="2026-Q3", years="3")
    assert [totals["year_minus_1_amount_minor"], totals["year_minus_2_amount_minor"]] == [30, 20]
    totals = book.totals("sales", period="2026-Q2", compare="2026-04-30")
    assert [totals["amount_minor"], totals["previous_amount_minor"]] == [45, 40]


def test_a_filter_on_months_is_moved_onto_what_is_compared(book):
    """The same row as without it."""
    for number, day in enumerate(("2025-04-10", "2025-05-10", "2026-04-10", "2026-05-10"), start=1):
        book.deal(f"d{number}", "2025-01-05", eur(number)).won(f"d{number}", day)
    asked = {"period": "2026-Q2", "by": "month", "compare": "previous_year"}
    told = "month", "amount_minor", "previous_amount_minor"
    assert book.rows("sales", *told, **asked) == [("2026-04", 3, 1), ("2026-05", 4, 2)]
    assert book.rows("sales", *told, **asked, where="month=2026-04") == [("2026-04", 3, 1)]
    assert book.rows("sales", *told, **asked, where="month=2026-xx") == []
    years = {"period": "2026", "years": "2", "where": "quarter=2026-Q2"}
    assert book.totals("sales", **years)["year_minus_1_amount_minor"] == 3


def test_imported_history_is_said_to_be_appended_later(book):
    book.deal("d", "2026-01-05", eur(1)).won("d", "2026-02-01")
    assert book.report("sales", as_of="2026-03-31").notes == [
        "1 of 1 lines rest on events appended after known_at (imported history)"
    ]
    assert "ajoutés au registre" in book.report("sales", as_of="2026-03-31", lang="fr").notes[0]
    assert book.report("sales", as_of="2026-03-31", known_at="now").notes == []


def test_filtered_by_kind_or_by_having_none(book):
    for name, kind in (("d1", "new"), ("d2", "renewal"), ("d3", None)):
        more = {} if kind is None else {"kind": kind}
        book.deal(name, "2026-01-05", eur(100), **more).won(name, "2026-02-01")
    won = {where: book.totals("sales", where=where)["won"] for where in ("kind=new", "kind=", "kind=,kind=new")}
    assert won == {"kind=new": 1, "kind=": 1, "kind=,kind=new": 2}


@pytest.mark.parametrize(
    ("lang", "note"),
    [
        ("fr", "le magasin de lecture en est à la position 2 sur 12\u202f345"),
        ("en", "the read store is at position 2 of 12,345"),
    ],
)
def test_numbers_of_notes_are_written_as_the_language_writes_them(book, lang, note):
    found = answer(book.folded(), "sales", {}, today=book.today, lang=lang, ledger=book.ledger, head=12_345)
    assert found.notes == [note]
