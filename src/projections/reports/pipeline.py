"""Open deals by stage: what they are worth, and what they are worth times their probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports.definition import Report, Sum, Text, figure, mean
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.sources import open_deals

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


def lines(question: Question, view: View) -> list[Source]:
    """Each deal open at the pair."""
    return open_deals(question, view)


PIPELINE = Report(
    name="pipeline",
    title=Text("Affaires en cours par étape", "Pipeline by stage"),
    description=Text(
        "Les affaires ouvertes à la date, par étape, avec leur montant et leur montant pondéré.",
        "The deals open at the date, by stage, with what they are worth and their weighted worth.",
    ),
    formula=Text(
        "pondéré = Σ montant × p ; p = probabilité propre de l'affaire, sinon celle de son étape en vigueur à as_of ; "
        "moyenne = montant / affaires. Montants au cours d'as_of."
        " probabilities=calibrated : p d'une étape = (gagnées + 1) / (closes + 2) parmi les affaires de ce pipeline ouvertes "
        "depuis lookback, closes et passées par l'étape, telles que connues au couple (a priori Beta(1, 1)) ; les "
        "affaires closes sont plutôt celles qui se dénouent vite : forecast_accuracy dit l'écart.",
        "weighted = Σ value × p; p = the deal's own probability if set, else its stage's in force at as_of; "
        "average = amount / deals. Amounts at the rate of as_of."
        " probabilities=calibrated: a stage's p = (won + 1) / (closed + 2) of that pipeline's deals opened within lookback, "
        "closed, and once in the stage, as known at the pair (Beta(1, 1) prior); closed deals are rather those with "
        "quick outcomes: forecast_accuracy tells how far that is off.",
    ),
    source=Text(
        "Événements deal.*, pipeline.*, rate.fixed, person.*, customer.*, product.*",
        "Events deal.*, pipeline.*, rate.fixed, person.*, customer.*, product.*",
    ),
    sums=(
        Sum("deals", "one"),
        Sum("amount", "value"),
        Sum("margin", "margin"),
        Sum("quantity", "quantity"),
        Sum("weighted", "weighted"),
    ),
    columns=(
        figure("deals", "count", Text("Affaires", "Deals")),
        figure("amount_minor", "money", Text("Montant", "Amount")),
        figure("margin_minor", "money", Text("Marge", "Margin")),
        figure("quantity", "quantity", Text("Quantité", "Quantity")),
        figure("weighted_minor", "money", Text("Montant pondéré", "Weighted amount")),
        mean("average_minor", Text("Montant moyen", "Average amount"), "amount"),
    ),
    parameters=(
        "as_of",
        "known_at",
        "by",
        "where",
        "currency",
        "fx",
        "compare",
        "period",
        "every",
        "probabilities",
        "lookback",
    ),
    dimensions=(*DEAL_DIMENSIONS, "category", "month", "quarter", "year"),
    lines=lines,
    fixed=("stage",),
    snapshot=True,
)
