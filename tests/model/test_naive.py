"""The naive model itself, held to figures worked out by hand (the golden cases of REPORTS.md that concern it)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import count
from typing import Any

import pytest

from tests.model import naive
from tests.model import naive_reports as reports
from tests.model.naive import instant
from tests.model.naive_reports import Book, Question


class Telling:
    """Events of a book, one after the other, recorded when they take effect unless said otherwise."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._positions = count(1)
        self("book", "book.opened", "2020-01-01", currency="EUR", time_zone="Europe/Paris", fiscal_year_start_month=1)

    def __call__(self, stream: str, type_: str, at: str, recorded: str | None = None, **data: Any) -> None:
        version = 1 + sum(event["stream"] == stream for event in self.events)
        effective_at, recorded_at = _instant(at), _instant(recorded or at)
        self.events.append({
            "position": next(self._positions),
            "stream": stream,
            "version": version,
            "type": type_,
            "effective_at": effective_at,
            "recorded_at": recorded_at,
            "data": data,
        })  # fmt: skip

    def deal(self, stream: str, at: str, value: int = 100, currency: str = "EUR", **data: Any) -> None:
        worth = {"minor": value, "currency": currency}
        opening = {"pipeline": "sales", "stage": "lead", "owner": "ana", "title": "a deal", "value": worth}
        self(f"deal-{stream}", "deal.opened", at, **(opening | data))

    @property
    def book(self) -> Book:
        return Book(self.events)


def _instant(text: str) -> int:
    """A day means its noon in UTC."""
    return instant(text if "T" in text else f"{text}T12:00:00Z")


def eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def ask(as_of: str, known_at: str | None = None, **parameters: Any) -> Question:
    period = parameters.pop("period", None)
    days = naive.days_of_period(period) if period else None
    return Question(_instant(as_of), _instant(known_at or as_of), period=days, **parameters)


@pytest.fixture
def tell() -> Telling:
    telling = Telling()
    stages = [
        {"stage": "lead", "name": "Lead", "probability_bp": 2_500, "category": "pipeline"},
        {"stage": "offer", "name": "Offer", "probability_bp": 5_000, "category": "commit"},
    ]
    telling("pipeline-sales", "pipeline.defined", "2020-01-01", name="Sales", stages=stages)
    telling("person-ana", "person.joined", "2020-01-01", team="north", role="rep", name="Ana")
    return telling


def test_an_empty_book_has_nothing():
    book = Book([])
    for report in (reports.pipeline, reports.forecast, reports.win_rate, reports.sales, reports.conversion):
        assert report(book, ask("2026-06-30", period="2026-Q2")) == ([], {})


def test_a_retraction_can_be_retracted(tell):
    tell.deal("d", "2026-01-05")
    tell("deal-d", "event.retracted", "2026-01-10", version=1)
    tell("deal-d", "event.retracted", "2026-01-20", version=2)
    known = {"2026-01-05": 1, "2026-01-10": 0, "2026-01-19": 0, "2026-01-20": 1}
    for day, deals in known.items():
        assert len(reports.open_deals(tell.book, ask("2026-03-01", day))) == deals
    assert len(reports.open_deals(tell.book, ask("2026-01-05", "2026-03-01"))) == 1


def test_corrections_apply_in_order_each_replacing_what_it_names(tell):
    tell.deal("d", "2026-01-05", value=100)
    tell("deal-d", "deal.revalued", "2026-02-05", value=eur(200))
    tell("deal-d", "event.corrected", "2026-02-06", version=2, data={"value": eur(300)})
    tell("deal-d", "event.corrected", "2026-02-07", version=2, effective_at="2026-01-20T00:00:00Z")
    tell("deal-d", "event.retracted", "2026-02-08", version=3)

    def amount(as_of: str, known_at: str) -> int:
        return int(reports.open_deals(tell.book, ask(as_of, known_at))[0].figures["amount_minor"])

    assert amount("2026-02-05", "2026-02-05") == 200
    assert amount("2026-02-05", "2026-02-06") == 300
    assert amount("2026-01-25", "2026-02-06") == 100
    assert amount("2026-01-25", "2026-02-07") == 300
    assert amount("2026-01-25", "2026-02-08") == 200


def test_won_reopened_and_lost_is_a_loss_at_last(tell):
    tell.deal("d", "2026-01-05")
    tell("deal-d", "deal.won", "2026-02-01", value=eur(120))
    tell("deal-d", "deal.reopened", "2026-02-10", stage="offer", reason="r")
    tell("deal-d", "deal.lost", "2026-02-20", reason="price")

    def row(day: str) -> dict[str, Any]:
        rows = reports.win_rate(tell.book, ask(day, period="2026-Q1"))[1]
        return rows.get((), {})

    assert (row("2026-01-31")["won"], row("2026-01-31")["win_rate"]) == (0, None)
    assert (row("2026-02-09")["won"], row("2026-02-09")["lost"]) == (1, 0)
    assert (row("2026-02-15")["won"], row("2026-02-15")["lost"]) == (0, 0)
    assert (row("2026-03-31")["won"], row("2026-03-31")["lost"]) == (0, 1)
    assert row("2026-03-31")["win_rate"] == 0


