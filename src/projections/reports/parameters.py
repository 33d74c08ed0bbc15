"""The parameters that reports share: what each is called, may be, and means (DESIGN 7).

A report names those it honours; any other is refused with the list of those, never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.errors import BadRequest
from projections.reports.definition import Report, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_VALUE_CHARACTERS = 2_000


@dataclass(frozen=True)
class Parameter:
    """One parameter as people write it; `choices` are all it may be, unless a report narrows them."""

    name: str
    text: Text
    example: str
    choices: tuple[str, ...] = ()


_ALL = (
    Parameter(
        "as_of",
        Text(
            "Date ou instant dans la vie de l'entreprise ; maintenant par défaut",
            "Date or instant in the business; now by default",
        ),
        "2026-09-30",
    ),
    Parameter(
        "known_at",
        Text(
            "Ce que l'entreprise savait à cette date ; égal à as_of par défaut, now pour un chiffre retraité",
            "What the company knew at that date; as_of by default, now for a restated figure",
        ),
        "now",
    ),
    Parameter(
        "from",
        Text(
            "Date ou instant d'où part le rapport ; par défaut la fin du mois d'avant, ou pour une suite de prévisions "
            "le début de la période d'avant",
            "Date or instant from which the report tells; by default the end of the month before, or for a series of "
            "forecasts the beginning of the period before",
        ),
        "2026-06-30",
    ),
    Parameter(
        "to",
        Text(
            "Date ou instant jusqu'où vont les mouvements ; une autre façon d'écrire as_of",
            "Date or instant up to which changes are told; another way to write as_of",
        ),
        "2026-09-30",
    ),
    Parameter(
        "period",
        Text(
            "Période : 2026, 2026-Q3, 2026-S1, 2026-09, FY2026-Q3 (exercice nommé d'après l'année où il finit), "
            "2026-07-01..2026-09-30, last-quarter, this-month",
            "Period: 2026, 2026-Q3, 2026-S1, 2026-09, FY2026-Q3 (a fiscal year is named after the year it ends in), "
            "2026-07-01..2026-09-30, last-quarter, this-month",
        ),
        "2026-Q3",
    ),
    Parameter(
        "periods",
        Text(
            "Combien de périodes passées : 8 quarters, 12 months, 3 years ; un nombre seul, de trimestres",
            "How many past periods: 8 quarters, 12 months, 3 years; a number alone, of quarters",
        ),
        "8 quarters",
    ),
    Parameter(
        "lead",
        Text(
            "Combien de jours avant le début de la période sa prévision est lue ; 0 par défaut",
            "How many days before a period's start its forecast is read; 0 by default",
        ),
        "30",
    ),
    Parameter(
        "by",
        Text("Axes d'analyse, séparés par des virgules", "Dimensions, separated by commas"),
        "owner,month",
    ),
    Parameter(
        "where",
        Text(
            "Filtres axe=valeur, séparés par des virgules ; un axe répété admet chacune de ses valeurs, vide = sans",
            "Filters dimension=value, separated by commas; a dimension said twice takes either value, empty = none",
        ),
        "team=north,kind=new",
    ),
    Parameter(
        "measure",
        Text("Montant qui est additionné", "Amount that is added up"),
        "margin",
        ("amount", "margin"),
    ),
    Parameter(
        "currency",
        Text(
            "Monnaie du rapport, au cours en vigueur ; celle du registre par défaut",
            "Reporting currency, at the rate in force; the book's by default",
        ),
        "USD",
    ),
    Parameter(
        "compare",
        Text(
            "Comparaison : previous_period, previous_year, une période, ou une date (le même rapport vu à cette date)",
            "Comparison: previous_period, previous_year, a period, or a date (the same report as of that date)",
        ),
        "previous_year",
    ),
    Parameter(
        "years",
        Text("Nombre d'années côte à côte", "How many years side by side"),
        "3",
        ("1", "2", "3", "4", "5"),
    ),
    Parameter(
        "every",
        Text(
            "Le même rapport à une suite de dates de la période ; chacune telle que connue alors, sauf si known_at "
            "est donné",
            "The same report at a series of dates in the period; each as known then, unless known_at is given",
        ),
        "month",
        ("day", "week", "month"),
    ),
    Parameter(
        "fx",
        Text(
            "effective : cours à la date de chaque fait ; constant : cours à as_of pour tout",
            "effective: rate at each fact's date; constant: rate at as_of for all",
        ),
        "constant",
        ("effective", "constant"),
    ),
    Parameter(
        "horizon",
        Text("Nombre de mois à partir de celui d'as_of", "How many months, from that of as_of"),
        "12 months",
    ),
    Parameter(
        "basis",
        Text(
            "closed : affaires closes dans la période ; cohort : affaires ouvertes dans la période",
            "closed: deals closed in the period; cohort: deals opened in the period",
        ),
        "cohort",
        ("closed", "cohort"),
    ),
    Parameter(
        "rule",
        Text(
            "Quand un client est perdu ; declared : déclaré perdu ; lapsed : sans achat ni facture depuis le nombre "
            "de jours réglé (lapse_after_days, 365 par défaut) ; both : l'un ou l'autre",
            "When a customer is lost; declared: declared churned; lapsed: no purchase and no invoice for the number "
            "of days set (lapse_after_days, 365 by default); both: either",
        ),
        "both",
        ("declared", "lapsed", "both"),
    ),
    Parameter(
        "cohort",
        Text("Longueur des cohortes", "How long a cohort is"),
        "quarter",
        ("month", "quarter", "year"),
    ),
    Parameter(
        "metric",
        Text("Mesure, comme pour les objectifs", "Metric, as for objectives"),
        "interactions:visit",
    ),
    Parameter(
        "among",
        Text("Qui est classé : commerciaux ou équipes", "Who is ranked: owners or teams"),
        "team",
        ("owner", "team"),
    ),
    Parameter(
        "role",
        Text("Pour qui : commercial, responsable ou direction", "For whom: rep, manager or director"),
        "director",
        ("rep", "manager", "director"),
    ),
    Parameter(
        "scenario",
        Text(
            "Hypothèses au lieu de ce qui fut : average (en unités de la monnaie), conversion, quotes_per_visit",
            "Assumptions instead of what was: average (in units of the currency), conversion, quotes_per_visit",
        ),
        "average=25000,conversion=0.3",
    ),
    Parameter(
        "of",
        Text("Ce qui est converti", "What is converted"),
        "quotes",
        ("quotes",),
    ),
    Parameter(
        "distribution",
        Text(
            "yes : ce que les affaires ouvertes peuvent rapporter, du pire au meilleur, et la probabilité de l'objectif",
            "yes: what open deals may bring, from worst to best, and the probability of the objective",
        ),
        "yes",
        ("no", "yes"),
    ),
    Parameter(
        "probabilities",
        Text(
            "Source des probabilités ; stage : celles des étapes ; calibrated : la part gagnée des affaires qui ont "
            "passé par chaque étape",
            "Where probabilities come from; stage: those of the stages; calibrated: the share won of the deals that went "
            "through each stage",
        ),
        "calibrated",
        ("stage", "calibrated"),
    ),
    Parameter(
        "lookback",
        Text(
            "De combien de mois les affaires qui servent à estimer peuvent dater ; 24 par défaut",
            "From how many months back deals are taken to estimate; 24 by default",
        ),
        "24 months",
    ),
)

PARAMETERS: dict[str, Parameter] = {each.name: each for each in _ALL}
"""Every parameter by name, in the order in which help lists them."""


def choices(report: Report, name: str) -> tuple[str, ...]:
    """What a parameter may be in a report, its default first; empty when it is not a choice."""
    if name in {"by", "where"}:
        return report.dimensions
    return report.choices.get(name, PARAMETERS[name].choices)


def check(report: Report, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters given, without those left empty. Raises `BadRequest` for one this report cannot honour."""
    for name, value in given.items():
        if name not in report.parameters:
            raise BadRequest(f"{report.name} does not take {name[:40]!r}; it takes {', '.join(report.parameters)}")
        if len(value) > MAX_VALUE_CHARACTERS:
            raise BadRequest(f"{name} is longer than {MAX_VALUE_CHARACTERS} characters; ask for less at once")
    return {name: value for name, value in given.items() if value}


