"""What was forecast for one period at each past date, as known then, beside what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from ledger.times import day_end, local_date
from projections.pairs import Pair
from projections.reports import exact, periods, snapshot_runs, snapshots, targets
from projections.reports.definition import Item, Report, Text, says, told
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.exact import wanted
from projections.reports.periods import Period
from projections.reports.snapshots import ACTUAL, WON, Snapshot
from projections.reports.sources import OMITTED, closed
from projections.tables import wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.reports.cells import Cells
    from projections.reports.definition import Key, Sums
    from projections.reports.exact import Line
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.snapshots import Seen
    from projections.store import View

COMMIT = "commit"
SUMS = ("won_minor", "weighted_minor", "open_minor", "commit_minor", "actual_minor")
TARGETS = {targets.CALL: "call_minor", targets.OBJECTIVE: "objective_minor"}
FIGURES = (*SUMS, *TARGETS.values())


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


def tell(question: Question, view: View, rates: Rates, cells: Cells) -> None:  # noqa: ARG001 (as reports call it)
    """Tell each row what the deals of its date bring, added up. Raises `MissingRate`."""
    asked, series, then = _asked(question, view)
    rows: dict[Key, Sums] = defaultdict(dict)

    def add(date: str, dimensions: Mapping[str, str | None], figures: Mapping[str, int | None], *, late: bool) -> None:
        if not question.where or wanted(question, {**dimensions, "date": date}):
            _add(rows[date, *[dimensions[name] for name in question.by]], figures)
            cells.lines += 1
            cells.late += late

    for seen in _deals(asked, series, then, view, each=False):
        add(seen.snapshot, seen.dimensions, _figures(seen), late=seen.late)
    for name, line, target in _targets(question, asked, then, view):
        add(name, line.pieces[0].dimensions, target, late=line.late)
    for date, place, figures in _actual_added_up(asked, series, view):
        add(date, place, figures, late=False)
    cells.rows = {key: _settled(sums) for key, sums in rows.items()}
    whole: Sums = {}
    for sums in rows.values():
        _add(whole, sums)
    cells.totals = _settled(whole) if len({date for date, *_ in rows}) <= 1 else dict.fromkeys(FIGURES)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """What each deal brings to each date. Raises `MissingRate`."""
    asked, series, then = _asked(question, view)
    at = {date.name: date.at for date in series}
    for seen in _deals(asked, series, then, view, each=True):
        place = {**seen.dimensions, "date": seen.snapshot}
        yield Item(seen.stream, seen.position, at[seen.snapshot], place, _figures(seen), seen.state, late=seen.late)
    for name, line, target in _targets(question, asked, then, view):
        place = {**line.pieces[0].dimensions, "date": name}
        yield Item(line.stream, line.position, at[name], place, target, line.state, line.joined, line.late)
    yield from _actual(asked, series, view, rates)


Then = Mapping[str, tuple["Question", "Rates", Period]]
"""The question at each date, with the rates of then, by the date's name."""


def _asked(question: Question, view: View) -> tuple[Question, Sequence[Snapshot], Then]:
    """The question of the deals alone, the dates that it is asked of, and what it is at each."""
    asked = snapshots.measured(question)
    series = snapshots.asked_for(question, dates(question))
    rates = snapshots.rates_of(asked, series, view)
    return asked, series, {date.name: (asked.seen(date.at, date.at), rates[date.name], date.period) for date in series}


def _targets(
    question: Question, asked: Question, then: Then, view: View
) -> Iterator[tuple[str, Line, dict[str, int | None]]]:
    """The submitted forecast and the objective at each date."""
    metric = question.given.get("measure", "amount")
    for name, line in targets.at_each(then, asked, view, metric):
        if metric == "amount" or line.state == targets.OBJECTIVE:
            yield name, line, {TARGETS[line.state or ""]: line.pieces[0].bases["value"]}


def _deals(asked: Question, series: Sequence[Snapshot], then: Then, view: View, *, each: bool) -> Iterator[Seen]:
    rates = {name: rates for name, (_, rates, _) in then.items()}
    if each or not snapshot_runs.TELLS.issuperset(asked.dimensions):
        return snapshots.deals(asked, series, rates, view, each=each)
    return chain(snapshot_runs.open_deals(asked, series, rates, view), snapshots.won(asked, series, rates, view))


def _figures(seen: Seen) -> dict[str, int | None]:
    if seen.state == WON:
        return {"won_minor": seen.value}
    if seen.state == OMITTED:
        return {}
    figures = {"weighted_minor": seen.expected, "open_minor": seen.value}
    if seen.state == COMMIT:
        figures["commit_minor"] = seen.value
    return figures


def _actual(asked: Question, series: Sequence[Snapshot], view: View, rates: Rates) -> Iterator[Item]:
    """What the period became at the question's own pair, win by win, beside every date."""
    base = asked.report.sums[0].of
    lines = list(exact.read(closed(asked.over(series[0].period), view, wins), asked, view, rates)) if series else []
    for date in series:
        for line in lines:
            [piece] = line.pieces
            figures = {"actual_minor": piece.bases[base] if says(piece.bases, base) else None}
            place = {**piece.dimensions, "date": date.name}
            yield Item(line.stream, line.position, line.at, place, figures, ACTUAL, line.joined, line.late)


def _actual_added_up(
    asked: Question, series: Sequence[Snapshot], view: View
) -> Iterator[tuple[str, Mapping[str, str | None], dict[str, int | None]]]:
    """The same added up. Unless rows are told apart by more than their date, one without deals is a row too."""
    won = snapshots.won_by_month(asked, series[0].period, view) if series else ()
    found: list[tuple[Mapping[str, str | None], dict[str, int | None]]] = [
        (place, {"actual_minor": minor}) for place, minor in won
    ]
    if not asked.by:
        found.append(({name: next(iter(allowed), None) for name, allowed in asked.where.items()}, {}))
    for date in series:
        for place, figures in found:
            yield date.name, place, figures


def summary(question: Question, found: Sequence[Item]) -> Sums:  # noqa: ARG001 (as summaries are called)
    """The figures of one date; over several they would mean nothing."""
    if len({item.dimensions["date"] for item in found}) > 1:
        return dict.fromkeys(FIGURES)
    sums: Sums = {}
    for item in found:
        _add(sums, item.figures)
    return _settled(sums)


def _add(sums: Sums, figures: Mapping[str, int | None]) -> None:
    """Add what is known of some deals to what is of others."""
    for name, amount in figures.items():
        others = sums.get(name)
        sums[name] = amount if others is None else others + (amount or 0)


def _settled(sums: Sums) -> Sums:
    """All figures: of what no deal brings there is nothing, and an objective or a call that nobody made is unknown."""
    return dict.fromkeys(SUMS, 0) | dict.fromkeys(TARGETS.values()) | sums


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
    completed=tell,
    evidence=evidence,
    read_at=lambda question, item: (question.pair,) if item.state == ACTUAL else (Pair(item.at, item.at),),
    summary=summary,
    fixed=("date",),
    choices={"every": ("week", "day", "month")},
    first_day=lambda question: forecast_period(question).previous().first,
    series=True,
    default_period="this-quarter",
)
