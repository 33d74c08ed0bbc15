"""The rules of an objective."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, eur, retracted, say

OBJECTIVE = "objective-o1"
QUARTER = {"from": "2026-04-01", "to": "2026-06-30"}
MONEY = ["amount", "margin", "invoiced_amount", "delivered_amount"]
NUMBERS = ["quantity", "won_count", "new_customers", "quotes_issued", "interactions:visit", "interactions:cart"]


def set_(metric="amount", target=None, **more):
    target = target or (eur(100) if metric in MONEY else "40")
    data = {"scope": {"team": "north"}, "metric": metric, "period": QUARTER, "target": target} | more
    return say(OBJECTIVE, "objective.set", **data)


def revised(target):
    return say(OBJECTIVE, "objective.revised", target=target)


SET = set_()
CANCELLED = say(OBJECTIVE, "objective.cancelled", reason="reorganisation")


def test_an_objective_is_set_once():
    book = given().when(SET).then("objective.set", {"objective.target.minor": 100, "cancelled": False})
    book.when(SET).nothing()
    book.when(set_(target=eur(200))).refused("already_set", "objective.revised")


@pytest.mark.parametrize("scope", [{"company": True}, {"team": "north"}, {"person": "ana"}])
def test_it_is_the_companys_a_teams_or_a_persons(scope):
    given().when(set_(scope=scope)).then("objective.set")


def test_it_may_be_about_one_range_or_kind_and_say_so_in_words():
    more = {"product_range": "pumps", "kind": "new", "statement": "More pumps", "attributes": {"year": 2026}}
    given().when(set_(**more)).then("objective.set", {"objective.statement": "More pumps", "objective.kind": "new"})


@pytest.mark.parametrize("line", [revised(eur(1)), CANCELLED], ids=lambda line: line["type"])
def test_set_first(line):
    given().when(line).refused("not_set", "objective.set first")


@pytest.mark.parametrize("metric", MONEY)
def test_the_target_of_money_is_money(metric):
    given().when(set_(metric, "40")).refused("bad_value", f"the target of {metric} must be money")
    book = given().when(set_(metric, eur(0))).then("objective.set")
    book.when(revised("40")).refused("bad_value", f"the target of {metric} must be money")
    book.when(revised(eur(2))).then("objective.revised", {"objective.target.minor": 2})


@pytest.mark.parametrize("metric", NUMBERS)
def test_the_target_of_a_count_is_a_number(metric):
    given().when(set_(metric, eur(40))).refused("bad_value", f"the target of {metric} must be a decimal string")
    book = given().when(set_(metric, "40")).then("objective.set")
    book.when(revised(eur(40))).refused("bad_value", "not money")
    book.when(revised("42.5")).then("objective.revised", {"objective.target": "42.5"})


@pytest.mark.parametrize("metric", ["interactions:lunch", "interactions", "revenue"])
def test_only_known_metrics_and_kinds_of_interaction_are_counted(metric):
    given().when(set_(metric, "40")).refused("bad_value", "interactions: and one of call, email")


def test_a_period_may_be_a_day_but_not_less():
    given().when(set_(period={"from": "2026-04-01", "to": "2026-04-01"})).then("objective.set")
    given().when(set_(period={"from": "2026-04-02", "to": "2026-04-01"})).refused("bad_value", "2026-04-02 or later")


def test_it_is_revised_at_will():
    book = given(SET)
    for target in (200, 50, 200):
        book.when(revised(eur(target))).then("objective.revised", {"objective.target.minor": target})
        book.when(revised(eur(target))).nothing()
    book.when(SET).nothing()


def test_nothing_follows_its_cancellation():
    book = given(SET).when(CANCELLED).then("objective.cancelled", {"cancelled": True})
    book.when(CANCELLED).nothing()
    book.when(revised(eur(2))).refused("objective_cancelled", "set another one")
    book.when(say(OBJECTIVE, "objective.cancelled", reason="other")).refused("objective_cancelled")
    book.when(set_(target=eur(2))).refused("already_set")
    book.when(retracted(OBJECTIVE, 2)).then("event.retracted", {"cancelled": False})
    book.when(revised(eur(2))).then("objective.revised")


def test_it_is_planned_ahead_and_must_stay_legal_all_along():
    book = given(SET | {"effective_at": "2027-01-01"}, revised(eur(2)) | {"effective_at": "2027-03-01"})
    book.when(CANCELLED | {"effective_at": "2027-02-01"}).refused("objective_cancelled", "then objective.revised")
    book.when(revised(eur(3))).refused("not_set")
    book.when(CANCELLED | {"effective_at": "2027-04-01"}).then("objective.cancelled")
    money_to_count = set_("won_count")["data"]
    book.when(corrected(OBJECTIVE, 1, money_to_count)).refused("bad_value", "then objective.revised would no longer")
    book.when(corrected(OBJECTIVE, 1, set_("margin")["data"])).then("event.corrected", {"objective.metric": "margin"})
