"""How long selling takes, and how fast it brings money in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ledger.money import half_even
from ledger.times import DAY_US
from projections.reports import exact, stays
from projections.reports.cells import work_out
from projections.reports.definition import Item, Report, Sum, Text, says, told
from projections.reports.dimensions import DEAL_DIMENSIONS, merged
from projections.reports.sources import closed, open_deals
from projections.reports.spread import MEDIAN, P90, days, mean, quantile
from projections.tables import losses, wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

OPEN = "open"


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each win and loss of the period with how long it took, and how many deals are open at `as_of`."""
    yield from _closings(question, view, rates, None)
    if _tells_open(question):
        asked = _open(question)
        cells = work_out(asked, view)
        late = cells.late
        for key, sums in cells.rows.items():
            told, deals = dict(zip(asked.heads, key, strict=True)), sums["deals"]
            yield Item("pipeline", 0, question.pair.as_of, told, {"open_deals": deals}, OPEN, late=late, lines=deals)
            late = 0  # said once, of them all


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each win and loss of the period, and each deal open at `as_of`."""
    into = merged(question, view)
    yield from _closings(question, view, rates, into)
    if _tells_open(question):
        asked = _open(question)
        for source in open_deals(asked, view):
            for line in exact.read(source, asked, view, rates, merged=into):
                dimensions, figures = line.pieces[0].dimensions, {"open_deals": 1}
                yield Item(line.stream, line.position, line.at, dimensions, figures, OPEN, line.joined, line.late)


def _closings(question: Question, view: View, rates: Rates, into: Mapping[str, str] | None) -> Iterator[Item]:
    report = replace(question.report, sums=(Sum("amount", "value", frozenset({"won"})),))
    asked = replace(question, report=report)
    for table in (wins, losses):
        source = closed(asked, view, table)
        if table is losses:
            source = source.narrowed(losses.c.outcome == "lost")
        columns = source.columns
        opened = select(columns["stream"], columns["opened_at"]).select_from(source.frm).where(*source.where)
        since = {row.stream: row.opened_at for row in view.rows(opened, dict(source.values))}
        for line in exact.read(source, asked, view, rates, merged=into):
            [(dimensions, bases)] = line.pieces
            figures: dict[str, int | None] = {str(line.state): 1, "cycle_us": line.at - since[line.stream]}
            if table is wins:
                figures["won_minor"] = bases["value"] if says(bases, "value") else None
            yield Item(line.stream, line.position, line.at, dimensions, figures, line.state, line.joined, line.late)


def _tells_open(question: Question) -> bool:
    """Whether open deals can be told apart as the rows are: months and outcomes are of closings."""
    return not question.needs_month and "outcome" not in question.dimensions


def _open(question: Question) -> Question:
    report = replace(
        question.report,
        sums=(Sum("deals", "one"),),
        lines=open_deals,
        items=None,
        evidence=None,
        summary=None,
    )
    return replace(question, report=report, by=tuple(sorted(question.dimensions)))


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:
    durations = [item.figures["cycle_us"] for item in found if item.state != OPEN]
    to_win = [item.figures["cycle_us"] for item in found if item.state == "won"]
    count = {name: sum(item.figures.get(name, 0) for item in found) for name in ("won", "lost", "open_deals")}
    said = [item.figures["won_minor"] for item in found if item.figures.get("won_minor") is not None]
    velocity = None
    if sum(to_win) and said and _tells_open(question):
        # open × (amount / said) × (won / (won + lost)) / (Σ days to a win / won)
        over = count["open_deals"] * sum(said) * count["won"] ** 2 * DAY_US
        velocity = half_even(over, len(said) * (count["won"] + count["lost"]) * sum(to_win))
    return {
        "won": count["won"],
        "lost": count["lost"],
        "median_days": days(quantile(durations, MEDIAN)),
        "mean_days": days(mean(durations)),
        "p90_days": days(quantile(durations, P90)),
        "mean_won_days": days(mean(to_win)),
        "open_deals": count["open_deals"] if _tells_open(question) else None,
        "velocity_minor_per_day": velocity,
    }


def summary_of_stays(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001
    durations = [stay for item in found for stay in item.figures["stays_us"]]
    return {
        "left": len(durations),
        "median_days": days(quantile(durations, MEDIAN)),
        "mean_days": days(mean(durations)),
        "p90_days": days(quantile(durations, P90)),
    }


_MEDIAN = told("median_days", "quantity", Text("Jours, médiane", "Days, median"))
_MEAN = told("mean_days", "quantity", Text("Jours, moyenne", "Days, mean"))
_P90 = told("p90_days", "quantity", Text("Jours, 90e centile", "Days, 90th percentile"))
_DIMENSIONS = tuple(each for each in DEAL_DIMENSIONS if each not in {"product", "product_range"})

CYCLE = Report(
    name="cycle",
    title=Text("Durée de vente", "Sales cycle"),
    description=Text(
        "Combien de temps il faut, de l'ouverture d'une affaire à sa victoire ou à sa perte, pour celles closes dans "
        "la période, et ce que les affaires ouvertes rapportent par jour à ce rythme. of=stages : le temps passé dans "
        "chaque étape par les affaires ouvertes dans la période.",
        "How long it takes from a deal's opening to its win or loss, of those closed in the period, and what the open "
        "deals bring in per day at that pace. of=stages: the time spent in each stage by the deals opened in the "
        "period.",
    ),
    formula=Text(
        "jours de 24 h de l'ouverture à la clôture en vigueur ; médiane et 90e centile par interpolation ; vélocité = "
        "affaires ouvertes à as_of × vente moyenne × gagnées / (gagnées + perdues) / jours moyens jusqu'à la victoire, "
        "en centimes par jour, sauf par mois ou par issue. Les abandons ne comptent pas.",
        "days of 24 h from the opening to the closing in force; median and 90th percentile by interpolation; velocity "
        "= deals open at as_of × average won value × won / (won + lost) / mean days to a win, in minor units per day, "
        "not by month or outcome. Abandonments do not count.",
    ),
    source=Text(
        "Événements deal.*, quote.*, pipeline.*, rate.fixed, person.*, customer.*",
        "Events deal.*, quote.*, pipeline.*, rate.fixed, person.*, customer.*",
    ),
    columns=(
        told("won", "count", Text("Gagnées", "Won")),
        told("lost", "count", Text("Perdues", "Lost")),
        _MEDIAN,
        _MEAN,
        _P90,
        told("mean_won_days", "quantity", Text("Jours jusqu'à la victoire, moyenne", "Days to a win, mean")),
        told("open_deals", "count", Text("Affaires ouvertes", "Open deals")),
        told("velocity_minor_per_day", "count", Text("Vélocité (centimes par jour)", "Velocity (minor units per day)")),
    ),
    parameters=(*("as_of", "known_at", "period", "of", "by", "where", "currency", "fx", "compare", "years", "every"),),
    dimensions=("month", "quarter", "year", "outcome", *_DIMENSIONS),
    items=items,
    evidence=evidence,
    summary=summary,
    choices={"of": ("deals", "stages")},
)

CYCLE = replace(
    CYCLE,
    variants={
        "of=stages": replace(
            CYCLE,
            columns=(told("left", "count", Text("Sorties", "Left")), _MEDIAN, _MEAN, _P90),
            dimensions=("stage", "month", "quarter", "year", *(each for each in _DIMENSIONS if each != "stage")),
            fixed=("stage",),
            items=stays.items,
            evidence=stays.evidence,
            summary=summary_of_stays,
        )
    },
)
