"""How far off forecasts were: what past periods were forecast at their start, against what they became."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ledger.errors import BadRequest
from ledger.money import BASIS_POINTS
from ledger.times import day_end, day_start, local_date
from projections.pairs import Pair
from projections.reports import exact, periods, snapshots, targets
from projections.reports.cells import key_of
from projections.reports.definition import Item, Report, Text, told
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.periods import Period
from projections.reports.snapshots import ACTUAL, WON, Snapshot
from projections.reports.sources import OMITTED, closed
from projections.tables import wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.snapshots import Seen
    from projections.store import View

ALL = "all"
"""The row of all periods of an owner, a team …"""

MAX_PERIODS = 120
MAX_LEAD_DAYS = 3_660
_PERIODS = re.compile(r"(\d{1,3})(?: ?(month|quarter|half|year)s?)?", re.ASCII)
_DAYS = re.compile(r"(\d{1,4})(?: ?days?)?", re.ASCII)


def past_periods(question: Question) -> list[Period]:
    """The last so many periods that were over at `as_of`, the earliest first. Raises `BadRequest`."""
    text = question.given.get("periods", "4 quarters")
    match = _PERIODS.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= MAX_PERIODS:
        raise BadRequest(f"periods={text[:40]} is not like 8 quarters, 12 months or 3 years, at most {MAX_PERIODS}")
    zone, unit = question.book.time_zone, match[2] or "quarter"
    period = periods.parse_period(f"this-{unit}", today=question.today, fiscal_month=question.book.fiscal_month)
    if day_end(period.last, zone) > question.pair.as_of:
        period = period.previous()
    found = [period]
    while len(found) < int(match[1]):
        found.append(found[-1].previous())
    return [Period(name_of(each, unit), each.first, each.last) for each in reversed(found)]


def name_of(period: Period, unit: str) -> str:
    """What people call a month, quarter, half or year.

    >>> from datetime import date
    >>> [name_of(Period("", date(2026, 4, 1), date(2026, 6, 30)), unit) for unit in ("quarter", "half")]
    ['2026-Q2', '2026-S1']
    """
    first = period.first
    names = {
        "month": f"{first:%Y-%m}",
        "quarter": f"{first.year}-Q{(first.month + 2) // 3}",
        "half": f"{first.year}-S{(first.month + 5) // 6}",
        "year": f"{first.year}",
    }
    return names[unit]


def lead_days(question: Question) -> int:
    """How long before a period's start its forecast is read. Raises `BadRequest`."""
    text = question.given.get("lead", "0")
    match = _DAYS.fullmatch(text)
    if match is None or int(match[1]) > MAX_LEAD_DAYS:
        raise BadRequest(f"lead={text[:40]} is not a number of days from 0 to {MAX_LEAD_DAYS}")
    return int(match[1])


