"""What dimensions are called, in which order their values stand, and the names people read beside ids."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, null, select

from ledger.events import Erased
from projections import intervals
from projections.facts.names import sealed
from projections.reports.definition import STATE, TIME, Text
from projections.tables import (
    campaign_versions,
    customer_versions,
    person_versions,
    product_versions,
    stage_versions,
    team_versions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Table

    from ledger.application import Ledger
    from projections.reports.question import Question
    from projections.store import View

DIMENSIONS: dict[str, Text] = {
    "owner": Text("Commercial", "Owner"),
    "team": Text("Équipe", "Team"),
    "region": Text("Région", "Region"),
    "country": Text("Pays", "Country"),
    "kind": Text("Type", "Kind"),
    "channel": Text("Canal", "Channel"),
    "campaign": Text("Campagne", "Campaign"),
    "product": Text("Produit", "Product"),
    "product_range": Text("Gamme", "Product range"),
    "segment": Text("Segment", "Segment"),
    "customer": Text("Client", "Customer"),
    "stage": Text("Étape", "Stage"),
    "pipeline": Text("Pipeline", "Pipeline"),
    "day": Text("Jour", "Day"),
    "week": Text("Semaine", "Week"),
    "month": Text("Mois", "Month"),
    "quarter": Text("Trimestre", "Quarter"),
    "year": Text("Année", "Year"),
    "category": Text("Catégorie", "Category"),
    "outcome": Text("Issue", "Outcome"),
    "status": Text("État", "Status"),
    "date": Text("Date", "Date"),
    "cohort": Text("Cohorte", "Cohort"),
    "after": Text("Après", "After"),
    "health": Text("Santé", "Health"),
    "objective": Text("Objectif", "Objective"),
    "scope": Text("Portée", "Scope"),
    "metric": Text("Mesure", "Metric"),
    "indicator": Text("Indicateur", "Indicator"),
    "severity": Text("Gravité", "Severity"),
    "what": Text("Quoi", "What"),
    "who": Text("Qui", "Who"),
    "since": Text("Depuis", "Since"),
    "stream": Text("Flux", "Stream"),
    "reason": Text("Motif", "Reason"),
    "competitor": Text("Concurrent", "Competitor"),
    "other": Text("Autre client", "Other customer"),
    "pattern": Text("Évolution", "Pattern"),
    "period": Text("Période", "Period"),
}
_TABLES: dict[str, Table] = {
    "owner": person_versions,
    "team": team_versions,
    "customer": customer_versions,
    "campaign": campaign_versions,
    "product": product_versions,
    "stage": stage_versions,
    "pipeline": stage_versions,
}
ERASED = Text("(effacé)", "(erased)")
"""Stands for a name whose subject is erased."""
NAMED_AS = {each: each for each in _TABLES} | {"who": "owner", "other": "customer"}
"""Dimensions that have a `*_name` column beside them, and under which one each has its names."""
_KINDS = {
    "date": "date",
    "day": "date",
    "since": "date",
    "cohort": "month",
    "after": "text",
    "health": "text",
    "pattern": "text",
}
_NAMELESS = (None, None, None)
_FEW = 500
"""Of more things than these all names are read."""
MOST_STEPS = 12 * 300
"""More months than a cohort can be followed for."""


def kind(dimension: str) -> str:
    """The type of a dimension's column."""
    if dimension in _KINDS:
        return _KINDS[dimension]
    return "month" if dimension in TIME else "text" if dimension in STATE else "id"


def names(
    dimension: str, ids: Iterable[str | None], question: Question, view: View, *, ledger: Ledger | None, lang: str
) -> dict[str | None, str]:
    """The names, at the pair, of the things with these ids; a person's comes from the vault, or is `ERASED`.

    The dimension is one of those that `NAMED_AS` leads to.
    """
    table = _TABLES[dimension]
    if table is stage_versions:
        return _stage_names(dimension, question, view)
    prefix = "person-" if table is person_versions else f"{dimension}-"
    wanted = {each for each in ids if each is not None}
    found: dict[str | None, str] = {}
    commitments: dict[str, str] = {}
    few = [table.c.stream.in_(sorted(f"{prefix}{each}" for each in wanted))] if len(wanted) <= _FEW else []
    columns = [table.c[each] if each in table.c else null() for each in ("stream", "name", "name_commitment")]
    told = view.tuples(select(*columns).where(intervals.in_force(table, question.pair, view), *few))
    there = dict(zip(map(itemgetter(0), told), told, strict=True))
    for thing in wanted:
        _, name, commitment = there.get(f"{prefix}{thing}", _NAMELESS)
        if name is not None:
            found[thing] = name
        elif commitment is not None:
            commitments[thing] = commitment
    if commitments and ledger is not None:
        found |= {thing: shown_in(lang, name) for thing, name in revealed(commitments, ledger).items()}
    return found


def revealed(commitments: Mapping[str, str], ledger: Ledger) -> dict[str, str | Text]:
    """Names from the vault, by whatever each `name_commitment` is asked for; `ERASED` where the subject is."""
    seals = {thing: sealed(commitment) for thing, commitment in commitments.items()}
    values: Mapping[str, Any] = ledger.reveal(seals.values())
    there = {thing: values.get(seal.commitment.c) for thing, seal in seals.items()}
    shown = {thing: ERASED if isinstance(value, Erased) else value for thing, value in there.items()}
    return {thing: value for thing, value in shown.items() if isinstance(value, str | Text)}


def shown_in(lang: str, value: Any) -> Any:
    """What a text is in a language; anything else as it is."""
    return value.in_(lang) if isinstance(value, Text) else value


def _stage_names(dimension: str, question: Question, view: View) -> dict[str | None, str]:
    rows = intervals.at_pair(stage_versions, question.pair, view)
    query = select(rows.c.stream, rows.c.stage, rows.c.stage_name, rows.c.pipeline_name).order_by(rows.c.stream.desc())
    if dimension == "stage":
        return {row.stage: row.stage_name for row in view.rows(query)}
    return {row.stream.removeprefix("pipeline-"): row.pipeline_name for row in view.rows(query)}


def _places(dimension: str, question: Question, view: View) -> dict[str | None, tuple[Any, ...]]:
    """What to sort values by that do not stand in alphabetical order: stages as in their pipeline, words around months."""
    if dimension == "after":
        return {str(number): (0, number) for number in range(MOST_STEPS)}
    if dimension in TIME:
        return {"overdue": (0,), "later": (2,), "undated": (3,)}
    if dimension == "severity":
        return {"high": (0,), "medium": (1,), "low": (2,)}
    if dimension != "stage":
        return {}
    rows = intervals.at_pair(stage_versions, question.pair, view)
    query = select(rows.c.stage, func.min(rows.c.stage_no).label("first")).group_by(rows.c.stage)
    return {row.stage: (0, row.first, row.stage) for row in view.rows(query)}


def in_order(dimension: str, values: Collection[str | None], question: Question, view: View) -> list[str | None]:
    """The values as they stand one below the other; null stands last."""
    known = _places(dimension, question, view)
    told = sorted(value for value in values if value is not None)
    if known:
        told.sort(key=lambda value: known.get(value, (1, value)))
    return [*told, *([None] if None in values else [])]
