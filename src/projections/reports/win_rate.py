"""How many of the deals that closed were won."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports.definition import PRODUCT, Column, Report, Sum, Text, figure, mean, ratio
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.sources import closed, in_progress
from projections.tables import losses, wins

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

ENDINGS = ("won", "lost", "abandoned")
IN_PROGRESS = frozenset({"in_progress"})


def lines(question: Question, view: View) -> list[Source]:
    """Each closing in force at the pair, of the period or of the deals opened in it; and each deal in progress in it.

    Months have no deals in progress of their own here, nor have products: asked by these, those are left out.
    """
    cohort = question.choice("basis") == "cohort"
    closings = [closed(question, view, table, cohort=cohort) for table in (wins, losses)]
    if question.needs_month or not question.dimensions.isdisjoint(PRODUCT | {"outcome"}):
        return closings
    return closings + in_progress(question, view, "in_progress", cohort=cohort)


def _of(state: str) -> tuple[Sum, ...]:
    only = frozenset({state})
    return (
        Sum(state, "one", only),
        Sum(f"{state}_amount", "value", only),
        Sum(f"{state}_margin", "margin", only),
    )


WIN_RATE = Report(
    name="win_rate",
    title=Text("Taux de réussite", "Win rate"),
    description=Text(
        "La part gagnée des affaires closes dans la période, ou (basis=cohort) des affaires ouvertes dans la période "
        "selon leur état à la date.",
        "How many of the deals closed in the period were won, or (basis=cohort) of those opened in it, by their state "
        "at the date.",
    ),
    formula=Text(
        "réussite = gagnées / (gagnées + perdues + abandonnées) ; étroite = gagnées / (gagnées + perdues) ; en montant "
        "de même ; conclusion = gagnées / affaires en cours dans la période (ouvertes à son début ou pendant ; avec "
        "basis=cohort, ouvertes pendant), sauf par mois ou par produit. Une affaire à plusieurs produits compte pour chacun, une "
        "perdue selon les produits qu'elle avait.",
        "win rate = won / (won + lost + abandoned); narrow = won / (won + lost); by amount alike; close rate = won / "
        "deals in progress in the period (open at its start or opened in it; with basis=cohort opened in it), not by "
        "month or product. A deal of several products counts for each, a lost one by the products it had.",
    ),
    source=Text(
        "Événements deal.opened, deal.won, deal.lost, deal.abandoned, deal.reopened, quote.accepted, rate.fixed",
        "Events deal.opened, deal.won, deal.lost, deal.abandoned, deal.reopened, quote.accepted, rate.fixed",
    ),
    sums=(*_of("won"), *_of("lost"), *_of("abandoned"), Sum("in_progress", "one", IN_PROGRESS)),
    columns=(
        figure("won", "count", Text("Gagnées", "Won")),
        figure("lost", "count", Text("Perdues", "Lost")),
        figure("abandoned", "count", Text("Abandonnées", "Abandoned")),
        ratio("win_rate", Text("Taux de réussite", "Win rate"), "won", *ENDINGS),
        ratio("win_rate_narrow", Text("Taux de réussite étroit", "Narrow win rate"), "won", "won", "lost"),
        ratio(
            "win_rate_amount",
            Text("Taux de réussite en montant", "Win rate by amount"),
            "won_amount",
            *(f"{state}_amount" for state in ENDINGS),
        ),
        mean("average_won_minor", Text("Gagnée, en moyenne", "Average won"), "won_amount"),
        mean("average_lost_minor", Text("Perdue, en moyenne", "Average lost"), "lost_amount"),
        mean("average_won_margin_minor", Text("Marge moyenne, gagnée", "Average margin won"), "won_margin"),
        mean("average_lost_margin_minor", Text("Marge moyenne, perdue", "Average margin lost"), "lost_margin"),
        Column("in_progress", "count", Text("En cours", "In progress"), lambda sums: sums["in_progress"] or None),
        ratio("close_rate", Text("Taux de conclusion", "Close rate"), "won", "in_progress"),
    ),
    parameters=(
        *("as_of", "known_at", "period", "basis", "by", "where", "currency", "fx", "compare", "years", "every"),
    ),
    dimensions=(
        *("month", "quarter", "year", "outcome"),
        *DEAL_DIMENSIONS,
    ),
    lines=lines,
)
