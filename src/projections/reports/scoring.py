"""Who deserves attention first: deals, prospects and customers from 0 to 100, with the points behind each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select

from ledger.money import E6
from ledger.times import DAY_US, day_start, local_date, local_days
from projections import intervals
from projections.reports import exact, lines
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, bought_by_column
from projections.reports.customers_at import CustomersAt, names_of_places
from projections.reports.definition import Report, Sum, Text, told
from projections.reports.lifetime import years_before
from projections.reports.listed import Listed, columns_of
from projections.reports.scores import commonness, ranks, scored
from projections.reports.settings import book_at, more_settings
from projections.reports.sources import open_deals
from projections.reports.touches import behind_touched, lately
from projections.tables import customer_versions, stage_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.cells import Cells
    from projections.reports.definition import Item
    from projections.reports.listed import Columns
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

WEIGHTS = {"path": 20, "recency": 20, "frequency": 15, "value": 20, "interactions": 15, "fit": 10}
"""What each part weighs where the book's `score_weights` say nothing."""

PARTS = {
    "customers": ("recency", "frequency", "value", "interactions", "fit"),
    "prospects": ("path", "recency", "interactions", "fit"),
    "deals": tuple(WEIGHTS),
}
"""The parts that mean something of each; the others weigh nothing."""

