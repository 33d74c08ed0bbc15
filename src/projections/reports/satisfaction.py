"""How satisfied customers say they are, what they complain of, and how long it takes to settle it."""

from __future__ import annotations

from fractions import Fraction
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_

from ledger.times import DAY_US
from projections.reports import exact, lines
from projections.reports.definition import Column, Item, Report, Text, ratio, told
from projections.reports.dimensions import OF_CUSTOMER, merged
from projections.reports.sources import logged
from projections.tables import interactions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.definition import Exact, Sums
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

PROMOTER, PASSIVE, SATISFIED = 9, 7, 4
"""The lowest scores of promoters and passives (NPS), and of the satisfied (CSAT)."""

SUMS = (
    *("answers", "nps_answers", "promoters", "detractors", "csat_answers", "satisfied", "ces_answers", "complaints"),
    "open_complaints",
)


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (nothing is worth money)
    """Each survey answer and each complaint of the period, as it stands at the pair."""
    i = interactions.c
    source = logged(question, view, or_(i.satisfaction_scale.is_not(None), i.kind == "complaint"))
    own = source.columns
    query = lines.query(source, question, view).add_columns(
        own["kind"].label("what"), own["satisfaction_scale"], own["satisfaction_score"], own["resolved_at"],
        own["owner"].label("whose"), own["customer"].label("of_customer"),
    )  # fmt: skip
    into = merged(question, view)
    for row in view.rows(query, lines.values(source, question)):
        yield Item(
            stream=row.stream,
            position=row.position,
            at=row.at,
            dimensions=exact.told(question, row),
            figures=_answer(row) | _complaint(row),
            state=row.what,
            joined=_joined(question, row, into),
            late=row.appended_at > question.pair.known_at,
        )


def _answer(row: Any) -> dict[str, Any]:
    scale, score = row.satisfaction_scale, row.satisfaction_score
    if scale is None:
        return {}
    said = {"answers": 1, f"{scale}_answers": 1, "score": score}
    match scale:
        case "nps":
            said |= {"promoters": int(score >= PROMOTER), "detractors": int(score < PASSIVE)}
        case "csat":
            said |= {"satisfied": int(score >= SATISFIED)}
        case _:
            pass
    return said


def _complaint(row: Any) -> dict[str, Any]:
    if row.what != "complaint":
        return {}
    settled = row.resolved_at is not None
    days = {"days_to_resolve": Fraction(row.resolved_at - row.at, DAY_US)} if settled else {}
    return {"complaints": 1, "open_complaints": int(not settled), **days}


def _joined(question: Question, row: Any, into: Mapping[str, str]) -> tuple[str, ...]:
    """The owner where teams are told apart, and the customer, with those that it became."""
    streams = [f"person-{row.whose}"] if "team" in question.dimensions and row.whose is not None else []
    customer: str | None = None if question.dimensions.isdisjoint(OF_CUSTOMER) else row.of_customer
    while customer is not None and f"customer-{customer}" not in streams:
        streams.append(f"customer-{customer}")
        customer = into.get(customer)
    return tuple(streams)


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """Answers and complaints add up; means and the median are of the cell's own."""
    days = [item.figures["days_to_resolve"] for item in found if "days_to_resolve" in item.figures]
    efforts = [Fraction(item.figures["score"]) for item in found if "ces_answers" in item.figures]
    return {name: sum(item.figures.get(name, 0) for item in found) for name in SUMS} | {
        "ces": mean(efforts) if efforts else None,
        "median_days_to_resolve": median(days) if days else None,
        "mean_days_to_resolve": mean(days) if days else None,
    }


def _net_promoters(sums: Sums) -> Exact:
    answers = sums["nps_answers"]
    return Fraction(sums["promoters"] - sums["detractors"], answers) if answers else None


SATISFACTION = Report(
    name="satisfaction",
    title=Text("Satisfaction des clients", "Customer satisfaction"),
    description=Text(
        "Les réponses aux enquêtes et les réclamations de la période, et le temps mis à les résoudre.",
        "The survey answers and complaints of the period, and how long it took to settle them.",
    ),
    formula=Text(
        "NPS = (promoteurs, 9 ou 10, − détracteurs, 0 à 6) / réponses, de −1 à 1 ; CSAT = part des réponses 4 ou 5 sur "
        "5 ; CES = moyenne des réponses de 1 à 7 ; durées de résolution : jours entre la réclamation et sa résolution, "
        "pour celles résolues à as_of.",
        "NPS = (promoters, 9 or 10, − detractors, 0 to 6) / answers, from −1 to 1; CSAT = share of answers 4 or 5 of "
        "5; CES = mean of the answers from 1 to 7; time to resolve: days from the complaint to its settlement, of those "
        "settled by as_of.",
    ),
    source=Text(
        "Événements interaction.logged, interaction.resolved, person.*, customer.*",
        "Events interaction.logged, interaction.resolved, person.*, customer.*",
    ),
    columns=(
        told("answers", "count", Text("Réponses", "Answers")),
        told("nps_answers", "count", Text("Réponses NPS", "NPS answers")),
        told("promoters", "count", Text("Promoteurs", "Promoters")),
        told("detractors", "count", Text("Détracteurs", "Detractors")),
        Column("nps", "ratio", Text("NPS", "NPS"), _net_promoters),
        told("csat_answers", "count", Text("Réponses CSAT", "CSAT answers")),
        ratio("csat", Text("CSAT", "CSAT"), "satisfied", "csat_answers"),
        told("ces_answers", "count", Text("Réponses CES", "CES answers")),
        told("ces", "ratio", Text("CES", "CES")),
        told("complaints", "count", Text("Réclamations", "Complaints")),
        told("open_complaints", "count", Text("Réclamations ouvertes", "Open complaints")),
        told("median_days_to_resolve", "ratio", Text("Jours pour résoudre (médiane)", "Days to resolve (median)")),
        told("mean_days_to_resolve", "ratio", Text("Jours pour résoudre (moyenne)", "Days to resolve (mean)")),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "compare", "years", "every"),
    dimensions=(
        *("month", "quarter", "year", "owner", "team", "region", "country", "channel", "campaign", "segment"),
        "customer",
    ),
    items=items,
    summary=summary,
)
