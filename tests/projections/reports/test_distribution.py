"""What the forecast's open deals may bring, month by month, and how likely an objective is reached."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.projections.reports.test_targets import ANA, COMPANY, objective
from tests.support.book import eur, line, money

P = ("p10_minor", "p50_minor", "p90_minor")
FEB = ("2026-02-01", "2026-02-28")
AS_OF = {"as_of": "2026-02-10", "distribution": "yes"}


def outcomes(book, *heads: str, **asked: str):
    return book.rows("forecast", *heads, *P, "objective_probability", **(AS_OF | asked))


def test_the_columns_are_there_only_when_asked_for(book):
    book.deal("a", "2026-01-05", eur(100), expected_close_on="2026-02-20")
    assert "p50_minor" not in book.report("forecast", as_of="2026-02-10").rows[0]
    assert "p50_minor" not in book.report("forecast", as_of="2026-02-10", distribution="no").rows[0]
    assert book.report("forecast", **AS_OF).rows[0]["p50_minor"] == 0
    with pytest.raises(BadRequest, match="distribution=maybe is not possible"):
        book.report("forecast", distribution="maybe")


def test_an_empty_book_brings_nothing(empty_book):
    totals = empty_book.totals("forecast", distribution="yes")
    assert [totals[name] for name in (*P, "objective_probability")] == [0, 0, 0, None]


def test_three_deals_worked_out_by_hand(book):
    """100 at 90 %, 200 at 50 % and 400 at 25 %; 300 are won of the 800 to reach."""
    for deal, minor, stage in (("a", 100, "closing"), ("b", 200, "demo"), ("c", 400, "lead")):
        book.deal(deal, "2026-01-05", eur(minor), stage=stage, expected_close_on="2026-02-20")
    book.deal("parked", "2026-01-05", eur(10_000), stage="parked", expected_close_on="2026-02-20")
    objective(book, "feb", COMPANY, 800, FEB)
    book.deal("w", "2026-01-05", eur(300)).won("w", "2026-02-05")
    [row] = outcomes(book, "month")
    # 0: .0375, 100: .3375, 200: .0375, 300: .3375, 400: .0125, 500: .1125, 600: .0125, 700: .1125
    assert row[:4] == ("2026-02", 100, 300, 700)
    assert row[4] == pytest.approx(0.1125 + 0.0125 + 0.1125)


def test_deals_of_the_months_behind_count_in_that_of_as_of(book):
    for deal, day in (("late", "2026-01-20"), ("now", "2026-02-20"), ("next", "2026-03-20")):
        book.deal(deal, "2026-01-05", eur(100), stage="closing", expected_close_on=day)
    objective(book, "feb", COMPANY, 200, FEB)
    assert outcomes(book, "month") == [
        ("overdue", None, None, None, None),
        ("2026-02", 100, 200, 200, pytest.approx(0.81)),
        ("2026-03", 0, 100, 100, None),
    ]
    only = book.totals("forecast", where="month=2026-02", **AS_OF)
    assert (only["amount_minor"], only["p50_minor"]) == (100, 200)
    assert book.totals("forecast", where="month=overdue", **AS_OF)["p50_minor"] is None


def test_with_all_deals_behind_the_month_of_as_of_has_a_row_all_the_same(book):
    book.deal("late", "2026-01-05", eur(100), stage="closing", expected_close_on="2026-01-20")
    assert outcomes(book, "month", "amount_minor") == [
        ("overdue", 100, None, None, None, None),
        ("2026-02", 0, 0, 100, 100, None),
    ]


def test_each_owner_has_an_outcome_and_an_objective(book):
    for deal, owner in (("a", "ana"), ("b", "bob")):
        book.deal(deal, "2026-01-05", eur(100), stage="demo", owner=owner, expected_close_on="2026-02-20")
    objective(book, "ana", ANA, 100, FEB)
    assert outcomes(book, "owner", by="owner") == [("ana", 0, 0, 100, 0.5), ("bob", 0, 0, 100, None)]


def test_the_parts_of_a_deal_are_won_together(book):
    """By product each part has its own row; the totals know of one deal."""
    parts = [line("bolt", eur(60)), line("nut", eur(40))]
    book.deal("d", "2026-01-05", eur(100), stage="demo", lines=parts, expected_close_on="2026-02-20")
    assert outcomes(book, "product", by="product") == [("bolt", 0, 0, 60, None), ("nut", 0, 0, 40, None)]
    totals = book.totals("forecast", by="product", **AS_OF)
    assert [totals[name] for name in P] == [0, 0, 100]


def test_in_another_currency_and_by_margin(book):
    book.rate("USD", "2026-01-01", "0.5")
    deal = {"stage": "closing", "expected_close_on": "2026-02-20"}
    book.deal("d", "2026-01-05", money(100, "USD"), margin=money(30, "USD"), **deal)
    assert outcomes(book, "month") == [("2026-02", 0, 50, 50, None)]
    assert outcomes(book, "month", measure="margin") == [("2026-02", 0, 15, 15, None)]


def test_the_outcome_of_a_cell_is_that_of_its_lines(book):
    for number, stage in enumerate(("lead", "demo", "offer", "closing")):
        book.deal(f"d{number}", "2026-01-05", eur(10**number), stage=stage, expected_close_on="2026-02-20")
        book.deal(f"e{number}", "2026-01-05", eur(7), stage=stage, owner="bob", expected_close_on="2026-03-20")
    objective(book, "feb", COMPANY, 500, FEB)
    asked = AS_OF | {"by": "owner"}
    for row in book.report("forecast", **asked).rows:
        explained = book.explained("forecast", {"month": row["month"], "owner": row["owner"]}, **asked)
        assert {name: row[name] for name in explained.figures} == explained.figures


@pytest.mark.parametrize("where", ["year=2026", "quarter=2026-Q1", "month=2026-02"])
def test_filtered_by_a_time_it_is_of_what_is_due_then(book, where):
    book.deal("d", "2026-01-05", eur(100), expected_close_on="2026-02-20", stage="offer")
    book.deal("later", "2026-01-05", eur(400), expected_close_on="2027-02-20", stage="offer")
    assert book.totals("forecast", **AS_OF, where=where, horizon="24")["p90_minor"] == 100
