"""The few figures that a role looks at first."""

from __future__ import annotations

import pytest

from ledger.errors import BadRequest
from projections.reports import REPORTS
from projections.reports.cells import total, work_out
from projections.reports.question import ask
from projections.reports.rates import MissingRate
from tests.support.book import eur, money

ASKED = ("dashboard", "indicator", "value", "value_minor", "previous", "change")


def test_an_empty_book_has_a_default_choice_without_rates(empty_book):
    rows = {row["indicator"]: row for row in empty_book.report("dashboard", role="manager").rows}
    assert 4 <= len(rows) <= 8
    assert rows["sales.amount_minor"]["value_minor"] == 0
    assert rows["win_rate.win_rate"]["value"] is None
    assert set(empty_book.totals("dashboard").values()) == {None}


@pytest.fixture
def steered(book):
    """What its manager looks at is settled from March on."""
    book.say("book", "book.settings_changed", "2026-03-01",
             dashboard={"manager": ["sales", "win_rate", "objectives", "pipeline.deals", "unheard_of"]})  # fmt: skip
    book.person("ana", "2025-01-01", "north").person("bob", "2025-01-01", "south")
    for name, owner, value, day in (
        ("a", "ana", 1_000, "2026-04-10"),
        ("b", "bob", 500, "2026-05-10"),
        ("c", "ana", 300, "2026-01-10"),
        ("d", "ana", 7_000, "2026-03-30"),
    ):
        book.deal(name, "2026-01-05", eur(value), owner=owner).won(name, day)
    book.deal("e", "2026-01-05", eur(9)).lost("e", "2026-04-12").deal("f", "2026-04-20", eur(5))
    for name, first, last, target in (
        ("y", "2026-01-01", "2026-12-31", 20_000),
        ("q", "2026-04-01", "2026-06-30", 3_000),
    ):
        book.say(f"objective-{name}", "objective.set", "2026-01-01", scope={"company": True}, metric="amount",
                 period={"from": first, "to": last}, target=eur(target))  # fmt: skip
    return book


def test_each_figure_beside_the_period_before_equally_far_gone(steered):
    rows = steered.rows(*ASKED, role="manager", as_of="2026-05-15")
    assert rows == [
        ("objectives.progress", 0.5, None, 0.015, 0.485),
        ("pipeline.deals", 1, None, 4, -3),
        ("sales.amount_minor", 15, 1_500, 3, 12),
        ("win_rate.win_rate", pytest.approx(2 / 3), None, 1, pytest.approx(-1 / 3)),
    ]
    sales = next(
        row for row in steered.report("dashboard", role="manager", as_of="2026-05-15").rows if row["place"] == 1
    )
    assert (sales["report"], sales["column"]) == ("sales", "amount_minor")
    assert (sales["previous_minor"], sales["change_minor"]) == (300, 1_200)


def test_what_was_chosen_is_read_at_the_pair(steered):
    before = {row["indicator"] for row in steered.report("dashboard", role="manager", as_of="2026-02-28").rows}
    assert "forecast.weighted_minor" in before
    with pytest.raises(BadRequest, match="role=king is not possible in dashboard; write rep or manager or director"):
        steered.report("dashboard", role="king")


def test_restricted_to_a_rep_or_a_team(steered):
    asked = {"role": "manager", "as_of": "2026-05-15"}
    rows = {row[0]: row[2] for row in steered.rows(*ASKED, where="owner=bob", **asked)}
    assert rows["sales.amount_minor"] == 500
    rows = {row[0]: row[1] for row in steered.rows(*ASKED, where="team=north", **asked)}
    assert (rows["sales.amount_minor"], rows["objectives.progress"]) == (10, None)


def test_by_owner_or_team_each_figure_is_what_the_dashboard_of_theirs_tells(steered):
    steered.say("objective-bob", "objective.set", "2026-01-01", scope={"person": "bob"}, metric="amount",
                period={"from": "2026-01-01", "to": "2026-12-31"}, target=eur(1_000))  # fmt: skip
    steered.quote("q", "2026-01-05", eur(40)).accepted("q", "2026-05-01")
    asked = {"role": "manager", "as_of": "2026-05-15"}
    for by, whose in (("owner", ["ana", "bob", None]), ("team", ["north", "south", None])):
        rows = steered.report("dashboard", by=by, **asked).rows
        assert [row[by] for row in rows if row["report"] == "sales"] == whose
        for each in whose:
            alone = steered.rows(*ASKED, where=f"{by}={each or ''}", **asked)
            assert [tuple(row[name] for name in ASKED[1:]) for row in rows if row[by] == each] == alone
    of_bob = {row["indicator"]: row["value"] for row in rows if row["team"] == "south"}
    assert (of_bob["sales.amount_minor"], of_bob["pipeline.deals"]) == (5, 0)


def test_a_figure_of_any_kind_of_report_can_be_chosen(steered):
    """Of changes, of many rows, made of its rows, ranked; what stands at many dates is left out."""
    chosen = ["pipeline_changes", "forecast_accuracy.wape", "loyalty.wins", "losses.lost", "duplicates", "trend"]
    steered.say("book", "book.settings_changed", "2026-03-02",
                dashboard={"director": [*chosen, "forecast_history"]})  # fmt: skip
    asked = {"role": "director", "as_of": "2026-05-15"}
    names = {row["indicator"].partition(".")[0] for row in steered.report("dashboard", **asked).rows}
    assert names == {each.partition(".")[0] for each in chosen}
    apart = steered.report("dashboard", by="owner", **asked).rows
    assert {row["owner"] for row in apart} >= {"ana", "bob"}
    for whose in ("ana", "bob"):
        alone = steered.rows(*ASKED, where=f"owner={whose}", **asked)
        assert [tuple(row[name] for name in ASKED[1:]) for row in apart if row["owner"] == whose] == alone


