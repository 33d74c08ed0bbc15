"""How many customers were lost, by either rule."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from ledger.errors import BadRequest
from ledger.money import convert
from ledger.times import day_start, parse_date
from projections.reports.cells import work_out
from projections.reports.churn import CHURN
from projections.reports.question import ask
from tests.projections.reports.plain_customers import PlainCustomers, random_book
from tests.support.book import ZONE, eur, money

COUNTS = ("start", "new", "lost", "lost_new", "reactivated", "end")


def won(book, customer, at, value=None):
    deal = f"{customer}-{at}"
    return book.deal(deal, at, value or eur(1), customer=customer).won(deal, at)


def counts(book, **asked):
    totals = book.totals("churn", **asked)
    return tuple(totals[name] for name in COUNTS)


def test_the_figures_of_the_definition(book):
    for number in range(99):
        won(book, f"c{number}", "2025-06-10")
    for number in range(6):
        won(book, f"new{number}", "2026-02-10")
    for number in range(10):
        book.customer(f"c{number}", "2025-01-01")
        book.say(f"customer-c{number}", "customer.churned", "2026-03-01", reason="price")
    asked = {"period": "2026-Q1", "as_of": "2026-04-30"}
    totals = book.totals("churn", **asked)
    assert counts(book, **asked) == (99, 6, 10, 0, 0, 95)
    assert [round(100 * totals[name], 2) for name in ("net_churn_rate", "churn_rate")] == [4.04, 10.10]
    assert round(totals["retention_rate"], 6) == round(89 / 99, 6)
    assert counts(book, rule="both", **asked) == (99, 6, 10, 0, 0, 95)
    assert counts(book, rule="lapsed", **asked) == (99, 6, 0, 0, 0, 105)


def test_a_customer_lapses_at_the_midnight_after_its_last_day(book):
    won(book, "c", "2025-03-10T22:30:00Z")  # 23:30 in Paris: its day is the 10th, its last the same day a year later

    def active(as_of):
        return book.totals("churn", rule="lapsed", as_of=as_of)["end"]

    assert active("2026-03-10T22:59:59.999999Z") == 1
    assert active("2026-03-10T23:00:00Z") == 0
    assert counts(book, rule="lapsed", period="2026-03-10", as_of="2026-04-01") == (1, 0, 0, 0, 0, 1)
    assert counts(book, rule="lapsed", period="2026-03-11", as_of="2026-04-01") == (1, 0, 1, 0, 0, 0)
    assert counts(book, rule="lapsed", period="2026-03-12", as_of="2026-04-01") == (0, 0, 0, 0, 0, 0)


def test_a_lapse_is_counted_in_days_over_leap_day_and_clock_changes(book):
    won(book, "leap", "2023-03-01T12:00:00Z")
    book.say("book", "book.settings_changed", "2023-06-01", lapse_after_days=366)
    assert book.totals("churn", rule="lapsed", as_of="2024-03-01")["end"] == 1  # 29 February was one of the days
    assert book.totals("churn", rule="lapsed", as_of="2024-03-02")["end"] == 0
    book.say("book", "book.settings_changed", "2025-01-01", lapse_after_days=1)
    won(book, "dark", "2026-03-28T12:00:00Z")
    assert book.totals("churn", rule="lapsed", as_of="2026-03-29T21:59:59Z")["end"] == 1  # the short day has 23 hours
    assert book.totals("churn", rule="lapsed", as_of="2026-03-29T22:00:00Z")["end"] == 0


def test_an_invoice_keeps_a_customer(book):
    won(book, "c", "2025-01-10")
    book.say("deal-c-2025-01-10", "deal.invoiced", "2025-06-01", invoice="i", value=eur(1))
    assert counts(book, rule="lapsed", period="2026-05", as_of="2026-07-01") == (1, 0, 0, 0, 0, 1)
    assert counts(book, rule="lapsed", period="2026-06", as_of="2026-07-01") == (1, 0, 1, 0, 0, 0)


def test_the_lapse_is_that_of_the_pair_for_the_whole_report(book):
    won(book, "c", "2026-01-10")
    book.say("book", "book.settings_changed", "2026-06-01", lapse_after_days=30)
    asked = {"rule": "lapsed", "period": "2026-Q1"}
    assert counts(book, as_of="2026-05-31", **asked) == (0, 1, 0, 0, 0, 1)
    assert counts(book, as_of="2026-06-30", **asked) == (0, 1, 0, 1, 0, 0)


def test_a_later_win_and_a_word_bring_a_customer_back(book):
    for customer in ("won", "told", "gone"):
        book.customer(customer, "2024-01-01")
        won(book, customer, "2025-01-10")
        book.say(f"customer-{customer}", "customer.churned", "2025-06-01", reason="price")
    won(book, "won", "2026-02-10")
    book.say("customer-told", "customer.reactivated", "2026-02-11")
    assert counts(book, period="2026-Q1", as_of="2026-04-30") == (0, 0, 0, 0, 2, 2)
    assert counts(book, period="2025", as_of="2026-04-30") == (0, 3, 0, 3, 0, 0)
    assert counts(book, rule="both", period="2026-Q1", as_of="2026-04-30") == (0, 0, 0, 0, 1, 1)


def test_lost_and_back_within_the_period_is_neither(book):
    book.customer("c", "2024-01-01")
    won(book, "c", "2025-12-10")
    book.say("customer-c", "customer.churned", "2026-01-10", reason="price")
    won(book, "c", "2026-02-10")
    assert counts(book, period="2026-Q1", as_of="2026-04-30") == (1, 0, 0, 0, 0, 1)


def test_merged_customers_are_one_for_all_dates(book):
    for customer in ("a", "b"):
        book.customer(customer, "2024-01-01")
    won(book, "a", "2025-06-10", eur(300))
    won(book, "b", "2026-02-10", eur(500))
    assert counts(book, period="2026-Q1", as_of="2026-03-31") == (1, 1, 0, 0, 0, 2)
    book.say("customer-a", "customer.merged", "2026-04-10", into="b")
    totals = book.totals("churn", period="2026-Q1", as_of="2026-04-30")
    assert counts(book, period="2026-Q1", as_of="2026-04-30") == (1, 0, 0, 0, 0, 1)
    assert [totals[name] for name in ("revenue_start_minor", "expansion_minor", "nrr")] == [300, 500, 8 / 3]
    assert book.rows("churn", "customer", "start", by="customer", period="2026-Q1") == [("b", 1)]


def test_revenue_retention(book):
    for customer, (before, after) in {"up": (100, 150), "down": (100, 40), "out": (100, 0), "same": (100, 100)}.items():
        book.customer(customer, "2024-01-01")
        won(book, customer, "2025-06-10", eur(before))
        if after:
            won(book, customer, "2026-03-10", eur(after))
    book.say("customer-out", "customer.churned", "2026-05-10", reason="price")
    won(book, "new", "2026-04-10", eur(1_000))
    asked = {"period": "2026", "as_of": "2026-12-31"}
    totals = book.totals("churn", **asked)
    assert [totals[f"{name}_minor"] for name in ("revenue_start", "churned", "contraction", "expansion")] == [
        400, 100, 60, 50
    ]  # fmt: skip
    assert [totals["grr"], totals["nrr"]] == [0.6, 0.725]
    by_owner = book.rows("churn", "customer", "grr", by="customer", where="customer=new,customer=down", **asked)
    assert by_owner == [("down", 0.4), ("new", None)]


def test_revenue_is_converted_at_the_rate_of_each_win(book):
    book.rate("USD", "2025-01-01", "0.5").rate("USD", "2025-07-01", "2")
    won(book, "c", "2025-06-10", money(101, "USD"))
    won(book, "c", "2025-08-10", money(101, "USD"))
    assert book.totals("churn", period="2026-Q1")["revenue_start_minor"] == 50 + 202
    assert book.totals("churn", period="2026-Q1", fx="constant")["revenue_start_minor"] == 404
    assert book.totals("churn", period="2026-Q1", currency="USD")["revenue_start_minor"] == 202


def test_back_dated_and_retracted_wins(book):
    book.deal("late", "2026-01-05", eur(1), customer="c").won("late", "2026-02-10", recorded="2026-05-10")
    book.deal("wrong", "2025-01-05", eur(1), customer="d").won("wrong", "2025-02-10").retracted(
        "deal-wrong", 2, "2026-06-10"
    )
    asked = {"period": "2026-Q1", "as_of": "2026-03-31"}
    assert counts(book, **asked) == (1, 0, 0, 0, 0, 1)
    assert counts(book, known_at="2026-05-31", **asked) == (1, 1, 0, 0, 0, 2)
    assert counts(book, known_at="now", **asked) == (0, 1, 0, 0, 0, 1)
    assert counts(book, known_at="2026-01-31", **asked) == (1, 0, 0, 0, 0, 1)


def test_a_win_reopened_since_was_one_at_the_start(book):
    book.deal("d", "2025-01-05", eur(1), customer="c").won("d", "2025-06-01").reopened("d", "2026-02-01")
    assert counts(book, period="2026-Q1") == (1, 0, 1, 0, 0, 0)
    book.won("d", "2026-03-01")
    assert counts(book, period="2026-Q1") == (1, 0, 0, 0, 0, 1)
    assert counts(book, period="2026-Q2") == (1, 0, 0, 0, 0, 1)


def test_an_empty_book_and_a_period_without_customers(empty_book):
    assert empty_book.report("churn", period="2026-Q1").rows == []
    totals = empty_book.totals("churn", period="2026-Q1")
    assert [totals[name] for name in ("start", "churn_rate", "net_churn_rate", "retention_rate", "grr", "nrr")] == [
        0, None, None, None, None, None
    ]  # fmt: skip


def test_a_period_to_come_has_no_customers_yet(book):
    won(book, "c", "2026-01-10")
    assert counts(book, period="2026-Q4", as_of="2026-06-30") == (0, 0, 0, 0, 0, 0)
    assert counts(book, period="2026", as_of="2026-06-30") == (0, 1, 0, 0, 0, 1)


def test_by_month_of_a_series_and_beside_the_year_before(book):
    won(book, "c", "2025-02-10")
    assert book.rows("churn", "date", "start", "new", "end", period="2025-Q1", every="month", rule="lapsed") == [
        ("2025-02-28", 0, 1, 1), ("2025-03-31", 0, 1, 1)
    ]  # fmt: skip
    beside = book.totals("churn", period="2026-Q1", compare="previous_year", rule="lapsed")
    assert [beside[name] for name in ("start", "previous_start", "previous_new", "change_start")] == [1, 0, 1, 1]


def test_what_churn_cannot_tell_apart_is_refused(book):
    with pytest.raises(BadRequest, match="by=product is not possible in churn"):
        book.report("churn", by="product")
    with pytest.raises(BadRequest, match="write declared or lapsed or both"):
        book.report("churn", rule="guessed")


def test_a_customer_s_team_is_that_of_the_end(book):
    book.person("ana", "2025-01-01", "north").customer("c", "2025-01-01", owner="ana")
    won(book, "c", "2025-02-10")
    book.say("person-ana", "person.moved", "2026-02-01", team="south")
    assert book.rows("churn", "team", "start", "end", by="team", period="2026-Q1") == [("south", 1, 1)]
    assert book.rows("churn", "team", "start", "end", by="team", period="2026-01") == [("north", 1, 1)]


def test_an_explanation_lists_the_customers_and_what_they_bought(book):
    book.customer("a", "2025-01-01", owner="ana").customer("b", "2025-01-01").person("ana", "2025-01-01", "north")
    won(book, "a", "2025-02-10")
    won(book, "b", "2025-03-10")
    won(book, "b", "2026-06-10")
    book.say("customer-b", "customer.merged", "2026-02-01", into="a")
    explained = book.explained("churn", {"team": "north"}, period="2026-Q1")
    [only] = explained.lines
    assert (only.stream, only.title, only.figures["start"], only.figures["end"]) == ("customer-a", "A", 1, 1)
    assert set(only.events) == {"customer-a", "customer-b", "deal-a-2025-02-10", "deal-b-2025-03-10", "person-ana"}


@pytest.mark.parametrize("seed", range(3))
def test_the_same_from_the_events_one_instant_at_a_time(book, seed):
    random_book(book, seed)
    for as_of, known_at in (("2026-05-31", "2026-05-31"), ("2025-08-31", "now"), ("2026-04-30", "2026-01-31")):
        plain = _plain(book, as_of, known_at)
        for rule in ("declared", "lapsed", "both"):
            for period in ("2025-Q1", "2025", "2026-Q1"):
                said = book.totals("churn", as_of=as_of, known_at=known_at, rule=rule, period=period)
                names = (*COUNTS, "revenue_start_minor", "churned_minor", "contraction_minor", "expansion_minor")
                wanted = _plainly(plain, rule, PERIODS[period])
                assert [said[name] for name in names] == wanted, (as_of, known_at, rule, period)
                assert (
                    said["start"] + said["new"] + said["reactivated"] - said["lost"] - said["lost_new"] == said["end"]
                )


@pytest.mark.parametrize("seed", range(2))
def test_customers_told_of_together_bring_what_each_of_them_brings(book, seed):
    """Every figure, and how many lines there are and how many of them late, is that of the customers one by one."""
    random_book(book, seed, customers=16, deals=60)
    one_by_one = replace(CHURN, items=CHURN.evidence)
    knowns = ("2025-03-31", "2025-09-30", "now")
    asked_for = product(
        ("declared", "lapsed", "both"), ("", "owner", "team", "segment,owner", "customer"), ("EUR", "USD")
    )
    with book.folded().view() as view:
        for number, (rule, by, currency) in enumerate(asked_for):
            asked = {
                "rule": rule,
                "by": by,
                "currency": currency,
                "as_of": "2025-09-30",
                "known_at": knowns[number % 3],
            }
            asked |= {"period": "2025-Q3"} if number % 4 else {"where": "segment=small"}
            together, alone = (
                work_out(ask(view, report, asked, clock=view.stamp), view) for report in (CHURN, one_by_one)
            )
            assert (together.rows, together.totals) == (alone.rows, alone.totals), asked
            assert (together.lines, together.late) == (alone.lines, alone.late), asked


PERIODS = {
    "2025-Q1": ("2025-01-01", "2025-04-01", "2024-01-01", "2024-04-01"),
    "2025": ("2025-01-01", "2026-01-01", "2024-01-01", "2025-01-01"),
    "2026-Q1": ("2026-01-01", "2026-04-01", "2025-01-01", "2025-04-01"),
}
"""First day, day after the last, and both a year before."""


def _at(day):
    return day_start(parse_date(day), ZONE)


def _plain(book, as_of, known_at):
    day_after = {"2026-05-31": "2026-06-01", "2025-08-31": "2025-09-01", "2026-04-30": "2026-05-01"}
    known = book.clock if known_at == "now" else _at({"2026-05-31": "2026-06-01", "2026-01-31": "2026-02-01"}[known_at])
    return PlainCustomers(book, _at(day_after[as_of]) - 1, known - (known_at != "now"))


def _plainly(plain, rule, days):
    first, after, year_before_first, year_before_after = days
    if _at(first) > plain.as_of:
        return [0] * 10
    opening, closing = _at(first) - 1, min(plain.as_of, _at(after) - 1)
    start, end = (plain.active(at, rule, 365) for at in (opening, closing))
    had, has = ({win.customer for win in plain.wins(at)} for at in (opening, closing))
    new = has - had
    trailing = _at(year_before_after)
    if closing == plain.as_of != _at(after) - 1:
        trailing = _at({"2025-09-01": "2024-09-01", "2026-02-01": "2025-02-01"}[_day_after(plain.as_of)])
    before = _revenue(plain.wins(opening), _at(year_before_first))
    grown = {each: _revenue(plain.wins(closing), trailing).get(each, 0) - before.get(each, 0) for each in start & end}
    return [
        len(start), len(new), len(start - end), len(new - end), len(end - start - new), len(end),
        sum(before.get(each, 0) for each in start),
        sum(before.get(each, 0) for each in start - end),
        sum(max(0, -change) for change in grown.values()),
        sum(max(0, change) for change in grown.values()),
    ]  # fmt: skip


def _day_after(instant):
    return next(day for day in ("2025-09-01", "2026-02-01", "2026-05-01", "2026-06-01") if _at(day) - 1 == instant)


def _revenue(wins, since):
    found: dict[str, int] = {}
    for win in wins:
        if win.at >= since:
            rate = {"EUR": Fraction(1), "USD": Fraction(9, 10) if win.at < _at("2025-03-01") else Fraction(4, 5)}
            found[win.customer] = found.get(win.customer, 0) + convert(win.minor, rate[win.currency])
    return found
