"""What open deals may bring: the distribution of a sum of independent wins, each its value with its own probability.

It is worked out, not simulated. Up to `FEW` deals all sums are enumerated, to the cent. More are convolved one by one on
a grid of at most `CELLS` steps, which is exact too when the values are multiples of its step; otherwise each value is
off by some `e` of at most half a step, its mean put right, so that Hoeffding's inequality bounds the error of the sum:
but for `UNLIKELY` of the outcomes it is below `√(Σe² · ln(2/UNLIKELY) / 2)`, and always below `Σ|e|`. The same
inequality tells how much of the range the grid must hold; what lies beyond wraps around. W. Hoeffding, Probability
inequalities for sums of bounded random variables, 1963.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

FEW = 12
CELLS = 2**15
UNLIKELY = 1e-9
CERTAIN_BP = 10_000
OUT_OF_THE_QUESTION = 1e-15
_NOISE = 1e-12
"""What adding up floating-point probabilities may be off by."""


class Chance(NamedTuple):
    """A deal as it counts here: what it brings if it is won, in minor units, and how likely that is."""

    value_minor: int
    probability_bp: int


@dataclass(frozen=True)
class Outcome:
    """The sums there may be, ascending in minor units, and how likely it is that no more comes than each.

    Every quantile lies within `error_minor` of the true one of a level at most 2 × `UNLIKELY` beside its own.
    """

    sums_minor: NDArray[np.int64]
    at_most: NDArray[np.float64]
    error_minor: int

    def quantile(self, level: float) -> int:
        """The least sum, in minor units, that is not exceeded with this probability."""
        found = int(self.at_most.searchsorted(level - _NOISE))
        return int(self.sums_minor[min(found, len(self.sums_minor) - 1)])

    def at_least(self, minor: int) -> Fraction:
        """How likely it is that the sum reaches an amount."""
        below = int(self.sums_minor.searchsorted(minor))
        if below == 0:
            return Fraction(1)
        chance = 1.0 - float(self.at_most[below - 1])
        return Fraction(min(1.0, round(chance, 12)) if chance > _NOISE else 0)


def outcome(deals: Iterable[Chance]) -> Outcome:
    """The distribution of what the deals bring in all; of none it is nothing for certain.

    A negative value (a margin may be) is lost for certain and regained with the opposite probability.
    """
    sure, open_deals = 0, []
    for value, chance_bp in deals:
        if value < 0:
            sure += value
            value, chance_bp = -value, CERTAIN_BP - chance_bp  # noqa: PLW2901 (the same deal seen from the other side)
        if chance_bp >= CERTAIN_BP:
            sure += value
        elif value and chance_bp > 0:
            open_deals.append(Chance(value, chance_bp))
    return _enumerated(open_deals, sure) if len(open_deals) <= FEW else _convolved(open_deals, sure)


def objective_probability(deals: Sequence[Chance], won_minor: int, objective_minor: int) -> Fraction:
    """How likely it is that what is won and what the deals bring reach an objective."""
    missing = objective_minor - won_minor
    certain = _foregone(deals, missing)
    return outcome(deals).at_least(missing) if certain is None else Fraction(certain)


def _foregone(deals: Sequence[Chance], minor: int) -> int | None:
    """Whether the sum reaches an amount, 1 or 0, where the other is out of the question; None where it is not.

    By Hoeffding's inequality, and then without working the distribution out: most objectives are far from their brink.
    """
    if minor <= sum(value for value, _ in deals if value < 0):
        return 1
    if minor > sum(value for value, _ in deals if value > 0):
        return 0
    off = minor - sum(value * chance_bp for value, chance_bp in deals) / CERTAIN_BP
    if 2 * off * off > sum(value * value for value, _ in deals) * log(1 / OUT_OF_THE_QUESTION):
        return int(off < 0)
    return None


def _enumerated(deals: Sequence[Chance], sure: int) -> Outcome:
    import numpy as np  # noqa: PLC0415 (slow to import, and most commands do without)

    sums, chances = np.array([sure]), np.ones(1)
    for value, chance_bp in deals:
        sums = np.concatenate([sums, sums + value])
        lost, won = _halves(chance_bp)
        chances = np.concatenate([chances * lost, chances * won])
    order = np.argsort(sums, kind="stable")
    sums, last = sums[order], np.ones(len(sums), bool)
    last[:-1] = sums[1:] != sums[:-1]
    return Outcome(sums[last], chances[order].cumsum()[last], 0)


def _convolved(deals: Sequence[Chance], sure: int) -> Outcome:
    import numpy as np  # noqa: PLC0415 (as above)

    values = sorted(deals)
    total = sum(value for value, _ in values)
    span = min(total, ceil(2 * _reach(value for value, _ in values)))
    unit = gcd(*(value for value, _ in values))
    step = unit * ceil(span / (unit * (CELLS - 2)))
    steps = [(value + step // 2) // step for value, _ in values]
    size = min(sum(steps) + 1, CELLS)
    cells, moved = np.zeros(size), np.empty(size)
    cells[0], held = 1.0, 1
    for count, (_, chance_bp) in zip(steps, values, strict=True):
        lost, won = _halves(chance_bp)
        if held + count <= size:
            np.multiply(cells[:held], won, out=moved[:held])
            cells[:held] *= lost
            cells[count : held + count] += moved[:held]
            held += count
            continue
        held = size
        np.multiply(cells[: size - count], won, out=moved[count:])
        np.multiply(cells[size - count :], won, out=moved[:count])
        cells *= lost
        cells += moved
    off = [value - count * step for count, (value, _) in zip(steps, values, strict=True)]
    mean = sum(count * chance_bp for count, (_, chance_bp) in zip(steps, values, strict=True)) / CERTAIN_BP
    first = max(0, min(floor(mean) - size // 2, sum(steps) + 1 - size))
    shift = round(Fraction(sum(each * chance_bp for each, (_, chance_bp) in zip(off, values, strict=True)), CERTAIN_BP))
    sums = (np.arange(size, dtype=np.int64) + first) * step + (sure + shift)
    error = min(sum(map(abs, off)), _reach(off))
    return Outcome(sums, np.roll(cells, -(first % size)).cumsum(), ceil(error) + 1 if any(off) else 0)


def _halves(chance_bp: int) -> tuple[float, float]:
    return (CERTAIN_BP - chance_bp) / CERTAIN_BP, chance_bp / CERTAIN_BP


def _reach(amounts: Iterable[int]) -> float:
    """How far the sum of such amounts, each with a probability of its own, strays from its mean but for `UNLIKELY`."""
    return sqrt(sum(each * each for each in amounts) * log(2 / UNLIKELY) / 2)
