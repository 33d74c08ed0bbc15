"""The distribution of what each cell's open deals may bring, beside the sums of the forecast."""

from __future__ import annotations

from dataclasses import replace
from operator import add
from typing import TYPE_CHECKING

from projections.reports.definition import TIME, Column, Text
from projections.reports.dimensions import time_label
from projections.reports.exact import wanted
from projections.reports.outcome import Chance, outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from projections.reports.cells import Cells
    from projections.reports.definition import Base, Exact, Key, Sums
    from projections.reports.exact import Brief
    from projections.reports.outcome import Outcome
    from projections.reports.question import Question

OVERDUE = "overdue"
LEVELS = {"p10_minor": 0.1, "p50_minor": 0.5, "p90_minor": 0.9}


def anytime(question: Question) -> Question:
    """The question told by month and the like instead of filtered by them: overdue deals pass under another name."""
    told = [name for name in question.where if name in TIME and name not in question.heads]
    where = {name: values for name, values in question.where.items() if name not in TIME}
    return replace(question, by=(*question.by, *told), where=where)


def tell(cells: Cells, weighed: Iterable[Brief], base: Base, question: Question) -> None:
    """Tell each cell the outcome of these open deals, those overdue in the month of `as_of`.

    A deal counts once in each cell, with all its parts that lie there, and once in the totals.
    """
    whole: list[Chance] = []
    by_key: dict[Key, list[Chance]] = {}
    for some in weighed:
        place = some.needed.index(base)
        brings: dict[Key, list[int]] = {}
        for dimensions, lines in _parts(some, question):
            key, minor = tuple(dimensions[name] for name in question.heads), [line[place] for line in lines]
            brings[key] = list(map(add, brings[key], minor)) if key in brings else minor
        chances_bp = [line[-2] for line in some.parts[0][1]]
        for key, minor in brings.items():
            by_key.setdefault(key, []).extend(map(Chance, minor, chances_bp))
        whole.extend(map(Chance, map(sum, zip(*brings.values(), strict=True)), chances_bp))
    for key in cells.rows.keys() | by_key.keys():
        if OVERDUE not in key:
            cells.row(key)["outcome"] = outcome(by_key.get(key, ()))
    if not any(question.where.get(name) == frozenset({OVERDUE}) for name in TIME):
        cells.totals["outcome"] = outcome(whole)


def _parts(some: Brief, question: Question) -> Iterator[tuple[Mapping[str, str | None], Sequence[Sequence[int]]]]:
    month = f"{question.today:%Y-%m}"
    for where, lines in some.parts:
        late = [name for name, value in where.items() if name in TIME and value == OVERDUE]
        dimensions = {**where, **{name: time_label(name, month) for name in late}}
        if wanted(question, dimensions):
            yield dimensions, lines


def _of(sums: Sums) -> Outcome | None:
    """The outcome of a cell; null where overdue deals stand, which count in the month of `as_of`."""
    found: Outcome | None = sums.get("outcome")
    return found


def _quantile(name: str, label: Text) -> Column:
    def value(sums: Sums) -> Exact:
        found = _of(sums)
        return None if found is None else found.quantile(LEVELS[name])

    return Column(name, "money", label, value)


def _probability(sums: Sums) -> Exact:
    if not sums["objectives"] or sums["won"] is None:
        return None
    return (_of(sums) or outcome([])).at_least(sums["objective"] - sums["won"])


COLUMNS = (
    _quantile("p10_minor", Text("Issue, au moins 9 fois sur 10", "Outcome, at least 9 times in 10")),
    _quantile("p50_minor", Text("Issue médiane", "Median outcome")),
    _quantile("p90_minor", Text("Issue, au plus 9 fois sur 10", "Outcome, at most 9 times in 10")),
    Column(
        "objective_probability",
        "ratio",
        Text("Probabilité de l'objectif", "Probability of the objective"),
        _probability,
    ),
)
