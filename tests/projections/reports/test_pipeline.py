"""Open deals by stage, at any pair of dates."""

from __future__ import annotations

import pytest

from projections.reports import MissingRate
from tests.support.book import eur, line, money


def test_an_empty_book_has_no_rows(empty_book):
    answer = empty_book.report("pipeline")
    assert answer.rows == []
    assert answer.totals["deals"] == 0
    assert answer.totals["average_minor"] is None


def test_deals_stand_in_the_order_of_their_stages(book):
    book.deal("a", "2026-01-05", eur(10_001)).deal("b", "2026-01-05", eur(20_002), margin=eur(5_000))
    book.deal("c", "2026-01-05", eur(30_000), stage="closing", quantity="2.5")
    columns = ("stage", "stage_name", "deals", "amount_minor", "margin_minor", "quantity", "weighted_minor")
    assert book.rows("pipeline", *columns, as_of="2026-01-31") == [
        ("lead", "Lead", 2, 30_003, 5_000, None, 2_500 + 5_000),  # 2,500.25 and 5,000.5, each half to even
        ("closing", "Closing", 1, 30_000, None, 2.5, 27_000),
    ]
    assert book.totals("pipeline")["average_minor"] == 20_001


def test_a_deal_s_own_probability_and_category_come_first(book):
    book.deal("a", "2026-01-05", eur(1_000))
    book.say("deal-a", "deal.probability_set", "2026-02-01", probability_bp=8_000)
    book.say("deal-a", "deal.category_set", "2026-02-01", category="commit")
    assert book.rows("pipeline", "category", "weighted_minor", by="category", as_of="2026-01-31") == [("pipeline", 250)]
    assert book.rows("pipeline", "category", "weighted_minor", by="category", as_of="2026-02-28") == [("commit", 800)]


def test_stage_probabilities_are_those_of_as_of(book):
    book.deal("a", "2026-01-05", eur(1_000))
    stages = [{"stage": "demo", "name": "Demo", "probability_bp": 6_000, "category": "pipeline"}]
    book.say("pipeline-sales", "pipeline.redefined", "2026-03-01", stages=stages)
    book.deal("b", "2026-03-02", eur(1_000), stage="demo")
    assert book.rows("pipeline", "stage", "weighted_minor", as_of="2026-02-28") == [("lead", 250)]
    after = book.rows("pipeline", "stage", "weighted_minor", as_of="2026-03-31")
    assert sorted(after) == [("demo", 600), ("lead", 250)]  # a stage that is gone keeps its last probability


def test_the_owner_s_team_is_that_of_as_of(book):
    book.person("ana", "2026-01-01", "north").say("person-ana", "person.moved", "2026-02-15", team="south")
    book.say("team-north", "team.created", "2026-01-01", name="Team North")
    book.deal("a", "2026-01-05", eur(1_000))
    assert book.rows("pipeline", "team", "team_name", by="team", as_of="2026-02-14") == [("north", "Team North")]
    assert book.rows("pipeline", "team", "team_name", by="team", as_of="2026-02-15") == [("south", None)]
    assert book.rows("pipeline", "owner", "owner_name", by="owner") == [("ana", "Ana")]


def test_foreign_amounts_are_converted_at_as_of_and_rounded_once(book):
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-02-15", "0.8").rate("JPY", "2025-01-01", "0.00625")
    book.deal("d", "2026-01-05", money(1_005, "USD")).deal("y", "2026-01-05", money(100, "JPY"))
    book.deal("e", "2026-01-05", eur(1))
    columns = ("deals", "amount_minor", "weighted_minor")
    # 904.5 + 62.5 + 1; a quarter of each: 226.125, 15.625 and 0.25
    assert book.rows("pipeline", *columns, as_of="2026-01-31") == [(3, 904 + 62 + 1, 226 + 16 + 0)]
    assert book.rows("pipeline", *columns, as_of="2026-03-31") == [(3, 804 + 62 + 1, 201 + 16 + 0)]


def test_any_currency_may_report_the_other_way_round_or_across_the_book_s(book):
    book.rate("USD", "2025-01-01", "0.8").rate("GBP", "2025-01-01", "1.25")
    book.deal("e", "2026-01-05", eur(1_000)).deal("g", "2026-01-05", money(800, "GBP"))
    assert book.totals("pipeline", currency="USD")["amount_minor"] == 1_250 + 1_250
    answer = book.report("pipeline", currency="USD")
    assert {column.unit for column in answer.columns if column.type == "money"} == {"USD"}


