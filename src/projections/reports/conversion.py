"""How many quotes became orders; and interactions orders, leads customers, carts orders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from projections.reports import conversion_of
from projections.reports.definition import Report, Sum, Text, figure, ratio
from projections.reports.dimensions import QUOTE_DIMENSIONS
from projections.reports.metrics import INTERACTIONS, KINDS
from projections.reports.sources import quotes

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View


def lines(question: Question, view: View) -> list[Source]:
    """Each quote issued in the period, as it stands at the pair."""
    return [quotes(question, view)]


def _in(status: str) -> Sum:
    return Sum(status, "one", frozenset({status}))


_QUOTES = Report(
    name="conversion",
    title=Text("Conversion des devis", "Quotes to orders"),
    description=Text(
        "Ce que sont devenus les devis émis dans la période, à la date. of=leads : les pistes enregistrées dans la "
        "période, of=carts : les paniers, of=interactions:visit et semblables : les contacts et les ventes de la "
        "période.",
        "What has become, at the date, of the quotes issued in the period. of=leads: the leads registered in it, "
        "of=carts: the carts, of=interactions:visit and the like: the contacts and the sales of the period.",
    ),
    formula=Text(
        "conversion = acceptés / émis ; devis par commande = émis / acceptés ; de même contacts / ventes, pistes / clients, paniers / "
        "commandes. Une piste est convertie quand elle est cliente ou a acheté. Passé sa date de validité un devis "
        "compte comme expiré dès le lendemain, jusqu'à ce qu'il soit accepté.",
        "conversion = accepted / issued; quotes per order = issued / accepted; likewise contacts / sales, leads / customers, "
        "carts / orders. A lead is converted once it is a customer or has bought. Past valid_until a quote counts as "
        "expired from the next day, until accepted.",
    ),
    source=Text(
        "Événements quote.*, person.*, customer.*, interaction.*, deal.won",
        "Events quote.*, person.*, customer.*, interaction.*, deal.won",
    ),
    sums=(
        Sum("quotes", "one"),
        *(_in(status) for status in ("accepted", "declined", "expired", "withdrawn", "open")),
    ),
    columns=(
        figure("quotes", "count", Text("Devis", "Quotes")),
        figure("accepted", "count", Text("Acceptés", "Accepted")),
        figure("declined", "count", Text("Refusés", "Declined")),
        figure("expired", "count", Text("Expirés", "Expired")),
        figure("withdrawn", "count", Text("Retirés", "Withdrawn")),
        figure("open", "count", Text("En attente", "Open")),
        ratio("conversion", Text("Conversion", "Conversion"), "accepted", "quotes"),
        ratio("quotes_per_order", Text("Devis par commande", "Quotes per order"), "quotes", "accepted"),
    ),
    parameters=("as_of", "known_at", "period", "of", "by", "where", "compare", "years", "every"),
    dimensions=("month", "quarter", "year", "status", *QUOTE_DIMENSIONS),
    lines=lines,
    choices={"of": ("quotes", "leads", "carts", *(f"{INTERACTIONS}{kind}" for kind in KINDS))},
)

_LEADS = replace(
    _QUOTES,
    title=Text("Conversion des pistes", "Leads to customers"),
    sums=conversion_of.SUMS,
    columns=conversion_of.columns("leads", Text("Pistes", "Leads"), "customers", Text("Clients", "Customers")),
    dimensions=conversion_of.DIMENSIONS,
    lines=conversion_of.leads,
)
_CARTS = replace(
    _LEADS,
    title=Text("Conversion des paniers", "Carts to orders"),
    columns=conversion_of.columns("carts", Text("Paniers", "Carts"), "orders", Text("Commandes", "Orders")),
    lines=conversion_of.carts,
)
_INTERACTIONS = replace(
    _LEADS,
    title=Text("Contacts par vente", "Contacts per sale"),
    sums=conversion_of.SUMS_OF_ORDERS,
    columns=conversion_of.columns("contacts", Text("Contacts", "Contacts"), "orders", Text("Ventes", "Orders")),
    lines=conversion_of.interactions_and_orders,
)

CONVERSION = replace(
    _QUOTES,
    variants={
        "of=leads": _LEADS,
        "of=carts": _CARTS,
        **{f"of={INTERACTIONS}{kind}": _INTERACTIONS for kind in KINDS},
    },
)
