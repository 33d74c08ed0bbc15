"""What was forecast for one period at each past date, as known then, beside what became of it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from ledger.times import day_end, local_date
from projections.reports import exact, periods, snapshot_runs, snapshots, targets
from projections.reports.definition import Item, Report, Text, known, says, told
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.periods import Period
from projections.reports.snapshots import WON, Snapshot
from projections.reports.sources import closed
from projections.tables import wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.snapshots import Seen
    from projections.store import View

OMITTED, COMMIT = "omitted", "commit"
SUMS = ("won_minor", "weighted_minor", "open_minor", "commit_minor", "actual_minor")
TARGETS = {targets.CALL: "call_minor", targets.OBJECTIVE: "objective_minor"}


def forecast_period(question: Question) -> Period:
    """The period that was forecast."""
    assert question.period is not None
    return question.period


def dates(question: Question) -> list[Snapshot]:
    """The dates of the series, each at its end, from `from` to the period's end or `as_of`."""
    assert question.since is not None
    zone, period = question.book.time_zone, forecast_period(question)
    first = local_date(question.since, zone)
    days = periods.series(
        Period(f"the dates from {first}", first, max(first, period.last)),
        question.choice("every"),
        until=question.today,
    )
    return [Snapshot(day.isoformat(), min(day_end(day, zone), question.pair.as_of), period) for day in days]


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """What each date's deals bring, added up. Raises `MissingRate`."""
    return _items(question, view, rates, each=False)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """What each deal brings to each date. Raises `MissingRate`."""
    return _items(question, view, rates, each=True)


def _items(question: Question, view: View, rates: Rates, *, each: bool) -> Iterator[Item]:
    asked = snapshots.measured(question)
    series = snapshots.asked_for(question, dates(question))
    rates_then = snapshots.rates_of(asked, series, view)
    at = {date.name: date.at for date in series}
    for seen in _deals(asked, series, rates_then, view, each=each):
        yield _seen(seen, at)
    then = {date.name: (asked.seen(date.at, date.at), rates_then[date.name], date.period) for date in series}
    metric = question.given.get("measure", "amount")
    for name, line in targets.at_each(then, asked, view, metric):
        if metric == "amount" or line.state == targets.OBJECTIVE:
            [piece] = line.pieces
            figures = {TARGETS[line.state or ""]: piece.bases["value"]}
            place = {**piece.dimensions, "date": name}
            yield Item(line.stream, line.position, at[name], place, figures, line.state, line.joined, line.late)
    yield from _actual(asked, series, view, rates) if each else _actual_added_up(asked, series, view)


def _deals(
    asked: Question, series: Sequence[Snapshot], rates: Mapping[str, Rates], view: View, *, each: bool
) -> Iterator[Seen]:
    if each or not snapshot_runs.TELLS.issuperset(asked.dimensions):
        return snapshots.deals(asked, series, rates, view, each=each)
    return chain(snapshot_runs.open_deals(asked, series, rates, view), snapshots.won(asked, series, rates, view))


def _seen(seen: Seen, at: Mapping[str, int]) -> Item:
    figures = {"won_minor": seen.value}
    if seen.state != WON:
        figures = {} if seen.state == OMITTED else {"weighted_minor": seen.expected, "open_minor": seen.value}
        if seen.state == COMMIT:
            figures["commit_minor"] = seen.value
    place = {**seen.dimensions, "date": seen.snapshot}
    return Item(seen.stream, seen.position, at[seen.snapshot], place, figures, seen.state, late=seen.late)


def _actual(asked: Question, series: Sequence[Snapshot], view: View, rates: Rates) -> Iterator[Item]:
    """What the period became at the question's own pair, win by win, beside every date."""
    base = asked.report.sums[0].of
    lines = list(exact.read(closed(asked.over(series[0].period), view, wins), asked, view, rates)) if series else []
    for date in series:
        for line in lines:
            [piece] = line.pieces
            figures = {"actual_minor": piece.bases[base] if says(piece.bases, base) else None}
            place = {**piece.dimensions, "date": date.name}
            yield Item(line.stream, line.position, line.at, place, figures, "actual", line.joined, line.late)


