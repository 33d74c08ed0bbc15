"""Who is first: owners or teams ranked on a metric over a period."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.money import E6
from projections.reports import metrics
from projections.reports.across import tell_ranks, tell_shares
from projections.reports.definition import Column, Report, Sum, Text, across
from projections.reports.sources import label

if TYPE_CHECKING:
    from projections.reports.definition import Base, Exact, Key, Sums
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

AMONG = ("owner", "team")


def lines(question: Question, view: View) -> list[Source]:
    """Each line of the period that the metric counts."""
    return [metrics.lines_of(question.choice("metric"), question, view).in_state(label("counted"))]


def ranks(question: Question, rows: dict[Key, Sums], totals: Sums) -> tuple[Text, ...]:  # noqa: ARG001
    """What nobody's is is counted and not ranked."""
    tell_shares(rows, totals, "achieved")
    tell_ranks((sums for key, sums in rows.items() if key[0] is not None), lambda sums: sums["achieved"])
    return ()


def _columns(metric: str) -> tuple[Column, ...]:
    is_money = metric in metrics.MONEY
    scale = E6 if metrics.base_of(metric) == "one" else 1

    def money(sums: Sums) -> Exact:
        return sums["achieved"] if is_money else None

    def number(sums: Sums) -> Exact:
        return None if is_money or sums["achieved"] is None else sums["achieved"] * scale

    return (
        across("rank", "count", Text("Rang", "Rank")),
        Column("achieved_minor", "money", Text("Réalisé (montant)", "Achieved (amount)"), money),
        Column("achieved", "quantity", Text("Réalisé", "Achieved"), number),
        across("share", "ratio", Text("Part", "Share")),
    )


def _sums(base: Base) -> tuple[Sum, ...]:
    return (Sum("achieved", base),)


_AMOUNT = Report(
    name="leaderboard",
    title=Text("Classement", "Leaderboard"),
    description=Text(
        "Les commerciaux, ou les équipes (among=team), classés sur une mesure au long d'une période : un défi. Ce qui "
        "n'est à personne est compté sans rang.",
        "Owners, or teams (among=team), ranked on a metric over a period: a challenge. What is nobody's is counted "
        "and not ranked.",
    ),
    formula=Text(
        "rang par réalisé, 1 le plus grand ; les ex æquo partagent leur rang et le suivant compte leur nombre ; part = "
        "réalisé / réalisé en tout. Les mesures sont celles des objectifs ; invoiced_amount déduit les avoirs.",
        "rank by what was achieved, 1 the greatest; ties share their rank and the next counts them all; share = "
        "achieved / achieved in all. The metrics are those of objectives; invoiced_amount deducts credit notes.",
    ),
    source=Text(
        "Événements deal.*, quote.*, interaction.logged, person.*, rate.fixed, customer.merged",
        "Events deal.*, quote.*, interaction.logged, person.*, rate.fixed, customer.merged",
    ),
    columns=_columns("amount"),
    parameters=("as_of", "known_at", "period", "metric", "among", "by", "where", "currency", "fx", "compare", "every"),
    dimensions=AMONG,
    sums=_sums("value"),
    lines=lines,
    fixed=("owner",),
    choices={"metric": metrics.METRICS, "among": AMONG},
    across=ranks,
    among_all=True,
    ranked=True,
)


def _of(metric: str, among: str) -> Report:
    return replace(_AMOUNT, fixed=(among,), sums=_sums(metrics.base_of(metric)), columns=_columns(metric))


_TEAMS = {f"metric={metric}": _of(metric, "team") for metric in metrics.METRICS}

LEADERBOARD = replace(
    _AMOUNT,
    variants={
        "among=team": replace(_of("amount", "team"), variants=_TEAMS),
        **{
            f"metric={metric}": replace(_of(metric, "owner"), variants={"among=team": _TEAMS[f"metric={metric}"]})
            for metric in metrics.METRICS
        },
    },
)
