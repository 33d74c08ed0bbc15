"""Scores of customers, prospects and open deals the second way, and the points that make them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from datetime import timedelta
from fractions import Fraction
from typing import Any

from tests.model.naive import DAY_US, State, day_of, half_even, largest_remainder
from tests.model.naive_reports import Book, Line, Question, Row, open_deals
from tests.second_ways.customers import its_line, year_before
from tests.second_ways.loyalty import talks_by_customer, won_by_customer
from tests.second_ways.plain import Way, added

WEIGHTS = {"path": 20, "recency": 20, "frequency": 15, "value": 20, "interactions": 15, "fit": 10}
FULL = 6
"""Wins in 24 months, or interactions in 90 days, from which on nothing more is to be had."""


def weights(book: Book, question: Question) -> dict[str, int]:
    """The last said by the pair; what they do not name weighs nothing."""
    said = [
        event.data["score_weights"]
        for event in book.seen("book", question.known_at)
        if event.at <= question.as_of and event.data.get("score_weights")
    ]
    return dict.fromkeys(WEIGHTS, 0) | said[-1] if said else WEIGHTS


class Scored:
    """What all scores of a pair rest on."""

    def __init__(self, book: Book, question: Question) -> None:
        self.book, self.question, self.now = book, question, question.happened_by
        self.zone = book.settings(question)["time_zone"]
        self.lapse_us = (book.settings(question).get("lapse_after_days") or 365) * DAY_US
        self.weights = weights(book, question)
        self.won = won_by_customer(book, question)
        self.talks = talks_by_customer(book, question)
        abouts = [self.customer(customer) for customer in self.won]
        self.two_years = year_before(year_before(day_of(self.now, self.zone)))
        self.alike = {
            name: Counter(about[name] for about in abouts if about.get(name)) for name in ("segment", "country")
        }

    def customer(self, customer: str | None) -> State:
        return self.book.state(f"customer-{customer}", self.now, self.question.known_at) or {}

    def recent(self, last: int | None) -> Fraction:
        return Fraction(0) if last is None else max(Fraction(0), 1 - Fraction(self.now - last, self.lapse_us))

    def talked(self, said: list[State]) -> Row:
        since = day_of(self.now, self.zone) - timedelta(days=90)
        return {
            "last": max((each["logged_at"] for each in said), default=None),
            "interactions_90d": len([each for each in said if day_of(each["logged_at"], self.zone) > since]),
        }

    def fit(self, customer: str | None) -> Fraction:
        about, parts = self.customer(customer), []
        for name, counts in self.alike.items():
            most = max(counts.values(), default=0)
            parts.append(Fraction(millionths(Fraction(counts[about.get(name)], most)) if most else 0, 1_000_000))
        return sum(parts, Fraction(0)) / 2

    def line(self, line: Line, customer: str | None, figures: Row, parts: dict[str, Fraction]) -> Line:
        """Of the points, whole ones that add up to the score."""
        weigh = {name: weight for name, weight in self.weights.items() if name in parts}
        score, points = None, dict.fromkeys(WEIGHTS)
        if sum(weigh.values()):
            earned = [weight * millionths(parts[name]) for name, weight in weigh.items()]
            score = half_even(100 * Fraction(sum(earned), 1_000_000 * sum(weigh.values())))
            shared = largest_remainder(score, earned) if sum(earned) else [0] * len(earned)
            points |= dict(zip(weigh, shared, strict=True))
        its = {"score": score} | {f"{name}_points": each for name, each in points.items()}
        last = figures.pop("last")
        its["last_at"] = None if last is None else day_of(last, self.zone).isoformat()
        of = line.dimensions | {"stream": line.stream, "customer": customer}
        return Line(line.stream, of, self.bought(customer) | figures | its)

    def bought(self, customer: str | None) -> Row:
        """In the last 24 months."""
        wins = [] if customer is None else self.won.get(customer, [])
        recent = [win for win in wins if day_of(win.figures["effective_at"], self.zone) > self.two_years]
        return {"wins_24m": len(recent), "revenue_24m_minor": added(recent, "amount_minor")}

    def often(self, customer: str | None) -> Fraction:
        return min(Fraction(1), Fraction(self.bought(customer)["wins_24m"], FULL))


def millionths(part: Fraction) -> int:
    """Rounded down."""
    return part.numerator * 1_000_000 // part.denominator


def below(amount: int, ordered: list[int]) -> Fraction:
    """Which part of the others has less; all of them where there are none."""
    others = len(ordered) - 1
    return Fraction(bisect_left(ordered, amount), others) if others > 0 else Fraction(1)


def customers(book: Book, question: Question) -> list[Line]:
    """Who ever bought."""
    scored = Scored(book, question)
    revenue = {customer: scored.bought(customer)["revenue_24m_minor"] or 0 for customer in scored.won}
    ordered = sorted(revenue.values())
    found = []
    for customer, wins in scored.won.items():
        figures = scored.talked(scored.talks.get(customer, []))
        figures["last"] = wins[-1].figures["effective_at"]
        parts = {
            "recency": scored.recent(figures["last"]),
            "frequency": scored.often(customer),
            "value": below(revenue[customer], ordered),
            "interactions": min(Fraction(1), Fraction(figures["interactions_90d"], FULL)),
            "fit": scored.fit(customer),
        }
        line = its_line(book, question, customer, scored.now, {})
        found.append(scored.line(line, customer, figures, parts))
    return found


def prospects(book: Book, question: Question) -> list[Line]:
    """Leads and prospects that never bought."""
    scored = Scored(book, question)
    found = []
    for stream in book.of_kind("customer"):
        state, customer = book.state(stream, scored.now, question.known_at), stream.partition("-")[2]
        if state is None or state["into"] or customer in scored.won or state["kind"] == "customer":
            continue
        figures = scored.talked(scored.talks.get(customer, []))
        parts = {
            "path": Fraction({"lead": 1, "prospect": 2}[state["kind"]], 3),
            "recency": scored.recent(figures["last"]),
            "interactions": min(Fraction(1), Fraction(figures["interactions_90d"], FULL)),
            "fit": scored.fit(customer),
        }
        line = its_line(book, question, customer, scored.now, {})
        found.append(scored.line(line, customer, figures, parts))
    return found


def deals(book: Book, question: Question) -> list[Line]:
    """Those open."""
    scored = Scored(book, question)
    lines = open_deals(book, question)
    worth = [line.figures["amount_minor"] or 0 for line in lines]
    ordered = sorted(worth)
    found = []
    for line, amount in zip(lines, worth, strict=True):
        customer = line.dimensions["customer"]
        figures = scored.talked(scored.talks.get(customer, []))
        parts = {
            "path": _path(book, question, line.stream),
            "recency": scored.recent(figures["last"]),
            "frequency": scored.often(customer),
            "value": below(amount, ordered),
            "interactions": min(Fraction(1), Fraction(figures["interactions_90d"], FULL)),
            "fit": scored.fit(customer),
        }
        found.append(scored.line(line, customer, figures, parts))
    return found


def _path(book: Book, question: Question, stream: str) -> Fraction:
    """The rank of its stage among those of its pipeline."""
    deal = book.state(stream, question.happened_by, question.known_at)
    assert deal is not None
    pipeline = [
        event for event in book.seen(f"pipeline-{deal['pipeline']}", question.known_at) if event.at <= question.as_of
    ]
    names = [stage["stage"] for stage in pipeline[-1].data["stages"]] if pipeline else []
    return Fraction(names.index(deal["stage"]) + 1, len(names)) if deal["stage"] in names else Fraction(0)


def _row(cell: list[Line], lines: list[Line]) -> Row:
    """One line's own; the total says of how many."""
    figures: dict[str, Any] = cell[0].figures if len(cell) == 1 else {}
    return {"scored": len(cell)} | figures


def tell(of: str) -> Way:
    lines = {"customers": customers, "prospects": prospects, "deals": deals}[of]
    return Way(lines, _row, ("stream", "customer"))
