"""Who deserves attention first: deals, prospects and customers from 0 to 100, with the points behind each."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from ledger.money import E6, half_even, share
from ledger.times import DAY_US, day_start, local_date
from projections import intervals
from projections.reports import exact, lines
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, bought, places
from projections.reports.definition import Item, Report, Sum, Text, told
from projections.reports.periods import add_months
from projections.reports.settings import book_at, more_settings
from projections.reports.sources import open_deals
from projections.reports.touches import behind_touched, lately
from projections.tables import customer_versions, stage_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from projections.reports.customers import Bought
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
LATELY_DAYS, MONTHS = 90, 24

FIGURES = (
    "score",
    *(f"{name}_points" for name in WEIGHTS),
    "last_at",
    "wins_24m",
    "revenue_24m_minor",
    "interactions_90d",
)


NO_POINTS = {f"{name}_points": None for name in WEIGHTS}
NO_CUSTOMER = dict.fromkeys(("recency", "frequency", "interactions", "fit"), 0)


class Profile(NamedTuple):
    kind: str
    segment: str | None
    country: str | None


UNKNOWN = Profile("customer", None, None)
NEVER = (None, 0)


class Customer(NamedTuple):
    """What is known of a customer when it is scored; its last contact only where that counts, unlike its last win."""

    profile: Profile
    its: Bought | None
    last_contact: int | None
    lately: int


class Scoring:
    """What all scores of one answer are held against."""

    def __init__(self, question: Question, view: View, rates: Rates) -> None:
        self.question = question
        self.of = question.choice("of")
        self.at = question.pair.happened.as_of
        weights = _weights(question, view)
        self._weights = {name: weights.get(name, 0) for name in PARTS[self.of]}
        self._whole = sum(self._weights.values())
        self._points = [f"{name}_points" for name in PARTS[self.of]]
        self._no_points = [0] * len(self._points)
        self._lapse = question.book.lapse_after_days * DAY_US
        zone = question.book.time_zone
        tomorrow = local_date(self.at, zone) + timedelta(days=1)
        since = day_start(add_months(tomorrow, -MONTHS), zone)
        asked = {
            "last": Of("last", self.at),
            "wins": Of("count", self.at, since),
            "revenue": Of("value", self.at, since),
        }
        self._sold = bought(question, view, rates, asked)
        days_ago = day_start(tomorrow - timedelta(days=LATELY_DAYS), zone)
        self._met = lately(question, view, self.at, days_ago, earlier=self.of != "customers")
        self._profiles = _profiles(question, view)
        self._revenues = sorted(its["revenue"] for its in self._sold.values())
        buyers = [self._profiles.get(name, UNKNOWN) for name in self._sold]
        self._segments = _commonness(each.segment for each in buyers)
        self._countries = _commonness(each.country for each in buyers)

    def names(self) -> Iterable[str]:
        """Who has bought, or who has not."""
        return self._sold if self.of == "customers" else self._profiles.keys() - self._sold.keys()

    def customer(self, name: str | None) -> Customer | None:
        """What is known of one, if there is such a customer."""
        if name is None or (name not in self._profiles and name not in self._sold):
            return None
        last_contact, count = self._met.get(name, NEVER)
        return Customer(self._profiles.get(name, UNKNOWN), self._sold.get(name), last_contact, count)

    def figures(self, customer: Customer | None, last_at: int | None, path: int, value: int) -> dict[str, Any]:
        """The score and its points, which add up to it, with what they rest on. None without a weight that applies.

        `path` and `value` are in millionths of what they can be at most, as is every part.
        """
        parts = {"path": path, "value": value} | (self._of_customer(customer, last_at) if customer else NO_CUSTOMER)
        weighted = [parts[name] * weight for name, weight in self._weights.items()]
        score = half_even(100 * sum(weighted), self._whole * E6) if self._whole else None
        points = share(score, weighted) if score else self._no_points
        its = customer.its if customer else None
        return {
            "score": score,
            **NO_POINTS,
            **dict(zip(self._points, points, strict=True)),
            "last_at": None if last_at is None else local_date(last_at, self.question.book.time_zone).isoformat(),
            "wins_24m": its["wins"] if its else 0,
            "revenue_24m_minor": its["revenue"] if its else 0,
            "interactions_90d": customer.lately if customer else 0,
        }

    def _of_customer(self, customer: Customer, last_at: int | None) -> dict[str, int]:
        lapse = self._lapse
        quiet = lapse if last_at is None else min(lapse, self.at - last_at)
        wins = 0 if customer.its is None else customer.its["wins"]
        _, segment, country = customer.profile
        return {
            "recency": E6 * (lapse - quiet) // lapse,
            "frequency": E6 * min(wins, OFTEN) // OFTEN,
            "interactions": E6 * min(customer.lately, OFTEN) // OFTEN,
            "fit": (self._segments.get(segment, 0) + self._countries.get(country, 0)) // 2,
        }

    def rank(self, revenue: int) -> int:
        """What part of the customers that have bought brought less, in millionths."""
        return _rank(self._revenues, revenue)


def _rank(ordered: Sequence[int], value: int) -> int:
    return E6 * bisect_left(ordered, value) // (len(ordered) - 1) if len(ordered) > 1 else E6


def _profiles(question: Question, view: View) -> dict[str, Profile]:
    rows = intervals.at_pair(customer_versions, question.pair, view, customer_versions.c.merged_into.is_(None))
    told: Sequence[Any] = view.rows(select(rows.c.stream, rows.c.kind, rows.c.segment, rows.c.country))
    profile = cache(Profile)
    return {stream.removeprefix("customer-"): profile(*its) for stream, *its in told}


def _commonness(values: Iterable[str | None]) -> dict[str | None, int]:
    """How common each segment, or country, of customers that have bought is, in millionths of the most common."""
    counts = Counter(values)
    del counts[None]
    most = max(counts.values(), default=1)
    return {value: E6 * count // most for value, count in counts.items()}


def _weights(question: Question, view: View) -> Mapping[str, int]:
    """The book's weights at the pair; a part that they do not name weighs nothing."""
    weights = more_settings(book_at(question.pair, view)).get("score_weights")
    return {name: max(0, weight) for name, weight in weights.items()} if weights else WEIGHTS


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer, prospect or open deal with its score."""
    scoring = Scoring(question, view, rates)
    if scoring.of == "deals":
        yield from _deals(scoring, view, rates)
        return
    place = places(question, view, scoring.at)
    for name in scoring.names():
        customer = scoring.customer(name)
        assert customer is not None
        kind, its = customer.profile.kind, customer.its
        if its is not None:
            last_at, path, value = its["last"], E6, scoring.rank(its["revenue"])
        elif kind in ON_PATH:
            last_at, path, value = customer.last_contact, ON_PATH[kind], 0
        else:
            continue
        dimensions = place(name) | {"stream": f"customer-{name}", "customer": name}
        if not exact.wanted(question, dimensions):
            continue
        yield Item(
            stream=f"customer-{name}",
            position=its["position"] if its else 0,
            at=scoring.at,
            dimensions=dimensions,
            figures=scoring.figures(customer, last_at, path, value),
            joined=("book",),
            late=its is not None and its["appended_at"] > question.pair.known_at,
        )


def _deals(scoring: Scoring, view: View, rates: Rates) -> Iterator[Item]:
    question = scoring.question
    dimensions = (*(question.dimensions - {"stream"}), "customer", "stage", "pipeline")
    where = {name: values for name, values in question.where.items() if name != "stream"}
    asked = replace(
        question,
        report=replace(question.report, sums=(Sum("amount", "value"),), fixed=()),
        by=tuple(dict.fromkeys(dimensions)),
        where=where,
    )
    steps = _steps(question, view)
    told: list[Any] = [
        row
        for each in open_deals(asked, view)
        for row in view.rows(lines.query(each, asked, view), lines.values(each, asked))
    ]
    worth = exact.Alone(asked, rates, ("value",))
    values = [worth(exact.Said(state, currency, at, 0, minor))[0] for _, _, _, at, state, currency, minor, *_ in told]
    ordered, names, heads = sorted(values), lines.asked(asked), sorted(question.dimensions - {"stream"})
    for (stream, position, appended_at, at, *its), value in zip(told, values, strict=True):
        place = dict(zip(names, its[-len(names) :], strict=True))
        customer = scoring.customer(place["customer"])
        last_at = customer.last_contact if customer else None
        path = steps.get((place["pipeline"], place["stage"]), 0)
        told_by = [f"customer-{place['customer']}"] if place["customer"] is not None else []
        yield Item(
            stream=stream,
            position=position,
            at=at,
            dimensions={name: place[name] for name in heads} | {"stream": stream},
            figures=scoring.figures(customer, last_at, path, _rank(ordered, value)),
            joined=("book", f"pipeline-{place['pipeline']}", *told_by),
            late=appended_at > question.pair.known_at,
        )


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
        "note = 100 × Σ poids × critère / Σ poids des critères qui s'appliquent ; poids : score_weights du livre aux "
        "dates de la question, sinon 20, 20, 15, 20, 15, 10. Critères de 0 à 1 : path : rang de l'étape / nombre "
        "d'étapes (lead 1/3, prospect 2/3) ; recency : 1 − jours depuis la dernière vente (le dernier échange, pour "
        "prospects et affaires) / lapse_after_days ; frequency : ventes sur 24 mois / 6, au plus 1 ; value : part des "
        "clients (des affaires) qui ont apporté (valent) moins, sur 24 mois ; interactions : échanges sur 90 jours / 6, "
        "au plus 1 ; fit : fréquence du segment et du pays parmi les clients, le plus courant valant 1.",
        "score = 100 × Σ weight × part / Σ weights of the parts that apply; weights: the book's score_weights at the "
        "question's dates, else 20, 20, 15, 20, 15, 10. Parts from 0 to 1: path: rank of the stage / number of stages "
        "(lead 1/3, prospect 2/3); recency: 1 − days since the last win (the last interaction, for prospects and deals) "
        "/ lapse_after_days; frequency: wins in 24 months / 6, at most 1; value: part of the customers (of the deals) "
        "that brought (are worth) less, in 24 months; interactions: interactions in 90 days / 6, at most 1; fit: how "
        "common segment and country are among customers, the most common being 1.",
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
    items=items,
    summary=summary,
    behind=behind_touched,
    fixed=("stream", "customer"),
    choices={"of": ("customers", "prospects", "deals")},
    snapshot=True,
)
