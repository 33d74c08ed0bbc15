"""The few figures that a role looks at first, each a cell of its report beside what it was before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.money import E6, decimals
from ledger.times import DAY_US
from projections.reports.cells import Cells, alone, key_of, total, work_out
from projections.reports.definition import Column, Item, Report, Text, told
from projections.reports.objectives import FORECAST_COLUMNS, REACHED
from projections.reports.objectives_in_force import in_force
from projections.reports.periods import parse_period
from projections.reports.question import since_its_first
from projections.reports.rates import Rates
from projections.reports.settings import steering

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from projections.reports.definition import Exact, Key
    from projections.reports.objectives_in_force import Objective
    from projections.reports.question import Question
    from projections.store import View

DEFAULTS = {
    "rep": ("objectives.progress", "sales.amount_minor", "pipeline.weighted_minor", "win_rate.win_rate",
            "activity.deals_opened", "alerts.alerts"),
    "manager": ("sales.amount_minor", "forecast.weighted_minor", "objectives.progress", "win_rate.win_rate",
                "cycle.median_days", "alerts.alerts"),
    "director": ("sales.amount_minor", "sales.margin_rate", "forecast.weighted_minor", "objectives.progress",
                 "win_rate.win_rate", "conversion.conversion"),
}  # fmt: skip
"""The indicators of a role in a book that has not chosen its own."""

HEADLINES = {
    "objectives": "progress",
    "pipeline": "weighted_minor",
    "forecast": "weighted_minor",
    "sales": "amount_minor",
    "win_rate": "win_rate",
    "conversion": "conversion",
    "cycle": "median_days",
    "activity": "effort_per_win",
    "team_review": "win_rate",
    "churn": "churn_rate",
    "acquisition": "cac_minor",
    "upsell": "upsell_rate",
}
"""The column meant where settings name a report alone; else its first."""

OF_ALERTS = {"owner": "who"}
"""What alerts call a dimension."""

NUMBERS = ("count", "money", "quantity", "ratio")


class Indicator(NamedTuple):
    """A column of a report."""

    report: Report
    column: Column

    @property
    def name(self) -> str:
        return f"{self.report.name}.{self.column.name}"


class Figures(NamedTuple):
    """Of an indicator: who has rows of it, and the figure of anybody, by their key."""

    keys: Collection[Key]
    of: Callable[[Key], Exact]


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (as reports call it)
    """Each indicator of the role with its value now and before, of each owner or team where they are told apart.

    What no report tells is left out.
    """
    period = question.period or parse_period(
        "this-quarter", today=question.today, fiscal_month=question.book.fiscal_month
    )
    now = question.over(period)
    before = _before(now, view)
    indicators = [
        (each, _figures(each, now, view), _figures(each, before, view)) for each in _indicators(question, view)
    ]
    passing = {name: min(values, key=str) for name, values in question.where.items()}
    for key in _keys(question, [each for _, *both in indicators for each in both]):
        whose = dict(zip(question.by, key, strict=True))
        for place, (indicator, *both) in enumerate(indicators, start=1):
            its_own, earlier = (each.of(key) for each in both)
            yield Item(
                stream="book",
                position=0,
                at=question.pair.as_of,
                dimensions=passing | whose | {"indicator": indicator.name},
                figures={
                    "place": place,
                    "now": its_own,
                    "before": earlier,
                    "kind": indicator.column.type,
                    "of_report": indicator.report.name,
                    "of_column": indicator.column.name,
                },
            )


def _keys(question: Question, found: Iterable[Figures]) -> list[Key]:
    """Whose the rows are: of each owner and team of whom some indicator tells something, and of those filtered."""
    if not question.by:
        return [()]
    named = product(*(question.where.get(name, ()) for name in question.by))
    return sorted({*named, *(key for each in found for key in each.keys)}, key=str)


def _before(now: Question, view: View) -> Question:
    """The period before, as it stood when it was as far gone as this one is; known as now."""
    assert now.period is not None
    gone = now.today - now.period.first
    period = now.period.previous()
    day = min(period.first + gone, period.last)
    instant = min(now.pair.as_of - (now.today - day).days * DAY_US, now.pair.as_of)
    return now.on(instant, view).over(period)


def _indicators(question: Question, view: View) -> list[Indicator]:
    role = question.given.get("role") or _role(question)
    chosen = steering(question, view).dashboard.get(role, DEFAULTS[role])
    found = [_indicator(name) for name in chosen]
    return [each for each in found if each is not None]


def _role(question: Question) -> str:
    """Whose the figures are where nobody says: a rep's where owners are named, a manager's where teams are."""
    named = {*question.where, *question.by}
    return "rep" if "owner" in named else "manager" if "team" in named else "director"


def _indicator(text: str) -> Indicator | None:
    """The column that `report.column`, or a report's name alone, means."""
    from projections.reports import REPORTS  # noqa: PLC0415 (it lists this module)

    name, _, column = text.partition(".")
    report = next((each for each in REPORTS if each.name == name and each is not DASHBOARD and not each.series), None)
    if report is None:
        return None
    numbers = [each for each in report.columns if each.type in NUMBERS]
    wanted = column or HEADLINES.get(name, numbers[0].name)
    return next((Indicator(report, each) for each in numbers if each.name == wanted), None)


