"""The rules of a deal."""

from __future__ import annotations

import pytest

from tests.support.given import given
from tests.support.lines import corrected, eur, opened, pipeline, retracted, say

DEAL = "deal-d1"
WON = say(DEAL, "deal.won")
LOST = say(DEAL, "deal.lost", reason="price")
ABANDONED = say(DEAL, "deal.abandoned", reason="no_budget")
REOPENED = say(DEAL, "deal.reopened", stage="offer", reason="new_budget")
MERGED = say(DEAL, "deal.merged", into="d2")
INVOICED = say(DEAL, "deal.invoiced", invoice="i1", value=eur(100))
CREDITED = say(DEAL, "deal.credited", value=eur(10), reason="returned")
DELIVERED = say(DEAL, "deal.delivered", quantity="2")
RECLASSIFIED = say(DEAL, "deal.reclassified", region="south")
CHANGES = [
    say(DEAL, "deal.stage_changed", stage="offer"),
    say(DEAL, "deal.revalued", value=eur(500)),
    say(DEAL, "deal.close_date_changed", expected_close_on="2026-09-30"),
    say(DEAL, "deal.assigned", owner="bob"),
    say(DEAL, "deal.probability_set", probability_bp=4_000),
    say(DEAL, "deal.category_set", category="commit"),
    say(DEAL, "deal.retitled", title="Pumps and pipes"),
]


def line(product, minor, **more):
    return {"product": product, "quantity": "1", "value": eur(minor)} | more


def open_deal(**more):
    return given(pipeline(), opened(**more))


def test_a_deal_is_opened_in_a_stage_of_a_pipeline():
    given(pipeline()).when(opened(value=eur(100))).then("deal.opened", {"stage": "lead", "owner": "ana"})


def test_a_deal_has_one_opening():
    open_deal().when(opened(owner="bob")).refused("already_opened", "one opening")


@pytest.mark.parametrize("line", [WON, LOST, ABANDONED, REOPENED, MERGED, INVOICED, RECLASSIFIED, *CHANGES])
def test_nothing_comes_before_the_opening(line):
    given(pipeline()).when(line).refused("not_opened", "deal.opened first")


def test_a_stage_belongs_to_the_pipeline_in_force():
    open_deal().when(say(DEAL, "deal.stage_changed", stage="demo")).refused("unknown_stage", "it has lead, offer")
    given().when(opened()).refused("unknown_pipeline", "pipeline.defined")
    given(pipeline(at="2026-01-01")).when(opened(at="2025-12-31")).refused("unknown_pipeline")


def test_a_stage_that_is_gone_cannot_be_entered_but_may_be_kept():
    fewer = [{"stage": "offer", "name": "Offer", "probability_bp": 1, "category": "pipeline"}]
    book = given(pipeline(), opened(), say("pipeline-sales", "pipeline.redefined", stages=fewer))
    book.when(opened("d2")).refused("unknown_stage")
    book.when(say(DEAL, "deal.assigned", owner="bob")).then("deal.assigned", {"stage": "lead"})
    book.when(opened("d2", at="2025-06-01")).then("deal.opened")


def test_an_open_deal_changes():
    book = open_deal()
    for change in CHANGES:
        book.when(change).then(change["type"])
    wanted = {"stage": "offer", "owner": "bob", "probability_bp": 4_000, "category": "commit"}
    wanted |= {"expected_close_on": "2026-09-30", "opening.title": "Pumps and pipes", "worth.value.minor": 500}
    book.when(RECLASSIFIED).then("deal.reclassified", wanted | {"opening.region": "south"})


@pytest.mark.parametrize("closing", [WON, LOST, ABANDONED])
@pytest.mark.parametrize("line", [*CHANGES, say(DEAL, "deal.lost", reason="other"), say(DEAL, "deal.won", order="o1")])
def test_a_closed_deal_takes_no_changes(closing, line):
    given(pipeline(), opened(), closing).when(line).refused("closed_deal", "reopen it with deal.reopened")


@pytest.mark.parametrize("closing", [WON, LOST, ABANDONED])
def test_a_closed_deal_may_be_reopened_and_reclassified(closing):
    given(pipeline(), opened(), closing).when(RECLASSIFIED).then("deal.reclassified", {"opening.region": "south"})
    given(pipeline(), opened(), closing).when(REOPENED).then("deal.reopened", {"stage": "offer", "closing": None})


def test_only_a_closed_deal_is_reopened():
    open_deal().when(REOPENED).refused("not_closed")


def test_a_deal_cannot_be_reopened_into_a_stage_that_is_not_there():
    lost = given(pipeline(), opened(), LOST)
    lost.when(REOPENED | {"data": {"stage": "demo", "reason": "x"}}).refused("unknown_stage")


