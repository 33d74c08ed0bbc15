"""What is coming: open deals by the month they are expected to close in, beside what those months have won already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ledger.errors import BadRequest
from projections.reports import chances, exact, targets
from projections.reports.definition import Column, Report, Sum, Text, figure
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.periods import Period, add_months
from projections.reports.sources import OMITTED, closed, open_deals
from projections.tables import wins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.reports.cells import Cells
    from projections.reports.definition import Base, Exact, Sums
    from projections.reports.exact import Line
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

CATEGORIES = ("commit", "most_likely", "best_case", "pipeline")
CUMULATED = {
    "commit": frozenset({"commit"}),
    "most_likely": frozenset({"commit", "most_likely"}),
    "best_case": frozenset({"commit", "most_likely", "best_case"}),
    "open": frozenset(CATEGORIES),
}
"""The categories that a forecast by category counts beside what is won."""

WON = frozenset({"won"})
OBJECTIVE, CALL = frozenset({targets.OBJECTIVE}), frozenset({targets.CALL})
NOT_OPEN = WON | OBJECTIVE | CALL
NOT_WEIGHED = NOT_OPEN | {OMITTED}


def window(question: Question) -> Period:
    """The days forecast: the period asked for, else the horizon, from the first day of the month of `as_of` on."""
    if question.period:
        if "horizon" in question.given:
            raise BadRequest("give horizon or period, not both")
        return question.period
    first = question.today.replace(day=1)
    last = add_months(first, question.horizon_months) - timedelta(days=1)
    return Period(f"{first}..{last}", first, last)


def lines(question: Question, view: View) -> list[Source]:
    """Each deal open at the pair, and each win in the window."""
    return [*open_due(question, view), closed(question.over(window(question)), view, wins)]


def open_due(question: Question, view: View) -> list[Source]:
    """Each deal open at the pair.

    With a period only those due in it: overdue ones are due in the month of `as_of`, undated ones never.
    """
    days = window(question)
    return open_deals(question, view, horizon=days, within=question.period is days)


def objectives_and_calls(question: Question, view: View, rates: Rates) -> Iterator[Line]:
    """The window's part of the objectives and submitted forecasts whose scope is exactly that of the rows.

    Nobody submits a margin: measured by margin, there are only the objectives.
    """
    metric = question.given.get("measure", "amount")
    for line in targets.lines(question, view, rates, window(question), metric):
        if metric == "amount" or line.state == targets.OBJECTIVE:
            yield line


def outcomes(question: Question, view: View, rates: Rates, cells: Cells) -> None:
    """What the open deals of each cell may bring."""
    [expected] = [each for each in question.report.sums if each.name == "expected"]
    anytime = chances.anytime(question)
    read = (line for deals in open_due(question, view) for line in exact.in_brief(deals, anytime, view, rates))
    base: Base = "margin" if expected.of == "weighted_margin" else "value"
    chances.tell(cells, (line for line in read if expected.takes(line.state)), base, question)


def _sums(of: Base) -> tuple[Sum, ...]:
    return (
        Sum("deals", "one", but=NOT_OPEN),
        Sum("amount", "value", but=NOT_OPEN),
        Sum("margin", "margin", but=NOT_OPEN),
        Sum("quantity", "quantity", but=NOT_OPEN),
        Sum("weighted", "weighted", but=NOT_WEIGHED),
        Sum("weighted_margin", "weighted_margin", but=NOT_WEIGHED),
        *(Sum(category, of, frozenset({category})) for category in CATEGORIES),
        Sum("coming", of, frozenset(CATEGORIES)),
        *(Sum(f"cum_{name}", of, WON | states) for name, states in CUMULATED.items()),
        Sum("won", of, WON),
        Sum("expected", "weighted" if of == "value" else "weighted_margin", but=NOT_WEIGHED),
        Sum("objective", "value", OBJECTIVE),
        Sum("objectives", "one", OBJECTIVE),
        Sum("call", "value", CALL),
        Sum("calls", "one", CALL),
    )


def _objective(sums: Sums) -> int | None:
    return sums["objective"] if sums["objectives"] else None


def _shortfall(sums: Sums) -> int | None:
    if not sums["objectives"] or None in {sums["won"], sums["expected"]}:
        return None
    missing: int = sums["objective"] - sums["won"] - sums["expected"]
    return max(0, missing)


def _coverage(sums: Sums) -> Exact:
    if not sums["objectives"] or None in {sums["won"], sums["coming"]}:
        return None
    missing = sums["objective"] - sums["won"]
    return Fraction(sums["coming"], missing) if missing > 0 else None


_FORECAST = Report(
    name="forecast",
    title=Text("Prévision des ventes", "Sales forecast"),
    description=Text(
        "Les affaires ouvertes par mois de conclusion prévue, pondérées et par catégorie, à côté de ce que ces mois "
        "ont déjà vu gagner. Sous « overdue » : date prévue avant as_of ; « undated » : sans date ; « later » : "
        "au-delà de l'horizon. Avec une période : ce qui est prévu dans la période, les affaires en retard comptant "
        "dans le mois d'as_of.",
        "Open deals by the month they are expected to close in, weighted and by category, beside what those months "
        "have already won. Under overdue: expected before as_of; undated: without a date; later: beyond the horizon. "
        "With a period: what is due in it, overdue deals counting in the month of as_of.",
    ),
    formula=Text(
        "pondéré = Σ montant × p, sans la catégorie omitted ; p = probabilité propre, sinon celle de l'étape en "
        "vigueur à as_of ; cumuls : commit = gagné + commit, most_likely = + most_likely, best_case = + best_case, "
        "open = + pipeline. measure=margin : catégories, cumuls, gagné et objectif en marge. Objectif et "
        "prévision annoncée (catégorie commit, la dernière) : ceux dont la portée est exactement celle de la ligne, "
        "sans gamme ni type, répartis sur leurs mois au nombre de jours ; un jour couvert par plusieurs compte pour "
        "celui de la plus courte période. manque = objectif − gagné − pondéré, au moins 0 ; couverture = ouvert hors "
        "omitted / (objectif − gagné). distribution=yes : p10, p50 et p90 de la somme des affaires ouvertes hors "
        "omitted, chacune gagnée ou non selon sa probabilité, indépendamment ; probabilité de l'objectif = P(gagné + "
        "somme ≥ objectif). Les affaires en retard y comptent dans le mois d'as_of. Calcul par convolution, exact "
        "jusqu'à 12 affaires ; au-delà sur une grille de 32 768 pas, à moins de 1,7 pas × √(nombre d'affaires) près, "
        "sauf probabilité d'un milliardième (inégalité de Hoeffding)."
        " probabilities=calibrated : p d'une étape = (gagnées + 1) / (closes + 2) parmi les affaires de ce pipeline ouvertes "
        "depuis lookback, closes et passées par l'étape, telles que connues au couple (a priori Beta(1, 1)) ; les "
        "affaires closes sont plutôt celles qui se dénouent vite : forecast_accuracy dit l'écart.",
        "weighted = Σ value × p, without category omitted; p = the deal's own probability if set, else its stage's in "
        "force at as_of; cumulative: commit = won + commit, most_likely = + most_likely, best_case = + best_case, "
        "open = + pipeline. measure=margin: categories, cumulative sums, won and objective are margins. Objective "
        "and submitted forecast (category commit, the latest): those whose scope is exactly the row's, without range "
        "or kind, spread over their months by days; a day that several cover counts for the one of the shortest "
        "period. shortfall = objective − won − weighted, at least 0; coverage = open but omitted / (objective − won). "
        "distribution=yes: p10, p50 and p90 of the sum of open deals but omitted ones, each won or not by its "
        "probability, independently; probability of the objective = P(won + sum ≥ objective). Overdue deals count there "
        "in the month of as_of. Worked out by convolution, exact up to 12 deals; beyond on a grid of 32,768 steps, to "
        "within 1.7 steps × √(number of deals) but for a probability of one in a billion (Hoeffding's inequality)."
        " probabilities=calibrated: a stage's p = (won + 1) / (closed + 2) of that pipeline's deals opened within lookback, "
        "closed, and once in the stage, as known at the pair (Beta(1, 1) prior); closed deals are rather those with "
        "quick outcomes: forecast_accuracy tells how far that is off.",
    ),
    source=Text(
        "Événements deal.*, quote.accepted sans affaire, pipeline.*, rate.fixed, person.*, customer.*, product.*, "
        "objective.*, forecast.*",
        "Events deal.*, quote.accepted without a deal, pipeline.*, rate.fixed, person.*, customer.*, product.*, "
        "objective.*, forecast.*",
    ),
    sums=_sums("value"),
    sums_of={"amount": _sums("value"), "margin": _sums("margin")},
    columns=(
        figure("deals", "count", Text("Affaires", "Deals")),
        figure("amount_minor", "money", Text("Montant", "Amount")),
        figure("margin_minor", "money", Text("Marge", "Margin")),
        figure("quantity", "quantity", Text("Quantité", "Quantity")),
        figure("weighted_minor", "money", Text("Montant pondéré", "Weighted amount")),
        figure("weighted_margin_minor", "money", Text("Marge pondérée", "Weighted margin")),
        figure("commit_minor", "money", Text("Engagé", "Commit")),
        figure("best_case_minor", "money", Text("Meilleur cas", "Best case")),
        figure("most_likely_minor", "money", Text("Le plus probable", "Most likely")),
        figure("pipeline_minor", "money", Text("En cours", "Pipeline")),
        figure("cum_commit_minor", "money", Text("Prévision engagée", "Commit forecast")),
        figure("cum_most_likely_minor", "money", Text("Prévision la plus probable", "Most likely forecast")),
        figure("cum_best_case_minor", "money", Text("Prévision au mieux", "Best case forecast")),
        figure("cum_open_minor", "money", Text("Prévision totale", "Open forecast")),
        figure("won_minor", "money", Text("Déjà gagné", "Already won")),
        Column(
            "call_minor",
            "money",
            Text("Prévision annoncée", "Submitted forecast"),
            lambda sums: sums["call"] if sums["calls"] else None,
        ),
        Column("objective_minor", "money", Text("Objectif", "Objective"), _objective),
        Column("shortfall_minor", "money", Text("Manque", "Shortfall"), _shortfall),
        Column("coverage", "ratio", Text("Couverture", "Coverage"), _coverage),
    ),
    parameters=(
        *("as_of", "known_at", "horizon", "period", "by", "where", "measure", "currency", "fx", "compare", "every"),
        *("probabilities", "lookback", "distribution"),
    ),
    dimensions=(*DEAL_DIMENSIONS, "category", "month", "quarter", "year"),
    lines=lines,
    more_lines=objectives_and_calls,
    fixed=("month",),
)

FORECAST = replace(
    _FORECAST,
    variants={
        "distribution=yes": replace(_FORECAST, columns=(*_FORECAST.columns, *chances.COLUMNS), completed=outcomes)
    },
)
