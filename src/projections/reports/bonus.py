"""The base for pay: what each rep brought in over a period, credit notes deducted. It decides no pay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from projections.reports import metrics
from projections.reports.definition import Column, Report, Sum, Text, figure
from projections.reports.sources import closed, label
from projections.tables import wins

if TYPE_CHECKING:
    from projections.reports.definition import Base
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

BASES: dict[str, Base] = {
    "amount": "value",
    "margin": "margin",
    "invoiced": "value",
    "delivered": "value",
    "quantity": "quantity",
}
GROSS, CREDIT = frozenset({"gross"}), frozenset({"credit"})
_ENTRIES = {"invoiced": "invoice", "delivered": "delivery"}


def lines(question: Question, view: View) -> list[Source]:
    """Each win, invoice or delivery of the period, and each credit note of it; quantities have no credit notes."""
    basis = question.choice("basis")
    gross = metrics.invoiced(question, view, (_ENTRIES[basis],)) if basis in _ENTRIES else closed(question, view, wins)
    found = [gross.in_state(label("gross"))]
    if basis != "quantity":
        found.append(metrics.invoiced(question, view, ("credit",)))
    return found


def _sums(basis: str) -> tuple[Sum, ...]:
    return (
        Sum("sales", "one", GROSS),
        Sum("gross", BASES[basis], GROSS),
        Sum("credited", BASES[basis], CREDIT),
        Sum("base", BASES[basis], GROSS | CREDIT),
        Sum("credits", "one", CREDIT),
    )


def _columns(basis: str) -> tuple[Column, ...]:
    is_quantity = basis == "quantity"

    def money(name: str, text: Text) -> Column:
        return Column(f"{name}_minor", "money", text, lambda sums: None if is_quantity else sums[name])

    return (
        figure("sales", "count", Text("Ventes", "Sales")),
        money("gross", Text("Brut", "Gross")),
        figure("credits", "count", Text("Avoirs", "Credit notes")),
        money("credited", Text("Montant des avoirs", "Credited")),
        money("base", Text("Base", "Base")),
        Column(
            "base_quantity",
            "quantity",
            Text("Base (quantité)", "Base (quantity)"),
            lambda sums: sums["gross"] if is_quantity else None,
        ),
    )


_AMOUNT = Report(
    name="bonus",
    title=Text("Base des primes", "Base for bonuses"),
    description=Text(
        "Ce que chaque commercial a apporté dans la période, avoirs déduits : la base d'une prime, que ce rapport ne "
        "décide pas. basis : amount et margin (gagné), invoiced (facturé), delivered (livré), quantity (quantité "
        "gagnée).",
        "What each rep brought in over the period, credit notes deducted: the base for pay, which this report does "
        "not decide. basis: amount and margin (won), invoiced, delivered, quantity (won).",
    ),
    formula=Text(
        "base = brut + avoirs de la période (négatifs). Chaque pièce au cours de sa date, pour le commercial d'alors. "
        "Les quantités n'ont pas d'avoirs.",
        "base = gross + credit notes of the period (negative). Each at the rate of its date, for the owner of then. "
        "Quantities have no credit notes.",
    ),
    source=Text(
        "Événements deal.won, deal.invoiced, deal.delivered, deal.credited, deal.reopened, quote.accepted, rate.fixed, "
        "person.*",
        "Events deal.won, deal.invoiced, deal.delivered, deal.credited, deal.reopened, quote.accepted, rate.fixed, "
        "person.*",
    ),
    sums=_sums("amount"),
    columns=_columns("amount"),
    parameters=(
        *("as_of", "known_at", "period", "basis", "by", "where", "currency", "fx", "compare", "years", "every"),
    ),
    dimensions=("owner", "team", "kind", "customer", "month", "quarter", "year"),
    fixed=("owner",),
    choices={"basis": tuple(BASES)},
    lines=lines,
)

BONUS = replace(
    _AMOUNT,
    variants={f"basis={basis}": replace(_AMOUNT, sums=_sums(basis), columns=_columns(basis)) for basis in BASES},
)