def choice(report: Report, given: Mapping[str, str], name: str) -> str:
    """The value of a parameter that is a choice, or its default. Raises `BadRequest`."""
    allowed = choices(report, name)
    value = given.get(name, allowed[0])
    if value not in allowed:
        raise BadRequest(f"{name}={value[:40]} is not possible in {report.name}; write {' or '.join(allowed)}")
    return value


def dimensions(report: Report, text: str) -> tuple[str, ...]:
    """The dimensions that `by` names, without those that head every row anyway. Raises `BadRequest`."""
    named = [each.strip() for each in text.split(",") if each.strip()]
    for name in named:
        _known(report, "by", name)
    return tuple(dict.fromkeys(each for each in named if each not in report.fixed))


def filters(report: Report, text: str) -> dict[str, frozenset[str | None]]:
    """The values that `where` allows for each dimension it names; `None` stands for rows without one."""
    allowed: dict[str, set[str | None]] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise BadRequest(f"where takes dimension=value, separated by commas, not {part[:40]!r}")
        _known(report, "where", name)
        allowed.setdefault(name, set()).add(value or None)
    return {name: frozenset(values) for name, values in allowed.items()}


def _known(report: Report, parameter: str, dimension: str) -> None:
    if dimension not in report.dimensions:
        raise BadRequest(
            f"{parameter}={dimension[:40]} is not possible in {report.name}; "
            f"write one of {', '.join(report.dimensions)}"
        )
