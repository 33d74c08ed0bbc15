"""The mapping for the real data set makes, line by line, what the second way reads in the CSV."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.imports.csv import Produced, Rejected, load, read
from ledger.kinds import KINDS, kind_of
from ledger.lines import read as read_line
from tests.real import second_way

MAPPING = Path(__file__).parents[2] / "docs" / "examples" / "crm_sales_opportunities.toml"


@pytest.fixture(scope="module")
def results(real_data):
    return list(read([real_data], load(MAPPING)))


@pytest.fixture(scope="module")
def lines(results):
    """Each once: what several rows say of the same office is known to be the same."""
    made = [made for result in results if isinstance(result, Produced) for made in result.made]
    return list({made.identity: made.line for made in reversed(made)}.values())[::-1]


def test_8300_deals_come_in_and_500_are_refused_for_want_of_a_date(results, real_data):
    pipeline = [result for result in results if result.path.name == "sales_pipeline.csv"]
    rejected = [result for result in pipeline if isinstance(result, Rejected)]
    assert len(pipeline) - len(rejected) == 8_300
    assert {result.reason for result in rejected} == {"deal.opened effective_at: column engage_date is empty"}
    assert [result.row_text.partition(",")[0] for result in rejected] == second_way.undated(real_data)


def test_nothing_else_is_refused(results):
    assert {result.path.name for result in results if isinstance(result, Rejected)} == {"sales_pipeline.csv"}


def test_the_lines_are_these_many_of_each_type(lines):
    assert Counter(line["type"] for line in lines) == {
        "book.opened": 1,
        "pipeline.defined": 1,
        "product.listed": 7,
        "team.created": 3,
        "person.joined": 41,
        "customer.registered": 85,
        "deal.opened": 8_300,
        "deal.won": 4_238,
        "deal.lost": 2_473,
    }


def test_every_line_passes_the_ledgers_checks_and_every_stream_its_rules(lines):
    states: dict[str, Any] = {}
    for line in lines:
        said = read_line(msgspec.json.encode(line), history=True)
        states[said.stream] = KINDS[kind_of(said.stream)].evolve(states.get(said.stream), said.event)
    assert len(states) == 2 + 7 + 3 + 41 + 85 + 8_300


def test_each_deals_dates_and_value_are_those_of_its_row(lines, real_data):
    made: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["type"].startswith("deal."):
            made.setdefault(line["stream"].removeprefix("deal-"), {})[line["type"]] = line
    for deal in second_way.deals(real_data):
        opened, closing = made[deal.id]["deal.opened"], made[deal.id].get(f"deal.{(deal.outcome or '').lower()}")
        assert date.fromisoformat(opened["effective_at"]) == deal.opened
        assert ("customer" in opened["data"]) == (deal.account is not None)
        assert "value" not in opened["data"]
        if closing is not None:
            assert date.fromisoformat(closing["effective_at"]) == deal.closed
            value = {"minor": deal.value_minor, "currency": second_way.CURRENCY} if deal.value_minor else None
            assert closing["data"].get("value") == value
    assert len(made) == 8_300


def test_no_persons_name_stands_anywhere_but_in_their_own_name(lines):
    names = {line["data"]["name"] for line in lines if line["type"] == "person.joined"}
    elsewhere = [
        line if line["type"] != "person.joined" else {**line, "data": {**line["data"], "name": ""}} for line in lines
    ]
    text = msgspec.json.encode(elsewhere).decode()
    assert [name for name in names if name in text] == []


def test_every_reference_is_to_something_the_import_makes(lines):
    streams = {line["stream"] for line in lines}
    references = {
        f"{'person' if key == 'owner' else 'customer' if key == 'parent' else key}-{line['data'][key]}"
        for line in lines
        for key in ("owner", "customer", "team", "parent", "pipeline")
        if key in line["data"]
    }
    assert references - streams == set()
    products = {f"product-{part['product']}" for line in lines for part in line["data"].get("lines", [])}
    assert products == {stream for stream in streams if stream.startswith("product-")}


def test_prospecting_rows_come_in_when_the_mapping_gives_a_date(real_data, tmp_path):
    told = tmp_path / "mapping.toml"
    text = MAPPING.read_text(encoding="utf-8")
    dated = text.replace(
        'effective_at = "{engage_date}"', 'effective_at = { from = "{engage_date}", else = 2017-12-31 }'
    )
    assert dated != text
    told.write_text(dated, encoding="utf-8")
    results = list(read([real_data], load(told)))
    produced = [result for result in results if isinstance(result, Produced)]
    assert len(produced) == len(results)
    opened = [line for result in produced for line in result.lines if line["type"] == "deal.opened"]
    assert Counter(line["data"]["stage"] for line in opened) == {"engaging": 8_300, "prospecting": 500}
