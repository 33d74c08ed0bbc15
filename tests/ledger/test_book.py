"""The rules of the book itself."""

from __future__ import annotations

import pytest

from ledger.examples import EXAMPLES
from tests.support.given import given
from tests.support.lines import corrected, retracted, say

AHEAD = "2027-01-01"
OPENED = say(
    "book", "book.opened", name="b", currency="EUR", time_zone="Europe/Paris", fiscal_year_start_month=1, locale="fr"
)
CLOSED = say("book", "book.history_closed")
SETTINGS = {
    "name": "Other",
    "currency": "CHF",
    "fiscal_year_start_month": 4,
    "locale": "en-GB",
    "lapse_after_days": 90,
    "stalled_after_days": 14,
    "thresholds": {"win_rate": "0.2", "overdue_tasks": 3},
    "score_weights": {"recency": 60, "value": 40},
    "dashboard": {"rep": ["objectives", "alerts"]},
}


def changed(at=None, **settings):
    return say("book", "book.settings_changed", at, **settings)


def test_a_book_is_opened_once():
    book = given(OPENED)
    book.when(OPENED).nothing()
    other = OPENED | {"data": OPENED["data"] | {"currency": "USD"}}
    book.when(other).refused("already_open", "book.settings_changed")


def test_it_may_be_opened_with_any_setting():
    line = OPENED | {"data": OPENED["data"] | SETTINGS}
    given().when(line).then("book.opened", {f"settings.{name}": value for name, value in SETTINGS.items()})


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_changes_and_the_others_stay(name):
    line = changed(**{name: SETTINGS[name]})
    before = given(EXAMPLES["book.opened"], EXAMPLES["book.settings_changed"])
    others = {f"settings.{each}": getattr(before.stream("book").state.settings, each) for each in SETTINGS}
    book = before.when(line).then("book.settings_changed", others | {f"settings.{name}": SETTINGS[name]})
    book.when(line).nothing()


def test_a_time_zone_is_for_good():
    given(OPENED).when(changed(time_zone="Asia/Tokyo")).refused("bad_data", "time_zone")


def test_settings_change_ahead_of_time():
    book = given(OPENED)
    book.when(changed(AHEAD, lapse_after_days=90)).then("book.settings_changed")
    book.when(changed("2026-06-01", lapse_after_days=60)).then(
        "book.settings_changed", {"settings.lapse_after_days": 90}
    )
    assert book.stream("book").state_at(book.now).settings.lapse_after_days is None
    book.when(corrected("book", 2, to="2026-03-01")).then("event.corrected", {"settings.lapse_after_days": 60})


@pytest.mark.parametrize("line", [changed(name="x"), CLOSED], ids=lambda line: line["type"])
def test_nothing_of_the_book_before_its_opening(line):
    given().when(line).refused("not_open", "book.opened first")
    given(OPENED | {"effective_at": "2025-06-01"}).when(line | {"effective_at": "2025-05-01"}).refused("not_open")


def test_its_opening_stays_while_anything_rests_on_it():
    book = given(OPENED, changed(name="x"))
    book.when(retracted("book", 1)).refused("not_open", "then book.settings_changed would no longer be allowed")


def test_history_is_closed_for_good():
    book = given(OPENED, CLOSED)
    book.when(CLOSED).nothing()
    book.when(retracted("book", 2)).refused("closed_for_good", "cannot be retracted")
    book.when(corrected("book", 2, to="2027-01-01")).refused("closed_for_good")
    book.when(changed(name="x")).then("book.settings_changed", {"history_closed": True})