def test_a_back_dated_win_is_absent_as_reported_and_there_restated(tell):
    tell.deal("d", "2026-01-05")
    tell("deal-d", "deal.won", "2026-03-20", recorded="2026-04-15")
    assert reports.sales(tell.book, ask("2026-03-31", period="2026-Q1"))[1] == {}
    assert reports.sales(tell.book, ask("2026-03-31", "2026-04-15", period="2026-Q1"))[1][()]["won"] == 1


def test_a_period_without_a_denominator_has_no_rate(tell):
    tell.deal("d", "2026-01-05", value=0)
    tell("deal-d", "deal.won", "2026-02-01")
    row = reports.sales(tell.book, ask("2026-03-31", period="2026-Q1"))[1][()]
    assert (row["won"], row["amount_minor"], row["margin_rate"], row["average_minor"]) == (1, 0, None, 0)


def test_a_rep_who_changed_team_leaves_their_wins_to_the_old_one(tell):
    tell("person-ana", "person.moved", "2026-02-15", team="south")
    for number, day in enumerate(("2026-02-10", "2026-02-20")):
        tell.deal(f"d{number}", "2026-01-05")
        tell(f"deal-d{number}", "deal.won", day)
    tell.deal("d9", "2026-01-05")
    rows = reports.sales(tell.book, ask("2026-03-31", period="2026-Q1", by=("team",)))[1]
    assert {key: row["won"] for key, row in rows.items()} == {("north",): 1, ("south",): 1}
    assert set(reports.pipeline(tell.book, ask("2026-02-10", by=("team",)))[1]) == {("lead", "north")}
    assert set(reports.pipeline(tell.book, ask("2026-03-31", by=("team",)))[1]) == {("lead", "south")}


def test_a_win_takes_the_rate_of_its_day_and_an_open_deal_that_of_as_of(tell):
    tell("rate-USD", "rate.fixed", "2025-01-01", base="EUR", rate="0.9")
    tell("rate-USD", "rate.fixed", "2026-02-15", base="EUR", rate="0.8")
    for number in range(2):
        tell.deal(f"d{number}", "2026-01-05", value=1_005, currency="USD")
    tell("deal-d0", "deal.won", "2026-02-10")
    question = ask("2026-03-31", period="2026-Q1")
    assert reports.sales(tell.book, question)[1][()]["amount_minor"] == 904  # 904.5, to the even one
    assert reports.pipeline(tell.book, question)[1]["lead",]["amount_minor"] == 804
    assert reports.pipeline(tell.book, question)[1]["lead",]["weighted_minor"] == 201
    question.constant_rates = True
    assert reports.sales(tell.book, question)[1][()]["amount_minor"] == 804


def test_a_missing_rate_is_named(tell):
    tell.deal("d", "2026-01-05", value=1, currency="USD")
    with pytest.raises(reports.MissingRate, match="USD"):
        reports.pipeline(tell.book, ask("2026-03-31"))


def test_merged_customers_are_one_for_all_dates_of_a_report(tell):
    tell("customer-old", "customer.registered", "2025-01-01", name="Old", kind="customer", region="east")
    tell("customer-new", "customer.registered", "2025-01-01", name="New", kind="customer", region="west")
    tell.deal("d", "2026-01-05", customer="old")
    tell("deal-d", "deal.won", "2026-02-01")
    tell("customer-old", "customer.merged", "2026-05-01", into="new")
    by = ("customer", "region")
    before = reports.sales(tell.book, ask("2026-04-30", period="2026-Q1", by=by))[1]
    after = reports.sales(tell.book, ask("2026-05-01", period="2026-Q1", by=by))[1]
    assert (set(before), set(after)) == ({("old", "east")}, {("new", "west")})


def test_a_quote_accepted_without_a_deal_is_the_sale(tell):
    for number, extra in enumerate(({}, {"deal": "d"})):
        stream = f"quote-q{number}"
        tell(stream, "quote.issued", "2026-01-05", customer="c", number="1", value=eur(70), **extra)
        tell(stream, "quote.accepted", "2026-02-01")
    question = ask("2026-03-31", period="2026-Q1")
    assert reports.sales(tell.book, question)[1][()]["amount_minor"] == 70
    assert reports.conversion(tell.book, question)[1][()]["conversion"] == 1


