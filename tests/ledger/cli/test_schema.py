from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from ledger.catalogue import page
from ledger.cli import main
from ledger.events import EVENTS
from ledger.examples import EXAMPLES


@pytest.fixture
def schema(capsys):
    def ask(*arguments):
        assert main(["schema", *arguments]) == 0
        return capsys.readouterr().out

    return ask


def test_a_type_has_a_schema_that_stands_alone(schema):
    found = json.loads(schema("deal.won"))
    Draft202012Validator.check_schema(found)
    assert Draft202012Validator(found).is_valid(EXAMPLES["deal.won"])
    assert not Draft202012Validator(found).is_valid(EXAMPLES["deal.lost"])


def test_of_any_type_exactly_one_takes_each_example(schema):
    found = json.loads(schema())
    Draft202012Validator.check_schema(found)
    validator = Draft202012Validator(found)
    assert len(found["oneOf"]) == len(EVENTS)
    for type_, line in EXAMPLES.items():
        assert validator.is_valid(line), type_
    assert not validator.is_valid(EXAMPLES["deal.won"] | {"type": "deal.lost"})
    assert not validator.is_valid(EXAMPLES["deal.won"] | {"stream": "quote-1"})


def test_imported_history_has_fields_of_its_own(schema):
    claimed = EXAMPLES["deal.won"] | {"recorded_at": "2026-04-01T08:00:00Z", "source": "crm"}
    for arguments in ((), ("deal.won",)):
        assert not Draft202012Validator(json.loads(schema(*arguments))).is_valid(claimed)
        assert Draft202012Validator(json.loads(schema(*arguments, "--history"))).is_valid(claimed)


def test_the_catalogue_is_one_page_or_one_entry(schema):
    assert schema("--format", "markdown") == page()
    assert schema("deal.won", "--format", "markdown").startswith("### `deal.won`\n")
    assert schema("deal.won", "--format", "markdown") in page()


def test_an_unknown_type_is_one_line(capsys):
    assert main(["schema", "deal.wonn"]) == 2
    said = capsys.readouterr().err
    assert "there is no event type 'deal.wonn'" in said
    assert said.count("\n") == 1