@pytest.mark.parametrize("line", [INVOICED, DELIVERED, CREDITED])
def test_invoices_deliveries_and_credit_notes_need_a_won_deal(line):
    open_deal().when(line).refused("not_won", "win it first")
    given(pipeline(), opened(), LOST).when(line).refused("closed_deal")
    given(pipeline(), opened(), WON).when(line).then(line["type"])


def test_any_number_of_them_may_follow_but_the_same_one_at_the_same_time_is_one():
    book = given(pipeline(), opened(at="2025-12-01"), WON | {"effective_at": "2025-12-02"})
    for line in (INVOICED, DELIVERED, CREDITED):
        at = {"effective_at": "2026-01-01T00:30:00Z"}
        book.when(line | at).then(line["type"])
        book.when(line | at).nothing()
        book.when(line).then(line["type"])


@pytest.mark.parametrize("line", [INVOICED, DELIVERED, CREDITED], ids=lambda line: line["type"])
def test_one_more_of_them_is_refused_not_forgotten_where_none_may_follow(line):
    at = {"effective_at": "2026-01-01T00:30:00Z"}
    book = given(pipeline(), opened(at="2025-12-01"), WON | {"effective_at": "2025-12-02"}, line | at, REOPENED)
    book.when(line).refused("not_won")
    book.when(line | at).nothing()


def test_a_won_deal_cannot_be_merged_and_nothing_follows_a_merge():
    given(pipeline(), opened(), WON).when(MERGED).refused("closed_deal")
    for before in ([], [LOST], [ABANDONED]):
        book = given(pipeline(), opened(), *before).when(MERGED).then("deal.merged")
        for line in (WON, REOPENED, RECLASSIFIED, say(DEAL, "deal.merged", into="d3")):
            book.when(line).refused("deal_merged", "merged into d2")


def test_no_merging_in_circles():
    book = given(pipeline(), opened("d1"), opened("d2"), opened("d3"))
    book.when(say("deal-d1", "deal.merged", into="d1")).refused("merge_in_circle")
    book.when(say("deal-d1", "deal.merged", into="d2")).then("deal.merged")
    book.when(say("deal-d2", "deal.merged", into="d3")).then("deal.merged")
    book.when(say("deal-d3", "deal.merged", into="d1")).refused("merge_in_circle", "by way of others")


def test_lines_give_the_value_and_must_add_up_to_it():
    lines = [line("a", 60), line(None, 40)]
    given(pipeline()).when(opened(lines=lines)).then("deal.opened", {"worth.value.minor": 100})
    given(pipeline()).when(opened(lines=lines, value=eur(100))).then("deal.opened")
    given(pipeline()).when(opened(lines=lines, value=eur(99))).refused("lines_do_not_add_up", "100 EUR")


def test_lines_cannot_add_up_to_more_than_an_amount_may_be():
    given(pipeline()).when(opened(lines=[line("a", 10**12), line("b", 1)])).refused(
        "bad_value", "at most 1000000000000"
    )


def test_money_of_one_deal_is_in_one_currency():
    usd = {"minor": 1, "currency": "USD"}
    given(pipeline()).when(opened(value=eur(5), margin=usd)).refused("mixed_currencies")
    given(pipeline()).when(opened(lines=[line("a", 1), line("b", 1, value=usd)])).refused("mixed_currencies")
    given(pipeline()).when(opened(lines=[line("a", 1, margin=usd)])).refused("mixed_currencies")
    open_deal(value=eur(5), margin=eur(1)).when(say(DEAL, "deal.revalued", value=usd)).refused(
        "mixed_currencies", "both"
    )
    open_deal(value=eur(5), margin=eur(1)).when(say(DEAL, "deal.won", value=usd, margin=usd)).then("deal.won")


def test_a_new_value_drops_the_lines_and_the_same_value_keeps_them():
    book = open_deal(lines=[line("a", 60), line("b", 40)])
    book.when(say(DEAL, "deal.revalued", value=eur(100), margin=eur(10))).then(
        "deal.revalued", {"worth.margin.minor": 10}
    )
    assert len(book.stream(DEAL).state.worth.lines) == 2
    book.when(say(DEAL, "deal.won", value=eur(90))).then("deal.won", {"worth.lines": None, "worth.value.minor": 90})


@pytest.mark.parametrize("line", [WON, LOST, ABANDONED, MERGED, RECLASSIFIED, *CHANGES], ids=lambda line: line["type"])
def test_saying_again_what_is_so_appends_nothing(line):
    given(pipeline(), opened(), line).when(line).nothing()


def test_an_opening_said_again_is_already_so_whatever_came_since():
    given(pipeline(), opened(), RECLASSIFIED, WON).when(opened()).nothing()
    given(pipeline(), opened(), LOST, REOPENED).when(REOPENED).nothing()


