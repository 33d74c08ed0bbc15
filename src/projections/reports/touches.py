"""What passed between customers and us: their interactions counted by family, complaints, and how satisfied they said to be."""

from __future__ import annotations

from functools import cache
from operator import add
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, select

from projections import intervals
from projections.reports.customers import behind, of_survivors
from projections.reports.dimensions import merged, survivors
from projections.reports.listed import columns_of
from projections.tables import interactions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projections.reports.definition import Item
    from projections.reports.listed import Columns
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

FAMILIES = {
    "calls": ("call",),
    "emails": ("email",),
    "meetings": ("visit", "meeting", "prospecting_meeting", "demo"),
    "documents": ("proposal", "document"),
    "online": ("web_visit", "cart"),
    "support_requests": ("support_request",),
    "complaints": ("complaint",),
}
"""The kinds of interactions that each family counts; those of no family are in the whole only."""

WHOLE = 60
"""What an answer's best is worth: the scales' steps divide it."""
_LOWEST, _STEP = {"nps": 0, "csat": 1, "ces": 1}, {"nps": WHOLE // 10, "csat": WHOLE // 4, "ces": WHOLE // 6}

COUNTS = ("interactions", *FAMILIES, "open_complaints")
"""What `touches` counts of each customer; beside that `last_at` tells when the last interaction was."""

_NO_TOUCHES = (None, "", None)
_MARKS = dict(zip(FAMILIES, "cemdosp", strict=True))
_OTHER, _OPEN = "-", "!"
"""An interaction's mark is that of its family: complaints are `p`, or `!` while they are open."""


def lately(question: Question, view: View, at: int, since: int, *, earlier: bool) -> dict[str, Sequence[Any]]:
    """Of each customer's interactions up to an instant how many there were since another, and when the last one was.

    They follow the customer. Without the `earlier` ones, who had none since is not told.
    """
    i = interactions.c
    counted = func.count().filter(i.logged_at >= since)
    in_force = intervals.holds(interactions, at, question.pair, view)
    query = select(i.customer, counted, func.max(i.logged_at)).where(in_force).group_by(i.customer)
    rows = view.tuples(query if earlier else query.where(i.logged_at >= since))
    return of_survivors(rows, survivors(merged(question, view)), (add, max))


def touches(question: Question, view: View, at: int, customers: Iterable[str]) -> Columns:
    """The interactions of each customer up to an instant, as they stood then.

    A text of their marks is made sooner by a database than nine counts of its rows are.
    """
    i = interactions.c
    marks: dict[str, Any] = {kind: _MARKS[family] for family, kinds in FAMILIES.items() for kind in kinds}
    marks["complaint"] = case((i.resolved_at.is_(None), _OPEN), else_=_MARKS["complaints"])
    mark = case(marks, value=i.kind, else_=_OTHER)
    in_force = intervals.holds(interactions, at, question.pair, view)
    query = select(i.customer, func.aggregate_strings(mark, ""), func.max(i.logged_at))
    rows = view.tuples(query.where(in_force).group_by(i.customer))
    found = of_survivors(rows, survivors(merged(question, view)), (add, max))
    its = columns_of(("customer", "marks", "last_at"), [found.get(each, _NO_TOUCHES) for each in customers])
    return columns_of(COUNTS, list(map(cache(_counts), its["marks"]))) | {"last_at": its["last_at"]}


def _counts(marks: str) -> tuple[int, ...]:
    """What `COUNTS` names, of the interactions with these marks."""
    still_open = marks.count(_OPEN)
    *others, settled = map(marks.count, _MARKS.values())
    return len(marks), *others, settled + still_open, still_open


def ratings(question: Question, view: View, at: int) -> dict[str, list[int]]:
    """How satisfied each customer said to be up to an instant, each answer from 0 to `WHOLE`."""
    i = interactions.c
    in_force = intervals.holds(interactions, at, question.pair, view)
    query = select(i.customer, i.satisfaction_scale, i.satisfaction_score)
    rows: Sequence[Any] = view.rows(query.where(in_force, i.satisfaction_scale.is_not(None)))
    into = survivors(merged(question, view))
    found: dict[str, list[int]] = {}
    for customer, scale, score in rows:
        found.setdefault(into.get(customer, customer), []).append((score - _LOWEST[scale]) * _STEP[scale])
    return found


def behind_touched(question: Question, view: View, rates: Rates, items: Sequence[Item]) -> dict[str, tuple[str, ...]]:
    """As `customers.behind`, with the interactions up to each item's instant."""
    found = behind(question, view, rates, items)
    at = {item.stream: item.at for item in items}
    into, i = survivors(merged(question, view)), interactions.c
    known = and_(i.known_from <= question.pair.known_at, i.known_to > question.pair.known_at)
    for row in view.rows(select(i.customer, i.stream, i.logged_at).where(known).distinct()):
        stream = f"customer-{into.get(row.customer, row.customer)}"
        if stream in found and row.logged_at <= at[stream]:
            found[stream] += (row.stream,)
    return found
