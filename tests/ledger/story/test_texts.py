"""The words of histories are there for every event, field and value, in both languages."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args, get_origin

import msgspec
import pytest

from ledger.codes import FRENCH
from ledger.events import EVENTS, EventCorrected, EventRetracted, Line, Money, Part, Period, Satisfaction, Scope, Stage
from ledger.examples import EXAMPLES
from ledger.kinds import kind_of_event
from ledger.story.fields import hints, hints_of_kind
from ledger.story.texts import LANGUAGES, texts

PARTS = (Line, Money, Period, Satisfaction, Scope, Stage)
BLANK = re.compile(r"\{([a-z_.]+)\}")

each_language = pytest.mark.parametrize("language", LANGUAGES)


def templates(language):
    for name, said in texts(language)["sentence"].items():
        yield name, [said] if isinstance(said, str) else said


def words_of(hint):
    """The words that a field's type allows, where it is one of a few."""
    if get_origin(hint) is Literal:
        return [each for each in get_args(hint) if isinstance(each, str)]
    if get_origin(hint) is Annotated or not get_args(hint):
        return []
    return [word for each in get_args(hint) for word in words_of(each)]


@each_language
def test_every_event_type_has_a_title(language):
    assert EVENTS.keys() <= texts(language)["title"].keys()


@each_language
def test_sentences_are_of_events_that_there_are(language):
    assert texts(language)["sentence"].keys() <= EVENTS.keys()


def test_both_languages_have_the_same_sentences_with_the_same_blanks():
    blanks = {
        language: {name: [sorted(BLANK.findall(each)) for each in said] for name, said in templates(language)}
        for language in LANGUAGES
    }
    assert blanks["fr"] == blanks["en"]


@each_language
def test_blanks_are_fields_of_the_event_or_of_the_thing(language):
    for name, said in templates(language):
        event, kind = EVENTS[name], kind_of_event(name)
        for blank in (blank for each in said for blank in BLANK.findall(each)):
            of_thing = blank.startswith("thing.") or blank.endswith(".before")
            known = hints_of_kind(kind) if of_thing and kind else hints(event)
            field = blank.removeprefix("thing.").removesuffix(".before")
            assert field in known or blank == "id" or event in (EventRetracted, EventCorrected), (name, blank)


def test_every_field_has_its_french_word():
    events = [event for event in EVENTS.values() if event not in (EventRetracted, EventCorrected)]
    names = {name for event in events for name in event.__struct_fields__}
    within = {name for part in PARTS if part.__name__ not in texts("fr")["part"] for name in part.__struct_fields__}
    shown_whole = {"minor", "currency", "probability_bp"}
    assert names | (within - shown_whole) <= texts("fr")["field"].keys()


@each_language
def test_every_value_that_is_one_of_a_few_words_has_its_word(language):
    known = texts(language)["value"]
    structs: list[type[msgspec.Struct]] = [*EVENTS.values(), *PARTS]
    for struct in structs:
        for field, hint in hints(struct).items():
            missing = [word for word in words_of(hint) if word not in known.get(field, {})]
            assert not missing, (struct, field)


def test_every_reason_of_the_examples_has_its_french_word():
    codes = {line["data"]["reason"] for line in EXAMPLES.values() if "reason" in line["data"]}
    assert codes <= FRENCH.keys()


def test_every_part_of_an_event_is_looked_at_here():
    def parts(hint):
        if get_origin(hint) is Annotated:
            return []
        inside = [part for each in get_args(hint) for part in parts(each)]
        return [*inside, hint] if isinstance(hint, type) and issubclass(hint, Part) else inside

    found = {part for event in EVENTS.values() for hint in hints(event).values() for part in parts(hint)}
    assert found <= set(PARTS)
