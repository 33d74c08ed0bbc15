"""What customers are worth: what they have brought, and what they may still bring."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from projections.reports.active_customers import activity
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, added, behind, bought, customer_item
from projections.reports.customers_at import places
from projections.reports.definition import Report, Text, ratio, told
from projections.reports.lifetime import days_since, margin_per_win, rounded, wins_per_year, years_before, years_left

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.definition import Item
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

SUMS = ("customers", "active", "start", "lost", "wins", "observed_minor")


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that has ever bought."""
    at, before = question.pair.happened.as_of, years_before(question)
    asked = {
        "opening": Of("last", before),
        "first": Of("first", at),
        "last": Of("last", at),
        "wins": Of("count", at),
        "observed_minor": Of("margin", at),
        "margins": Of("margins", at),
    }
    active_before, active = activity(question, view, question.choice("rule"), (before, at))
    place = places(question, view, at)
    for customer, its in bought(question, view, rates, asked).items():
        start, now = active_before(customer, its["opening"]), active(customer, its["last"])
        if start or its["first"] is not None:
            figures = {
                "customers": int(its["first"] is not None),
                "active": int(now),
                "start": int(start),
                "lost": int(start and not now),
                "wins": its["wins"],
                "margins": its["margins"],
                "days": 0 if its["first"] is None else days_since(question, its["first"]),
            }
            if its["first"] is not None:
                figures["observed_minor"] = its["observed_minor"]
            yield customer_item(question, at, customer, its, dimensions=place(customer), figures=figures)


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """What has been brought adds up; what is expected rests on the averages of the cell."""
    sums: dict[str, Any] = {name: added(found, name) for name in SUMS}
    years = years_left(sums["start"], sums["lost"])
    margin, yearly = margin_per_win(found), wins_per_year(found)
    expected = lifetime = None
    if years is not None and margin is not None and yearly is not None:
        expected = rounded(sums["active"] * margin * yearly * years)
        lifetime = sums["observed_minor"] + expected
    return sums | {
        "margin_per_win_minor": None if margin is None else rounded(margin),
        "wins_per_year": yearly,
        "years_left": years,
        "expected_minor": expected,
        "lifetime_minor": lifetime,
        "average_minor": rounded(Fraction(lifetime, sums["customers"])) if lifetime and sums["customers"] else lifetime,
    }


LIFETIME_VALUE = Report(
    name="lifetime_value",
    title=Text("Valeur vie client", "Customer lifetime value"),
    description=Text(
        "Ce que les clients ont rapporté jusqu'à la date (marge), et ce qu'ils devraient encore rapporter ; par canal, "
        "segment…",
        "What customers have brought up to the date (margin), and what they may still bring; by channel, segment …",
    ),
    formula=Text(
        "observé = marge des ventes ; attendu = clients actifs × marge par vente × ventes par an × années restantes ; "
        "marge par vente : de celles dont la marge est connue ; ventes par an = ventes / années de 365 jours depuis la "
        "première, son jour et celui d'as_of compris (au moins une par client) ; attrition annuelle = perdus / actifs "
        "douze mois plus tôt, selon rule ; années restantes = 1 / attrition annuelle, au plus 5 ; valeur = observé + "
        "attendu, et par client. Les moyennes sont celles de la ligne.",
        "observed = margin of the wins; expected = active customers × margin per win × wins per year × years left; "
        "margin per win: of those whose margin is known; wins per year = wins / years of 365 days since the first, its "
        "day and that of as_of included (at least one per customer); yearly churn = lost / active twelve months "
        "earlier, by rule; years left = 1 / yearly churn, at most 5; value = observed + expected, and per customer. "
        "Averages are those of the row.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted sans affaire, deal.invoiced, customer.*, person.*, "
        "rate.fixed, book.settings_changed",
        "Events deal.won, deal.reopened, quote.accepted without a deal, deal.invoiced, customer.*, person.*, "
        "rate.fixed, book.settings_changed",
    ),
    columns=(
        told("customers", "count", Text("Clients", "Customers")),
        told("active", "count", Text("Actifs", "Active")),
        told("wins", "count", Text("Ventes", "Wins")),
        told("observed_minor", "money", Text("Observé", "Observed")),
        told("margin_per_win_minor", "money", Text("Marge par vente", "Margin per win")),
        told("wins_per_year", "ratio", Text("Ventes par an", "Wins per year")),
        ratio("yearly_churn", Text("Attrition annuelle", "Yearly churn"), "lost", "start"),
        told("years_left", "ratio", Text("Années restantes", "Years left")),
        told("expected_minor", "money", Text("Attendu", "Expected")),
        told("lifetime_minor", "money", Text("Valeur vie", "Lifetime value")),
        told("average_minor", "money", Text("Valeur vie par client", "Lifetime value per customer")),
    ),
    parameters=("as_of", "known_at", "rule", "by", "where", "currency", "fx", "compare", "period", "every"),
    dimensions=CUSTOMER_DIMENSIONS,
    items=items,
    summary=summary,
    behind=behind,
    choices={"rule": ("both", "declared", "lapsed")},
    snapshot=True,
)
