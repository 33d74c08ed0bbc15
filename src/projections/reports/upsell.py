"""How many customers bought again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.reports.active_customers import activity, span
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, added, behind, bought, customer_item, measured
from projections.reports.customers_at import places
from projections.reports.definition import Report, Text, ratio, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.definition import Item
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

SUMS = ("customers", "buyers", "repeat_buyers", "repeat_minor")


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that bought in the period or was active at its end."""
    between = span(question)
    if between is None:
        return
    now, since, until = question.pair.happened.as_of, question.period_from, between.closing
    asked = {
        "last": Of("last", until),
        "wins": Of("count", now, since, until),
        "amount": Of(measured(question), now, since, until),
    }
    [active] = activity(question, view, question.choice("rule"), [until])
    place = places(question, view, until)
    for customer, its in bought(question, view, rates, asked).items():
        figures = {
            "customers": int(active(customer, its["last"])),
            "buyers": int(its["wins"] >= 1),
            "repeat_buyers": int(its["wins"] >= 2),
        }
        if its["wins"] >= 2:
            figures["repeat_minor"] = its["amount"]
        if figures["customers"] or figures["buyers"]:
            yield customer_item(question, until, customer, its, dimensions=place(customer), figures=figures)


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its sums)
    """All adds up over customers."""
    return {name: added(found, name) for name in SUMS}


UPSELL = Report(
    name="upsell",
    title=Text("Ventes additionnelles", "Upsell"),
    description=Text(
        "Les clients qui ont acheté au moins deux fois dans la période, parmi les clients actifs à sa fin et parmi "
        "les acheteurs de la période.",
        "The customers that bought at least twice in the period, among those active at its end and among the buyers "
        "of the period.",
    ),
    formula=Text(
        "taux = clients ayant au moins deux ventes dans la période / clients actifs à sa fin (règle rule, comme dans "
        "churn) ; réachat = ces clients / acheteurs de la période ; montant : leurs ventes de la période, avec "
        "measure=margin leur marge.",
        "upsell rate = customers with at least two wins in the period / customers active at its end (by rule, as in "
        "churn); repeat purchase rate = those customers / buyers of the period; amount: their wins of the period, "
        "with measure=margin the margin of these.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted sans affaire, deal.invoiced, customer.churned, "
        "customer.reactivated, customer.merged, rate.fixed, book.settings_changed",
        "Events deal.won, deal.reopened, quote.accepted without a deal, deal.invoiced, customer.churned, "
        "customer.reactivated, customer.merged, rate.fixed, book.settings_changed",
    ),
    columns=(
        told("customers", "count", Text("Clients actifs", "Active customers")),
        told("buyers", "count", Text("Acheteurs", "Buyers")),
        told("repeat_buyers", "count", Text("Acheteurs répétés", "Repeat buyers")),
        ratio("upsell_rate", Text("Taux de ventes additionnelles", "Upsell rate"), "repeat_buyers", "customers"),
        ratio("repeat_purchase_rate", Text("Taux de réachat", "Repeat purchase rate"), "repeat_buyers", "buyers"),
        told("repeat_minor", "money", Text("Montant des acheteurs répétés", "Amount of repeat buyers")),
    ),
    parameters=(
        *("as_of", "known_at", "period", "rule", "by", "where", "measure", "currency", "fx", "compare", "years"),
        "every",
    ),
    dimensions=CUSTOMER_DIMENSIONS,
    items=items,
    summary=summary,
    behind=behind,
)
