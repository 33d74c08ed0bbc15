"""What open deals may bring, beside every sum there is, a simulation and moments known in closed form."""

from __future__ import annotations

from fractions import Fraction
from math import comb, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.reports.outcome import CELLS, FEW, TOGETHER, UNLIKELY, Chance, objective_probability, outcome

LEVELS = (0.1, 0.5, 0.9)
chances = st.builds(Chance, st.integers(-(10**7), 10**12), st.integers(0, 10_000))


def every_sum(deals) -> dict[int, int]:
    """Each sum there may be with its probability, exactly, in as many ten-thousandths of ten-thousandths as deals."""
    found = {0: 1}
    for value, chance_bp in deals:
        more: dict[int, int] = {}
        for minor, chance in found.items():
            more[minor] = more.get(minor, 0) + chance * (10_000 - chance_bp)
            more[minor + value] = more.get(minor + value, 0) + chance * chance_bp
        found = {minor: chance for minor, chance in more.items() if chance}
    return found


def at_least(sums: dict[int, int], minor: int) -> Fraction:
    return Fraction(sum(chance for each, chance in sums.items() if each >= minor), sum(sums.values()))


def quantile(sums: dict[int, int], level: Fraction) -> int:
    below, whole = 0, sum(sums.values())
    for minor in sorted(sums):
        below += sums[minor]
        if below >= level * whole:
            return minor
    return max(sums)


def test_no_deal_brings_nothing_for_certain():
    nothing = outcome([])
    assert [nothing.quantile(level) for level in LEVELS] == [0, 0, 0]
    assert [nothing.at_least(minor) for minor in (0, 1)] == [1, 0]


def test_one_deal_is_won_or_not():
    deal = outcome([Chance(100, 9_000)])
    assert [deal.quantile(level) for level in LEVELS] == [0, 100, 100]
    assert [float(deal.at_least(minor)) for minor in (0, 1, 100, 101)] == [1, 0.9, 0.9, 0]


def test_what_is_certain_or_hopeless_is_no_matter_of_chance():
    found = outcome([Chance(100, 10_000), Chance(7, 0), Chance(0, 5_000)])
    assert (found.sums_minor.tolist(), found.error_minor) == ([100], 0)


def test_what_is_all_but_foregone_is_what_working_it_out_tells():
    chance = Random(3)
    for _ in range(60):
        deals = [Chance(chance.randrange(-200, 2_000), chance.choice([0, 2_500, 9_000, 10_000])) for _ in range(300)]
        for minor in range(-50_000, 400_000, 25_000):
            told, worked_out = objective_probability(deals, 0, minor), outcome(deals).at_least(minor)
            assert abs(told - worked_out) <= Fraction(1, 10**11)


def test_the_greatest_sum_is_told_by_itself_also_where_values_are_rounded_up():
    for seed in range(200):
        chance = Random(seed)
        deals = [Chance(chance.randrange(1, 10**8), 4_000) for _ in range(FEW + 1)]
        found = outcome(deals)
        most = sum(value for value, _ in deals) - found.error_minor
        assert found.at_least(most) >= Fraction(4, 10) ** len(deals) - Fraction(1, 10**11)


@pytest.mark.parametrize("count", [50, 400, 3_000])
def test_near_its_brink_an_objective_is_as_likely_as_the_whole_distribution_tells(count):
    chance = Random(count)
    deals = [
        Chance(
            round(chance.lognormvariate(13, 1)) * chance.choice([1, 1, 1, -1]), chance.choice([0, 300, 5_000, 9_900])
        )
        for _ in range(count)
    ]
    whole = outcome(deals)
    for level in (0.001, 0.1, 0.5, 0.9, 0.999):
        minor = whole.quantile(level)
        for near in (minor - 1, minor, minor + 1):
            assert abs(objective_probability(deals, 0, near) - whole.at_least(near)) <= Fraction(1, 10**11)


def test_an_objective_is_reached_by_what_is_won_and_what_comes():
    deals = [Chance(100, 5_000), Chance(50, 5_000)]
    assert float(objective_probability(deals, 30, 130)) == 0.5
    assert float(objective_probability(deals, 30, 80)) == 0.75
    assert objective_probability(deals, 80, 80) == 1
    assert objective_probability(deals, 0, 151) == 0


