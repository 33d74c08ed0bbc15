"""What new customers bring, beside those there were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.reports.active_customers import span
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, added, behind, bought, customer_item, measured
from projections.reports.customers_at import places
from projections.reports.definition import Report, Text, ratio, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.definition import Item
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

SUMS = ("new_customers", "new_minor", "existing_minor")


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that bought in the period."""
    between = span(question)
    if between is None:
        return
    now, since, until = question.pair.happened.as_of, question.period_from, between.closing
    asked = {
        "first": Of("first", now, until=until),
        "wins": Of("count", now, since, until),
        "amount": Of(measured(question), now, since, until),
    }
    place = places(question, view, until)
    for customer, its in bought(question, view, rates, asked).items():
        if its["wins"]:
            new = its["first"] >= since
            figures = {"new_customers": int(new), "new_minor" if new else "existing_minor": its["amount"]}
            yield customer_item(question, until, customer, its, dimensions=place(customer), figures=figures)


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its sums)
    """All adds up over customers."""
    return {name: added(found, name) for name in SUMS}


NEW_REVENUE = Report(
    name="new_revenue",
    title=Text("Chiffre d'affaires des nouveaux clients", "Revenue of new customers"),
    description=Text(
        "Les ventes de la période aux clients dont c'est la première, à côté de celles aux clients existants. Les "
        "ventes sans client ne comptent pas.",
        "The wins of the period from customers whose first one lies in it, beside those from existing customers. Wins "
        "without a customer do not count.",
    ),
    formula=Text(
        "nouveaux : clients dont la première vente en vigueur est dans la période ; part = nouveaux / (nouveaux + "
        "existants), en montant, avec measure=margin en marge.",
        "new: customers whose first win in force lies in the period; share = new / (new + existing), by amount, with "
        "measure=margin by margin.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted sans affaire, customer.*, person.*, rate.fixed",
        "Events deal.won, deal.reopened, quote.accepted without a deal, customer.*, person.*, rate.fixed",
    ),
    columns=(
        told("new_customers", "count", Text("Nouveaux clients", "New customers")),
        told("new_minor", "money", Text("Nouveaux clients (montant)", "New customers (amount)")),
        told("existing_minor", "money", Text("Clients existants (montant)", "Existing customers (amount)")),
        ratio("new_share", Text("Part des nouveaux", "Share of new ones"), "new_minor", "new_minor", "existing_minor"),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "measure", "currency", "fx", "compare", "years", "every"),
    dimensions=CUSTOMER_DIMENSIONS,
    items=items,
    summary=summary,
    behind=behind,
)