def title(name: str, lang: str) -> str:
    """What people call an indicator: its report and its column; one that there is no longer by its name.

    >>> title("activity.effort_per_win", "en"), title("alerts.alerts", "fr")
    ('Activity: Effort per win', 'Alertes')
    """
    indicator = _indicator(name)
    if indicator is None:
        return name
    report, column = indicator.report.title.in_(lang), indicator.column.label.in_(lang)
    colon = "\u00a0: " if lang == "fr" else ": "
    return report if report == column else f"{report}{colon}{column}"


def _figures(indicator: Indicator, question: Question, view: View) -> Figures:
    """A report's figures under the filters that it honours; of objectives, those of the shortest period of each."""
    asked, column = _asked(indicator, question), indicator.column
    if asked is None:
        return Figures((), lambda _: None)
    if asked.report.name == "objectives":
        asked = _of_shortest(asked, view)
    report, by = asked.report, asked.by
    if not by:
        figure = total(asked, column, view)
        return Figures((), lambda _: figure)
    bare = alone(replace(asked, report=replace(report, fixed=(), across=None)), column)
    rows = work_out(bare, view).rows
    of_lines = column.of or not report.across
    if not report.fixed or (of_lines and not report.items and not report.completed):
        nothing = Cells(bare).totals
        return Figures(rows.keys(), lambda key: column.value(rows.get(key, nothing)))
    # Figures made of the rows of a report are not told by the rows of this one.
    return Figures({key[-len(by) :] for key in rows}, lambda key: total(_of(key, asked), column, view))


def _of(key: Key, question: Question) -> Question:
    """The question filtered to those of a key, of whom it then tells the whole."""
    its_own = {name: frozenset({value}) for name, value in zip(question.by, key, strict=True)}
    return replace(question, by=(), where={**question.where, **its_own})


def _asked(indicator: Indicator, question: Question) -> Question | None:
    """The question put to an indicator's report; None if it does not honour all filters, or tell all rows apart."""
    report, by = indicator.report, question.by
    where = {name: values for name, values in question.where.items() if name != "indicator"}
    if report.name == "objectives":
        told = {*where, *by}
        scope = "person" if "owner" in told else "team" if "team" in told else "company"
        where |= {"scope": frozenset({scope}), "metric": frozenset({"amount"})}
        report = replace(report if indicator.column.name in FORECAST_COLUMNS else REACHED, fixed=())
    if report.name == "alerts":
        report = replace(report, fixed=())  # counted, not listed
        where = {OF_ALERTS.get(name, name): values for name, values in where.items()}
        by = tuple(OF_ALERTS.get(name, name) for name in by)
    if not {*where, *by} <= set(report.dimensions):
        return None
    given = {name: value for name, value in question.given.items() if name in report.parameters}
    takes_period = "period" in report.parameters and not report.snapshot
    given |= {"period": question.period.name} if takes_period and question.period else {}
    period = question.period if takes_period else None
    return since_its_first(replace(question, report=report, given=given, where=where, by=by, period=period))


