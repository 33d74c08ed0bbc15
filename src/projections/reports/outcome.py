"""What open deals may bring: the distribution of a sum of independent wins, each its value with its own probability.

It is worked out, not simulated. Up to `FEW` deals all sums are enumerated, to the cent; to reach one amount is told of
twice as many, by those of either half. More are convolved one by one on a grid of at most `CELLS` steps, which is exact too when the values are multiples of its step; otherwise each value is
off by some `e` of at most half a step, its mean put right, so that Hoeffding's inequality bounds the error of the sum:
but for `UNLIKELY` of the outcomes it is below `√(Σe² · ln(2/UNLIKELY) / 2)`, and always below `Σ|e|`. The same
inequality tells how much of the range the grid must hold; what lies beyond wraps around. W. Hoeffding, Probability
inequalities for sums of bounded random variables, 1963.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, log, sqrt
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from ledger.money import half_even

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

FEW = 12
CELLS = 2**15
TOGETHER = 200
"""So many deals are spread together at most, if they wrap around."""

UNLIKELY = 1e-9
CERTAIN_BP = 10_000
OUT_OF_THE_QUESTION = 1e-15
_TOO_SMALL = 1e-200
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
        return _as_chance(1.0 - float(self.at_most[below - 1]))


def outcome(deals: Iterable[Chance]) -> Outcome:
    """The distribution of what the deals bring in all; of none it is nothing for certain."""
    sure, open_deals = _open(deals)
    return _enumerated(open_deals, sure) if len(open_deals) <= FEW else _convolved(_laid_out(open_deals), sure)


def objective_probability(deals: Sequence[Chance], won_minor: int, objective_minor: int) -> Fraction:
    """How likely it is that what is won and what the deals bring reach an objective."""
    missing = objective_minor - won_minor
    certain = _foregone(deals, missing)
    if certain is not None:
        return Fraction(certain)
    sure, open_deals = _open(deals)
    if len(open_deals) <= 2 * FEW:
        return _meeting(open_deals, missing - sure)
    grid = _laid_out(open_deals)
    reaching = _reaching(grid, missing - sure)
    return _convolved(grid, sure).at_least(missing) if reaching is None else reaching


def _open(deals: Iterable[Chance]) -> tuple[int, list[tuple[int, int]]]:
    """What comes for certain, and the deals beside it that may be won or lost, in one order however they came.

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
            open_deals.append((value, chance_bp))
    return sure, sorted(open_deals)


def _foregone(deals: Sequence[Chance], minor: int) -> int | None:
    """Whether the sum reaches an amount, 1 or 0, where the other is out of the question; None where it is not.

    By Hoeffding's inequality, and then without working the distribution out: most objectives are far from their brink.
    """
    values, chances_bp = [value for value, _ in deals], [chance_bp for _, chance_bp in deals]
    if minor <= sum(value for value in values if value < 0):
        return 1
    if minor > sum(value for value in values if value > 0):
        return 0
    off = minor - sum(map(mul, values, chances_bp)) / CERTAIN_BP
    if 2 * off * off > sum(map(mul, values, values)) * log(1 / OUT_OF_THE_QUESTION):
        return int(off < 0)
    return None


def _enumerated(deals: Sequence[tuple[int, int]], sure: int) -> Outcome:
    import numpy as np  # noqa: PLC0415 (slow to import, and most commands do without)

    sums, chances = _sums(deals)
    last = np.ones(len(sums), bool)
    last[:-1] = sums[1:] != sums[:-1]
    return Outcome(sums[last] + sure, chances.cumsum()[last], 0)


def _meeting(deals: Sequence[tuple[int, int]], minor: int) -> Fraction:
    """How likely the sum reaches an amount: by each sum of one half, that the other half's reaches what is missing then.

    E. Horowitz and S. Sahni, Computing partitions with applications to the knapsack problem, 1974.
    """
    import numpy as np  # noqa: PLC0415 (as above)

    one, chances = _sums(deals[::2])
    other, of_other = _sums(deals[1::2])
    below = np.concatenate([np.zeros(1), chances.cumsum()])[one.searchsorted(minor - other)]
    return _as_chance(1.0 - float(np.multiply(below, of_other).sum()))


