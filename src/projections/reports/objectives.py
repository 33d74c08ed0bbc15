"""Against objectives: what each one has reached, and what it will at this pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.money import E6, decimals, half_even
from projections.reports import objective_lines
from projections.reports.definition import Report, Text, known, told
from projections.reports.objective_lines import OPEN, first_left
from projections.reports.objectives_in_force import OBJECTIVE
from projections.reports.outcome import objective_probability

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projections.reports.definition import Exact, Item
    from projections.reports.question import Question

AHEAD, ON_TRACK = Fraction(110, 100), Fraction(95, 100)
"""The paces from which an objective is ahead, and on track."""

AMOUNTS = ("target", "achieved", "projected", "remaining", "forecast")
_NAMES = (
    *("kind", "product_range", "unit", "period_from", "period_to", *AMOUNTS, *(f"{each}_minor" for each in AMOUNTS)),
    *("progress", "elapsed", "pace", "covered", "objective_probability", "status"),
)


class Standing(NamedTuple):
    """Where one objective stands: amounts as its items tell them, None where they do not say."""

    target: int | Fraction
    achieved: int | Fraction | None
    elapsed: Fraction
    progress: Fraction | None
    pace: Fraction | None
    status: str | None


def standing(question: Question, objective: Item, counted: Iterable[Item]) -> Standing:
    """Where an objective stands by what is `counted` towards it."""
    said = objective.figures
    suffix = "_minor" if "target_minor" in said else ""
    target = said[f"target{suffix}"]
    achieved = _sum(f"achieved{suffix}", counted) if said["is_counted"] else None
    elapsed = elapsed_of(question, date.fromisoformat(said["from"]), date.fromisoformat(said["to"]))
    progress = None if achieved is None or target <= 0 else Fraction(achieved) / target
    pace = None if progress is None or not elapsed else progress / elapsed
    is_said = None if achieved is None else status(target - achieved <= 0, elapsed, pace)
    return Standing(target, achieved, elapsed, progress, pace, is_said)


def summary(question: Question, items: Sequence[Item]) -> Mapping[str, Any]:
    """The figures of one objective; of several, whose targets do not add up, there are none."""
    figures: dict[str, Any] = dict.fromkeys(_NAMES)
    found = [item for item in items if item.state == OBJECTIVE]
    if len(found) != 1:
        return figures
    said = found[0].figures
    is_money = "target_minor" in said
    target, achieved, elapsed, progress, pace, is_said = standing(question, found[0], items)
    forecast = _sum("forecast_minor" if is_money else "forecast", items) if said["is_forecast"] else None
    amounts: dict[str, Exact] = {
        "target": target,
        "achieved": achieved,
        "projected": None if achieved is None or not elapsed else Fraction(achieved) / elapsed,
        "remaining": None if achieved is None else max(0, target - achieved),
        "forecast": forecast,
    }
    for name, amount in amounts.items():
        figures |= _shown(name, amount, question.currency if is_money else None)
    return figures | {
        "kind": said["kind"],
        "product_range": said["product_range"],
        "unit": question.currency if is_money else None,
        "period_from": said["from"],
        "period_to": said["to"],
        "progress": progress,
        "elapsed": elapsed,
        "pace": pace,
        "objective_probability": None
        if forecast is None or achieved is None
        else _probability(items, achieved, target, 1 if is_money else E6),
        "covered": None if achieved is None else int(achieved + (forecast or 0) >= target),
        "status": is_said,
    }


def status(is_met: bool, elapsed: Fraction, pace: Fraction | None) -> str:  # noqa: FBT001
    """What is said of an objective. Before its first day is over none is behind."""
    if is_met:
        return "met"
    if elapsed == 1:
        return "missed"
    if pace is None:
        return "behind" if elapsed else "on_track"
    return "ahead" if pace >= AHEAD else "on_track" if pace >= ON_TRACK else "behind"


def elapsed_of(question: Question, first: date, last: date) -> Fraction:
    """The whole days that are gone at `as_of`, over all days of a period.

    At the end of 30 June 2026, 181 of the year's 365 days.
    """
    days, gone = (last - first).days + 1, (first_left(question) - first).days
    return Fraction(min(max(gone, 0), days), days)


def _probability(items: Sequence[Item], achieved: int | Fraction, target: int | Fraction, scale: int) -> Fraction:
    chances = [chance for item in items if item.state == OPEN for chance in item.figures["chances"]]
    return objective_probability(chances, int(achieved * scale), int(target * scale))


def _sum(name: str, items: Iterable[Item]) -> Any:
    return known(item.figures[name] for item in items if name in item.figures)


def _shown(name: str, amount: Exact, currency: str | None) -> dict[str, Exact]:
    """An amount in units, and money in minor units too."""
    if amount is None:
        return {}
    if currency is None:
        return {name: amount * E6}
    minor = half_even(*amount.as_integer_ratio())
    return {name: amount * (E6 // 10 ** decimals(currency)), f"{name}_minor": minor}


OBJECTIVES = Report(
    name="objectives",
    title=Text("Objectifs", "Objectives"),
    description=Text(
        "Où en est chaque objectif en vigueur à la date : ceux dont la période contient as_of, ou, avec period, ceux "
        "dont la période la touche. L'équipe et l'entreprise additionnent ce que leurs membres ont réalisé tant qu'ils "
        "en étaient membres, sous-équipes comprises. Les objectifs d'argent sont donnés dans la monnaie du rapport, en "
        "unités et, sous *_minor, en centimes ; les autres en nombre.",
        "Where each objective in force at the date stands: those whose period holds as_of or, with period, those whose "
        "period touches it. Teams and company add up what their members achieved while members, those of sub-teams "
        "too. Objectives of money are in the reporting currency, in units and, under *_minor, in minor units; the "
        "others in number.",
    ),
    formula=Text(
        "progression = réalisé / cible ; écoulé = jours entiers passés / jours ; rythme = progression / écoulé ; "
        "projeté = réalisé / écoulé ; reste = cible − réalisé, au moins 0 ; prévision = Σ montant × p des affaires "
        "ouvertes dues d'ici la fin, en retard comprises, sans la catégorie omitted (pour amount, margin, quantity et "
        "won_count) ; couvert = 1 si réalisé + prévision ≥ cible ; probabilité de l'objectif = P(réalisé + issue de ces affaires ≥ cible). État : met (réalisé ≥ cible), missed (période "
        "finie), ahead (rythme ≥ 1,1), on_track (≥ 0,95, ou avant la fin du premier jour), behind. invoiced_amount "
        "déduit les avoirs. Un objectif de gamme ou de type que sa mesure ne connaît pas n'a pas de réalisé.",
        "progress = achieved / target; elapsed = whole days gone / days; pace = progress / elapsed; projected = "
        "achieved / elapsed; remaining = target − achieved, at least 0; forecast = Σ value × p of open deals due by "
        "the end, overdue ones too, without category omitted (for amount, margin, quantity and won_count); covered = "
        "1 when achieved + forecast ≥ target; objective probability = P(achieved + outcome of those deals ≥ target). Status: met (achieved ≥ target), missed (period over), ahead (pace ≥ "
        "1.1), on_track (≥ 0.95, or before the first day is over), behind. invoiced_amount deducts credit notes. An "
        "objective of a range or kind that its metric does not know has nothing achieved.",
    ),
    source=Text(
        "Événements objective.*, deal.*, quote.*, interaction.logged, pipeline.*, person.*, team.*, product.*, "
        "rate.fixed, customer.merged",
        "Events objective.*, deal.*, quote.*, interaction.logged, pipeline.*, person.*, team.*, product.*, "
        "rate.fixed, customer.merged",
    ),
    columns=(
        told("kind", "text", Text("Type de vente seul", "Kind of sale only")),
        told("product_range", "text", Text("Gamme seule", "Range only")),
        told("unit", "text", Text("Unité", "Unit")),
        told("period_from", "date", Text("Du", "From")),
        told("period_to", "date", Text("Au", "To")),
        told("target", "quantity", Text("Cible", "Target")),
        told("achieved", "quantity", Text("Réalisé", "Achieved")),
        told("progress", "ratio", Text("Progression", "Progress")),
        told("elapsed", "ratio", Text("Écoulé", "Elapsed")),
        told("pace", "ratio", Text("Rythme", "Pace")),
        told("projected", "quantity", Text("Projeté", "Projected")),
        told("remaining", "quantity", Text("Reste", "Remaining")),
        told("forecast", "quantity", Text("Prévision", "Forecast")),
        told("covered", "count", Text("Couvert", "Covered")),
        told("objective_probability", "ratio", Text("Probabilité de l'objectif", "Objective probability")),
        told("status", "text", Text("État", "Status")),
        told("target_minor", "money", Text("Cible (montant)", "Target (amount)")),
        told("achieved_minor", "money", Text("Réalisé (montant)", "Achieved (amount)")),
        told("projected_minor", "money", Text("Projeté (montant)", "Projected (amount)")),
        told("remaining_minor", "money", Text("Reste (montant)", "Remaining (amount)")),
        told("forecast_minor", "money", Text("Prévision (montant)", "Forecast (amount)")),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "compare", "every"),
    dimensions=("objective", "scope", "owner", "team", "metric"),
    fixed=("objective", "scope", "owner", "team", "metric"),
    items=objective_lines.items,
    evidence=objective_lines.evidence,
    summary=summary,
)

FORECAST_COLUMNS = frozenset({"forecast", "forecast_minor", "covered", "objective_probability"})
REACHED = replace(OBJECTIVES, items=objective_lines.items_reached)
"""The same where none of the `FORECAST_COLUMNS` is asked for: they are what takes time."""