def series(question: Question) -> list[Snapshot]:
    """Each past period at its first instant, or so many days before."""
    lead, zone = timedelta(lead_days(question)), question.book.time_zone
    return [Snapshot(each.name, day_start(each.first - lead, zone), each) for each in past_periods(question)]


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """What each period's deals bring to its forecast, and its wins to what it became. Raises `MissingRate`."""
    return _with_all(question, _items(question, view, rates, each=False))


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The same deal by deal. Raises `MissingRate`."""
    return _with_all(question, _items(question, view, rates, each=True))


def _with_all(question: Question, found: Iterator[Item]) -> Iterator[Item]:
    """Each item counts in its period and, where rows are told apart by more, in the row of all periods."""
    allowed = question.where.get("period")
    by_more = len(question.heads) > 1
    for item in found:
        name = item.dimensions["period"]
        if allowed is None or name in allowed:
            yield item
        if by_more and (allowed is None or ALL in allowed):
            yield _replaced(item, {**item.dimensions, "period": ALL})


def _replaced(item: Item, dimensions: dict[str, str | None]) -> Item:
    figures = {**item.figures, "of": item.dimensions["period"]}
    return Item(item.stream, item.position, item.at, dimensions, figures, item.state, item.joined, item.late)


def _items(question: Question, view: View, rates: Rates, *, each: bool) -> Iterator[Item]:
    asked, found = snapshots.measured(question), series(question)
    rates_then = snapshots.rates_of(asked, found, view)
    at = {one.name: one.at for one in found}
    of_calls = question.choice("of") == "call"
    for seen in snapshots.deals(asked, found, rates_then, view, each=each, outcomes=True):
        if seen.state != OMITTED:
            yield _seen(seen, at[seen.snapshot], of_calls=of_calls)
    if of_calls:
        then = {one.name: (asked.seen(one.at, one.at), rates_then[one.name], one.period) for one in found}
        for name, line in targets.at_each(then, asked, view, "amount"):
            if line.state == targets.CALL:
                [piece] = line.pieces
                place = {**piece.dimensions, "period": name}
                figures = {"forecast_minor": piece.bases["value"]}
                yield Item(line.stream, line.position, at[name], place, figures, line.state, line.joined, line.late)
    yield from _actual(asked, found, view, rates) if each else _actual_added_up(asked, found, view)


def _seen(seen: Seen, at: int, *, of_calls: bool) -> Item:
    """What it brings to the forecast, and how far its probability was from what came: `(p − outcome)²`, and of how many."""
    figures: dict[str, Any] = {} if of_calls else {"forecast_minor": seen.expected}
    if seen.state != WON:
        error = _squared_error(seen.probability_bp, seen.deals, came=seen.came)
        figures |= {"squared_error": error, "deals": seen.deals}
    place = {**seen.dimensions, "period": seen.snapshot}
    return Item(seen.stream, seen.position, at, place, figures, seen.state, late=seen.late)


@lru_cache(maxsize=4096)
def _squared_error(probability_bp: int, deals: int, *, came: bool) -> Fraction:
    return Fraction(deals * (probability_bp - BASIS_POINTS * came) ** 2, BASIS_POINTS**2)


def _actual(asked: Question, found: Sequence[Snapshot], view: View, rates: Rates) -> Iterator[Item]:
    """The wins in each period, at the question's own pair."""
    base, zone = asked.report.sums[0].of, asked.book.time_zone
    whole = Period("", found[0].period.first, found[-1].period.last)
    for line in exact.read(closed(asked.over(whole), view, wins), asked, view, rates):
        day = local_date(line.at, zone)
        [name] = [one.name for one in found if one.period.first <= day <= one.period.last]
        [piece] = line.pieces
        place = {**piece.dimensions, "period": name}
        figures = {"actual_minor": piece.bases[base]}
        yield Item(line.stream, line.position, line.at, place, figures, ACTUAL, line.joined, line.late)


def _actual_added_up(asked: Question, found: Sequence[Snapshot], view: View) -> Iterator[Item]:
    """The same added up. Unless rows are told apart by more than their period, one without deals is a row too."""
    whole = Period("", found[0].period.first, found[-1].period.last)
    of_month = {
        f"{periods.month_first(number):%Y-%m}": one
        for one in found
        for number in range(periods.month_number(one.period.first), periods.month_number(one.period.last) + 1)
    }
    if not asked.by:
        anything = {name: next(iter(allowed), None) for name, allowed in asked.where.items()}
        for one in found:
            yield Item("", 0, one.at, {**anything, "period": one.name}, {})
    for place, minor in snapshots.won_by_month(asked, whole, view):
        one = of_month[place["month"] or ""]
        yield Item("", 0, one.at, {**place, "period": one.name}, {"actual_minor": minor}, ACTUAL)


