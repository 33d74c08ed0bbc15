"""How far off forecasts were, worked out by hand and beside the forecasts themselves."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from tests.projections.reports.test_pipeline_changes import told as random_history
from tests.projections.reports.test_targets import COMPANY, call
from tests.support.book import eur, money

FIGURES = ("forecast_minor", "actual_minor", "error_minor", "wape", "bias", "brier")
TWO = {"periods": "2 quarters", "as_of": "2026-06-30"}


def two_quarters(book):
    """100 expected of 400 at 25 %, nothing came; then 90 of 100 at 90 % and 20 of 80, and 100 came, and 50 besides."""
    book.deal("a", "2025-12-05", eur(400), expected_close_on="2026-03-31").lost("a", "2026-02-02")
    book.deal("p", "2025-12-05", eur(999), stage="parked", expected_close_on="2026-03-31")
    book.deal("b", "2026-03-05", eur(100), stage="closing", owner="bob", expected_close_on="2026-04-30")
    book.deal("c", "2026-03-05", eur(80), expected_close_on="2026-06-30")
    book.deal("d", "2026-04-05", eur(50), expected_close_on="2026-06-30").won("d", "2026-06-01")
    return book.won("b", "2026-05-02")


def approx(*figures):
    return tuple(each if each is None else pytest.approx(each) for each in figures)


def test_an_empty_book_was_never_off(empty_book):
    totals = empty_book.totals("forecast_accuracy")
    assert [totals[name] for name in ("wape", "bias", "brier")] == [None] * 3


def test_two_quarters_worked_out_by_hand(book):
    two_quarters(book)
    rows = book.rows("forecast_accuracy", "period", *FIGURES, **TWO)
    assert rows == [
        ("2026-Q1", *approx(100, 0, 100, None, None, 0.25**2)),
        ("2026-Q2", *approx(90 + 20, 150, -40, 40 / 150, -40 / 150, (0.1**2 + 0.25**2) / 2)),
    ]
    totals = book.totals("forecast_accuracy", **TWO)
    brier = (0.25**2 + 0.1**2 + 0.25**2) / 3
    assert tuple(totals[name] for name in FIGURES) == approx(210, 150, 60, 140 / 150, 60 / 150, brier)


def test_the_row_of_all_periods_tells_who_is_too_optimistic(book):
    two_quarters(book)
    rows = book.rows("forecast_accuracy", "period", "owner", "error_minor", "bias", by="owner", **TWO)
    assert rows == [
        ("2026-Q1", "ana", 100, None),
        ("2026-Q2", "ana", -30, *approx(-30 / 50)),
        ("2026-Q2", "bob", -10, *approx(-10 / 100)),
        ("all", "ana", 70, *approx(70 / 50)),
        ("all", "bob", -10, *approx(-10 / 100)),
    ]
    totals = book.totals("forecast_accuracy", by="owner", **TWO)
    assert (totals["error_minor"], totals["wape"]) == (60, *approx((100 + 30 + 10) / 150))


def test_what_was_learnt_later_changes_what_came_never_what_was_forecast(book):
    two_quarters(book)
    book.deal("late", "2026-03-01", eur(70), recorded="2026-04-20", expected_close_on="2026-05-31")
    book.won("late", "2026-06-15", recorded="2026-08-01")
    [_, then] = book.rows("forecast_accuracy", "forecast_minor", "actual_minor", **TWO)
    [_, now] = book.rows("forecast_accuracy", "forecast_minor", "actual_minor", known_at="now", **TWO)
    assert (then, now) == ((110, 150), (110, 220))


def test_so_many_days_before_the_period_begins(book):
    book.deal("a", "2026-02-20", eur(400), expected_close_on="2026-04-30")
    book.moved("a", "2026-03-20", "closing").won("a", "2026-04-10")
    for lead, forecast in (("0", 360), ("30 days", 100), ("60", 0)):
        [row] = book.rows("forecast_accuracy", "forecast_minor", periods="1", as_of="2026-06-30", lead=lead)
        assert row == (forecast,), lead


def test_submitted_forecasts_are_held_to_account_too(book):
    two_quarters(book)
    quarter = {"from": "2026-04-01", "to": "2026-06-30"}
    call(book, "c", 180, "2026-03-25", period=quarter)
    call(book, "b", 60, "2026-03-26", scope={"person": "bob"}, period=quarter)
    call(book, "late", 150, "2026-06-20", period=quarter, scope=COMPANY)
    rows = book.rows("forecast_accuracy", "period", *FIGURES[:5], of_="call", **TWO)
    assert rows == [("2026-Q1", None, 0, None, None, None), ("2026-Q2", *approx(180, 150, 30, 0.2, 0.2))]
    by_owner = book.rows("forecast_accuracy", "period", "owner", "error_minor", of_="call", by="owner", **TWO)
    assert ("all", "bob", -40) in by_owner
    assert ("all", "ana", None) in by_owner
    assert book.totals("forecast_accuracy", of_="call", **TWO)["forecast_minor"] == 180


@pytest.mark.parametrize("unit", ["month", "quarter"])
def test_the_forecasts_are_those_of_the_report_at_each_period_s_first_instant(book, unit):
    """The second way: the forecast asked period by period, and the sales of each."""
    random_history(book, 6, 90)
    first = {"month": "{}-01T00:00:00+01:00", "quarter": "2026-01-01T00:00:00+01:00"}[unit]
    asked = {"periods": f"3 {unit}s", "as_of": "2026-03-31", "known_at": "now"}
    for where in ({}, {"where": "owner=a"}, {"where": "segment=b", "measure": "margin"}):
        for row in book.report("forecast_accuracy", **asked, **where).rows:
            if row["period"] < "2026":
                continue
            at = {"as_of": first.format(row["period"]), "period": row["period"]}
            then = book.totals("forecast", **at, **where)
            expected = then["weighted_margin_minor" if "measure" in where else "weighted_minor"]
            assert row["forecast_minor"] == then["won_minor"] + expected, (row, where)
            if "measure" not in where:
                sold = book.totals("sales", period=row["period"], as_of="2026-03-31", known_at="now", **where)
                assert row["actual_minor"] == sold["amount_minor"]


def test_the_lines_of_a_cell_account_for_it(book):
    random_history(book, 9, 80)
    asked = {"periods": "3 months", "as_of": "2026-03-31", "by": "owner"}
    for row in book.report("forecast_accuracy", **asked).rows:
        explained = book.explained("forecast_accuracy", {name: row[name] for name in ("period", "owner")}, **asked)
        assert explained.figures == {name: row[name] for name in explained.figures}
        for name in ("forecast_minor", "actual_minor"):
            assert row[name] == sum(each.figures.get(name, 0) for each in explained.lines)


def test_a_deal_in_another_currency_is_at_the_rate_of_its_day(book):
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-05-01", "0.8")
    book.deal("a", "2026-02-20", money(100, "USD"), stage="closing", expected_close_on="2026-04-30")
    book.won("a", "2026-05-10")
    [row] = book.rows("forecast_accuracy", *FIGURES[:2], periods="1", as_of="2026-06-30")
    assert row == (81, 80)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"periods": "many"}, "periods=many is not like 8 quarters"),
        ({"periods": "0"}, "periods=0 is not like"),
        ({"lead": "soon"}, "lead=soon is not a number of days"),
        ({"of": "quotes"}, "of=quotes is not possible in forecast_accuracy; write forecast or call"),
    ],
)
def test_a_bad_question_is_one_clear_message(book, asked, message):
    with pytest.raises(BadRequest, match=message):
        book.report("forecast_accuracy", **asked)