def test_a_missing_rate_is_named(book):
    book.deal("d", "2026-01-05", money(1, "USD"))
    with pytest.raises(MissingRate, match=r"no exchange rate from USD to EUR on 2026-03-31: append rate.fixed"):
        book.report("pipeline", as_of="2026-03-31")


def test_amounts_are_shared_over_products_and_add_up(book):
    book.product("anvil", "2025-01-01", "iron").product("bolt", "2025-01-01", "iron")
    lines = [line("anvil", eur(1), "2"), line("bolt", eur(1), "1"), line("anvil", eur(1), "1")]
    book.deal("a", "2026-01-05", eur(3), lines=lines, margin=eur(100)).deal("b", "2026-01-05", eur(7))
    columns = ("product", "product_name", "deals", "amount_minor", "margin_minor", "quantity")
    answer = book.report("pipeline", by="product")
    assert [tuple(row[each] for each in columns) for row in answer.rows] == [
        ("anvil", "Anvil", 1, 2, 67, 3),
        ("bolt", "Bolt", 1, 1, 33, 1),
        (None, None, 1, 7, None, None),
    ]
    assert answer.totals["deals"] == 2
    assert answer.totals["amount_minor"] == 10
    assert book.rows("pipeline", "product_range", "deals", by="product_range") == [("iron", 1), (None, 1)]
    assert book.totals("pipeline", where="product=anvil")["amount_minor"] == 2


def test_merged_customers_are_one_for_all_dates_of_the_report(book):
    for name, region in (("old", "east"), ("mid", "west"), ("new", "north")):
        book.customer(name, "2025-01-01", region=region, segment="small")
    book.deal("a", "2026-01-05", eur(1), customer="old").deal("b", "2026-01-05", eur(2), customer="new", region="home")
    book.say("customer-old", "customer.merged", "2026-05-01", into="mid")
    book.say("customer-mid", "customer.merged", "2026-06-01", into="new")
    asked = ("pipeline", "customer", "customer_name", "region", "amount_minor")
    assert book.rows(*asked, by="customer,region", as_of="2026-04-30") == [
        ("new", "New", "home", 2),
        ("old", "Old", "east", 1),
    ]
    assert book.rows(*asked, by="customer,region", as_of="2026-06-01") == [
        ("new", "New", "home", 2),
        ("new", "New", "north", 1),
    ]
    assert book.totals("pipeline", where="customer=new")["deals"] == 2
    assert book.totals("pipeline", where="customer=old")["deals"] == 0


def test_filters_take_one_of_several_values_or_none(book):
    book.deal("a", "2026-01-05", eur(1), kind="new").deal("b", "2026-01-05", eur(2), kind="renewal")
    book.deal("c", "2026-01-05", eur(4))
    assert book.totals("pipeline", where="kind=new")["amount_minor"] == 1
    assert book.totals("pipeline", where="kind=new,kind=renewal")["amount_minor"] == 3
    assert book.totals("pipeline", where="kind=")["amount_minor"] == 4
    assert book.totals("pipeline", where="kind=new,kind=,owner=ana")["amount_minor"] == 5


def test_what_was_learnt_later_shows_only_to_those_who_know_it(book):
    book.deal("a", "2026-01-05", eur(100))
    book.corrected("deal-a", 1, "2026-04-01", data={
        "pipeline": "sales", "stage": "lead", "owner": "ana", "title": "x", "value": eur(300),
    })  # fmt: skip
    book.deal("late", "2026-01-06", eur(7), recorded="2026-05-01")
    assert book.totals("pipeline", as_of="2026-01-31")["amount_minor"] == 100
    assert book.totals("pipeline", as_of="2026-01-31", known_at="2026-04-30")["amount_minor"] == 300
    assert book.totals("pipeline", as_of="2026-01-31", known_at="now")["amount_minor"] == 307
    assert book.totals("pipeline", as_of="2026-05-31", known_at="2026-01-31")["amount_minor"] == 100


def test_the_same_report_at_a_series_of_dates(book):
    book.deal("a", "2026-01-05", eur(100)).deal("b", "2026-02-10", eur(50), recorded="2026-04-01")
    rows = book.rows("pipeline", "date", "amount_minor", period="2026-Q1", every="month")
    assert rows == [("2026-01-31", 100), ("2026-02-28", 100), ("2026-03-31", 100)]
    restated = book.rows("pipeline", "date", "amount_minor", period="2026-Q1", every="month", known_at="now")
    assert restated == [("2026-01-31", 100), ("2026-02-28", 150), ("2026-03-31", 150)]
    assert book.report("pipeline", period="2026-Q1", every="month").totals == {}