def test_without_a_role_it_is_that_of_who_is_named(steered):
    steered.say("book", "book.settings_changed", "2026-03-02",
                dashboard={"rep": ["sales"], "manager": ["win_rate"], "director": ["pipeline"]})  # fmt: skip
    for given, report in (
        ({}, "pipeline"),
        ({"where": "team=north"}, "win_rate"),
        ({"by": "team"}, "win_rate"),
        ({"where": "owner=ana"}, "sales"),
        ({"by": "owner"}, "sales"),
        ({"where": "owner=ana", "role": "director"}, "pipeline"),
    ):
        assert {row["report"] for row in steered.report("dashboard", as_of="2026-05-15", **given).rows} == {report}


def test_filtered_to_several_owners_each_has_figures_of_their_own(steered):
    asked = {"role": "manager", "as_of": "2026-05-15", "where": "owner=ana,owner=bob,owner=cyd"}
    rows = steered.rows("dashboard", "indicator", "owner", "value", by="owner", **asked)
    assert [row[1:] for row in rows if row[0] == "sales.amount_minor"] == [("ana", 10), ("bob", 5), ("cyd", 0)]
    assert dict(steered.rows("dashboard", "indicator", "value", **asked))["sales.amount_minor"] == 15
    cell = {"indicator": "sales.amount_minor", "owner": "bob"}
    explained = steered.explained("dashboard", cell, by="owner", **asked)
    assert [(line.dimensions["owner"], explained.figures["value"]) for line in explained.lines] == [("bob", 5)]


def test_of_a_rep_the_alerts_are_their_own(steered):
    """Those are what `alerts` tells for them."""
    steered.deal("late", "2026-03-05", eur(7), owner="bob", expected_close_on="2026-05-01")
    steered.deal("later", "2026-03-05", eur(7), owner="ana", expected_close_on="2026-05-01")
    steered.say("objective-bob", "objective.set", "2026-01-01", scope={"person": "bob"}, metric="amount",
                period={"from": "2026-01-01", "to": "2026-12-31"}, target=eur(1_000_000))  # fmt: skip
    steered.say("book", "book.settings_changed", "2026-03-02", thresholds={"late_deals": 0})
    asked = {"as_of": "2026-05-15"}
    alerts = steered.rows("alerts", "what", "alerts", where="who=bob", **asked)
    assert [what for what, _ in alerts] == ["objective_behind", "deal_past_close", "deal_stalled"]
    everybodys = steered.rows("alerts", "what", "who", "alerts", **asked)
    assert [(what, count) for what, who, count in everybodys if who == "bob"] == alerts
    assert "threshold:late_deals" in {what for what, *_ in everybodys}
    rows = {row[0]: row[1] for row in steered.rows(*ASKED, role="rep", where="owner=bob", **asked)}
    assert rows["alerts.alerts"] == 3


def test_a_cell_is_that_of_its_report_at_any_pair(steered):
    steered.deal("z", "2026-01-05", eur(40)).won("z", "2026-05-01", recorded="2026-06-01")
    for known_at in ("2026-05-15", "now"):
        rows = steered.report("dashboard", role="manager", as_of="2026-05-15", known_at=known_at).rows
        found = {row["report"]: row["value_minor"] for row in rows}
        sales = steered.totals("sales", period="this-quarter", as_of="2026-05-15", known_at=known_at)
        assert found["sales"] == sales["amount_minor"]
    assert found["sales"] == 1_540
    steered.retracted("deal-z", 2, "2026-07-01")
    explained = steered.explained("dashboard", {"indicator": "sales.amount_minor"}, role="manager", as_of="2026-05-15",
                                  known_at="now")  # fmt: skip
    assert (len(explained.lines), explained.figures["value_minor"]) == (1, 1_500)


def test_a_figure_asked_alone_is_that_of_its_whole_report(steered):
    given = {"as_of": "2026-05-15", "known_at": "2026-12-31"}
    steered.totals("dashboard", **given)  # which folds what was told
    with steered.store.view() as view:
        for report in REPORTS:
            period = {"period": "2026-Q2"} if "period" in report.parameters and not report.snapshot else {}
            question = ask(view, report, given | period, clock=steered.clock)
            totals = work_out(question, view).totals
            for column in report.columns:
                if column.of:
                    assert total(question, column, view) == column.value(totals), (report.name, column.name)


def test_an_indicator_needs_no_rate_of_amounts_that_it_is_not_made_of(steered):
    steered.say("book", "book.settings_changed", "2026-03-02", dashboard={"manager": ["win_rate"]})
    steered.deal("usd", "2026-01-05", money(10, "USD")).won("usd", "2026-05-12")
    asked = {"role": "manager", "as_of": "2026-05-15"}
    assert steered.rows(*ASKED[:3], **asked) == [("win_rate.win_rate", pytest.approx(3 / 4))]
    with pytest.raises(MissingRate):
        steered.totals("win_rate", period="this-quarter", as_of="2026-05-15")
