"""What share of deals that reached a stage were won in the end: the probability that experience gives the stage.

Of the deals opened in the lookback that had closed by the pair, each counts once in every stage that it entered while
open. With `w` won of `n` the estimate is `(w + 1) / (n + 2)`: the mean under a Beta(1, 1) prior, a half where nothing
has closed yet. All is read at the pair, so that nothing later leaks in.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, literal, select

from ledger.errors import BadRequest
from ledger.money import BASIS_POINTS, half_even
from ledger.times import day_start
from projections import intervals
from projections.reports.periods import add_months
from projections.tables import losses, wins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Select, Table

    from projections.reports.question import Question
    from projections.store import View

LOOKBACK_MONTHS = 24
MAX_LOOKBACK_MONTHS = 240
NOTHING_KNOWN_BP = BASIS_POINTS // 2
_MONTHS = re.compile(r"(\d{1,3})(?: ?months?)?", re.ASCII)


def is_asked(question: Question) -> bool:
    """Whether probabilities are to be estimated. Raises `BadRequest` for a lookback without."""
    if "probabilities" not in question.report.parameters:
        return False
    asked = question.choice("probabilities") == "calibrated"
    if "lookback" in question.given and not asked:
        raise BadRequest("lookback is of probabilities=calibrated; add that, or leave lookback out")
    return asked


def lookback_months(question: Question) -> int:
    """How far back deals may have been opened. Raises `BadRequest`."""
    text = question.given.get("lookback", f"{LOOKBACK_MONTHS} months")
    match = _MONTHS.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= MAX_LOOKBACK_MONTHS:
        raise BadRequest(f"lookback={text[:40]} is not a number of months from 1 to {MAX_LOOKBACK_MONTHS}")
    return int(match[1])


def estimates(question: Question, view: View) -> dict[tuple[str, str], int]:
    """The estimate of each pipeline's stages that closed deals entered, in basis points, at the question's pair."""
    won: Counter[tuple[str, str]] = Counter()
    closed: Counter[tuple[str, str]] = Counter()
    for table in (wins, losses):
        for pipeline, stages, count in view.tuples(_paths(table, question, view)):
            for stage in stages.split():
                closed[pipeline, stage] += count
                won[pipeline, stage] += count if table is wins else 0
    return {stage: half_even((won[stage] + 1) * BASIS_POINTS, count + 2) for stage, count in closed.items()}


def _paths(table: Table, question: Question, view: View) -> Select[Any]:
    """How many deals closed after having been open in the same stages of a pipeline."""
    pair, c = question.pair.happened, table.c
    since = day_start(add_months(question.today, -lookback_months(question)), question.book.time_zone)
    its = (intervals.in_force(table, pair, view), c.opened_at.between(since, pair.as_of), c.stages.is_not(None))
    return select(c.pipeline, c.stages, func.count()).where(*its).group_by(c.pipeline, c.stages)


def chance(found: Mapping[Any, int], own: ColumnElement[Any], *told: ColumnElement[Any]) -> Any:
    """A deal's own probability if set, else the estimate that these columns name as its key does, in basis points."""
    key = told[0]
    for column in told[1:]:
        key = key + literal("/") + column
    named = {"/".join(names): bp for names, bp in found.items()}
    estimate: ColumnElement[Any] = literal(NOTHING_KNOWN_BP)
    if named:
        estimate = case(named, value=key, else_=NOTHING_KNOWN_BP)
    return func.coalesce(own, estimate)
