"""Every report over a large book: how long an answer takes, by itself and told by owner, team and product.

Each is asked at random instants of the book's last two years, as reported and restated in turn; where a period is
needed, of the quarter of that instant, and the history of a forecast over 52 weeks. The answer is written as JSON.
Processor time is that of the asking process, which is all of it on SQLite and without the server on PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

from benchmarks.large import UNTIL, YEAR_US, apart, bulk_append, rebuild_all, write_history
from benchmarks.support import chosen, opened, parser, place, show
from ledger.times import SECOND_US, format_instant
from projections.reports import REPORTS, answer
from projections.store import ReadStore

YEARS = 2
TODAY = date(2026, 1, 1)
BY = ("owner", "team", "product")
OF_ITSELF = {"pipeline", "forecast", "forecast_history", "pipeline_changes", "trend", "cohorts"}
"""Reports that are asked without a period."""

BESIDE: dict[str, tuple[dict[str, str], ...]] = {
    "forecast": ({"distribution": "yes"}, {"probabilities": "calibrated"}),
    "forecast_history": ({"from": "{year_ago}"},),
    "conversion": ({"of": "leads"},),
    "cycle": ({"of": "stages"},),
    "scoring": ({"of": "prospects"}, {"of": "deals"}),
    "objectives": ({"where": "owner={owner}"}, {"where": "team={team}"}),
    "alerts": ({"where": "who={owner}"}, {"where": "team={team}"}),
    "dashboard": (
        {"role": "rep", "where": "owner={owner}"},
        {"role": "manager", "where": "team={team}"},
        {"role": "manager"},
        {"role": "rep"},
    ),
}
"""What else they are asked: by a rep of what is theirs, by a manager of a team."""


class Asked(NamedTuple):
    """A report and its parameters but for the dates; `{owner}`, `{team}` and `{year_ago}` are put in when it is asked."""

    report: str
    parameters: dict[str, str]

    def __str__(self) -> str:
        return " ".join((self.report, *(f"{name}={value}" for name, value in self.parameters.items())))


def questions() -> Iterator[Asked]:
    """Each report with its defaults, then its variants."""
    for report in REPORTS:
        with_period = "period" in report.parameters and not report.snapshot and report.name not in OF_ITSELF
        period = {"period": "this-quarter"} if with_period else {}
        told = [{"by": name} for name in BY if name in report.dimensions and name not in report.fixed]
        for more in ({}, *told, *BESIDE.get(report.name, ())):
            yield Asked(report.name, period | more)


class Taken(NamedTuple):
    """How long an answer took, and the processor time of it."""

    seconds: float
    cpu_s: float


def answers(url: str, asked: Sequence[Asked], times: int) -> list[list[Taken]]:
    """How long each question takes, at the same instants; once before, unmeasured."""
    rng = Random(1)
    instants = [UNTIL - rng.randrange(YEARS * YEAR_US) for _ in range(times + 1)]
    with opened(url) as ledger:
        store = ReadStore.open(ledger)
        whose = {name: answer(store, "sales", {"by": name}, today=TODAY).rows[0][name] for name in ("owner", "team")}
        found = []
        for each in asked:
            taken = []
            for number, instant in enumerate(instants):
                day = datetime.fromtimestamp(instant / SECOND_US, UTC).date()
                words = whose | {"year_ago": (day - timedelta(weeks=52)).isoformat()}
                given = {name: value.format(**words) for name, value in each.parameters.items()}
                given |= {"as_of": format_instant(instant)} | ({"known_at": "now"} if number % 2 else {})
                began, cpu_began = perf_counter(), process_time()
                answer(store, each.report, given, today=TODAY).json()
                taken.append(Taken(perf_counter() - began, process_time() - cpu_began))
            found.append(taken[1:])
    return found


def _milliseconds(taken: Sequence[Taken]) -> tuple[str, ...]:
    walls, cpus = ([each[index] for each in taken] for index in range(2))
    return tuple(f"{1000 * seconds:,.0f}" for seconds in (median(walls), max(walls), median(cpus)))


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--deals", type=int, default=5_000, help="100,000 deals make about a million events")
    options.add_argument("--book", action="append", help="address of a book there is, instead of making one")
    options.add_argument("--report", action="append", help="only this one")
    options.add_argument("--times", type=int, default=5, help="how often each question is asked")
    given = options.parse_args()
    asked = [each for each in questions() if given.report is None or each.report in given.report]
    found: dict[str, list[list[Taken]]] = {}
    for url in given.book or ():
        found[url.partition(":")[0].partition("+")[0]] = apart(answers, url, asked, given.times)
    if not given.book:
        with TemporaryDirectory(prefix="ledger-benchmark-") as folder:
            path = Path(folder) / "history.jsonl"
            apart(write_history, path, given.deals)
            for database in chosen(given):
                with place(database) as where:
                    url = where.url()
                    apart(bulk_append, url, path)
                    apart(rebuild_all, url, os.cpu_count() or 1)
                    found[database] = apart(answers, url, asked, given.times)
    columns = ["question", *(f"{name} {what} ms" for name in found for what in ("p50", "max", "processor p50"))]
    rows = [
        [str(each), *(told for taken in found.values() for told in _milliseconds(taken[index]))]
        for index, each in enumerate(asked)
    ]
    show("Answers", columns, rows)


if __name__ == "__main__":
    main()
