"""Every figure is its own evidence: the lines behind a cell add up to it, and name the events they stand on."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ledger.errors import BadRequest
from projections import reports
from projections.reports import REPORTS, exact, find, pipeline_changes
from projections.reports.pipeline_changes import PIPELINE_CHANGES
from tests.support.book import GivenBook, eur, line, money

if TYPE_CHECKING:
    from projections.reports import Explanation

STAGES = ("lead", "demo", "offer", "closing", "parked")
SEED = 7


@pytest.fixture
def busy(book: GivenBook) -> GivenBook:
    """Some forty deals and quotes in three currencies, with everything that a report can join."""
    chance = random.Random(SEED)
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-02-15", "0.87").rate("JPY", "2025-01-01", "0.00615")
    book.product("anvil", "2025-01-01", "iron").product("bolt", "2025-01-01", "steel")
    for person, team in (("ana", "north"), ("bob", "south")):
        book.person(person, "2025-01-01", team)
    book.say("person-ana", "person.moved", "2026-02-01", team="south")
    for customer, region in (("c1", "east"), ("c2", "west"), ("c3", "east")):
        book.customer(customer, "2025-01-01", region=region, segment="small", channel="web", name="Iron and Steel")
    book.say("customer-c2", "customer.merged", "2026-03-01", into="c3")
    for number in range(36):
        currency = chance.choice(["EUR", "EUR", "USD", "JPY"])
        value = money(chance.randrange(1, 10**6), currency)
        lines = None
        if number % 3 == 0:
            part = value["minor"] // 3
            lines = [line("anvil", money(part, currency), "2"), line("bolt", money(value["minor"] - part, currency))]
        deal = f"d{number:02}"
        book.deal(
            deal, f"2026-0{chance.randrange(1, 4)}-1{number % 10}", value,
            stage=chance.choice(STAGES), owner=chance.choice(["ana", "bob", "ghost"]), lines=lines,
            margin=money(chance.randrange(-1_000, 10**5), currency), customer=chance.choice(["c1", "c2", None]),
            expected_close_on=chance.choice(["2026-03-31", "2026-05-15", "2026-08-01", "2027-09-01", None]),
            region=chance.choice(["home", None]), kind=chance.choice(["new", "renewal"]),
        )  # fmt: skip
        match number % 4:
            case 0:
                book.won(deal, f"2026-04-{10 + number % 20}")
            case 1:
                book.lost(deal, f"2026-04-{10 + number % 20}")
            case _:
                pass
    for number in range(8):
        book.quote(f"q{number}", "2026-03-05", money(1_001, "USD"), owner="ana", valid_until="2026-03-31")
        if number % 3 == 0:
            book.accepted(f"q{number}", "2026-04-20")
    year = {"from": "2026-01-01", "to": "2026-12-31"}
    for name, scope in (("all", {"company": True}), ("south", {"team": "south"}), ("bob", {"person": "bob"})):
        book.say(f"objective-{name}", "objective.set", "2026-01-01", scope=scope, metric="amount", period=year,
                 target=money(10**7, "USD"))  # fmt: skip
        book.say(f"objective-{name}-iron", "objective.set", "2026-01-01", scope=scope, metric="quantity",
                 period=year, target="40", product_range="iron")  # fmt: skip
    book.say("campaign-spring", "campaign.launched", "2026-01-05", name="S", channel="mail", starts_on="2026-01-05")
    book.say("campaign-spring", "campaign.responses_counted", "2026-01-15", sent=90, opened=20)
    book.say("campaign-spring", "campaign.spent", "2026-01-05", value=money(9_999, "USD"))
    for number, customer in enumerate(("c1", "c2", "c3")):
        said: dict[str, Any] = {
            "customer": customer,
            "direction": "in",
            "owner": "ana",
            "satisfaction": {"scale": "nps", "score": 3 + 3 * number},
        }
        book.say(f"interaction-i{number}", "interaction.logged", "2026-03-05", kind="complaint", **said)
        book.say(f"interaction-i{number}", "interaction.resolved", f"2026-03-1{number}")
    return book


ASKED = {
    "pipeline": ["", "team,category", "product", "customer,region", "month"],
    "forecast": ["", "stage", "product_range,owner", "segment"],
    "win_rate": ["", "owner", "month,outcome", "product"],
    "sales": ["month", "product,team", "customer", "channel,quarter,kind"],
    "conversion": ["", "owner,status", "month,region"],
    "forecast_history": ["", "owner", "team,country"],
    "forecast_accuracy": [""],
    "slippage": ["", "owner", "team,stage"],
    "pipeline_changes": ["", "owner,product", "month,team", "region,stage"],
    "churn": ["", "customer", "region,team"],
    "cohorts": ["", "region"],
    "upsell": ["", "customer"],
    "new_revenue": ["", "team"],
    "loyalty": ["", "region"],
    "lifetime_value": ["", "channel"],
    "acquisition": ["", "campaign"],
    "losses": ["", "owner,month", "region"],
    "funnel": ["", "team", "region,month"],
    "cycle": ["", "owner", "month,outcome"],
    "products": ["", "owner,team", "segment"],
    "objectives": [""],
    "required_sales": ["", "owner", "team"],
    "leaderboard": [""],
    "bonus": ["", "team,month"],
    "trend": ["", "owner"],
    "activity": ["", "owner,month", "region"],
    "alerts": ["", "team"],
    "team_review": [""],
    "dashboard": [""],
    "campaigns": ["", "channel"],
    "satisfaction": ["", "team,month", "customer"],
    "buying_patterns": ["", "region"],
    "duplicates": [""],
    "scoring": ["", "owner,team"],
}


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_the_lines_of_every_cell_add_up_to_it(busy, report):
    pairs = ({"as_of": "2026-06-30"}, {"as_of": "2026-04-20", "known_at": "now"})
    for parameters in pairs:
        for by in ASKED[report.name]:
            answer = busy.report(report.name, by=by, **parameters)
            assert answer.rows
            heads = [*find(report.name).fixed, *filter(None, by.split(","))]
            for row in answer.rows:
                explained = busy.explained(report.name, {head: row[head] for head in heads}, by=by, **parameters)
                figures = {column.name: row[column.name] for column in report.columns}
                assert explained.figures == figures, (parameters, by, row)
                _adds_up(report, explained, figures)
            whole = busy.explained(report.name, by=by, **parameters)
            assert whole.figures == answer.totals


def _adds_up(report: Any, explained: Explanation, figures: dict[str, Any]) -> None:
    for column in report.columns:
        told = [each.figures[column.name] for each in explained.lines if each.figures.get(column.name) is not None]
        if told and column.type in {"count", "money", "quantity"}:
            assert sum(told) == figures[column.name], column.name


def test_an_explanation_names_the_events_behind_each_line(book):
    book.rate("USD", "2025-01-01", "0.9").rate("USD", "2026-03-01", "0.8").person("ana", "2025-01-01", "north")
    book.deal("d", "2026-01-05", money(1_000, "USD")).moved("d", "2026-01-10", "demo")
    opening = {"pipeline": "sales", "stage": "lead", "owner": "ana", "title": "Better", "value": money(2_000, "USD")}
    book.corrected("deal-d", 1, "2026-02-01", data=opening)
    book.retracted("deal-d", 2, "2026-02-02").moved("d", "2026-04-01", "offer")
    positions = {
        stream: [event.position for event in book.ledger.stream(stream)]
        for stream in ("deal-d", "pipeline-sales", "person-ana", "rate-USD")
    }
    explained = book.explained("pipeline", {"stage": "lead", "team": "north"}, as_of="2026-02-28")
    [only] = explained.lines
    assert (only.stream, only.title, only.currency, only.probability_bp) == ("deal-d", "Better", "USD", 2_500)
    assert only.figures["amount_minor"] == 1_800
    opened, _, corrected, _, _ = positions["deal-d"]
    assert only.events == {
        "deal-d": [opened, corrected],
        "pipeline-sales": positions["pipeline-sales"],
        "person-ana": positions["person-ana"],
        "rate-USD": positions["rate-USD"][:1],
    }
    before = book.explained("pipeline", {"stage": "demo"}, as_of="2026-01-31").lines[0]
    assert (before.title, before.figures["amount_minor"]) == ("Deal d", 900)


def test_what_was_read_at_a_date_later_than_known_is_named_as_it_was_then(book):
    book.deal("d", "2026-01-05", eur(1_000), expected_close_on="2026-02-15").rate("USD", "2025-01-01", "0.9")
    book.deal("e", "2026-01-06", money(500, "USD"), expected_close_on="2026-02-15").moved("e", "2026-03-05", "demo")
    known_at = {"as_of": "2026-02-28", "known_at": "2026-01-02"}
    of_d, of_e = ([event.position for event in book.ledger.stream(stream)] for stream in ("deal-d", "deal-e"))
    rate = [event.position for event in book.ledger.stream("rate-USD")]
    for report, asked in (
        ("pipeline_changes", {"from": "2026-01-31"}),
        ("forecast_accuracy", {"periods": "1 month", "lead": "10"}),
        ("forecast_history", {"period": "2026-02", "from": "2026-01-31", "every": "month"}),
    ):
        explained = book.explained(report, **known_at, **asked)
        assert {told.stream: told.title for told in explained.lines} == {"deal-d": "Deal d", "deal-e": "Deal e"}, report
        for told in explained.lines:
            own = {"deal-d": of_d, "deal-e": of_e[:1]}[told.stream]
            assert told.events in ({told.stream: own}, {told.stream: own, "rate-USD": rate}), report


def test_what_is_corrected_since_is_named_with_what_it_was(book):
    book.deal("d", "2026-01-05", eur(1_000)).retracted("deal-d", 1, "2026-02-10")
    asked = {"from": "2026-01-31", "to": "2026-03-31"}
    [only] = book.explained("pipeline_changes", **asked).lines
    assert (only.figures["opening_minor"], only.figures["corrected_minor"], only.title) == (1_000, -1_000, "Deal d")
    assert only.events == {"deal-d": [event.position for event in book.ledger.stream("deal-d")][:1]}


def test_a_series_is_explained_at_one_of_its_dates(book):
    book.deal("d", "2026-01-05", eur(1)).deal("e", "2026-02-05", eur(2))
    asked = {"period": "2026-Q1", "every": "month"}
    assert book.explained("pipeline", {"date": "2026-01-31"}, **asked).figures["amount_minor"] == 1
    assert book.explained("pipeline", {"date": "2026-02-28"}, **asked).figures["amount_minor"] == 3
    with pytest.raises(
        BadRequest, match="date=2026-02-27 is none of the answer's dates; write one of 2026-01-31, 2026"
    ):
        book.explained("pipeline", {"date": "2026-02-27"}, **asked)


def test_lines_of_one_stream_stand_in_order_of_date_whatever_order_they_are_read_in(busy, monkeypatch):
    for number, day in enumerate(("2026-05-05", "2026-05-04", "2026-05-06")):
        busy.say("deal-d00", "deal.invoiced", day, invoice=f"i{number}", value=eur(10 - number))
    invoiced = busy.explained("bonus", basis="invoiced").lines
    assert [each.effective_at[:10] for each in invoiced] == ["2026-05-04", "2026-05-05", "2026-05-06"]
    changed = busy.explained("pipeline_changes", by="product")
    read, evidence = exact.read, pipeline_changes.evidence
    monkeypatch.setattr(exact, "read", lambda *given, **more: reversed([*read(*given, **more)]))
    assert busy.explained("bonus", basis="invoiced").lines == invoiced
    backwards = replace(PIPELINE_CHANGES, evidence=lambda *given: reversed([*evidence(*given)]))
    monkeypatch.setattr(reports, "find", lambda _: backwards)
    assert busy.explained("pipeline_changes", by="product") == changed


def test_a_long_list_may_be_cut(book):
    for number in range(4):
        book.deal(f"d{number}", "2026-01-05", eur(1))
    cut = reports.explain(book.folded(), book.ledger, "pipeline", {}, {}, today=book.today, limit=3)
    assert (len(cut.lines), cut.more, cut.figures["deals"]) == (3, 1, 4)
    assert b'"more":1' in cut.json()


def test_a_cell_is_named_by_the_report_s_dimensions(book):
    with pytest.raises(BadRequest, match="a cell of pipeline is not told by 'colour'"):
        book.explained("pipeline", {"colour": "red"})
