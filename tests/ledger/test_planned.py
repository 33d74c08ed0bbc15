"""The rules of what can be planned ahead: book, pipelines, teams, people, products, rates."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import STAGES, eur, pipeline, retracted, say, team

AHEAD = "2027-01-01"
BOOK = say(
    "book", "book.opened", name="b", currency="EUR", time_zone="Europe/Paris", fiscal_year_start_month=1, locale="fr"
)
ANA = say("person-ana", "person.joined", name="Ana", team="north", role="rep")
LISTED = say("product-p", "product.listed", name="P", unit_price=eur(500))
DOLLAR = say("rate-USD", "rate.fixed", base="EUR", rate="0.92")


def test_a_book_is_opened_once_and_its_settings_change():
    book = given(BOOK)
    book.when(BOOK).nothing()
    book.when(BOOK | {"data": BOOK["data"] | {"currency": "USD"}}).refused("already_open", "book.settings_changed")
    changed = say("book", "book.settings_changed", lapse_after_days=90)
    wanted = {"settings.lapse_after_days": 90, "settings.currency": "EUR"}
    book.when(changed).then("book.settings_changed", wanted)
    book.when(changed).nothing()
    book.when(say("book", "book.settings_changed", time_zone="Asia/Tokyo")).refused("bad_data", "time_zone")
    book.when(say("book", "book.settings_changed", AHEAD, currency="CHF")).then("book.settings_changed")


def test_nothing_of_the_book_before_its_opening():
    given().when(say("book", "book.settings_changed", name="x")).refused("not_open", "book.opened first")
    given().when(say("book", "book.history_closed")).refused("not_open")


def test_history_is_closed_for_good():
    book = given(BOOK, say("book", "book.history_closed"))
    book.when(say("book", "book.history_closed")).nothing()
    book.when(retracted("book", 2)).refused("closed_for_good", "cannot be retracted")


def test_a_pipeline_is_defined_once_and_redefined_at_will():
    book = given(pipeline())
    book.when(pipeline()).nothing()
    book.when(pipeline() | {"data": {"name": "x", "stages": STAGES[:1]}}).refused(
        "already_defined", "pipeline.redefined"
    )
    fewer = say("pipeline-sales", "pipeline.redefined", AHEAD, stages=STAGES[:2])
    book.when(fewer).then("pipeline.redefined")
    book.when(fewer).nothing()
    given().when(fewer).refused("unknown_pipeline", "pipeline.defined")


def test_a_team_moves_changes_its_name_and_closes():
    book = given(team("a"))
    book.when(team("a", "x")).refused("already_created")
    book.when(say("team-a", "team.moved", parent="b")).then("team.moved", {"parent": "b"})
    top = {"stream": "team-a", "type": "team.moved", "data": {"parent": None}}
    book.when(top).then("team.moved", {"parent": None})
    book.when(say("team-a", "team.renamed", name="x")).then("team.renamed", {"name": "x"})
    book.when(say("team-a", "team.closed", AHEAD)).then("team.closed")
    book.when(say("team-a", "team.renamed", name="y")).then("team.renamed")
    book.when(say("team-a", "team.renamed", AHEAD, name="z")).refused("team_closed", "retraction of its closing")
    given().when(say("team-a", "team.closed")).refused("unknown_team", "team.created first")


def test_somebody_joins_moves_leaves_and_may_come_back():
    book = given(ANA)
    book.when(ANA).nothing()
    book.when(ANA | {"data": ANA["data"] | {"team": "south"}}).refused("already_joined", "person.moved")
    book.when(say("person-ana", "person.moved", team="south")).then("person.moved", {"team": "south"})
    book.when(say("person-ana", "person.role_changed", role="manager")).then("person.role_changed", {"role": "manager"})
    book.when(say("person-ana", "person.left")).then("person.left", {"left": True})
    book.when(say("person-ana", "person.moved", team="east")).refused("person_left", "only person.joined")
    book.when(ANA).then("person.joined", {"left": False, "role": "rep"})
    given().when(say("person-ana", "person.left")).refused("unknown_person", "person.joined first")


def test_a_product_is_listed_changed_retired_and_may_return():
    book = given(LISTED)
    book.when(LISTED).nothing()
    book.when(say("product-p", "product.listed", name="Q")).refused("already_listed", "product.changed")
    changed = say("product-p", "product.changed", AHEAD, unit_cost=eur(200))
    book.when(changed).then("product.changed", {"unit_cost.minor": 200, "unit_price.minor": 500, "name": "P"})
    book.when(say("product-p", "product.retired", "2028-01-01")).then("product.retired")
    book.when(say("product-p", "product.changed", "2028-06-01", name="R")).refused("product_retired")
    book.when(say("product-p", "product.listed", "2028-06-01", name="R")).then("product.listed", {"unit_price": None})
    given().when(changed).refused("unknown_product")


def test_a_rate_holds_until_the_next():
    book = given(DOLLAR)
    book.when(DOLLAR).nothing()
    book.when(DOLLAR | {"data": {"base": "EUR", "rate": "0.95"}}).then("rate.fixed", {"rate": "0.95"})
    book.when(DOLLAR | {"effective_at": AHEAD}).then("rate.fixed")


@pytest.mark.parametrize("rate", ["0", "0.000", "-1", "1e3", ".5", "1.", "", "1 000"])
def test_a_rate_is_a_positive_decimal(rate):
    given().when(say("rate-USD", "rate.fixed", base="EUR", rate=rate)).refused("bad_value")


def test_what_is_planned_must_leave_the_whole_history_legal():
    book = given(team("a"), say("team-a", "team.closed", AHEAD))
    book.when(say("team-a", "team.closed", "2026-06-01")).refused(
        "team_closed", "then team.closed would no longer be allowed"
    )
    book.when(retracted("team-a", 1)).refused("unknown_team")
    book.when(say("team-a", "team.created", "2025-01-01", name="early")).refused("already_created")
