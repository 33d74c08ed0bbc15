"""What passed between customers and us: their interactions counted by family, complaints, and how satisfied they said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, func, select

from projections import intervals
from projections.reports.customers import behind
from projections.reports.dimensions import merged, survivors
from projections.tables import interactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.reports.definition import Item
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


class Touches(NamedTuple):
    """The interactions of a customer; `last_at` is when the last one was."""

    interactions: int
    calls: int
    emails: int
    meetings: int
    documents: int
    online: int
    support_requests: int
    complaints: int
    open_complaints: int
    last_at: int

    def joined(self, other: Touches) -> Touches:
        """Those of two parts of one customer."""
        added = Touches._make(mine + its for mine, its in zip(self, other, strict=True))
        return added._replace(last_at=max(self.last_at, other.last_at))


NO_TOUCHES = Touches(*[0] * 10)


class Lately(NamedTuple):
    """When the last interaction with a customer was, and how many there were of late."""

    last_at: int
    interactions: int

    def joined(self, other: Lately) -> Lately:
        """Those of two parts of one customer."""
        return Lately(max(self.last_at, other.last_at), self.interactions + other.interactions)


def lately(question: Question, view: View, at: int, since: int, *, earlier: bool) -> dict[str, Lately]:
    """Of each customer's interactions up to an instant the last one, and how many there were since another.

    Without the `earlier` ones, who had none since is not told.
    """
    i = interactions.c
    counted = func.count().filter(i.logged_at >= since)
    in_force = intervals.holds(interactions, at, question.pair, view)
    query = select(i.customer, func.max(i.logged_at), counted).where(in_force).group_by(i.customer)
    rows: Sequence[Any] = view.rows(query if earlier else query.where(i.logged_at >= since))
    into = survivors(merged(question, view))
    found: dict[str, Lately] = {}
    for customer, last_at, count in rows:
        survivor, its = into.get(customer, customer), Lately(last_at, count)
        found[survivor] = found[survivor].joined(its) if survivor in found else its
    return found


def touches(question: Question, view: View, at: int) -> dict[str, Touches]:
    """The interactions of each customer up to an instant, as they stood then."""
    i = interactions.c
    counted = [func.count().filter(i.kind.in_(kinds)) for kinds in FAMILIES.values()]
    open_complaints = func.count().filter(i.kind == "complaint", i.resolved_at.is_(None))
    query = select(i.customer, func.count(), *counted, open_complaints, func.max(i.logged_at))
    in_force = intervals.holds(interactions, at, question.pair, view)
    rows: Sequence[Any] = view.rows(query.where(in_force).group_by(i.customer))
    into = survivors(merged(question, view))
    found: dict[str, Touches] = {}
    for customer, *counts in rows:
        survivor, its = into.get(customer, customer), Touches._make(counts)
        found[survivor] = found[survivor].joined(its) if survivor in found else its
    return found


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