def _actual_added_up(asked: Question, series: Sequence[Snapshot], view: View) -> Iterator[Item]:
    """The same added up. Unless rows are told apart by more than their date, one without deals is a row too."""
    won = snapshots.won_by_month(asked, series[0].period, view) if series else ()
    found: list[tuple[Mapping[str, str | None], dict[str, Any]]] = [
        (place, {"actual_minor": minor}) for place, minor in won
    ]
    if not asked.by:
        found.append(({name: next(iter(allowed), None) for name, allowed in asked.where.items()}, {}))
    for date in series:
        for place, figures in found:
            yield Item("", 0, date.at, {**place, "date": date.name}, figures, "actual")


def summary(question: Question, found: Sequence[Item]) -> dict[str, Any]:  # noqa: ARG001 (as summaries are called)
    """The figures of one date; over several they would mean nothing."""
    if len({item.dimensions["date"] for item in found}) > 1:
        return dict.fromkeys((*SUMS, *TARGETS.values()))
    said: dict[str, list[Any]] = {name: [] for name in (*SUMS, *TARGETS.values())}
    for item in found:
        for name, figure in item.figures.items():
            said[name].append(figure)
    return {name: known(figures) if figures or name in SUMS else None for name, figures in said.items()}


FORECAST_HISTORY = Report(
    name="forecast_history",
    title=Text("Historique de la prévision", "Forecast history"),
    description=Text(
        "Ce qui était prévu pour une période à chaque date passée, tel que connu alors (known_at = as_of = la date), et "
        "ce qu'elle est devenue. Par défaut le trimestre d'as_of, semaine par semaine, depuis le début de la période "
        "d'avant.",
        "What was forecast for one period at each past date, as known then (known_at = as_of = the date), and what it "
        "became. By default the quarter of as_of, week by week, from the beginning of the period before.",
    ),
    formula=Text(
        "À chaque date, comme forecast avec cette période : gagné dans la période, pondéré et ouvert hors omitted des "
        "affaires qui y sont prévues (celles en retard comptent dans le mois de la date), engagé, prévision annoncée, "
        "objectif ; prévision = gagné + pondéré. Réel : gagné dans la période au couple (as_of, known_at) du rapport. "
        "measure=margin : en marge.",
        "At each date, as forecast with this period: won in the period, weighted and open but omitted of the deals due "
        "in it (overdue ones count in the month of the date), commit, submitted forecast, objective; forecast = won + "
        "weighted. Actual: won in the period at the report's own pair (as_of, known_at). measure=margin: margins.",
    ),
    source=Text(
        "Événements deal.*, quote.accepted sans affaire, pipeline.*, rate.fixed, person.*, customer.*, objective.*, "
        "forecast.*",
        "Events deal.*, quote.accepted without a deal, pipeline.*, rate.fixed, person.*, customer.*, objective.*, "
        "forecast.*",
    ),
    columns=(
        told("won_minor", "money", Text("Déjà gagné", "Already won")),
        told("weighted_minor", "money", Text("Montant pondéré", "Weighted amount")),
        told("open_minor", "money", Text("Ouvert", "Open")),
        told("commit_minor", "money", Text("Engagé", "Commit")),
        told("call_minor", "money", Text("Prévision annoncée", "Submitted forecast")),
        told("objective_minor", "money", Text("Objectif", "Objective")),
        told("actual_minor", "money", Text("Réel", "Actual")),
    ),
    parameters=("as_of", "known_at", "period", "every", "from", "by", "where", "measure", "currency", "fx"),
    dimensions=("date", *(each for each in DEAL_DIMENSIONS if each not in {"product", "product_range", "stage"})),
    items=items,
    evidence=evidence,
    summary=summary,
    fixed=("date",),
    choices={"every": ("week", "day", "month")},
    first_day=lambda question: forecast_period(question).previous().first,
    series=True,
    default_period="this-quarter",
)
