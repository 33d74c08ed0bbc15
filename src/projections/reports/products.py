"""What sells: products and ranges, beside what they sold in the period before and a year before."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

from projections.reports.across import tell_ranks, tell_shares
from projections.reports.definition import Column, Report, Sum, Text, across, figure, ratio
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.sources import closed, label
from projections.tables import wins

if TYPE_CHECKING:
    from projections.reports.definition import Exact, Key, Sums
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

WON, BEFORE, YEAR_BEFORE = (frozenset({state}) for state in ("won", "previous_period", "previous_year"))


def lines(question: Question, view: View) -> list[Source]:
    """Each win in force at the pair of the period and, when there is one, of those before it and a year before it."""
    sources = [closed(question, view, wins)]
    if question.period:
        for state, period in (
            ("previous_period", question.period.previous()),
            ("previous_year", question.period.shifted(-12)),
        ):
            sources.append(closed(question.over(period), view, wins).in_state(label(state)))
    return sources


def shares_and_ranks(question: Question, rows: dict[Key, Sums], totals: Sums) -> tuple[Text, ...]:
    """Ranks are by amount, among the rows that are alike in all but product and range."""
    tell_shares(rows, totals, "amount")
    alike: dict[Key, list[Sums]] = defaultdict(list)
    for key, sums in rows.items():
        alike[key[len(question.report.fixed) :]].append(sums)
    for some in alike.values():
        tell_ranks(some, lambda sums: sums["amount"])
    for sums in (*rows.values(), totals):
        sums["compared"] = question.period is not None
    return ()


def _before(name: str, label: Text, of: str) -> tuple[Column, ...]:
    """What it was, by how much it changed, and that over what it was."""

    def was(sums: Sums) -> Exact:
        return sums[of] if sums.get("compared") else None

    def change(sums: Sums) -> Exact:
        is_known = sums.get("compared") and None not in {sums["amount"], sums[of]}
        return sums["amount"] - sums[of] if is_known else None

    def growth(sums: Sums) -> Exact:
        changed = change(sums)
        return Fraction(changed, sums[of]) if changed is not None and sums[of] > 0 else None

    return (
        Column(f"{name}_minor", "money", Text(f"Montant, {label.fr}", f"Amount, {label.en}"), was),
        Column(f"{name}_change_minor", "money", Text(f"Écart, {label.fr}", f"Change, {label.en}"), change),
        Column(f"{name}_growth", "ratio", Text(f"Évolution, {label.fr}", f"Growth, {label.en}"), growth),
    )


PRODUCTS = Report(
    name="products",
    title=Text("Produits vendus", "Products sold"),
    description=Text(
        "Les ventes de la période par gamme et par produit, leur part et leur rang, à côté de la période précédente et "
        "de la même période un an avant. Une vente sans lignes de produit est sous le produit vide.",
        "The sales of the period by range and product, their share and rank, beside the period before and the same "
        "period a year before. A sale without product lines is under no product.",
    ),
    formula=Text(
        "taux de marge = marge / montant ; part = montant / montant de toutes les lignes ; rang par montant, 1 le plus "
        "grand, ex æquo partagé ; écart = montant − montant d'avant ; évolution = écart / montant d'avant. Sans "
        "période, il n'y a pas d'avant. La gamme est celle du produit à la date de la vente.",
        "margin rate = margin / amount; share = amount / amount of all rows; rank by amount, 1 the greatest, ties "
        "shared; change = amount − amount before; growth = change / amount before. Without a period there is nothing "
        "before. The range is the product's at the date of the sale.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, quote.accepted, product.*, rate.fixed, person.*, customer.*",
        "Events deal.won, deal.reopened, quote.accepted, product.*, rate.fixed, person.*, customer.*",
    ),
    sums=(
        Sum("won", "one", WON),
        Sum("amount", "value", WON),
        Sum("margin", "margin", WON),
        Sum("quantity", "quantity", WON),
        Sum("before", "value", BEFORE),
        Sum("year_before", "value", YEAR_BEFORE),
    ),
    columns=(
        figure("won", "count", Text("Ventes", "Won")),
        figure("amount_minor", "money", Text("Montant", "Amount")),
        figure("margin_minor", "money", Text("Marge", "Margin")),
        ratio("margin_rate", Text("Taux de marge", "Margin rate"), "margin", "amount"),
        figure("quantity", "quantity", Text("Quantité", "Quantity")),
        across("share", "ratio", Text("Part", "Share")),
        across("rank", "count", Text("Rang", "Rank")),
        *_before("previous_period", Text("période précédente", "previous period"), "before"),
        *_before("previous_year", Text("un an avant", "previous year"), "year_before"),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "every"),
    dimensions=(
        *("product_range", "product"),
        *(each for each in DEAL_DIMENSIONS if each not in {"product", "product_range"}),
    ),
    fixed=("product_range", "product"),
    lines=lines,
    across=shares_and_ranks,
)
