"""What became of open deals, worked out by hand, and to the cent whatever happened."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import BadRequest, LedgerError
from projections.reports.cells import work_out
from projections.reports.pipeline_changes import PIPELINE_CHANGES
from projections.reports.question import ask
from projections.reports.waterfall import LINES
from tests.support.book import GivenBook, eur, line, money

TOUCHED = ("increased", "decreased", "fx")
QUARTER = {"from": "2026-03-31", "to": "2026-06-30"}


def changes(book, **asked: str) -> dict[str, tuple[int, int]]:
    """The lines of the totals that are not nothing: deals and amount."""
    return _lines(book.totals("pipeline_changes", **(QUARTER | asked)))


def by(book, dimension: str, **asked: str) -> dict[str | None, dict[str, tuple[int, int]]]:
    answer = book.report("pipeline_changes", by=dimension, **(QUARTER | asked))
    return {row[dimension]: _lines(row) for row in answer.rows}


def _lines(row) -> dict[str, tuple[int, int]]:
    told = {name: (row[f"{name}_deals"], row[f"{name}_minor"]) for name in LINES}
    return {name: both for name, both in told.items() if both != (0, 0)}


def balanced(row, *, deals: bool = True) -> bool:
    """Whether the lines lead from the opening to the closing."""
    moved = [name for name in LINES if name not in {"opening", "closing"}]
    amount = {name: row[f"{name}_minor"] or 0 for name in LINES}  # what is known of it
    whole = amount["opening"] + sum(amount[name] for name in moved) == amount["closing"]
    counts = sum(row[f"{name}_deals"] for name in moved if name not in TOUCHED)
    return whole and (not deals or row["opening_deals"] + counts == row["closing_deals"])


def test_an_empty_book_has_no_changes(empty_book):
    answer = empty_book.report("pipeline_changes")
    assert answer.rows == []
    assert set(answer.totals.values()) == {0}


def test_each_line_of_the_waterfall(book):
    for deal in ("stays", "up", "down", "won", "lost", "gone", "twin"):
        book.deal(deal, "2026-01-05", eur(1_000))
    book.deal("back", "2026-01-05", eur(700)).lost("back", "2026-02-01")
    book.say("deal-up", "deal.revalued", "2026-04-05", value=eur(1_300))
    book.say("deal-down", "deal.revalued", "2026-04-05", value=eur(400))
    book.say("deal-won", "deal.revalued", "2026-04-05", value=eur(1_100)).won("won", "2026-04-10", eur(5_000))
    book.lost("lost", "2026-04-11").abandoned("gone", "2026-04-12")
    book.say("deal-twin", "deal.merged", "2026-04-13", into="stays")
    book.reopened("back", "2026-04-14")
    book.deal("new", "2026-05-01", eur(250))
    book.deal("passing", "2026-05-01", eur(80)).won("passing", "2026-05-20")
    assert changes(book) == {
        "opening": (7, 7_000),
        "increased": (2, 300 + 100),
        "decreased": (1, -600),
        "created": (2, 250 + 80),
        "reopened": (1, 700),
        "merged": (-1, -1_000),
        "abandoned": (-1, -1_000),
        "lost": (-1, -1_000),
        "won": (-2, -1_100 - 80),
        "closing": (5, 1_000 + 1_300 + 400 + 700 + 250),
    }


def test_what_was_learnt_later_is_corrected(book):
    book.deal("a", "2026-01-05", eur(1_000)).deal("b", "2026-01-05", eur(500)).deal("c", "2026-01-05", eur(40))
    book.won("a", "2026-03-20", recorded="2026-04-15")  # a win back-dated into the quarter before
    book.retracted("deal-b", 1, "2026-04-16")
    book.deal("late", "2026-03-01", eur(60), recorded="2026-04-17")
    assert changes(book) == {"opening": (3, 1_540), "corrected": (-1, -1_000 - 500 + 60), "closing": (2, 100)}
    assert changes(book, known_at="2026-03-31") == {"opening": (3, 1_540), "closing": (3, 1_540)}
    assert changes(book, to="2026-04-10") == {"opening": (3, 1_540), "closing": (3, 1_540)}
    assert changes(book, to="2026-04-10", known_at="now") == changes(book)


def test_a_deal_won_reopened_and_lost_leaves_once(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-04-01", eur(90))
    book.reopened("d", "2026-04-10").lost("d", "2026-05-01")
    assert changes(book) == {"opening": (1, 100), "decreased": (1, -10), "lost": (-1, -90)}
    assert changes(book, to="2026-04-05") == {"opening": (1, 100), "won": (-1, -100)}


def test_a_retracted_win_is_open_all_along_once_that_is_known(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-03-01").retracted("deal-d", 2, "2026-04-20")
    assert changes(book) == {"corrected": (1, 100), "closing": (1, 100)}
    assert changes(book, to="2026-04-10") == {}


def test_exchange_rates_are_a_line_of_their_own(book):
    book.rate("USD", "2026-01-01", "0.9")
    book.say("rate-USD", "rate.fixed", "2026-03-20", recorded="2026-04-05", base="EUR", rate="0.85")
    book.rate("USD", "2026-05-15", "0.8")
    book.deal("d", "2026-01-05", money(1_000, "USD")).deal("w", "2026-01-05", money(100, "USD")).won("w", "2026-06-01")
    book.say("deal-d", "deal.revalued", "2026-04-10", value=money(1_200, "USD"))
    assert changes(book) == {
        "opening": (2, 900 + 90),
        "corrected": (0, -50 - 5),
        "increased": (1, 170),
        "fx": (1, 960 - 1_020),
        "won": (-1, -85),
        "closing": (1, 960),
    }
    assert changes(book, fx="constant")["opening"] == (2, 800 + 80)
    assert "fx" not in changes(book, fx="constant")


def test_a_currency_that_came_up_since_is_at_the_rate_of_the_end(book):
    book.rate("CHF", "2026-04-20", "1.1").deal("d", "2026-05-01", money(1_000, "CHF"))
    book.deal("w", "2026-05-01", money(100, "CHF")).won("w", "2026-05-10")
    assert changes(book) == {"created": (2, 1_210), "won": (-1, -110), "closing": (1, 1_100)}


def test_within_a_period_deals_are_pulled_in_and_pushed_out(book):
    due = {"in": "2026-08-01", "out": "2026-08-01", "won": "2026-08-01", "later": "2026-11-01", "none": None}
    for deal, day in due.items():
        book.deal(deal, "2026-01-05", eur(100), expected_close_on=day)
    book.say("deal-out", "deal.close_date_changed", "2026-04-02", expected_close_on="2026-10-01")
    book.say("deal-later", "deal.close_date_changed", "2026-04-02", expected_close_on="2026-09-30")
    book.say("deal-won", "deal.close_date_changed", "2026-04-02", expected_close_on="2026-12-01").won(
        "won", "2026-05-01"
    )
    assert changes(book, period="2026-Q3") == {
        "opening": (3, 300),
        "pulled_in": (1, 100),
        "pushed_out": (-1, -100),
        "won": (-1, -100),
        "closing": (2, 200),
    }
    months = by(book, "month")
    assert months["2026-08"] == {"opening": (3, 300), "pushed_out": (-1, -100), "won": (-1, -100), "closing": (1, 100)}
    assert months["2026-10"] == {"pulled_in": (1, 100), "closing": (1, 100)}
    assert "2026-12" not in months


def test_what_changes_hands_leaves_one_row_and_enters_another(book):
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    book.deal("d", "2026-01-05", eur(100)).deal("w", "2026-01-05", eur(30)).deal("m", "2026-01-05", eur(7))
    book.say("deal-d", "deal.revalued", "2026-04-02", value=eur(150))
    for deal in "dwm":
        book.say(f"deal-{deal}", "deal.assigned", "2026-04-03", owner="bob")
    book.won("w", "2026-05-01").say("deal-m", "deal.merged", "2026-05-01", into="d")
    ana = {"opening": (3, 137), "increased": (1, 50), "reassigned_out": (-2, -180), "merged": (-1, -7)}
    bob = {"reassigned_in": (2, 180), "won": (-1, -30), "closing": (1, 150)}
    assert by(book, "owner") == {"ana": ana, "bob": bob}
    assert by(book, "team") == {"north": ana, "south": bob}
    assert changes(book, where="owner=ana") == ana
    assert changes(book, where="team=south") == bob
    assert "reassigned_in" not in changes(book)


def test_what_was_lost_and_is_merged_since_leaves_by_being_merged(book):
    """It leaves for the first reason of the list that applies, though both are in force."""
    for deal in "abc":
        book.deal(deal, "2026-01-05", eur(100))
    book.lost("a", "2026-04-10").say("deal-a", "deal.merged", "2026-05-01", into="c")
    book.abandoned("b", "2026-04-11").say("deal-b", "deal.merged", "2026-05-02", into="c")
    assert changes(book) == {"opening": (3, 300), "merged": (-2, -200), "closing": (1, 100)}
    assert changes(book, to="2026-04-20") == {
        "opening": (3, 300),
        "lost": (-1, -100),
        "abandoned": (-1, -100),
        "closing": (1, 100),
    }


def test_a_seller_who_changes_team_takes_the_deals_along(book):
    book.person("ana", "2025-01-01", "north").deal("d", "2026-01-05", eur(100)).deal("w", "2026-01-05", eur(30))
    book.won("w", "2026-04-10").say("person-ana", "person.moved", "2026-05-15", team="south")
    assert by(book, "team") == {
        "north": {"opening": (2, 130), "reassigned_out": (-1, -100), "won": (-1, -30)},
        "south": {"reassigned_in": (1, 100), "closing": (1, 100)},
    }


def test_products_that_are_dropped_and_added(book):
    lines = [line("bolt", eur(60)), line("nut", eur(40))]
    book.deal("d", "2026-01-05", eur(100), lines=lines)
    book.deal("w", "2026-01-05", eur(10), lines=[line("bolt", eur(10))]).won("w", "2026-05-01")
    others = [line("bolt", eur(70)), line("screw", eur(50))]
    book.say("deal-d", "deal.revalued", "2026-04-10", value=eur(120), lines=others)
    assert by(book, "product") == {
        "bolt": {"opening": (2, 70), "increased": (1, 10), "won": (-1, -10), "closing": (1, 70)},
        "nut": {"opening": (1, 40), "reassigned_out": (-1, -40)},
        "screw": {"reassigned_in": (1, 50), "closing": (1, 50)},
    }
    assert changes(book, where="product=bolt,product=nut") == {
        "opening": (2, 110),
        "decreased": (1, -30),
        "won": (-1, -10),
        "closing": (1, 70),
    }
    assert changes(book, where="product=nut") == {"opening": (1, 40), "reassigned_out": (-1, -40)}


def test_merged_customers_are_one_at_both_ends(book):
    book.customer("a", "2025-01-01", segment="big").customer("b", "2025-01-01", segment="small")
    book.deal("d", "2026-01-05", eur(100), customer="b").say("customer-b", "customer.merged", "2026-05-01", into="a")
    for dimension, row in (("customer", "a"), ("segment", "big")):
        assert by(book, dimension) == {row: {"opening": (1, 100), "closing": (1, 100)}}


def test_measured_by_margin(book):
    book.deal("d", "2026-01-05", eur(100), margin=eur(30))
    book.say("deal-d", "deal.revalued", "2026-04-10", value=eur(200), margin=eur(20))
    assert changes(book, measure="margin") == {"opening": (1, 30), "decreased": (1, -10), "closing": (1, 20)}


def test_by_default_changes_are_those_of_the_month(book):
    book.deal("d", "2026-05-31", eur(100)).deal("e", "2026-06-01", eur(20))
    answer = book.report("pipeline_changes", as_of="2026-06-15")
    assert _lines(answer.totals) == {"opening": (1, 100), "created": (1, 20), "closing": (2, 120)}
    assert answer.parameters["from"] == "2026-05-31T21:59:59.999999Z"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"from": "2026-07-01", "to": "2026-06-30"}, "from 2026-07-01 lies after the end of the report"),
        ({"from": "2027-07-01"}, "from 2027-07-01 lies after now"),
        ({"to": "2026-06-30", "as_of": "2026-06-30"}, "give to or as_of, not both"),
        ({"every": "month", "period": "2026"}, "does not take 'every'"),
    ],
)
def test_a_bad_question_is_one_clear_message(book, asked, message):
    with pytest.raises(BadRequest, match=message):
        book.report("pipeline_changes", **asked)


DIMENSIONS = ("", "owner", "team", "stage", "segment", "customer", "month", "category", "owner,month", "product")


def told(book: GivenBook, seed: int, events: int) -> GivenBook:
    """A random history: a few deals to which anything happens, much of it told late, retracted or corrected."""
    rng = Random(seed)
    day = date(2026, 1, 2)
    for owner in "ab":
        book.person(owner, "2025-06-01", "north")
        book.customer(f"c{owner}", "2025-06-01", segment=owner)
    book.rate("USD", "2025-01-01", "0.9").product("bolt", "2025-01-01", "iron")
    versions: dict[str, int] = {}
    for _ in range(events):
        day += timedelta(rng.choice((0, 0, 1, 2)))
        late = rng.choice((0, 0, 0, 1, 10, 40))
        _happens(book, rng, versions, max(day - timedelta(late), date(2026, 1, 1)).isoformat(), day.isoformat())
    return book


Data = dict[str, Any]


def _happens(book: GivenBook, rng: Random, versions: dict[str, int], at: str, recorded: str) -> None:
    deal = rng.choice("defghi")
    worth = money(rng.randrange(1, 99_999), rng.choice(("EUR", "USD")))
    due = rng.choice((None, "2026-02-15", "2026-03-20", "2026-05-01"))
    stage, owner, customer = rng.choice(("lead", "demo", "offer")), rng.choice("ab"), rng.choice(("ca", "cb"))
    split = rng.random() < 0.4
    parts = [line("bolt", worth), line("nut", money(7, worth["currency"]))] if split else None
    whole = money(worth["minor"] + 7, worth["currency"]) if split else worth
    said: dict[str, Data] = {
        "opened": {"pipeline": "sales", "stage": stage, "owner": owner, "title": "T", "value": whole, "lines": parts}
        | {"expected_close_on": due, "customer": customer},
        "revalued": {"value": whole, "lines": parts},
        "close_date_changed": {"expected_close_on": due},
        "assigned": {"owner": owner},
        "stage_changed": {"stage": stage},
        "reclassified": {"customer": customer},
        "won": {"value": rng.choice((None, worth))},
        "lost": {"reason": "price"},
        "abandoned": {"reason": "price"},
        "reopened": {"stage": stage, "reason": "back"},
        "merged": {"into": rng.choice("defghi")},
    }
    data: Data
    stream, kind = f"deal-{deal}", rng.choice((*said, "opened", "opened", "reopened", "revalued", "!", "!", "~"))
    if kind == "~":
        stream, kind = rng.choice(
            (("rate-USD", "rate.fixed"), ("person-a", "person.moved"), ("customer-cb", "customer.merged"))
        )
        data = {
            "rate.fixed": {"base": "EUR", "rate": f"0.{rng.randrange(60, 99)}"},
            "person.moved": {"team": rng.choice(("north", "south"))},
            "customer.merged": {"into": "ca"},
        }[kind]
    elif kind == "!":
        target = rng.randrange(1, versions.get(stream, 0) + 2)
        wrong = rng.choice(("event.retracted", "event.corrected"))
        kind, data = wrong, {"version": target, "reason": "mistake"}
        data |= {"effective_at": f"{at}T12:00:00Z"} if wrong == "event.corrected" else {}
        at = recorded
    else:
        kind, data = f"deal.{kind}", said[kind]
    with suppress(LedgerError):
        book.say(stream, kind, at, recorded=recorded, **data)
        versions[stream] = versions.get(stream, 0) + 1


def holds_together(book: GivenBook, rng: Random) -> None:
    """Every row leads from opening to closing, and both ends are what the pipeline says of them."""
    known = ("2026-01-15", "2026-02-10", "2026-03-05", "2026-04-10", "now")
    for _ in range(2):
        since, to = sorted(rng.sample(known[:4], 2))
        pair = {"known_at": rng.choice([each for each in known if each >= since])}
        for dimension in rng.sample(DIMENSIONS, 6):
            where = {"where": rng.choice(("", "product=bolt,product=nut", "product=nut,owner=a"))}
            asked = {"from": since, "to": to, "by": dimension} | pair | where
            answer = book.report("pipeline_changes", **asked)
            split = dimension == "product"
            for row in answer.rows:
                assert balanced(row), (asked, row)
            assert balanced(answer.totals, deals=not split)
            for line_ in LINES:
                assert answer.totals[f"{line_}_minor"] == sum(row[f"{line_}_minor"] for row in answer.rows)
            for name, as_of, known_at in (("closing", to, pair["known_at"]), ("opening", since, since)):
                found = book.report("pipeline", as_of=as_of, by=dimension, known_at=known_at, **where)
                assert answer.totals[f"{name}_minor"] == found.totals["amount_minor"], asked
                assert answer.totals[f"{name}_deals"] == found.totals["deals"], asked
            restated = book.totals("pipeline", as_of=since, **pair, **where)
            learnt = answer.totals["opening_minor"] + answer.totals["corrected_minor"]
            assert learnt == restated["amount_minor"]
            period = book.report("pipeline_changes", period="2026-Q1", **(asked | {"where": "owner=a"}))
            assert all(balanced(row) for row in period.rows)
            assert balanced(period.totals, deals=not split)
        asked |= {"where": ""}
        for row in book.report("pipeline_changes", **(asked | {"by": "owner"})).rows:
            alone = book.totals("pipeline_changes", **(asked | {"by": "", "where": f"owner={row['owner']}"}))
            assert alone == {name: row[name] for name in alone}


@pytest.mark.parametrize("of", ["in_brief", "one_by_one"])
def test_what_a_filter_takes_as_it_was_and_as_it_is_is_not_corrected(book, of):
    """Nobody said its margin, so what would be taken off and put back is unknown."""
    book.deal("d", "2026-01-05", eur(100), expected_close_on="2026-02-15")
    book.say("deal-d", "deal.assigned", "2026-01-10", recorded="2026-02-05", owner="bob")
    asked = {"from": "2026-01-31", "to": "2026-03-31", "by": "quarter", "measure": "margin"}
    for where in ("", "owner=ana,owner=bob"):
        given = asked | {"where": where}
        told = book.totals if of == "in_brief" else lambda *name, **more: book.explained(*name, **more).figures
        figures = told("pipeline_changes", **given)
        assert (figures["opening_minor"], figures["corrected_minor"], figures["corrected_deals"]) == (None, 0, 0)
    only = book.totals("pipeline_changes", **asked, where="owner=ana")
    assert (only["corrected_minor"], only["corrected_deals"]) == (None, -1)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_opening_and_lines_are_the_closing_whatever_happened(tmp_path_factory, seed):
    book = GivenBook(f"sqlite:///{tmp_path_factory.mktemp('book')}/book.db")
    try:
        holds_together(told(book, seed, 90), Random(seed))
    finally:
        book.close()


@pytest.mark.parametrize("seed", [3, 5])
def test_opening_and_lines_are_the_closing_on_both_databases(book, seed):
    holds_together(told(book, seed, 70), Random(seed))


def test_the_deals_of_a_cell_add_up_to_it(book):
    told(book, 11, 80)
    for dimension in ("owner", "team", "month", "product", "category", "stage", "segment", "product_range"):
        asked = {"from": "2026-01-20", "to": "2026-03-05", "by": dimension, "known_at": "now"}
        for row in book.report("pipeline_changes", **asked).rows:
            explained = book.explained("pipeline_changes", {dimension: row[dimension]}, **asked)
            for name in explained.figures:
                assert (
                    explained.figures[name] == row[name] == sum(each.figures.get(name, 0) for each in explained.lines)
                )


@pytest.mark.parametrize("seed", [2, 8])
def test_deals_told_of_together_bring_what_each_of_them_brings(book, seed):
    """Every figure, and how many lines there are and how many of them late, is that of the deals one by one."""
    told(book, seed, 90)
    one_by_one = replace(PIPELINE_CHANGES, items=PIPELINE_CHANGES.evidence)
    wheres: tuple[dict[str, str], ...] = (
        {},
        {"where": "owner=a"},
        {"where": "product=bolt"},
        {"where": "product=bolt,product=nut"},
        {"period": "2026-Q1"},
        {"measure": "margin"},
    )
    knowns: tuple[dict[str, str], ...] = ({}, {"known_at": "now"}, {"known_at": "2026-01-15"})
    with book.folded().view() as view:
        for number, dimension in enumerate((*DIMENSIONS, "owner,product", "product_range", "region,product")):
            more = wheres[number % len(wheres)] | knowns[number % len(knowns)]
            currency = ("EUR", "USD")[number % 2]
            asked = {"from": "2026-01-20", "to": "2026-03-05", "by": dimension, "currency": currency} | more
            together, alone = (
                work_out(ask(view, report, asked, clock=view.stamp), view) for report in (PIPELINE_CHANGES, one_by_one)
            )
            assert (together.rows, together.totals) == (alone.rows, alone.totals), asked
            assert (together.lines, together.late) == (alone.lines, alone.late), asked
