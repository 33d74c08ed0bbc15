"""Scores out of what they are made of, by column: of each part there are as many as things to score."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ledger.money import E6

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def scored(
    parts: Sequence[Sequence[int]], weights: Sequence[int]
) -> tuple[Sequence[int | None], Sequence[Sequence[int]]]:
    """How many hundredths of all weights the parts make, each in millionths, and what each brings to that.

    Rounded as by `half_even` and `share`, tens of thousands at once. Without a weight there is no score.
    """
    import numpy as np  # noqa: PLC0415 (slow to import, and most commands do without)

    whole = sum(weights) * E6
    if not whole:
        return [None] * len(parts[0]), [[0] * len(parts[0]) for _ in parts]
    # weights may be such that only Python's own integers hold them
    kind = np.int64 if 100 * whole <= np.iinfo(np.int64).max else object
    weighted = np.array(parts, kind) * np.array(weights, kind)[:, None]
    sums = weighted.sum(axis=0)
    scores, rest = 100 * sums // whole, 100 * sums % whole
    scores = scores + ((2 * rest > whole) | ((2 * rest == whole) & (scores % 2 == 1)))
    sums = np.maximum(sums, 1)
    points, rests = scores * weighted // sums, scores * weighted % sums
    place = np.argsort(np.argsort(-rests, axis=0, kind="stable"), axis=0)
    points = points + (place < scores - points.sum(axis=0))
    return scores.tolist(), points.tolist()


def ranks(values: Sequence[int]) -> list[int]:
    """What part of the others each is greater than, in millionths."""
    most = len(values) - 1
    less = dict(zip(sorted(values, reverse=True), range(most, -1, -1), strict=True))
    return [E6 * less[value] // most if most else E6 for value in values]


def commonness(values: Iterable[str | None]) -> dict[str | None, int]:
    """How common each segment, or country, of customers that have bought is, in millionths of the most common."""
    counts = Counter(values)
    del counts[None]
    most = max(counts.values(), default=1)
    return {value: E6 * count // most for value, count in counts.items()}
