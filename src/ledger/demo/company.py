"""The company itself: its book, its two pipelines and how they were redefined, exchange rates."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.demo.agenda import Agenda
from ledger.demo.amounts import Data
from ledger.demo.calendar import HOUR_US, MINUTE_US, TIME_ZONE, Calendar, Chance, every_month

NAME: Final = "Lumérys Énergie SAS"

QUALIFICATION, NEED, PROPOSAL, NEGOTIATION, APPROVAL, AGREEMENT = (
    "qualification",
    "besoin",
    "proposition",
    "negociation",
    "validation",
    "accord",
)
CONTACT, OFFER, SIGNATURE = "contact", "offre", "signature"

_Stage = tuple[str, str, int, str]

_FIRST: list[_Stage] = [
    (QUALIFICATION, "Qualification", 1_000, "omitted"),
    (NEED, "Analyse du besoin", 2_500, "pipeline"),
    (PROPOSAL, "Proposition", 5_000, "best_case"),
    (NEGOTIATION, "Négociation", 7_500, "most_likely"),
    (AGREEMENT, "Accord de principe", 9_500, "commit"),
]
_SECOND: list[_Stage] = [
    (QUALIFICATION, "Qualification", 1_500, "omitted"),
    (NEED, "Analyse du besoin", 3_000, "pipeline"),
    (PROPOSAL, "Proposition", 4_500, "best_case"),
    (NEGOTIATION, "Négociation", 6_500, "most_likely"),
    (AGREEMENT, "Accord de principe", 9_000, "commit"),
]
_THIRD: list[_Stage] = [
    (QUALIFICATION, "Qualification", 2_000, "omitted"),
    (NEED, "Analyse du besoin", 3_500, "pipeline"),
    (PROPOSAL, "Proposition", 4_500, "best_case"),
    (NEGOTIATION, "Négociation", 6_000, "best_case"),
    (APPROVAL, "Validation juridique", 8_000, "most_likely"),
    (AGREEMENT, "Accord de principe", 9_000, "commit"),
]
_RENEWALS: list[_Stage] = [
    (CONTACT, "Prise de contact", 6_000, "pipeline"),
    (OFFER, "Offre de reconduction", 7_500, "most_likely"),
    (SIGNATURE, "Signature", 9_500, "commit"),
]

_CURRENCIES: Final = {"USD": 0.925, "GBP": 1.155}


_STEERING: Final[Data] = {
    "stalled_after_days": 21,
    "thresholds": {"win_rate": "0.3", "overdue_tasks": 10, "open_complaint_days": 15},
    "score_weights": {"recency": 30, "frequency": 20, "value": 30, "interactions": 20},
    "dashboard": {
        "rep": ["objectives", "pipeline", "alerts", "activity"],
        "manager": ["forecast", "objectives", "win_rate", "team_review"],
        "director": ["sales", "forecast", "churn", "acquisition"],
    },
}
"""What the company steers by once it has settled in."""


class Pipeline(NamedTuple):
    """A path; `approval_from` is the first day on which it has the stage of legal approval."""

    name: str
    stages: tuple[str, ...]
    approval_from: int | None


def found(agenda: Agenda, calendar: Calendar) -> tuple[Pipeline, Pipeline]:
    """Open the book, define the pipelines for new business and renewals, and plan what will change."""
    opened, recorded = calendar.midnight[0], calendar.midnight[0] + 6 * HOUR_US
    book = {
        "name": NAME,
        "currency": "EUR",
        "time_zone": TIME_ZONE,
        "fiscal_year_start_month": 1,
        "locale": "fr",
        "lapse_after_days": 540,
        "stalled_after_days": 30,
    }
    agenda.put("book", "book.opened", book, opened, recorded)
    first = {"name": "Nouvelles affaires", "stages": _stages(_FIRST)}
    renewals = {"name": "Renouvellements", "stages": _stages(_RENEWALS)}
    agenda.put("pipeline-affaires", "pipeline.defined", first, opened, recorded + MINUTE_US)
    agenda.put("pipeline-renouvellements", "pipeline.defined", renewals, opened, recorded + 2 * MINUTE_US)
    for fraction, stages in ((0.36, _SECOND), (0.7, _THIRD)):
        day = calendar.share(fraction)
        decided = calendar.morning[max(day - 10, 1)] + 3 * HOUR_US
        agenda.put(
            "pipeline-affaires", "pipeline.redefined", {"stages": _stages(stages)}, calendar.midnight[day], decided
        )
    settled = calendar.morning[calendar.share(0.4)] + HOUR_US
    agenda.put("book", "book.settings_changed", {"lapse_after_days": 365}, settled)
    steering = calendar.share(0.75)
    agenda.put(
        "book", "book.settings_changed", _STEERING, calendar.midnight[steering], calendar.morning[max(steering - 7, 1)]
    )
    path = tuple(stage for stage, *_ in _FIRST)
    return (
        Pipeline("affaires", path, calendar.share(0.7)),
        Pipeline("renouvellements", tuple(stage for stage, *_ in _RENEWALS), None),
    )


def _stages(stages: list[_Stage]) -> list[Data]:
    return [
        {"stage": stage, "name": name, "probability_bp": probability, "category": category}
        for stage, name, probability, category in stages
    ]


def fix_rates(agenda: Agenda, calendar: Calendar, chance: Chance) -> None:
    """A rate per month and currency, known on the morning it comes into force."""
    for currency, start in _CURRENCIES.items():
        rate = start
        for day in every_month(calendar):
            fixed = {"base": "EUR", "rate": f"{rate:.4f}"}
            in_force = calendar.midnight[day]
            agenda.put(f"rate-{currency}", "rate.fixed", fixed, in_force, in_force + 6 * HOUR_US + 10 * MINUTE_US)
            rate *= 1 + 0.012 * chance.normal() + 0.1 * (1 - rate / start)