def summary(question: Question, found: Sequence[Item]) -> dict[str, Any]:
    """The figures of a cell; several periods, owners or teams are each off by themselves."""
    of_periods = [item for item in found if item.dimensions["period"] != ALL] or found
    both: dict[tuple[Any, ...], dict[str, Any]] = {} if found else {(): {"forecast_minor": None, "actual_minor": 0}}
    place_of, squared, deals = key_of(question.heads), 0, 0
    for item in of_periods:
        figures = item.figures
        key = (figures.get("of"), place_of(item.dimensions))
        sums = both.get(key)
        if sums is None:
            sums = both[key] = {"forecast_minor": None, "actual_minor": 0}
        for name in ("forecast_minor", "actual_minor"):
            if name in figures:
                sums[name] = (sums[name] or 0) + (figures[name] or 0)  # a margin that nobody knows was not forecast
        if "deals" in figures:
            error: Fraction = figures["squared_error"]
            squared += error.numerator * (BASIS_POINTS**2 // error.denominator)
            deals += figures["deals"]
    if question.choice("of") == "forecast":
        both = {key: {**sums, "forecast_minor": sums["forecast_minor"] or 0} for key, sums in both.items()}
    forecast = [sums for sums in both.values() if sums["forecast_minor"] is not None]
    actual = sum(sums["actual_minor"] for sums in forecast)
    errors = [sums["forecast_minor"] - sums["actual_minor"] for sums in forecast]
    return {
        "forecast_minor": sum(sums["forecast_minor"] for sums in forecast) if forecast else None,
        "actual_minor": sum(sums["actual_minor"] for sums in both.values()),
        "error_minor": sum(errors) if forecast else None,
        "wape": _over(sum(map(abs, errors)), sum(abs(sums["actual_minor"]) for sums in forecast)),
        "bias": _over(sum(errors), actual),
        "brier": _over(squared, deals * BASIS_POINTS**2),
    }


def _over(numerator: int, denominator: int) -> Fraction | None:
    return Fraction(numerator, denominator) if denominator > 0 else None


FORECAST_ACCURACY = Report(
    name="forecast_accuracy",
    title=Text("Justesse des prévisions", "Forecast accuracy"),
    description=Text(
        "Pour chaque période passée, ce qui était prévu à son début (ou lead jours avant), tel que connu alors, et ce "
        "qu'elle est devenue. Par commercial ou équipe, la ligne « all » réunit toutes les périodes : son biais dit qui "
        "est toujours trop optimiste.",
        "For each past period, what was forecast at its start (or lead days before it), as known then, and what it "
        "became. By owner or team the row all takes all periods together: its bias tells who is always too optimistic.",
    ),
    formula=Text(
        "prévu = gagné + pondéré, comme forecast au premier instant de la période ; of=call : la prévision annoncée en "
        "vigueur alors, nul s'il n'y en a pas. Réel = gagné dans la période au couple (as_of, known_at) du rapport. "
        "Écart = prévu − réel ; WAPE = Σ|écart| / Σ|réel| et biais = Σ écart / Σ réel, sur les périodes et les lignes "
        "réunies qui ont une prévision. Brier = moyenne de (p − issue)² des affaires prévues, issue = 1 si gagnée dans "
        "la période (Brier, 1950) : 0 est parfait, 0,25 ne vaut pas mieux que dire toujours 50 %. "
        "probabilities=calibrated : ce qu'auraient été les prévisions avec les probabilités estimées alors.",
        "forecast = won + weighted, as forecast at the period's first instant; of=call: the submitted forecast in force "
        "then, null without one. Actual = won in the period at the report's pair (as_of, known_at). Error = forecast − "
        "actual; WAPE = Σ|error| / Σ|actual| and bias = Σ error / Σ actual, over the periods and rows taken together "
        "that have a forecast. Brier = mean of (p − outcome)² of the deals due, outcome = 1 if won in the period "
        "(Brier, 1950): 0 is perfect, 0.25 no better than always saying 50 %. probabilities=calibrated: what the forecasts "
        "would have been with the probabilities estimated then.",
    ),
    source=Text(
        "Événements deal.*, quote.accepted sans affaire, pipeline.*, rate.fixed, person.*, customer.*, forecast.*",
        "Events deal.*, quote.accepted without a deal, pipeline.*, rate.fixed, person.*, customer.*, forecast.*",
    ),
    columns=(
        told("forecast_minor", "money", Text("Prévu", "Forecast")),
        told("actual_minor", "money", Text("Réel", "Actual")),
        told("error_minor", "money", Text("Écart", "Error")),
        told("wape", "ratio", Text("Écart relatif (WAPE)", "Relative error (WAPE)")),
        told("bias", "ratio", Text("Biais", "Bias")),
        told("brier", "ratio", Text("Score de Brier", "Brier score")),
    ),
    parameters=(
        "as_of",
        "known_at",
        "periods",
        "lead",
        "of",
        "by",
        "where",
        "measure",
        "currency",
        "fx",
        "probabilities",
        "lookback",
    ),
    dimensions=("period", *(each for each in DEAL_DIMENSIONS if each not in {"product", "product_range", "stage"})),
    items=items,
    evidence=evidence,
    read_at=lambda question, item: (Pair(item.at, item.at), question.pair),
    summary=summary,
    fixed=("period",),
    choices={"of": ("forecast", "call")},
)
