"""How many deals that closed were won."""

from __future__ import annotations

from tests.support.book import eur, line, money


def test_ten_won_of_fifty_in_progress_is_twenty_percent(book):
    for number in range(50):
        book.deal(f"d{number:02}", "2025-12-05" if number < 30 else "2026-02-05", eur(1))
        if number < 10:
            book.won(f"d{number:02}", "2026-03-01")
    book.deal("before", "2025-11-05", eur(1)).won("before", "2025-12-30").deal("after", "2026-04-01", eur(1))
    totals = book.totals("win_rate", period="2026-Q1", as_of="2026-04-30")
    assert (totals["won"], totals["in_progress"], totals["close_rate"]) == (10, 50, 0.2)


def test_rates_by_count_and_by_amount(book):
    for deal, value in {"a": 300, "b": 100, "c": 50, "d": 50}.items():
        book.deal(deal, "2026-01-05", eur(value), margin=eur(value // 10))
    book.won("a", "2026-02-01").lost("b", "2026-02-02").lost("c", "2026-02-03").abandoned("d", "2026-02-04")
    totals = book.totals("win_rate", period="2026-Q1")
    assert [totals[each] for each in ("won", "lost", "abandoned")] == [1, 2, 1]
    assert (totals["win_rate"], round(totals["win_rate_narrow"], 6)) == (0.25, 0.333333)
    assert totals["win_rate_amount"] == 0.6
    assert [totals["average_won_minor"], totals["average_lost_minor"]] == [300, 75]
    assert [totals["average_won_margin_minor"], totals["average_lost_margin_minor"]] == [30, 8]


def test_deals_in_progress_are_counted_whatever_they_are_worth(book):
    book.deal("a", "2025-12-05", money(100, "JPY")).deal("b", "2026-01-05", money(100, "JPY"))
    book.deal("c", "2026-01-05", eur(100)).won("c", "2026-02-01")
    totals = book.totals("win_rate", period="2026-Q1")
    assert (totals["won"], totals["average_won_minor"], totals["in_progress"]) == (1, 100, 3)


def test_a_period_without_closings_has_null_rates(book):
    book.deal("a", "2026-01-05", eur(1))
    totals = book.totals("win_rate", period="2025-Q1")
    assert [totals[each] for each in ("win_rate", "win_rate_narrow", "win_rate_amount", "close_rate")] == [None] * 4


def test_won_reopened_and_lost_is_a_loss_at_last(book):
    book.deal("d", "2026-01-05", eur(100)).won("d", "2026-02-01").reopened("d", "2026-02-10").lost("d", "2026-02-20")

    def counts(day, known_at=None):
        totals = book.totals("win_rate", period="2026-Q1", as_of=day, known_at=known_at or day)
        return totals["won"], totals["lost"], totals["in_progress"]

    assert counts("2026-01-31") == (0, 0, 1)
    assert counts("2026-02-09") == (1, 0, 1)
    assert counts("2026-02-15") == (0, 0, 1)
    assert counts("2026-03-31") == (0, 1, 1)
    assert counts("2026-02-09", "now") == (1, 0, 1)
    assert book.totals("sales", as_of="2026-03-31")["won"] == 0


def test_a_cohort_is_of_the_deals_opened_in_the_period(book):
    book.deal("a", "2026-01-05", eur(1)).won("a", "2026-05-01").deal("b", "2026-02-05", eur(1)).lost("b", "2026-06-01")
    book.deal("c", "2026-03-05", eur(1)).deal("d", "2025-12-05", eur(1)).won("d", "2026-02-01")
    cohort = book.totals("win_rate", period="2026-Q1", basis="cohort")
    assert [cohort[each] for each in ("won", "lost", "win_rate", "in_progress")] == [1, 1, 0.5, 3]
    assert round(cohort["close_rate"], 6) == 0.333333
    closed = book.totals("win_rate", period="2026-Q1")
    assert [closed[each] for each in ("won", "lost", "in_progress")] == [1, 0, 4]


def test_a_deal_won_at_the_first_midnight_was_in_progress(book):
    book.deal("d", "2025-12-05", eur(1)).won("d", "2025-12-31T23:00:00Z")
    totals = book.totals("win_rate", period="2026-Q1")
    assert (totals["won"], totals["in_progress"]) == (1, 1)


def test_by_month_there_are_no_deals_in_progress(book):
    book.deal("d", "2025-12-05", eur(1)).won("d", "2026-01-10")
    assert book.rows("win_rate", "month", "won", "in_progress", "close_rate", by="month", period="2026-Q1") == [
        ("2026-01", 1, None, None)
    ]


def test_by_product_and_range_a_lost_deal_counts_by_the_products_it_had(book):
    book.product("anvil", "2025-01-01", "iron").product("bolt", "2025-01-01", "steel")
    book.say("product-bolt", "product.changed", "2026-02-15", range="iron")
    anvil, bolt = line("anvil", eur(60)), line("bolt", eur(40))
    book.deal("a", "2026-01-05", lines=[anvil, bolt]).won("a", "2026-02-01")
    book.deal("b", "2026-01-05", lines=[anvil]).lost("b", "2026-02-02")
    book.deal("c", "2026-01-05", lines=[bolt]).say("deal-c", "deal.revalued", "2026-01-10", lines=[anvil])
    book.abandoned("c", "2026-02-03")
    book.deal("d", "2026-01-05", lines=[bolt]).lost("d", "2026-02-20").deal("e", "2026-01-05", eur(7)).lost(
        "e", "2026-02-02"
    )
    asked = ("won", "lost", "abandoned", "average_lost_minor", "in_progress")
    assert book.rows("win_rate", "product", *asked, by="product", period="2026-Q1") == [
        ("anvil", 1, 1, 1, 60, None), ("bolt", 1, 1, 0, 40, None), (None, 0, 1, 0, 7, None),
    ]  # fmt: skip
    assert book.rows("win_rate", "product_range", "won", "lost", "win_rate", by="product_range") == [
        ("iron", 1, 2, 0.25), ("steel", 1, 0, 1.0), (None, 0, 1, 0.0),
    ]  # fmt: skip
    assert book.totals("win_rate", by="product")["lost"] == 3
    assert book.rows("losses", "product", "amount_minor", by="product") == [
        ("anvil", 60), ("bolt", 40), (None, 7),
    ]  # fmt: skip


def test_products_of_a_lost_deal_are_those_known(book):
    book.deal("a", "2026-01-05", lines=[line("anvil", eur(60))])
    book.say("deal-a", "deal.revalued", "2026-01-10", "2026-03-05", lines=[line("bolt", eur(50))])
    book.lost("a", "2026-02-01", recorded="2026-03-06").reopened("a", "2026-03-10")
    asked = ("win_rate", "product", "average_lost_minor")
    assert book.rows(*asked, by="product", as_of="2026-03-07") == [("bolt", 50)]
    assert book.rows(*asked, by="product", as_of="2026-02-10", known_at="2026-03-31") == [("bolt", 50)]
    assert book.rows(*asked, by="product", as_of="2026-03-31") == []