def _sums(deals: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The sum of every choice of the deals, ascending in minor units, and how likely it is that just these are won."""
    import numpy as np  # noqa: PLC0415 (as above)

    size, held = 2 ** len(deals), 1
    sums, chances = np.zeros(size, np.int64), np.ones(size)
    for value, (lost, won) in ((value, _halves(chance_bp)) for value, chance_bp in deals):
        np.add(sums[:held], value, out=sums[held : 2 * held])
        np.multiply(chances[:held], won, out=chances[held : 2 * held])
        chances[:held] *= lost
        held *= 2
    order = sums.argsort(kind="stable")
    return sums[order], chances[order]


class _Grid(NamedTuple):
    """Deals on a grid: how many steps each is worth, ascending, and its chance; `shift` puts their mean right.

    `off` is what each is worth beside its steps.
    """

    step: int
    steps: list[int]
    chances_bp: Sequence[int]
    shift: int
    off: list[int]

    @property
    def error_minor(self) -> int:
        return ceil(min(sum(map(abs, self.off)), _reach(self.off))) + 1 if any(self.off) else 0


def _laid_out(deals: Iterable[tuple[int, int]]) -> _Grid:
    values, chances_bp = zip(*deals, strict=True)
    total = sum(values)
    span = min(total, ceil(2 * _reach(values)))
    unit = gcd(*values)
    step = unit * ceil(span / (unit * (CELLS - 2)))
    steps = _steps(values, step)
    while span == total and sum(steps) >= CELLS:  # rounded up, mostly
        step = max(step + unit, unit * ceil(step * sum(steps) / (unit * (CELLS - 2))))
        steps = _steps(values, step)
    off = [value - count * step for count, value in zip(steps, values, strict=True)]
    return _Grid(step, steps, chances_bp, half_even(sum(map(mul, off, chances_bp)), CERTAIN_BP), off)


def _steps(values: Iterable[int], step: int) -> list[int]:
    return [(value + step // 2) // step for value in values]


def _convolved(grid: _Grid, sure: int) -> Outcome:
    import numpy as np  # noqa: PLC0415 (as above)

    total = sum(grid.steps)
    cells = _wrapped(grid.steps, grid.chances_bp)
    size = len(cells)
    mean = sum(map(mul, grid.steps, grid.chances_bp)) / CERTAIN_BP
    first = max(0, min(floor(mean) - size // 2, total + 1 - size))
    sums = (np.arange(size, dtype=np.int64) + first) * grid.step + (sure + grid.shift)
    return Outcome(sums, np.roll(cells, -(first % size)).cumsum(), grid.error_minor)


def _reaching(grid: _Grid, minor: int) -> Fraction | None:
    """How likely the sum reaches an amount, told by the sums below it alone, or by those of what is lost above it.

    None where both are more than the grid has cells: then the sums must wrap around.
    """
    least, total = -((grid.shift - minor) // grid.step), sum(grid.steps)
    if min(least, total + 1 - least) > CELLS:
        return None
    if least <= total + 1 - least:
        return _as_chance(1.0 - _below(grid.steps, grid.chances_bp, least))
    lost_bp = [CERTAIN_BP - chance_bp for chance_bp in grid.chances_bp]
    return _as_chance(_below(grid.steps, lost_bp, total + 1 - least))


def _below(steps: Sequence[int], chances_bp: Sequence[int], limit: int) -> float:
    """How likely the sum is of fewer steps than `limit`: every second deal is spread by itself, then both halves meet."""
    import numpy as np  # noqa: PLC0415 (as above)

    if limit <= 0:
        return 0.0
    one, other = (_spread(steps[half::2], chances_bp[half::2], limit, wraps=False) for half in (0, 1))
    anyway = max(limit - len(other), 0)
    at_most = other.cumsum()[limit - len(one) : limit - anyway][::-1]
    return float(one[:anyway].sum() * other.sum() + np.multiply(one[anyway:], at_most).sum())


def _wrapped(steps: Sequence[int], chances_bp: Sequence[int]) -> NDArray[np.float64]:
    """How likely each number of steps is; what is beyond the cells wraps around.

    Very many deals are spread in parts, which a Fourier transform convolves: it wraps around by itself.
    """
    import numpy as np  # noqa: PLC0415 (as above)

    parts = ceil(len(steps) / TOGETHER)
    if parts <= 1:
        return _spread(steps, chances_bp, CELLS, wraps=True)
    waves = np.ones(CELLS // 2 + 1, np.complex128)
    for part in range(parts):
        waves *= np.fft.rfft(_spread(steps[part::parts], chances_bp[part::parts], CELLS, wraps=True), CELLS)
    return np.fft.irfft(waves, CELLS)[: sum(steps) + 1].clip(0)


def _spread(steps: Sequence[int], chances_bp: Sequence[int], size: int, *, wraps: bool) -> NDArray[np.float64]:
    """How likely each number of steps is; what is beyond the cells wraps around, or else is left out.

    By the odds of each deal: that all are lost is a factor of every cell, and multiplied in at the end.
    """
    import numpy as np  # noqa: PLC0415 (as above)

    size = min(size, sum(steps) + 1)
    cells, moved = np.zeros(size), np.empty(size)
    cells[0], held, all_lost = 1.0, 1, 1.0
    for count, chance_bp in zip(steps, chances_bp, strict=True):
        inside = min(held, max(size - count, 0))
        odds = chance_bp / (CERTAIN_BP - chance_bp)
        won = np.multiply(cells[:inside], odds, out=moved[:inside])
        beyond = cells[inside:held] * odds if wraps and inside < held else None
        cells[count : count + inside] += won
        if beyond is not None:
            cells[: len(beyond)] += beyond
        held = min(held + count, size)
        all_lost *= (CERTAIN_BP - chance_bp) / CERTAIN_BP
        if all_lost < _TOO_SMALL:
            cells[:held] *= all_lost
            all_lost = 1.0
    return cells * all_lost


def _as_chance(told: float) -> Fraction:
    return Fraction(min(1.0, round(told, 12)) if told > _NOISE else 0)


def _halves(chance_bp: int) -> tuple[float, float]:
    return (CERTAIN_BP - chance_bp) / CERTAIN_BP, chance_bp / CERTAIN_BP


def _reach(amounts: Iterable[int]) -> float:
    """How far the sum of such amounts, each with a probability of its own, strays from its mean but for `UNLIKELY`."""
    return sqrt(sum(each * each for each in amounts) * log(2 / UNLIKELY) / 2)
