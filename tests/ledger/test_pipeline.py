"""The rules of a pipeline."""

from __future__ import annotations

from tests.support.given import given
from tests.support.lines import STAGES, corrected, opened, pipeline, retracted, say

PIPELINE = "pipeline-sales"


def redefined(stages, at=None):
    return say(PIPELINE, "pipeline.redefined", at, stages=stages)


def stages_of(book):
    return [stage.stage for stage in book.stream(PIPELINE).state.stages]


def test_a_pipeline_is_defined_once():
    book = given(pipeline())
    assert stages_of(book) == ["lead", "offer", "closing"]
    book.when(pipeline()).nothing()
    other = pipeline() | {"data": {"name": "x", "stages": STAGES[:1]}}
    book.when(other).refused("already_defined", "pipeline.redefined")


def test_its_stages_are_replaced_at_will_and_its_name_stays():
    book = given(pipeline())
    for stages in (STAGES[:2], STAGES[::-1], STAGES):
        book.when(redefined(stages)).then("pipeline.redefined", {"name": "sales"})
        assert stages_of(book) == [stage["stage"] for stage in stages]
        book.when(redefined(stages)).nothing()


def test_the_order_and_probability_of_stages_are_news():
    book = given(pipeline())
    book.when(redefined([STAGES[1], STAGES[0], STAGES[2]])).then("pipeline.redefined")
    book.when(redefined([STAGES[1] | {"probability_bp": 1}, STAGES[0], STAGES[2]])).then("pipeline.redefined")


def test_defined_first():
    given().when(redefined(STAGES)).refused("unknown_pipeline", "pipeline.defined")
    given(pipeline(at="2025-06-01")).when(redefined(STAGES, "2025-05-01")).refused("unknown_pipeline")


def test_a_stage_stands_once():
    given().when(say(PIPELINE, "pipeline.defined", name="x", stages=[STAGES[0]] * 2)).refused("bad_value", "twice")
    given(pipeline()).when(redefined([*STAGES, STAGES[1]])).refused("bad_value", "a stage twice")


def test_a_pipeline_has_between_1_and_50_stages():
    many = [STAGES[0] | {"stage": f"s{number}"} for number in range(51)]
    given(pipeline()).when(redefined([])).refused("bad_value", "a list of 1 to 50")
    given(pipeline()).when(redefined(many)).refused("bad_value", "a list of 1 to 50")
    given(pipeline()).when(redefined(many[:50])).then("pipeline.redefined")


def test_what_is_planned_counts_from_its_day_on():
    book = given(pipeline(), redefined(STAGES[:1], "2026-01-01T05:30:00Z"))
    book.when(opened(stage="offer")).then("deal.opened")
    book.when(redefined(STAGES[:2], "2026-01-01T05:00:00Z")).then("pipeline.redefined")
    assert stages_of(book) == ["lead"]
    book.when(opened("d2", stage="offer")).then("deal.opened")
    book.when(opened("d3", stage="offer")).refused("unknown_stage", "it has lead")


def test_its_definition_stays_while_anything_rests_on_it():
    book = given(pipeline(), redefined(STAGES[:1]))
    book.when(retracted(PIPELINE, 1)).refused("unknown_pipeline", "then pipeline.redefined would no longer be allowed")
    book.when(corrected(PIPELINE, 1, to="2030-01-01")).refused("unknown_pipeline")
    book.when(retracted(PIPELINE, 2)).then("event.retracted", {"name": "sales"})
    assert stages_of(book) == ["lead", "offer", "closing"]
