"""The rules of teams and people."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, retracted, say, team

AHEAD = "2027-01-01"
TEAM, PERSON = "team-a", "person-ana"
ANA = say(PERSON, "person.joined", name="Ana", team="north", role="rep", email="ana@example.org")
TEAM_CHANGES = [
    say(TEAM, "team.moved", parent="b"),
    say(TEAM, "team.renamed", name="x"),
    say(TEAM, "team.closed"),
]
PERSON_CHANGES = [
    say(PERSON, "person.moved", team="south"),
    say(PERSON, "person.role_changed", role="manager"),
    say(PERSON, "person.left"),
]


# Teams ----------------------------------------------------------------------------------------------------------------


def test_a_team_is_created_once():
    book = given().when(say(TEAM, "team.created", name="a", parent="b")).then("team.created", {"parent": "b"})
    book.when(say(TEAM, "team.created", name="a", parent="b")).nothing()
    book.when(team("a")).refused("already_created", "team.renamed or team.moved")


@pytest.mark.parametrize("line", TEAM_CHANGES, ids=lambda line: line["type"])
def test_created_first(line):
    given().when(line).refused("unknown_team", "team.created first")


@pytest.mark.parametrize("line", TEAM_CHANGES, ids=lambda line: line["type"])
def test_a_team_changes_and_saying_so_again_is_nothing(line):
    given(team("a")).when(line).then(line["type"]).when(line).nothing()


def test_a_team_moves_under_another_and_to_the_top():
    book = given(team("a"))
    top = {"stream": TEAM, "type": "team.moved", "data": {"parent": None}}
    book.when(top).nothing()
    book.when(TEAM_CHANGES[0]).then("team.moved", {"parent": "b", "name": "a"})
    book.when(top).then("team.moved", {"parent": None})
    book.when(say(TEAM, "team.moved")).refused("bad_data", "missing required field `parent`")


def test_nothing_follows_the_closing_of_a_team():
    book = given(team("a"), say(TEAM, "team.closed", AHEAD))
    book.when(TEAM_CHANGES[1]).then("team.renamed", {"name": "x", "closed": True})
    later = "2028-01-01"
    book.when(say(TEAM, "team.renamed", later, name="y")).refused("team_closed", "retraction of its closing")
    book.when(say(TEAM, "team.moved", later, parent="b")).refused("team_closed")
    book.when(say(TEAM, "team.created", later, name="y")).refused("already_created")
    book.when(say(TEAM, "team.closed", later), history=True).refused("team_closed")
    book.when(retracted(TEAM, 2)).then("event.retracted", {"closed": False})
    book.when(say(TEAM, "team.renamed", "2028-01-01", name="z")).then("team.renamed", {"name": "z"})


def test_what_is_planned_for_a_team_must_leave_its_whole_history_legal():
    book = given(team("a"), say(TEAM, "team.closed", AHEAD))
    closed = say(TEAM, "team.closed", "2026-06-01")
    book.when(closed).refused("team_closed", "then team.closed would no longer be allowed")
    book.when(retracted(TEAM, 1)).refused("unknown_team")
    book.when(say(TEAM, "team.created", "2025-01-01", name="early")).refused("already_created")
    book.when(corrected(TEAM, 2, to="2025-01-01")).refused("unknown_team")
    book.when(corrected(TEAM, 2, to="2026-06-01")).then("event.corrected", {"closed": True})


# People ---------------------------------------------------------------------------------------------------------------


def test_somebody_joins_once():
    book = given().when(ANA).then("person.joined", {"team": "north", "role": "rep", "left": False})
    book.when(ANA).nothing()
    book.when(ANA | {"data": ANA["data"] | {"team": "south"}}).refused("already_joined", "person.moved")


@pytest.mark.parametrize("role", ["rep", "manager", "director", "support"])
def test_everybody_has_one_of_four_roles(role):
    given().when(ANA | {"data": ANA["data"] | {"role": role}}).then("person.joined", {"role": role})
    changed = given(ANA).when(say(PERSON, "person.role_changed", role=role))
    if role == "rep":
        changed.nothing()
    else:
        changed.then("person.role_changed", {"role": role, "team": "north"})


@pytest.mark.parametrize("line", PERSON_CHANGES, ids=lambda line: line["type"])
def test_joined_first(line):
    given().when(line).refused("unknown_person", "person.joined first")


@pytest.mark.parametrize("line", PERSON_CHANGES, ids=lambda line: line["type"])
def test_somebody_changes_and_saying_so_again_is_nothing(line):
    given(ANA).when(line).then(line["type"]).when(line).nothing()


def test_somebody_who_left_may_come_back():
    book = given(ANA, *PERSON_CHANGES)
    for line in PERSON_CHANGES[:2]:
        other = line | {"data": {"team": "east"} if "team" in line["data"] else {"role": "director"}}
        book.when(other).refused("person_left", "only person.joined")
    book.when(PERSON_CHANGES[2], history=True).refused("person_left")
    book.when(ANA).then("person.joined", {"left": False, "role": "rep", "team": "north"})
    book.when(PERSON_CHANGES[2]).then("person.left")


def test_what_is_planned_for_somebody_must_leave_their_whole_history_legal():
    book = given(ANA, say(PERSON, "person.left", AHEAD))
    book.when(say(PERSON, "person.moved", "2026-06-01", team="south")).then("person.moved", {"left": True})
    book.when(say(PERSON, "person.moved", "2027-06-01", team="east")).refused("person_left")
    book.when(say(PERSON, "person.left", "2026-05-01")).refused("person_left", "then person.moved would no longer")
    book.when(ANA | {"effective_at": "2027-06-01"}).then("person.joined", {"left": False})
    book.when(retracted(PERSON, 2)).refused("already_joined", "then person.joined would no longer be allowed")
