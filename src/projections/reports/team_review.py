"""Each rep beside their team: whether a problem is everyone's, or one or two people's."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ledger.money import half_even
from projections import intervals
from projections.reports.activity import TALKS, opened
from projections.reports.definition import Column, Report, Sum, Text, across, figure, ratio
from projections.reports.exact import Line, Piece, wanted
from projections.reports.metrics import talks
from projections.reports.sources import closed, label, quotes
from projections.reports.spread import MEDIAN, quantile
from projections.tables import losses, person_versions, wins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.reports.definition import Key, Sums
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

ENDINGS = ("won", "lost", "abandoned")
REP = "rep"


def lines(question: Question, view: View) -> list[Source]:
    """Each interaction, deal opened, quote and closing of the period."""
    return [
        talks(question, view, tuple(TALKS)).in_state(label("interaction")),
        opened(question, view),
        quotes(question, view).in_state(label("quote")),
        closed(question, view, wins),
        closed(question, view, losses),
    ]


def reps(question: Question, view: View, rates: Rates) -> Iterator[Line]:  # noqa: ARG001 (as reports call it)
    """Each rep there is at the end of the period, so that those who did nothing have a row too."""
    until = question.seen(min(question.period_to - 1, question.pair.as_of), question.pair.known_at).pair
    rows = intervals.at_pair(person_versions, until, view, person_versions.c.active == 1, person_versions.c.role == REP)
    for row in view.rows(select(rows)):
        place = {"team": row.team, "owner": row.stream.removeprefix("person-")}
        if wanted(question, place):
            late = row.appended_at > question.pair.known_at
            pieces = (Piece(place, {"one": 1}),)
            yield Line(row.stream, row.position, row.effective_from, REP, None, None, late, pieces)


COLUMNS: tuple[Column, ...] = (
    figure("interactions", "count", Text("Contacts", "Interactions")),
    figure("deals_opened", "count", Text("Affaires ouvertes", "Deals opened")),
    figure("quotes_issued", "count", Text("Devis émis", "Quotes issued")),
    figure("won", "count", Text("Ventes", "Won")),
    figure("amount_minor", "money", Text("Montant", "Amount")),
    ratio("win_rate", Text("Taux de réussite", "Win rate"), "won", *ENDINGS),
)


def medians(question: Question, rows: dict[Key, Sums], totals: Sums) -> tuple[Text, ...]:  # noqa: ARG001
    """Tell each rep the medians of their team, and on how many of the figures they are below them.

    Those without a rate have no part in its median; nor have those of no team.
    """
    of_team: dict[str | None, list[Sums]] = defaultdict(list)
    for (team, owner), sums in rows.items():
        if team is not None and owner is not None:
            of_team[team].append(sums)
    for some in of_team.values():
        found = {column.name: _median(column, some) for column in COLUMNS}
        below = [sum(_is_below(column, sums, found) for column in COLUMNS) for sums in some]
        for sums, count in zip(some, below, strict=True):
            sums |= {f"median_{name}": value for name, value in found.items()}
            sums |= {"below_median": count, "reps": len(some)}
    return ()


def _median(column: Column, some: list[Sums]) -> Any:
    values = [value for sums in some if (value := column.value(sums)) is not None]
    return quantile(values, MEDIAN)


def _is_below(column: Column, sums: Sums, found: dict[str, Any]) -> bool:
    value = column.value(sums)
    return value is not None and value < found[column.name]


def _median_column(of: Column) -> Column:
    text = Text(f"{of.label.fr}, médiane de l'équipe", f"{of.label.en}, team median")
    name = f"median_{of.name}"

    def value(sums: Sums) -> Any:
        found = sums.get(name)
        if found is None or of.type == "ratio":
            return found
        return half_even(*found.as_integer_ratio()) if of.type == "money" else Fraction(found) * 1_000_000

    return Column(name, "quantity" if of.type == "count" else of.type, text, value)


TEAM_REVIEW = Report(
    name="team_review",
    title=Text("Revue d'équipe", "Team review"),
    description=Text(
        "Chaque commercial à côté de son équipe, sur l'activité et les résultats de la période, face à la médiane de "
        "l'équipe : un problème de tous, ou d'un ou deux. Les commerciaux en poste à la fin de la période (ou à as_of, "
        "si c'est avant) y sont aussi s'ils n'ont rien fait.",
        "Each rep beside their team on the activity and results of the period, against the team's median: a problem of "
        "all, or of one or two. Reps in office at the end of the period (or at as_of, if before) are there too if they "
        "did nothing.",
    ),
    formula=Text(
        "médiane des commerciaux de l'équipe ; sous la médiane = sur combien des six chiffres ; réussite = gagnées / "
        "(gagnées + perdues + abandonnées) ; qui n'en a pas ne compte pas dans sa médiane. Contacts : ceux qu'activity "
        "compte, des appels aux propositions. L'équipe est celle de la date de chaque fait ; ce qui n'est à personne, ou "
        "d'aucune équipe, n'a pas de médiane.",
        "median of the team's reps; below median = on how many of the six figures; win rate = won / (won + lost + "
        "abandoned), those without one having no part in its median. Interactions: those that activity counts, from "
        "calls to proposals. The team is that of the date of each fact; what is nobody's, or of no team, has no median.",
    ),
    source=Text(
        "Événements person.*, interaction.logged, deal.*, quote.*, rate.fixed",
        "Events person.*, interaction.logged, deal.*, quote.*, rate.fixed",
    ),
    sums=(
        Sum("interactions", "one", frozenset({"interaction"})),
        Sum("deals_opened", "one", frozenset({"opened"})),
        Sum("quotes_issued", "one", frozenset({"quote"})),
        *(Sum(state, "one", frozenset({state})) for state in ENDINGS),
        Sum("amount", "value", frozenset({"won"})),
    ),
    columns=(
        *COLUMNS,
        *(_median_column(column) for column in COLUMNS),
        across("below_median", "count", Text("Sous la médiane", "Below median")),
        across("reps", "count", Text("Commerciaux de l'équipe", "Reps in the team")),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "compare", "every"),
    dimensions=("team", "owner"),
    fixed=("team", "owner"),
    lines=lines,
    more_lines=reps,
    across=medians,
)