ON_PATH = {"lead": E6 // 3, "prospect": 2 * E6 // 3}
OFTEN = 6
"""Wins in two years, or interactions in 90 days, from which more earns no more."""
LATELY_DAYS, YEARS = 90, 2

POINTS = tuple(f"{name}_points" for name in WEIGHTS)
FIGURES = ("score", *POINTS, "last_at", "wins_24m", "revenue_24m_minor", "interactions_90d")

_c = customer_versions.c
PROFILE = {f"its_{name}": case((_c.merged_into.is_(None), _c[name])) for name in ("kind", "segment", "country")}
"""What a customer is like; one that was merged is like nobody."""
NEVER = (None, 0, None)


class Scoring:
    """What all scores of one answer are held against."""

    def __init__(self, question: Question, view: View, rates: Rates) -> None:
        self.question = question
        self.of = question.choice("of")
        self.at = question.pair.happened.as_of
        weights = _weights(question, view)
        self._weights = {name: weights.get(name, 0) for name in PARTS[self.of]}
        self._lapse = question.book.lapse_after_days * DAY_US
        zone = question.book.time_zone
        tomorrow = local_date(self.at, zone) + timedelta(days=1)
        since = years_before(question, YEARS) + 1
        asked = {
            "last_at": Of("last", self.at),
            "wins": Of("count", self.at, since),
            "revenue": Of("amount", self.at, since),
        }
        sold = bought_by_column(question, view, rates, asked)
        revenue = [0 if not wins else said for said, wins in zip(sold["revenue"], sold["wins"], strict=True)]
        self.sold = sold | {"revenue": revenue}
        days_ago = day_start(tomorrow - timedelta(days=LATELY_DAYS), zone)
        self._met = lately(question, view, self.at, days_ago, earlier=self.of != "customers")
        self.customers = CustomersAt(question, view, self.at, **PROFILE)
        self.buyers = self.customers.columns(map(stream_of, self.sold["customer"]))
        self._segments, self._countries = (commonness(self.buyers[f"its_{name}"]) for name in ("segment", "country"))

    def met(self, customers: Sequence[str | None]) -> Columns:
        """How many `interactions` there were with each `customer` lately, and when the last one was."""
        told = [NEVER if each is None else self._met.get(each, NEVER) for each in customers]
        its = columns_of(("customer", "interactions", "last_at"), told)
        return its | {"customer": customers}

    def figures(self, its: Columns) -> Columns:
        """The scores and their points, which add up to them, with what they rest on. None without a weight that applies.

        `path` and `value` are in millionths of what they can be at most, as is every part.
        """
        lapse, millionth = self._lapse, self._lapse // E6
        steps = [E6 * count // OFTEN for count in range(OFTEN + 1)]
        like = zip(
            map(self._segments.get, its["its_segment"]), map(self._countries.get, its["its_country"]), strict=True
        )
        parts = its | {
            "recency": [0 if at is None else max(0, lapse - (self.at - at)) // millionth for at in its["last_at"]],
            "frequency": [steps[min(wins, OFTEN)] for wins in its["wins"]],
            "interactions": [steps[min(count, OFTEN)] for count in its["interactions"]],
            "fit": [((segment or 0) + (country or 0)) // 2 for segment, country in like],
        }
        scores, points = scored([parts[name] for name in self._weights], list(self._weights.values()))
        return {
            "score": scores,
            **dict.fromkeys(POINTS, [None] * len(scores)),
            **dict(zip([f"{name}_points" for name in self._weights], points, strict=True)),
            "last_at": local_days(its["last_at"], self.question.book.time_zone),
            "wins_24m": its["wins"],
            "revenue_24m_minor": its["revenue"],
            "interactions_90d": its["interactions"],
        }


def stream_of(customer: str) -> str:
    return f"customer-{customer}"


def _weights(question: Question, view: View) -> Mapping[str, int]:
    """The book's weights at the pair; a part that they do not name weighs nothing."""
    weights = more_settings(book_at(question.pair, view)).get("score_weights")
    return {name: max(0, weight) for name, weight in weights.items()} if weights else WEIGHTS


def tell(question: Question, view: View, rates: Rates, cells: Cells) -> None:
    """Each is a row: told without the lines that `items` makes of them."""
    found = _found(question, view, rates)
    many = len(found.figures["score"])
    own = {name: its[0] if many == 1 else None for name, its in found.figures.items()}
    found.tell(cells, question, found.figures | {"scored": [1] * many}, own | {"scored": many})


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer, prospect or open deal with its score."""
    return _found(question, view, rates).items()


def _found(question: Question, view: View, rates: Rates) -> Listed:
    """Those that the filters let pass."""
    scoring = Scoring(question, view, rates)
    match scoring.of:
        case "customers":
            found = _customers(scoring)
        case "prospects":
            found = _prospects(scoring)
        case _:
            found = _deals(scoring, view, rates)
    return found.wanted(question)


def _customers(scoring: Scoring) -> Listed:
    """Those that have bought."""
    sold = scoring.sold
    late = [appended_at > scoring.question.pair.known_at for appended_at in sold["appended_at"]]
    value = ranks([revenue or 0 for revenue in sold["revenue"]])
    its = scoring.buyers | scoring.met(sold["customer"]) | sold | {"value": value, "late": late}
    return _of_customers(scoring, list(map(stream_of, sold["customer"])), its)


def _prospects(scoring: Scoring) -> Listed:
    """Leads and prospects that have not bought."""
    streams, sold = scoring.customers.streams, set(map(stream_of, scoring.sold["customer"]))
    kinds = zip(streams, scoring.customers.columns(streams)["its_kind"], strict=True)
    paths = {stream: ON_PATH[kind] for stream, kind in kinds if kind in ON_PATH and stream not in sold}
    none = [0] * len(paths)
    met = scoring.met([stream.removeprefix("customer-") for stream in paths])
    its = {"path": list(paths.values()), **dict.fromkeys(("wins", "revenue", "position", "late"), none)}
    return _of_customers(scoring, list(paths), scoring.customers.columns(paths) | met | its)


def _of_customers(scoring: Scoring, streams: Sequence[str], its: Columns) -> Listed:
    many, places = len(streams), names_of_places(scoring.question)
    return Listed(
        dimensions={**{name: its[name] for name in places}, "customer": its["customer"], "stream": streams},
        figures=scoring.figures(its),
        more={
            **{name: its[name] for name in ("position", "late")},
            "stream": streams,
            "at": [scoring.at] * many,
            "joined": [("book",)] * many,
        },
    )


def _deals(scoring: Scoring, view: View, rates: Rates) -> Listed:
    """Those that are open."""
    question = scoring.question
    dimensions = sorted(question.dimensions - {"stream"})
    asked = replace(
        question,
        report=replace(question.report, sums=(Sum("amount", "value"),), fixed=()),
        by=tuple(dict.fromkeys((*dimensions, "customer", "stage", "pipeline"))),
        where={},  # what a deal is worth beside all others is told before the filters pass it
    )
    names = ("stream", "position", "appended_at", "currency", "value_minor", *lines.asked(asked))
    rows: list[Any] = []
    for source in open_deals(asked, view, staged=False):
        query = lines.query(source, asked, view)
        columns = [query.selected_columns[name] for name in names]
        rows += view.rows(query.with_only_columns(*columns, maintain_column_froms=True), lines.values(source, asked))
    deals = columns_of(names, rows)
    worth, own, at = exact.Alone(asked, rates, ("value",)), {None, question.currency}, question.pair.as_of
    values = [
        minor or 0 if currency in own else worth(exact.Said(None, currency, at, 0, minor))[0]
        for currency, minor in zip(deals["currency"], deals["value_minor"], strict=True)
    ]
    steps = _steps(question, view)
    customers = deals["customer"]
    profiles = scoring.customers.columns(["" if customer is None else stream_of(customer) for customer in customers])
    wins, revenue = (
        dict(zip(scoring.sold["customer"], scoring.sold[name], strict=True)) for name in ("wins", "revenue")
    )
    known = [
        customer if customer in wins or kind is not None else None
        for customer, kind in zip(customers, profiles["its_kind"], strict=True)
    ]
    its = {
        "path": [steps.get(each, 0) for each in zip(deals["pipeline"], deals["stage"], strict=True)],
        "value": ranks(values),
        "wins": [wins.get(customer, 0) for customer in known],
        "revenue": [revenue.get(customer, 0) for customer in known],
        **scoring.met(known),
    }
    return Listed(
        dimensions={name: deals[name] for name in (*dimensions, "stream")},
        figures=scoring.figures(profiles | its),
        more={
            **{name: deals[name] for name in ("stream", "position")},
            "at": [at] * len(customers),
            "late": [appended_at > question.pair.known_at for appended_at in deals["appended_at"]],
            "joined": list(map(_joined, deals["pipeline"], customers)),
        },
    )


def _joined(pipeline: str | None, customer: str | None) -> tuple[str, ...]:
    told_by = () if customer is None else (stream_of(customer),)
    return ("book", f"pipeline-{pipeline}", *told_by)


def _steps(question: Question, view: View) -> dict[tuple[str | None, str | None], int]:
    """How far along its pipeline each stage is, in millionths of the way to the last one."""
    rows = intervals.at_pair(stage_versions, question.pair, view, stage_versions.c.gone == 0)
    stages: dict[str, list[str]] = {}
    for row in view.rows(select(rows.c.stream, rows.c.stage).order_by(rows.c.stream, rows.c.stage_no)):
        stages.setdefault(row.stream.removeprefix("pipeline-"), []).append(row.stage)
    return {
        (pipeline, stage): E6 * number // len(names)
        for pipeline, names in stages.items()
        for number, stage in enumerate(names, start=1)
    }


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """A thing's own score; of several only how many they are."""
    own = found[0].figures if len(found) == 1 else dict.fromkeys(FIGURES)
    return {**own, "scored": len(found)}


SCORING = Report(
    name="scoring",
    title=Text("Notation", "Scoring"),
    description=Text(
        "Les clients (of=customers), les prospects (of=prospects) ou les affaires ouvertes (of=deals), notés de 0 à "
        "100, avec les points de chaque critère.",
        "Customers (of=customers), prospects (of=prospects) or open deals (of=deals), scored from 0 to 100, with the "
        "points of each part.",
    ),
    formula=Text(
        "note = 100 × Σ poids × critère / Σ poids des critères qui s'appliquent ; poids : score_weights du registre "
        "aux dates de la question, sinon 20, 20, 15, 20, 15, 10. Critères de 0 à 1, en millionièmes entiers (arrondis"
        " vers le bas) : path, des prospects et des affaires : rang de l'étape / nombre d'étapes (lead 1/3, prospect "
        "2/3) ; recency : 1 − jours depuis la dernière vente (le dernier échange avec le client, pour prospects et "
        "affaires) / lapse_after_days, au moins 0 ; frequency, des clients et des affaires : ventes au client sur 24 "
        "mois / 6, au plus 1 ; value, des mêmes : part des autres clients (affaires) qui ont apporté (valent) moins, "
        "sur 24 mois, 1 sans autre ; interactions : échanges avec le client sur 90 jours / 6, au plus 1 ; fit : "
        "moyenne des fréquences du segment et du pays parmi ceux qui ont acheté, le plus courant valant 1. Points : "
        "la note partagée selon poids × critère, au plus fort reste.",
        "score = 100 × Σ weight × part / Σ weights of the parts that apply; weights: the book's score_weights at the "
        "question's dates, else 20, 20, 15, 20, 15, 10. Parts from 0 to 1, in whole millionths (rounded down): path, "
        "of prospects and deals: rank of the stage / number of stages (lead 1/3, prospect 2/3); recency: 1 − days "
        "since the last win (the last interaction with the customer, for prospects and deals) / lapse_after_days, at "
        "least 0; frequency, of customers and deals: the customer's wins in 24 months / 6, at most 1; value, of the "
        "same: part of the other customers (deals) that brought (are worth) less, in 24 months, 1 without any other; "
        "interactions: interactions with the customer in 90 days / 6, at most 1; fit: mean of how common segment and "
        "country are among those who bought, the most common being 1. Points: the score shared by weight × part, by "
        "largest remainder.",
    ),
    source=Text(
        "Événements deal.*, quote.accepted sans affaire, interaction.*, customer.*, pipeline.*, person.*, rate.fixed, "
        "book.settings_changed (score_weights)",
        "Events deal.*, quote.accepted without a deal, interaction.*, customer.*, pipeline.*, person.*, rate.fixed, "
        "book.settings_changed (score_weights)",
    ),
    columns=(
        told("scored", "count", Text("Notés", "Scored")),
        told("score", "count", Text("Note", "Score")),
        told("path_points", "count", Text("Points d'avancement", "Points for the path")),
        told("recency_points", "count", Text("Points de récence", "Points for recency")),
        told("frequency_points", "count", Text("Points de fréquence", "Points for frequency")),
        told("value_points", "count", Text("Points de montant", "Points for value")),
        told("interactions_points", "count", Text("Points d'échanges", "Points for interactions")),
        told("fit_points", "count", Text("Points d'adéquation", "Points for fit")),
        told("last_at", "date", Text("Dernière vente ou dernier échange", "Last win or interaction")),
        told("wins_24m", "count", Text("Ventes sur 24 mois", "Wins in 24 months")),
        told("revenue_24m_minor", "money", Text("Chiffre d'affaires sur 24 mois", "Revenue in 24 months")),
        told("interactions_90d", "count", Text("Échanges sur 90 jours", "Interactions in 90 days")),
    ),
    parameters=("as_of", "known_at", "of", "by", "where", "currency", "fx", "compare", "period", "every"),
    dimensions=("stream", *CUSTOMER_DIMENSIONS),
    completed=tell,
    evidence=items,
    summary=summary,
    behind=behind_touched,
    fixed=("stream", "customer"),
    choices={"of": ("customers", "prospects", "deals")},
    snapshot=True,
)
