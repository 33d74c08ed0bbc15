"""What a pack holds, section by section, for each role. A section whose report is not registered is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projections.reports.definition import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES: Mapping[str, Text] = {
    "director": Text("Direction", "Director"),
    "manager": Text("Responsable commercial", "Sales manager"),
}
WHOSE: Mapping[str, str] = {"director": "team", "manager": "owner"}
"""Whom a role sees side by side."""


@dataclass(frozen=True)
class Section:
    """One report in a pack.

    `about` says in plain words what the page shows. `asked` are its parameters, but for the pair: `{whose}` stands for the role's own dimension, `{eve}` for the day
    before the quarter of `as_of` and `{year}` for the fiscal year up to the day of `as_of`; those that the report does not take are left out. `figure` is the one on the first
    page (of a state, how many rows are in a good one; without any, how many rows there are), `table` the columns shown, where they are there. `standing` sets the figures of one row below each other.
    """

    report: str
    about: Text
    figure: str
    table: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset(ROLES)
    standing: bool = False
    totals: bool = True
    chart: bool = True
    most_rows: int = 22


_DIRECTOR, _MANAGER = frozenset({"director"}), frozenset({"manager"})
_YEAR = "{year}"

SECTIONS: tuple[Section, ...] = (
    Section(
        "forecast",
        Text(
            "Ce qui est ouvert, par mois de conclusion prévue : la valeur entière, la valeur pondérée par les chances de gagner, ce que le mois a déjà rapporté, et l’objectif.",
            "What is open, by the month it is expected to close in: all of its value, its value weighted by the chances of winning, what the month has already brought, and the objective.",
        ),
        "weighted_minor",
        (
            "month",
            "deals",
            "amount_minor",
            "weighted_minor",
            "won_minor",
            "objective_minor",
            "shortfall_minor",
            "coverage",
        ),
    ),
    Section(
        "pipeline_changes",
        Text(
            "Ce qu’est devenu le portefeuille depuis le début du trimestre : ce qui y est entré, ce qui en est sorti, ce qui a changé de valeur.",
            "What became of the open deals since the quarter began: what came in, what went out, what changed in value.",
        ),
        "closing_minor",
        asked={"from": "{eve}"},
        standing=True,
    ),
    Section(
        "objectives",
        Text(
            "Où en est chaque objectif : ce qui est réalisé, au regard du temps écoulé, et ce que ce rythme annonce.",
            "Where each objective stands: what is achieved, against the time gone, and where this pace leads.",
        ),
        "status",
        (
            *("team", "metric", "period_to", "target", "achieved", "progress", "elapsed", "projected"),
            *("objective_probability", "status"),
        ),
        {"where": "owner="},
        _DIRECTOR,
        totals=False,
        chart=False,
    ),
    Section(
        "objectives",
        Text(
            "Où en est chaque objectif : ce qui est réalisé, au regard du temps écoulé, et ce que ce rythme annonce.",
            "Where each objective stands: what is achieved, against the time gone, and where this pace leads.",
        ),
        "status",
        ("owner", "team", "metric", "period_to", "target", "achieved", "progress", "elapsed", "projected", "status"),
        roles=_MANAGER,
        totals=False,
        chart=False,
        most_rows=40,
    ),
    Section(
        "sales",
        Text(
            "Ce qui a été vendu depuis le début de l’exercice, à côté de la même période un an plus tôt.",
            "What was sold since the fiscal year began, beside the same period a year earlier.",
        ),
        "amount_minor",
        (
            "{whose}",
            "won",
            "amount_minor",
            "previous_amount_minor",
            "change_amount_minor",
            "margin_rate",
            "average_minor",
        ),
        {"by": "{whose}", "period": _YEAR, "compare": "previous_year"},
    ),
    Section(
        "win_rate",
        Text(
            "La part des affaires closes dans l’exercice qui ont été gagnées, à côté de la même période un an plus tôt.",
            "How many of the deals closed in the fiscal year were won, beside the same period a year earlier.",
        ),
        "win_rate",
        (
            *("{whose}", "won", "lost", "abandoned", "win_rate", "previous_win_rate", "win_rate_amount"),
            "close_rate",
        ),
        {"by": "{whose}", "period": _YEAR, "compare": "previous_year"},
        most_rows=18,
    ),
    Section(
        "conversion",
        Text(
            "La part des devis émis dans l’exercice qui sont devenus des commandes, à côté de la même période un an plus tôt.",
            "How many of the quotes issued in the fiscal year became orders, beside the same period a year earlier.",
        ),
        "conversion",
        (
            "{whose}",
            "quotes",
            "accepted",
            "declined",
            "expired",
            "open",
            "conversion",
            "previous_conversion",
            "quotes_per_order",
        ),
        {"by": "{whose}", "period": _YEAR, "compare": "previous_year"},
    ),
    Section(
        "pipeline",
        Text(
            "Les affaires ouvertes, étape par étape.",
            "The open deals, stage by stage.",
        ),
        "amount_minor",
        ("stage", "deals", "amount_minor", "weighted_minor", "average_minor"),
        roles=_MANAGER,
    ),
    Section(
        "churn",
        Text(
            "Combien de clients ont été gagnés et perdus dans l’exercice, et ce qu’est devenu le chiffre d’affaires de ceux du début.",
            "How many customers were won and lost in the fiscal year, and what became of the revenue of those of the start.",
        ),
        "churn_rate",
        asked={"period": _YEAR},
        roles=_DIRECTOR,
        standing=True,
    ),
    Section(
        "alerts",
        Text(
            "Ce qui demande l’attention de quelqu’un maintenant, le plus grave d’abord.",
            "What needs someone’s attention now, the gravest first.",
        ),
        "",
        ("severity", "what", "who", "since", "stream"),
        totals=False,
        chart=False,
        most_rows=30,
    ),
)
"""In the order of the pages. Columns and parameters are the contract's (REPORTS)."""


def sections(role: str) -> list[Section]:
    """What is in the pack of a role."""
    return [each for each in SECTIONS if role in each.roles]