def test_a_win_that_was_undone_is_not_so_any_more():
    """A deal won, reopened and lost is lost: saying it is won is not saying what is so."""
    book = given(pipeline(), opened(), WON, REOPENED, LOST)
    book.when(WON).refused("closed_deal", "this deal is lost")
    book.when(LOST).nothing()


def test_a_back_dated_event_must_leave_the_whole_history_legal():
    book = given(pipeline(), opened(at="2025-06-01"), WON | {"effective_at": "2025-09-01"})
    book.when(LOST | {"effective_at": "2025-08-01"}).refused("closed_deal", "then deal.won would no longer be allowed")
    book.when(say(DEAL, "deal.assigned", "2025-05-01", owner="bob")).refused("not_opened")
    book.when(say(DEAL, "deal.assigned", "2025-08-01", owner="bob")).then("deal.assigned", {"owner": "bob"})
    book.when(say(DEAL, "deal.assigned", "2025-07-01", owner="eve")).then("deal.assigned", {"owner": "bob"})


def test_what_happened_cannot_lie_ahead():
    given(pipeline()).when(opened(at="2026-01-02")).refused("in_the_future", "what happened lies behind")


def test_a_retraction_must_leave_the_rest_legal():
    book = given(pipeline(), opened(), LOST, REOPENED)
    book.when(retracted(DEAL, 1)).refused("not_opened", "then deal.lost would no longer be allowed")
    book.when(retracted(DEAL, 2)).refused("not_closed", "then deal.reopened")
    book.when(retracted(DEAL, 3)).then("event.retracted", {"closing.reason": "price"})
    book.when(retracted(DEAL, 3)).nothing()
    book.when(retracted(DEAL, 2)).then("event.retracted", {"closing": None})
    book.when(retracted(DEAL, 9)).refused("unknown_version", "1 to 5")


def test_a_retracted_opening_takes_the_deal_away_and_it_may_be_opened_anew():
    book = given(pipeline(), opened()).when(retracted(DEAL, 1)).then("event.retracted")
    assert book.stream(DEAL).state is None
    book.when(WON).refused("not_opened")
    book.when(opened(owner="bob")).then("deal.opened", {"owner": "bob"})
    book.when(retracted(DEAL, 2)).refused("already_opened")


def test_a_retraction_can_be_retracted():
    book = given(pipeline(), opened(), LOST, retracted(DEAL, 2)).when(retracted(DEAL, 3)).then("event.retracted")
    book.when(LOST).nothing()


def test_a_correction_replaces_data_time_or_both():
    data = opened(owner="bob")["data"]
    book = given(pipeline(), opened(at="2025-06-01"), WON | {"effective_at": "2025-09-01"})
    book.when(corrected(DEAL, 1, data)).then("event.corrected", {"owner": "bob"})
    book.when(corrected(DEAL, 1, data)).nothing()
    book.when(corrected(DEAL, 1, to="2025-10-01")).refused("not_opened")
    book.when(corrected(DEAL, 2, to="2025-10-01")).then("event.corrected")
    book.when(corrected(DEAL, 2, to="2027-10-01")).refused("in_the_future")
    book.when(corrected(DEAL, 2)).refused("nothing_corrected")
    book.when(corrected(DEAL, 3, data)).refused("not_correctable", "retract it instead")
    book.when(corrected(DEAL, 1, {"owner": "bob"})).refused("bad_data", "deal.opened")
    book.when(corrected(DEAL, 2, {"value": eur(-1)})).refused("bad_value")
    book.when(retracted(DEAL, 2)).then("event.retracted", {"closing": None})
    book.when(corrected(DEAL, 2, {"order": "o"})).refused("retracted")


def test_a_correction_must_name_stages_that_are_there():
    other = say(
        "pipeline-other",
        "pipeline.defined",
        "2020-01-01",
        name="Other",
        stages=[{"stage": "first", "name": "First", "probability_bp": 1, "category": "commit"}],
    )
    stage = say(DEAL, "deal.stage_changed", stage="offer")
    book = given(pipeline(at="2025-01-01"), other, opened(), stage)
    book.when(corrected(DEAL, 2, {"stage": "demo"})).refused("unknown_stage")
    book.when(corrected(DEAL, 1, to="2024-01-01")).refused("unknown_pipeline")
    moved = opened(pipeline="other", stage="first")["data"]
    book.when(corrected(DEAL, 1, moved)).refused("unknown_stage", "pipeline 'other' has no stage 'offer'")
    book.when(retracted(DEAL, 2)).then("event.retracted")
    book.when(corrected(DEAL, 1, moved)).then("event.corrected", {"stage": "first"})
    book.when(retracted(DEAL, 3)).refused("unknown_stage")