@settings(deadline=None)
@given(st.lists(chances, max_size=7))
def test_few_deals_are_told_to_the_cent(deals):
    found, sums = outcome(deals), every_sum(deals)
    assert found.error_minor == 0
    assert len(deals) <= FEW
    assert found.sums_minor.tolist() == sorted(sums)
    for minor in sorted(sums)[:: len(sums) // 8 + 1]:
        assert float(found.at_least(minor)) == pytest.approx(float(at_least(sums, minor)), abs=1e-11)


@settings(deadline=None)
@given(st.lists(st.builds(Chance, st.integers(-40, 120), st.integers(0, 10_000)), max_size=2 * FEW))
def test_an_objective_of_up_to_twice_as_many_is_told_to_the_cent(deals):
    sums = every_sum(deals)
    for minor in (*sorted(sums)[:: len(sums) // 8 + 1], max(sums), max(sums) + 1):
        for near in (minor, minor + 1):
            assert float(objective_probability(deals, 0, near)) == pytest.approx(float(at_least(sums, near)), abs=1e-11)


@settings(deadline=None)
@given(st.lists(chances, min_size=FEW + 1, max_size=16))
def test_up_to_sixteen_deals_agree_with_every_sum_within_the_error_told(deals):
    """By both sides of the bound: no quantile lies further off than `error_minor`."""
    found = outcome(deals)
    every = np.array([0], dtype=np.int64)
    weight = np.array([1.0])
    for value, chance_bp in deals:
        every, weight = (
            np.concatenate([every, every + value]),
            np.concatenate([weight * (10_000 - chance_bp) / 10_000, weight * chance_bp / 10_000]),
        )
    order = np.argsort(every, kind="stable")
    below = weight[order].cumsum()
    for level in LEVELS:
        low, high = (
            every[order][min(int(below.searchsorted(level + side)), len(every) - 1)]
            for side in (-2 * UNLIKELY, 2 * UNLIKELY)
        )
        assert low - found.error_minor <= found.quantile(level) <= high + found.error_minor


@given(st.lists(chances, min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_the_order_in_which_deals_come_changes_no_digit(deals, random):
    shuffled = random.sample(deals, len(deals))
    one, other = outcome(deals), outcome(shuffled)
    assert one.sums_minor.tolist() == other.sums_minor.tolist()
    assert one.at_most.tolist() == other.at_most.tolist()
    half = sum(deal.value_minor for deal in deals) // 2
    assert objective_probability(deals, 0, half) == objective_probability(shuffled, 0, half)


def test_values_on_a_grid_are_exact_however_many():
    """Twenty deals of 100 with a half each are a binomial."""
    found = outcome([Chance(10_000, 5_000)] * 20)
    assert found.error_minor == 0
    for wins in range(21):
        exact = Fraction(sum(comb(20, k) for k in range(wins, 21)), 2**20)
        assert float(found.at_least(wins * 10_000)) == pytest.approx(float(exact), abs=1e-11)


def test_values_of_one_and_two_thousand_agree_with_every_sum():
    deals = [Chance(1_000 * (1 + k % 2), 500 + 400 * k) for k in range(16)]
    sums = every_sum(deals)
    assert outcome(deals).error_minor == 0
    for level in ("0.1", "0.5", "0.9"):
        assert outcome(deals).quantile(float(level)) == quantile(sums, Fraction(level))


def many(count: int, seed: int = 1) -> list[Chance]:
    """Deals as they are: most of them small, a few large, to the cent."""
    rng = Random(seed)
    return [Chance(round(rng.lognormvariate(14, 1.2)), rng.randrange(500, 9_500)) for _ in range(count)]


def test_five_hundred_deals_agree_with_a_simulation():
    deals, rounds = many(500), 40_000
    rng = np.random.default_rng(1)
    values = np.array([value for value, _ in deals])
    won = np.array([chance_bp / 10_000 for _, chance_bp in deals])
    drawn = np.sort(np.concatenate([(rng.random((1_000, 500)) < won) @ values for _ in range(rounds // 1_000)]))
    found = outcome(deals)
    for level in LEVELS:
        spread = 5 * sqrt(level * (1 - level) / rounds)
        low, high = (int(drawn[int((level + side) * rounds)]) for side in (-spread, spread))
        assert low - found.error_minor <= found.quantile(level) <= high + found.error_minor
        middle = found.quantile(level)
        assert float(found.at_least(middle)) == pytest.approx(float((drawn >= middle).mean()), abs=2 * spread)


def test_very_many_deals_are_spread_in_parts_to_the_same_end(monkeypatch):
    deals = many(5 * TOGETHER)
    in_parts = outcome(deals)
    monkeypatch.setattr("projections.reports.outcome.TOGETHER", len(deals))
    at_once = outcome(deals)
    assert in_parts.at_most == pytest.approx(at_once.at_most, abs=1e-13)
    assert [in_parts.quantile(level) for level in LEVELS] == [at_once.quantile(level) for level in LEVELS]


def test_ten_thousand_deals_keep_their_mean_and_spread():
    deals = many(10_000)
    found = outcome(deals)
    chance = np.diff(found.at_most, prepend=0.0)
    mean = sum(value * chance_bp for value, chance_bp in deals) / 10_000
    variance = sum(value**2 * bp * (10_000 - bp) for value, bp in deals) / 10_000**2
    centred = found.sums_minor - mean
    assert len(found.sums_minor) <= CELLS
    assert found.at_most[-1] == pytest.approx(1.0, abs=1e-9)
    assert (centred * chance).sum() == pytest.approx(0.0, abs=1)
    assert (centred**2 * chance).sum() == pytest.approx(variance, rel=1e-3)
    assert found.error_minor < 0.1 * sqrt(variance)
