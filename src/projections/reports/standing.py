"""Where deals stand and what they are worth, as the waterfall compares them between two dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, or_

from ledger.money import convert
from projections.pairs import Pair
from projections.reports.definition import TIME
from projections.reports.rates import Rates
from projections.reports.sources import instant, label
from projections.reports.waterfall import Place

if TYPE_CHECKING:
    from projections.reports.question import Question
    from projections.store import View


def pairs(question: Question) -> tuple[Pair, Pair, Pair]:
    """At which deals are read: `from` as known then and as known now, and the question's own."""
    assert question.since is not None
    known_at = question.pair.known_at
    return Pair(question.since, question.since), Pair(question.since, known_at), question.pair


Which = Callable[[Mapping[str, Any]], ColumnElement[bool]]
"""Which deals: a condition on their columns."""


def held_at(*pairs: Pair) -> Which:
    """Whether a deal's row holds at all these pairs."""
    happened = [pair.happened for pair in pairs]
    as_of, known_at = [pair.as_of for pair in happened], [pair.known_at for pair in happened]

    def held(columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
        return and_(
            columns["effective_from"] <= instant(min(as_of)),
            columns["effective_to"] > instant(max(as_of)),
            columns["known_from"] <= instant(min(known_at)),
            columns["known_to"] > instant(max(known_at)),
        )

    return held


def unmoved(question: Question, *pairs: Pair) -> Which:
    """Whether a deal has the same row at all these pairs, and is worth the same at any rate."""
    held = held_at(*pairs)

    def is_unmoved(columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
        currency = columns["currency"]
        return and_(held(columns), or_(currency.is_(None), currency == label(question.currency)))

    return is_unmoved


PartName = tuple[str | None, ...]
"""Of a part of a deal what the question tells of its product; nothing of a whole deal."""


class PartOf:
    """Which part of a deal a product line of it counts towards.

    Products that the filters let pass, but no row tells apart, are one part, named by any of them: a deal that has
    several of them counts once.
    """

    def __init__(self, question: Question) -> None:
        self.names = question.told_by_products
        self._where = [question.where.get(name) for name in self.names]
        self._any = [
            None if values is None or name in question.heads else min(values, key=str)
            for name, values in zip(self.names, self._where, strict=True)
        ]
        self._heads = [name in question.heads for name in self.names]
        self._found: dict[PartName, PartName] = {}

    def __call__(self, line: PartName) -> PartName:
        """By what it has for the `names`, in their order."""
        if line not in self._found:
            passes = all(values is None or value in values for value, values in zip(line, self._where, strict=True))
            told = zip(line, self._heads, self._any, strict=True)
            self._found[line] = tuple(value if heads else other for value, heads, other in told) if passes else line
        return self._found[line]


class Worth:
    """What amounts are worth at the rates of `from`, as known then or now, and of the end. Raises `MissingRate`."""

    def __init__(self, question: Question, view: View, rates: Rates) -> None:
        assert question.since is not None
        self._since, self._end = question.since, question.pair.as_of
        self._currency = question.currency
        self._rates = rates
        then = question.seen(self._since, self._since)
        self._rates_then = rates if question.choice("fx") == "constant" else Rates(then, view)

    def then(self, minor: int, currency: str) -> int:
        return self._at(minor, currency, self._rates_then, self._since)

    def known(self, minor: int, currency: str) -> int:
        return self._at(minor, currency, self._rates, self._since)

    def last(self, minor: int, currency: str, at: int, *, was_open: bool) -> int:
        """At the rate of `from`: of what was not open then, and in a currency that had no rate, at that of `at`."""
        is_known = was_open or self._rates.converts(currency, self._since)
        return self._at(minor, currency, self._rates, self._since if is_known else at)

    def end(self, minor: int, currency: str) -> int:
        return self._at(minor, currency, self._rates, self._end)

    def _at(self, minor: int, currency: str, rates: Rates, at: int) -> int:
        return convert(minor, rates.factor(currency, at)) if minor and currency != self._currency else minor


class Places:
    """Tells a place by its dimensions."""

    def __init__(self, question: Question) -> None:
        self._heads = question.heads
        self._where = question.where

    def of(self, dimensions: Mapping[str, str | None], *, in_period: bool) -> Place:
        passes = {name: dimensions[name] in values for name, values in self._where.items()}
        told: list[tuple[bool, object]] = [(name in TIME, dimensions[name]) for name in self._heads]
        told += [(name in TIME, passed) for name, passed in passes.items()]
        return Place(
            dimensions,
            tuple(dimensions[name] for name in self._heads),
            tuple(value for of_time, value in told if not of_time),
            (in_period, *(value for of_time, value in told if of_time)),
            in_period,
            in_period and all(passes.values()),
        )
