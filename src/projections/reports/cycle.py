"""How long selling takes, and how fast it brings money in."""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any

from ledger.money import half_even
from ledger.times import DAY_US
from projections.reports import exact, stays
from projections.reports.cells import work_out
from projections.reports.definition import Item, Report, Sum, Text, says, told
from projections.reports.dimensions import DEAL_DIMENSIONS, merged
from projections.reports.lines import used
from projections.reports.sources import closed, open_deals
from projections.reports.spread import MEDIAN, P90, days, mean, quantile
from projections.tables import losses, wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

OPEN = "open"


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The wins and losses of the period with how long each took, and how many deals are open at `as_of`."""
    closings, at = _of_closings(question), question.pair.as_of
    for source in _closings(closings, view):
        names = (*used(closings, source), "chance_bp", "late")
        for alike in exact.in_brief(source, closings, view, rates):
            for dimensions, brings in alike.parts:
                its: dict[str, Sequence[int]] = dict(zip(names, zip(*brings, strict=True), strict=True))
                figures: dict[str, Any] = {str(alike.state): len(brings), "cycle_us": its["quantity"]}
                if alike.state == "won":
                    figures["won_minor"] = tuple(compress(its["value"], its["value_said"]))
                late, many = sum(its["late"]), len(brings)
                yield Item("deals", 0, at, dimensions, figures, alike.state, late=late, lines=many)
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
    into, closings = merged(question, view), _of_closings(question)
    for source in _closings(closings, view):
        for line in exact.read(source, closings, view, rates, merged=into):
            [(dimensions, bases)] = line.pieces
            figures: dict[str, int | None] = {str(line.state): 1, "cycle_us": bases["quantity"]}
            if line.state == "won":
                figures["won_minor"] = bases["value"] if says(bases, "value") else None
            yield Item(line.stream, line.position, line.at, dimensions, figures, line.state, line.joined, line.late)
    if _tells_open(question):
        asked = _open(question)
        for source in open_deals(asked, view):
            for line in exact.read(source, asked, view, rates, merged=into):
                dimensions, is_open = line.pieces[0].dimensions, {"open_deals": 1}
                yield Item(line.stream, line.position, line.at, dimensions, is_open, OPEN, line.joined, line.late)


def _of_closings(question: Question) -> Question:
    """The question for the closings' lines: what a win brings, and as the quantity of each how long it took."""
    sums = (Sum("amount", "value", frozenset({"won"})), Sum("cycle_us", "quantity"))
    return replace(question, report=replace(question.report, sums=sums))


def _closings(question: Question, view: View) -> Iterator[Source]:
    """Wins and losses of the period."""
    for table in (wins, losses):
        source = closed(question, view, table)
        columns = {**source.columns, "quantity_e6": table.c.effective_from - table.c.opened_at}
        source = replace(source, columns=columns, kept=None)
        yield source if table is wins else source.narrowed(losses.c.outcome == "lost")


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


def _each(name: str, found: Sequence[Item]) -> list[int]:
    """What closings say of themselves, each by itself or several together."""
    values: list[int] = []
    for item in found:
        its = item.figures.get(name)
        if its is not None:
            values.extend(its if isinstance(its, tuple) else (its,))
    return values


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:
    durations, said = _each("cycle_us", found), _each("won_minor", found)
    to_win = _each("cycle_us", [item for item in found if item.state == "won"])
    count = {name: sum(item.figures.get(name, 0) for item in found) for name in ("won", "lost", "open_deals")}
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
