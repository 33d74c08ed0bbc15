"""The page of events is what the structs say, and the one in the repository is that page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from ledger.catalogue import entry, page
from ledger.checks import sealable
from ledger.events import EVENTS, Rule
from ledger.examples import EXAMPLES
from ledger.kinds import KINDS

COMMITTED = Path(__file__).parents[2] / "docs" / "events.md"
MARKS = {Rule.PERSONAL: "**P**", Rule.FREE_TEXT: "**T**"}

each_event = pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.TYPE)


def rows(text):
    """The rows of the tables by their field."""
    return {
        row[1].strip("` "): row for row in (line.split("|") for line in text.splitlines()) if row[0] == "" and row[1:]
    }


def test_the_page_in_the_repository_is_what_the_code_says():
    assert COMMITTED.read_text("utf-8") == page(), (
        "write it anew: sales-ledger schema --format markdown > docs/events.md"
    )


def test_every_event_has_its_section_under_its_kind():
    shown = page()
    assert [type_ for type_ in EVENTS if shown.count(f"### `{type_}`\n") != 1] == []
    assert [kind for kind in KINDS if f"\n## {kind}\n" not in shown] == []


@each_event
def test_every_field_is_there_with_whether_it_is_required_and_sealed(event):
    said = rows(entry(event))
    marked = dict(sealable(event))
    for field in fields(event):
        _, _, required, what, _ = said[field.encode_name]
        assert required.strip() == ("yes" if field.required else "")
        assert [mark in what for mark in MARKS.values()] == [marked.get(field.name) is rule for rule in MARKS]


@each_event
def test_the_example_is_a_line_that_can_be_said(event):
    shown = re.search(r"```json\n(.+)\n```", entry(event))
    assert shown
    assert json.loads(shown[1]) == EXAMPLES[event.TYPE]


def test_every_link_leads_to_a_heading():
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in page().splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", page())) <= headings


def test_null_is_named_only_where_it_says_something():
    assert rows(entry(EVENTS["deal.probability_set"]))["probability_bp"][3].strip().endswith("or null")
    assert "null" not in entry(EVENTS["deal.won"])


def test_names_of_customers_are_sealed_of_persons_only():
    assert rows(entry(EVENTS["customer.renamed"]))["name"][3].strip().endswith("**P** of a person")
    assert rows(entry(EVENTS["contact.added"]))["name"][3].strip().endswith("**P**")
