"""How long the distribution of a forecast's outcome takes: every deal won or lost by its own chance.

python -m benchmarks.outcome [--times 20]
"""

from __future__ import annotations

import argparse
import sys
from random import Random
from statistics import median
from time import perf_counter

from benchmarks.support import show
from projections.reports.outcome import Chance, outcome

DEALS = (100, 1_000, 10_000)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    rng = Random(1)
    rows = []
    for count in DEALS:
        deals = [Chance(round(rng.lognormvariate(14, 1.2)), rng.randrange(500, 9_500)) for _ in range(count)]
        outcome(deals)
        taken = []
        for _ in range(times):
            began = perf_counter()
            outcome(deals)
            taken.append(perf_counter() - began)
        rows.append([f"{count:,}", f"{1e3 * median(taken):.1f}", f"{1e3 * max(taken):.1f}"])
    show("Distribution of the outcome", ["deals", "p50 ms", "longest ms"], rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
