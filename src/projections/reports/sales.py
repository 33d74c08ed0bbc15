"""What was sold: the wins of a period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports.definition import Report, Sum, Text, figure, mean, ratio
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.sources import closed
from projections.tables import wins

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


def lines(question: Question, view: View) -> list[Source]:
    """Each win in force at the pair that took effect in the period."""
    return [closed(question, view, wins)]


SALES = Report(
    name="sales",
    title=Text("Ventes", "Sales"),
    description=Text(
        "Les affaires gagnées dans la période, et les devis acceptés sans affaire.",
        "The deals won in the period, and the quotes accepted without a deal.",
    ),
    formula=Text(
        "taux de marge = marge / montant ; moyenne = montant / ventes. Chaque vente au cours, au commercial, à "
        "l'équipe et au client de sa date. Sans période : tout jusqu'à as_of.",
        "margin rate = margin / amount; average = amount / won. Each win at the rate, owner, team and customer of its "
        "own date. Without a period: everything up to as_of.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted, rate.fixed, person.*, customer.*, product.*",
        "Events deal.won, deal.reopened, quote.accepted, rate.fixed, person.*, customer.*, product.*",
    ),
    sums=(
        Sum("won", "one"),
        Sum("amount", "value"),
        Sum("margin", "margin"),
        Sum("quantity", "quantity"),
    ),
    columns=(
        figure("won", "count", Text("Ventes", "Won")),
        figure("amount_minor", "money", Text("Montant", "Amount")),
        figure("margin_minor", "money", Text("Marge", "Margin")),
        ratio("margin_rate", Text("Taux de marge", "Margin rate"), "margin", "amount"),
        figure("quantity", "quantity", Text("Quantité", "Quantity")),
        mean("average_minor", Text("Vente moyenne", "Average sale"), "amount"),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "compare", "years", "every"),
    dimensions=("month", "quarter", "year", *DEAL_DIMENSIONS),
    lines=lines,
)
