"""Which of the deals due in a period were put off beyond it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ledger.errors import BadRequest
from ledger.money import convert
from projections.reports import exact, open_states
from projections.reports.definition import Item, Report, Text, known, told
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.store import View

MONEY = "pushed_minor"


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each deal open and due in the period when it began, by what it was then, and by how much it was put off since.

    The end is that of the period, or `as_of`. Raises `MissingRate`.
    """
    period = question.period
    assert period is not None
    since, until = question.period_from, min(question.period_to - 1, question.pair.as_of)
    if since > until:
        raise BadRequest(f"the period {period.name} begins after as_of; ask for one that has begun")
    first, last = period.first.isoformat(), period.last.isoformat()
    at_start = question.seen(since, question.pair.known_at)
    opening, _ = open_states.open_at(at_start, view)
    end, _ = open_states.last_of(since, question.seen(until, question.pair.known_at), view)
    rates_then = rates if question.choice("fx") == "constant" else Rates(at_start, view)
    joined = open_states.Joined(question, view, rates_then)
    for stream, row in opening.items():
        due = row.expected_close_on
        if due is None or not first <= due <= last:
            continue
        now_due = end[stream].expected_close_on if stream in end else due
        minor = row.value_minor
        if minor is not None and row.currency != question.currency:
            minor = convert(minor, rates_then.factor(row.currency, since))
        late = row.appended_at > question.pair.known_at
        yield Item(
            stream=stream,
            position=row.position,
            at=since,
            dimensions=exact.told(at_start, row),
            figures={"due_minor": minor} | _pushed(due, now_due, last, minor),
            joined=joined(row),
            late=late,
        )


def _pushed(due: str, now_due: str | None, last: str, minor: int | None) -> dict[str, Any]:
    """Beyond the period's end; without a date any more it is put off by no number of days."""
    if now_due is not None and now_due <= last:
        return {}
    figures: dict[str, Any] = {"pushed": 1, MONEY: minor}
    if now_due is not None:
        figures["push_days"] = (date.fromisoformat(now_due) - date.fromisoformat(due)).days
    return figures


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (as summaries are called)
    pushed = [item.figures for item in found if "pushed" in item.figures]
    days = [figures["push_days"] for figures in pushed if "push_days" in figures]
    return {
        "deals_due": len(found),
        "pushed": len(pushed),
        "push_rate": Fraction(len(pushed), len(found)) if found else None,
        MONEY: known(figures[MONEY] for figures in pushed),
        "mean_push_days": Fraction(sum(days), len(days)) if days else None,
    }


SLIPPAGE = Report(
    name="slippage",
    title=Text("Glissements", "Slippage"),
    description=Text(
        "Des affaires ouvertes au début de la période et prévues dans celle-ci, celles qui ont été repoussées au-delà "
        "de sa fin, par commercial ou autre axe tel qu'il était au début. Par défaut le trimestre d'as_of.",
        "Of the deals open when the period began and due in it, those put off beyond its end, by owner or another "
        "dimension as it was at the beginning. By default the quarter of as_of.",
    ),
    formula=Text(
        "prévues : ouvertes au premier instant de la période, date prévue dans la période ; repoussées : dont la date "
        "prévue, à la fin de la période (ou à as_of), ou la dernière avant la conclusion, est au-delà de la fin ou "
        "n'est plus dite ; taux = repoussées / prévues ; jours moyens = moyenne des jours entre l'ancienne date et la "
        "nouvelle, de celles qui en ont une. Montants du début, au cours du début.",
        "due: open at the period's first instant with an expected date in the period; pushed: whose expected date, at "
        "the period's end (or as_of), or the last before it closed, is beyond the end or no longer said; rate = pushed "
        "/ due; mean days = mean of the days from the old date to the new, of those that have one. Amounts as they were "
        "at the beginning, at its rate.",
    ),
    source=Text(
        "Événements deal.*, rate.fixed, person.*, customer.*",
        "Events deal.*, rate.fixed, person.*, customer.*",
    ),
    columns=(
        told("deals_due", "count", Text("Affaires prévues", "Deals due")),
        told("pushed", "count", Text("Repoussées", "Pushed")),
        told("push_rate", "ratio", Text("Taux de glissement", "Push rate")),
        told(MONEY, "money", Text("Montant repoussé", "Amount pushed")),
        told("mean_push_days", "ratio", Text("Jours de report, en moyenne", "Mean days pushed")),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "compare", "every"),
    dimensions=(*(each for each in DEAL_DIMENSIONS if each not in {"product", "product_range"}), "category", "month"),
    items=items,
    summary=summary,
    default_period="this-quarter",
)
