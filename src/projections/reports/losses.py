"""Why deals were lost, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports.across import tell_shares
from projections.reports.definition import Report, Sum, Text, across, figure
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.sources import closed
from projections.tables import losses

if TYPE_CHECKING:
    from projections.reports.definition import Key, Sums
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


def lines(question: Question, view: View) -> list[Source]:
    """Each loss in force at the pair that took effect in the period; an abandonment is none."""
    return [closed(question, view, losses).narrowed(losses.c.outcome == "lost")]


def shares(question: Question, rows: dict[Key, Sums], totals: Sums) -> tuple[Text, ...]:  # noqa: ARG001
    tell_shares(rows, totals, "lost")
    return ()


LOSSES = Report(
    name="losses",
    title=Text("Pertes", "Losses"),
    description=Text(
        "Les affaires perdues dans la période, par motif et par concurrent. Une affaire abandonnée n'est pas perdue.",
        "The deals lost in the period, by reason and competitor. An abandoned deal is not lost.",
    ),
    formula=Text(
        "part = perdues de la ligne / perdues en tout, avec les mêmes filtres. Chaque perte au cours, au commercial, "
        "à l'équipe et au client de sa date.",
        "share = lost in the row / lost in all, with the same filters. Each loss at the rate, owner, team and customer "
        "of its own date.",
    ),
    source=Text(
        "Événements deal.lost, deal.reopened, rate.fixed, person.*, customer.*",
        "Events deal.lost, deal.reopened, rate.fixed, person.*, customer.*",
    ),
    sums=(Sum("lost", "one"), Sum("amount", "value")),
    columns=(
        figure("lost", "count", Text("Perdues", "Lost")),
        figure("amount_minor", "money", Text("Montant", "Amount")),
        across("share", "ratio", Text("Part", "Share")),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "compare", "years", "every"),
    dimensions=(
        *("reason", "competitor", "month", "quarter", "year"),
        *DEAL_DIMENSIONS,
    ),
    fixed=("reason", "competitor"),
    lines=lines,
    across=shares,
    among_all=True,
)