def _of_shortest(question: Question, view: View) -> Question:
    """The question of objectives about that of the shortest period of each alone, if there is any."""

    def days(each: Objective) -> int:
        return (date.fromisoformat(each.last) - date.fromisoformat(each.first)).days

    its_key = key_of(question.by)
    shortest: dict[Key, Objective] = {}
    for each in in_force(question, view, Rates(question, view)):
        key = its_key(each.item.dimensions)
        if key not in shortest or days(each) < days(shortest[key]):
            shortest[key] = each
    its_own = frozenset(each.item.dimensions["objective"] for each in shortest.values())
    return replace(question, where={**question.where, "objective": its_own}) if shortest else question


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:
    """One indicator's figures; several have no sum."""
    nothing = dict.fromkeys(each.name for each in DASHBOARD.columns)
    if len(found) != 1:
        return nothing
    said = found[0].figures
    now, before = said["now"], said["before"]
    change = None if now is None or before is None else now - before
    figures: dict[str, Any] = {"place": said["place"], "report": said["of_report"], "column": said["of_column"]}
    for name, value in (("value", now), ("previous", before), ("change", change)):
        figures |= _shown(name, value, said["kind"], question.currency)
    return nothing | figures


def _shown(name: str, value: Exact, kind: str, currency: str) -> dict[str, Exact]:
    """A value in units, and money in minor units too."""
    if value is None:
        return {}
    match kind:
        case "money":
            return {name: Fraction(value) / 10 ** decimals(currency) * E6, f"{name}_minor": value}
        case "quantity":
            return {name: value}
        case _:
            return {name: Fraction(value) * E6}


DASHBOARD = Report(
    name="dashboard",
    title=Text("Tableau de bord", "Dashboard"),
    description=Text(
        "Les quelques chiffres qu'un rôle regarde d'abord (role : rep, manager ou director), chacun une case de son "
        "rapport à côté de ce qu'il était. Ceux que le registre a choisis (dashboard), ou un choix par défaut ; where "
        "restreint à un commercial ou à une équipe, by dit les mêmes de chacun. Sans role : rep si des commerciaux sont "
        "nommés, manager si ce sont des équipes, sinon director. Sans période : le trimestre d'as_of.",
        "The few figures that a role looks at first (role: rep, manager or director), each a cell of its report beside "
        "what it was. Those the book has chosen (dashboard), or a default choice; where restricts them to an owner or "
        "a team, by tells the same of each. Without role: rep where owners are named, manager where teams are, else "
        "director. Without a period: the quarter of as_of.",
    ),
    formula=Text(
        "avant = la même case pour la période précédente, au même avancement ; écart = valeur − avant. L'argent est en "
        "unités de la monnaie et, sous *_minor, en centimes ; les taux sont des rapports (0,2 = 20 %). Les objectifs "
        "sont ceux de montant de l'entreprise, ou de l'équipe ou du commercial filtré, de la plus courte période ; les "
        "alertes celles du commercial filtré. Un "
        "chiffre que le filtre ne sait pas restreindre est vide.",
        "previous = the same cell for the period before, equally far gone; change = value − previous. Money is in "
        "units of the currency and, under *_minor, in minor units; rates are ratios (0.2 = 20 %). Objectives are those "
        "of amount of the company, or of the team or owner filtered, of the shortest period; alerts those of the owner "
        "filtered. A figure that the filter "
        "cannot restrict is null.",
    ),
    source=Text("Événements de chaque rapport ; book.settings_changed", "Events of each report; book.settings_changed"),
    columns=(
        told("place", "count", Text("Ordre", "Place")),
        told("report", "text", Text("Rapport", "Report")),
        told("column", "text", Text("Colonne", "Column")),
        told("value", "quantity", Text("Valeur", "Value")),
        told("value_minor", "money", Text("Valeur (montant)", "Value (amount)")),
        told("previous", "quantity", Text("Avant", "Previous")),
        told("previous_minor", "money", Text("Avant (montant)", "Previous (amount)")),
        told("change", "quantity", Text("Écart", "Change")),
        told("change_minor", "money", Text("Écart (montant)", "Change (amount)")),
    ),
    parameters=("as_of", "known_at", "period", "role", "by", "where", "currency", "fx"),
    dimensions=("indicator", "owner", "team"),
    fixed=("indicator",),
    items=items,
    summary=summary,
)
