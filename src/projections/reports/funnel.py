"""Where deals stop: what became of those that entered each stage, and how long they stayed."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from projections.reports import stays
from projections.reports.definition import Report, Text, told
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.spread import MEDIAN, P90, days, quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.reports.definition import Item
    from projections.reports.question import Question

COUNTS = ("entered", "advanced", "lost_here", "still_here")


def summary(question: Question, items: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (as reports call it)
    """The figures of a stage; of several together, of a deal in a stage each."""
    found: dict[str, Any] = {name: sum(item.figures.get(name, 0) for item in items) for name in COUNTS}
    durations = [stay for item in items for stay in item.figures["stays_us"]]
    return found | {
        "conversion": Fraction(found["advanced"], found["entered"]) if items else None,
        "median_days": days(quantile(durations, MEDIAN)),
        "p90_days": days(quantile(durations, P90)),
    }


FUNNEL = Report(
    name="funnel",
    title=Text("Entonnoir", "Funnel"),
    description=Text(
        "Les affaires ouvertes dans la période, étape par étape : combien y sont entrées, ont avancé, y ont été "
        "perdues ou y sont encore à la date, et combien de temps elles y sont restées. Le total compte une affaire une "
        "fois par étape.",
        "The deals opened in the period, stage by stage: how many entered it, advanced, were lost there or are still "
        "there at the date, and how long they stayed. The total counts a deal once for each stage.",
    ),
    formula=Text(
        "conversion = avancées / entrées. Compte la dernière sortie de l'étape : vers une étape plus loin ou gagnée "
        "(avancée), perdue ou abandonnée (perdue ici), vers une étape d'avant (dans aucune colonne). Jours de 24 h "
        "passés en tout dans l'étape par celles qui l'ont quittée ; médiane et 90e centile par interpolation. "
        "Commercial, équipe et client d'une ligne à l'entrée dans l'étape.",
        "conversion = advanced / entered. The last leaving of the stage counts: to a later stage or won (advanced), "
        "lost or abandoned (lost here), to an earlier stage (in no column). Days of 24 h spent in the stage in all by "
        "those that left it; median and 90th percentile by interpolation. Owner, team and customer of a line at its "
        "entering the stage.",
    ),
    source=Text(
        "Événements deal.*, pipeline.*, person.*, customer.*", "Events deal.*, pipeline.*, person.*, customer.*"
    ),
    columns=(
        told("entered", "count", Text("Entrées", "Entered")),
        told("advanced", "count", Text("Avancées", "Advanced")),
        told("lost_here", "count", Text("Perdues ici", "Lost here")),
        told("still_here", "count", Text("Encore ici", "Still here")),
        told("conversion", "ratio", Text("Conversion", "Conversion")),
        told("median_days", "quantity", Text("Jours, médiane", "Days, median")),
        told("p90_days", "quantity", Text("Jours, 90e centile", "Days, 90th percentile")),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "compare", "years", "every"),
    dimensions=(
        *("stage", "month", "quarter", "year"),
        *(each for each in DEAL_DIMENSIONS if each not in {"stage", "product", "product_range"}),
    ),
    fixed=("stage",),
    items=stays.items,
    evidence=stays.evidence,
    summary=summary,
)
