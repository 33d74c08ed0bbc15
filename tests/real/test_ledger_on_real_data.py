"""The real data through the whole product, by the commands a user types, held to the figures of the CSV itself."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from ledger.application import open_ledger
from ledger.cli.app import app
from projections.check import check
from projections.reports import answer
from projections.store import ReadStore
from projections.tables import wins
from tests.real import second_way

MAPPING = Path(__file__).parents[2] / "docs" / "examples" / "crm_sales_opportunities.toml"
FIRST, LAST = date(2016, 10, 20), date(2018, 1, 31)
DATES = 40
TODAY = date(2026, 9, 30)


@pytest.fixture(scope="module")
def deals(real_data):
    return second_way.deals(real_data)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request, tmp_path_factory):
    """The address of a database of the module's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('real') / 'sales-ledger.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def imported(url, real_data, tmp_path_factory):
    """The import's own words, and its rejects file."""
    rejects = tmp_path_factory.mktemp("rejects") / "rejects.csv"
    arguments = ["import", "csv", str(real_data), "--mapping", str(MAPPING), "--rejects", str(rejects)]
    done = CliRunner().invoke(app, [*arguments, "--database", url])
    return done, rejects.read_text()


@pytest.fixture(scope="module")
def asked(url, imported):
    """Ask a report: `asked(name, **parameters)` gives its answer."""
    with open_ledger(url) as ledger:
        store = ReadStore.open(ledger)
        assert store.wait(ledger, timeout=60).complete

        def ask(name, **parameters):
            return answer(store, name, parameters, today=TODAY)

        yield ask


def test_every_dated_row_is_stored_and_the_500_others_refused_with_their_reason(imported, asked):
    done, rejects = imported
    assert done.exit_code == 1
    assert "500 rows refused" in done.output
    assert rejects.count("column engage_date is empty") == 500
    opened = asked("win_rate", basis="cohort").totals
    assert opened["won"] + opened["lost"] + opened["in_progress"] == 8_300 + opened["won"] + opened["lost"]


def test_the_figures_that_everybody_knows(asked):
    sold = asked("sales").totals
    assert (sold["won"], sold["amount_minor"]) == (4_238, 1_000_553_400)
    assert asked("pipeline", as_of="2017-06-30").totals["deals"] == 1_686
    quarter = asked("win_rate", period="2017-Q2").totals
    assert (quarter["won"], quarter["lost"]) == (1_254, 778)
    assert asked("sales", period="2017-Q2").totals["amount_minor"] == 308_611_100


@pytest.mark.parametrize("known_at", [None, "now"], ids=["as reported", "restated"])
def test_open_deals_are_those_of_the_file_at_any_date(asked, deals, known_at):
    chance = random.Random(2017)
    restated = {} if known_at is None else {"known_at": known_at}
    for _ in range(DATES):
        day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
        told = asked("pipeline", as_of=day.isoformat(), **restated).totals["deals"]
        assert told == second_way.open_deals(deals, day), day


@pytest.mark.parametrize("known_at", [None, "now"], ids=["as reported", "restated"])
def test_what_was_won_and_lost_is_that_of_the_file_in_any_period_as_of_any_date(asked, deals, known_at):
    chance = random.Random(2018)
    for _ in range(DATES):
        first = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
        last = first + timedelta(days=chance.randrange(120))
        as_of = first + timedelta(days=chance.randrange(150))
        at = {"as_of": as_of.isoformat(), "period": f"{first}..{last}"} | ({"known_at": known_at} if known_at else {})
        closed = asked("win_rate", **at).totals
        expected = second_way.closed(deals, first, min(last, as_of))
        assert (closed["won"], closed["lost"]) == (expected.won, expected.lost), at
        assert asked("sales", **at).totals["amount_minor"] == expected.won_minor, at


def test_each_product_sold_what_the_file_says(asked, deals):
    expected = second_way.closed_by(deals, date(2017, 4, 1), date(2017, 6, 30), "product")
    told = {row["product_name"]: row for row in asked("sales", period="2017-Q2", by="product").rows}
    for product, figures in expected.items():
        if figures.won:
            assert (told[product]["won"], told[product]["amount_minor"]) == (figures.won, figures.won_minor)
    assert len(told) == sum(figures.won > 0 for figures in expected.values())


def test_each_seller_sold_what_the_file_says(asked, deals):
    expected = second_way.closed_by(deals, date(2017, 7, 1), date(2017, 9, 30), "agent")
    told = sorted((row["won"], row["amount_minor"]) for row in asked("sales", period="2017-Q3", by="owner").rows)
    assert told == sorted((figures.won, figures.won_minor) for figures in expected.values() if figures.won)


def test_every_row_follows_from_the_log_until_one_is_edited_by_hand(url, asked):
    with open_ledger(url) as ledger:
        store = ReadStore.open(ledger)
        assert check(ledger, store) == []
        edited = update(wins).where(wins.c.stream == "deal-1C1I7A6R")
        with store.engine.begin() as connection:
            assert connection.execute(edited.values(value_minor=wins.c.value_minor + 1)).rowcount == 1
        found = CliRunner().invoke(app, ["replay", "--check", "--database", url])
        assert found.exit_code == 1
        assert "deal-1C1I7A6R" in found.output
        with store.engine.begin() as connection:
            connection.execute(edited.values(value_minor=wins.c.value_minor - 1))
        assert check(ledger, store) == []


def test_a_report_from_the_first_entries_alone_is_not_moved_by_later_ones(url, asked):
    with open_ledger(url) as ledger:
        position = str(ledger.head().position)
        arguments = ["replay", "forecast", "--position", position, "--as-of", "2017-06-30", "--format", "json"]
        before = CliRunner().invoke(app, [*arguments, "--database", url])
        opened = {"pipeline": "sales", "stage": "engaging", "owner": "rep-1", "title": "Later"}
        late = {"stream": "deal-late", "type": "deal.opened", "effective_at": "2017-05-01", "data": opened}
        ledger.append([late], actor="test", history=True)
        after = CliRunner().invoke(app, [*arguments, "--database", url])
        now = CliRunner().invoke(app, [*arguments[:2], *arguments[4:], "--database", url])
    assert before.exit_code == after.exit_code == now.exit_code == 0
    assert before.output == after.output
    assert now.output != after.output
