"""The rules of a call, a person's own forecast."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import eur, retracted, say

CALL = "call-k1"
QUARTER = {"from": "2026-01-01", "to": "2026-03-31"}


def submitted(minor=100, **more):
    data = {"scope": {"person": "ana"}, "period": QUARTER, "category": "commit", "value": eur(minor)} | more
    return say(CALL, "forecast.submitted", **data)


WITHDRAWN = say(CALL, "forecast.withdrawn")


@pytest.mark.parametrize("scope", [{"company": True}, {"team": "north"}, {"person": "ana"}])
@pytest.mark.parametrize("category", ["commit", "best_case"])
def test_a_forecast_is_submitted_for_company_team_or_person(scope, category):
    line = submitted(scope=scope, category=category, note="Without the big one")
    book = given().when(line).then("forecast.submitted", {"submitted.value.minor": 100, "withdrawn": False})
    book.when(line).nothing()


def test_the_latest_counts():
    book = given(submitted(100))
    book.when(submitted(120)).then("forecast.submitted", {"submitted.value.minor": 120})
    book.when(submitted(120, category="best_case")).then("forecast.submitted", {"submitted.category": "best_case"})
    book.when(submitted(100)).then("forecast.submitted", {"submitted.value.minor": 100})


def test_each_scope_and_period_is_a_call_of_its_own():
    book = given(submitted())
    book.when(submitted(scope={"team": "north"})).refused("another_call", "a stream of its own")
    book.when(submitted(period=QUARTER | {"to": "2026-06-30"})).refused("another_call")
    book.when(retracted(CALL, 1)).then("event.retracted")
    book.when(submitted(scope={"team": "north"})).then("forecast.submitted")


def test_what_is_withdrawn_was_submitted():
    given().when(WITHDRAWN).refused("not_submitted", "forecast.submitted first")
    book = given(submitted()).when(WITHDRAWN).then("forecast.withdrawn", {"withdrawn": True})
    book.when(WITHDRAWN).nothing()
    book.when(WITHDRAWN, history=True).refused("already_withdrawn", "submit it again")
    book.when(submitted()).then("forecast.submitted", {"withdrawn": False})
    book.when(WITHDRAWN).then("forecast.withdrawn")


def test_a_back_dated_forecast_must_leave_the_whole_history_legal():
    book = given(submitted() | {"effective_at": "2025-12-10"}, WITHDRAWN | {"effective_at": "2025-12-20"})
    book.when(submitted(80) | {"effective_at": "2025-12-15"}).then("forecast.submitted", {"withdrawn": True})
    book.when(WITHDRAWN | {"effective_at": "2025-12-18"}).refused("already_withdrawn", "then forecast.withdrawn")
    book.when(WITHDRAWN | {"effective_at": "2025-12-01"}).refused("not_submitted")
    other = submitted(scope={"person": "bob"}) | {"effective_at": "2025-12-01"}
    book.when(other).refused("another_call", "then forecast.submitted would no longer be allowed")


def test_what_happened_cannot_lie_ahead():
    given().when(submitted() | {"effective_at": "2027-01-01"}).refused("in_the_future")
