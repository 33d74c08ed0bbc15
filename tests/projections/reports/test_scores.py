"""Scores and points of many at once are those that each has by itself."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from ledger.money import E6, half_even, share
from projections.reports.scores import ranks, scored

WEIGHTS = st.integers(0, 40) | st.integers(0, 2**53)


@given(st.lists(WEIGHTS, min_size=1, max_size=6), st.data())
def test_scores_are_rounded_and_shared_as_money_is(weights, data):
    part = st.integers(0, E6) | st.sampled_from([0, E6 // 2, E6])
    each = data.draw(st.lists(st.lists(part, min_size=len(weights), max_size=len(weights)), min_size=1, max_size=8))
    scores, points = scored(list(zip(*each, strict=True)), weights)
    for its, score, its_points in zip(each, scores, zip(*points, strict=True), strict=True):
        weighted = [one * weight for one, weight in zip(its, weights, strict=True)]
        wanted = half_even(100 * sum(weighted), E6 * sum(weights)) if sum(weights) else None
        assert (score, list(its_points)) == (wanted, share(wanted, weighted) if wanted else [0] * len(weights))
        assert {type(point) for point in its_points} == {int}


@given(st.lists(st.integers(-9, 9) | st.integers(2**63, 2**65)))
def test_a_rank_is_what_part_of_the_others_is_less(values):
    others = len(values) - 1
    assert ranks(values) == [E6 * bisect_left(sorted(values), each) // others if others else E6 for each in values]