def test_a_quote_expires_the_day_after_until_accepted(tell):
    tell("quote-q", "quote.issued", "2026-01-05", customer="c", number="1", value=eur(70), valid_until="2026-01-31")
    tell("quote-q", "quote.accepted", "2026-02-10")

    def status(at: str) -> str:
        return str(reports.conversion(tell.book, ask(at, period="2026"))[0][0].figures["status"])

    assert status("2026-01-31T22:59:59.999999Z") == "open"
    assert status("2026-01-31T23:00:00Z") == "expired"
    assert status("2026-02-10") == "accepted"


def test_a_win_with_a_new_value_puts_the_difference_on_no_product(tell):
    lines = [
        {"product": "anvil", "quantity": "1", "value": eur(60)},
        {"product": "bolt", "quantity": "2", "value": eur(40)},
    ]
    tell.deal("d", "2026-01-05", lines=lines)
    tell("deal-d", "deal.won", "2026-02-01", value=eur(130))
    rows = reports.sales(tell.book, ask("2026-03-31", period="2026-Q1", by=("product",)))[1]
    assert {key: row["amount_minor"] for key, row in rows.items()} == {("anvil",): 60, ("bolt",): 40, (None,): 30}


def test_a_stage_that_is_gone_keeps_its_last_probability(tell):
    tell.deal("d", "2026-01-05")
    only = [{"stage": "offer", "name": "Offer", "probability_bp": 9_000, "category": "commit"}]
    tell("pipeline-sales", "pipeline.redefined", "2026-02-01", stages=only)
    assert reports.pipeline(tell.book, ask("2026-03-01"))[1]["lead",]["weighted_minor"] == 25


def test_months_of_the_forecast(tell):
    due = {"a": None, "b": "2026-01-30", "c": "2026-01-31", "d": "2026-12-31", "e": "2027-01-01"}
    for name, day in due.items():
        tell.deal(name, "2026-01-05", **({"expected_close_on": day} if day else {}))
    lines, rows = reports.forecast(tell.book, ask("2026-01-31"))
    assert {line.stream[5:]: line.dimensions["month"] for line in lines} == {
        "a": "undated",
        "b": "overdue",
        "c": "2026-01",
        "d": "2026-12",
        "e": "later",
    }
    assert rows["2026-01",]["pipeline_minor"] == 100
    assert rows["2026-01",]["cum_best_case_minor"] == 0


def test_ten_won_of_fifty_in_progress(tell):
    for number in range(50):
        tell.deal(f"d{number:02}", "2025-12-05" if number < 30 else "2026-02-05")
        if number < 10:
            tell(f"deal-d{number:02}", "deal.won", "2026-03-01")
    question = ask("2026-03-31", period="2026-Q1")
    assert reports.win_rate(tell.book, question)[1][()]["close_rate"] == Fraction(1, 5)


def test_a_deal_closed_at_the_first_midnight_was_in_progress(tell):
    tell.deal("d", "2025-12-05")
    tell("deal-d", "deal.won", "2025-12-31T23:00:00Z")
    question = ask("2026-03-31", period="2026-Q1")
    assert reports.win_rate(tell.book, question)[1][()]["close_rate"] == 1


def test_a_day_is_twenty_three_or_twenty_five_hours_when_clocks_change():
    def hours(day: date, after: date) -> int:
        return (naive.midnight(after, "Europe/Paris") - naive.midnight(day, "Europe/Paris")) // 3_600_000_000

    assert hours(date(2024, 3, 31), date(2024, 4, 1)) == 23
    assert hours(date(2024, 10, 27), date(2024, 10, 28)) == 25
    assert naive.days_of_period("2024-02") == (date(2024, 2, 1), date(2024, 3, 1))


def test_periods_by_their_names():
    january = date(2024, 1, 31)
    assert naive.days_of_period("last-quarter", 1, january) == (date(2023, 10, 1), date(2024, 1, 1))
    assert naive.days_of_period("this-month", 1, january) == (date(2024, 1, 1), date(2024, 2, 1))
    assert naive.days_of_period("FY2024", 4) == (date(2023, 4, 1), date(2024, 4, 1))
    assert naive.days_of_period("FY2024", 1) == (date(2024, 1, 1), date(2025, 1, 1))
    assert naive.days_of_period("FY2024-Q1", 7) == (date(2023, 7, 1), date(2023, 10, 1))
    assert naive.days_of_period("2024-S2") == (date(2024, 7, 1), date(2025, 1, 1))


def test_largest_remainder_shares_a_whole():
    assert naive.largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    assert naive.largest_remainder(-1, [1, 1]) == [0, -1]
    assert naive.largest_remainder(7, [0, 0]) == [4, 3]
