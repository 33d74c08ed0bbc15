"""Exchange rates as known at the pair, exact: direct, the other way round, or across through the book's currency."""

from __future__ import annotations

from bisect import bisect_right
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import and_, select

from ledger.errors import BadRequest
from ledger.money import decimals
from ledger.times import local_date
from projections.tables import rate_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from projections.reports.question import Question
    from projections.store import View

Found = TypeVar("Found")


class MissingRate(BadRequest):
    """An amount in a currency that nothing converts at its date."""

    code = "missing_rate"


Missing = dict[tuple[int, str], MissingRate]
"""Of each rate that is missing, by its instant and currency, the error that names it."""


def naming_the_earliest(work_out: Callable[[Question], Found], question: Question) -> Found:
    """What is worked out of a question. Of several missing rates the error names the earliest, whatever is read first."""
    try:
        return work_out(question)
    except MissingRate as first:
        missing: Missing = {}
        work_out(replace(question, missing=missing))
        raise missing[min(missing)] if missing else first from None


class _Fixed(NamedTuple):
    since: int
    until: int
    base: str
    written: str

    @property
    def rate(self) -> Fraction:
        return _exact(self.written)


@lru_cache(maxsize=4096)
def _exact(written: str) -> Fraction:
    return Fraction(written)


@lru_cache(maxsize=4096)
def _inverse(written: str) -> Fraction:
    return 1 / Fraction(written)


def rates_then(questions: Mapping[str, Question], view: View) -> dict[str, Rates]:
    """The rates of several questions, by name, read at once."""
    rows = view.rows(select(rate_versions).order_by(rate_versions.c.effective_from))
    return {name: Rates(question, view, ever=rows) for name, question in questions.items()}


class Rates:
    """Rates into the question's currency. A rate holds from its `effective_at` until the next of its currency.

    `ever` are all rates ever known, where they have been read already.
    """

    def __init__(self, question: Question, view: View, *, ever: Sequence[Any] | None = None) -> None:
        self._question = question
        self._constant = "fx" in question.report.parameters and question.choice("fx") == "constant"
        self._found: dict[tuple[str, int], Fraction] = {}
        self._view = view
        self._ever = ever

    @cached_property
    def _fixed(self) -> dict[str, list[_Fixed]]:
        known_at = self._question.pair.known_at
        ever = self._ever
        if ever is None:
            known = and_(rate_versions.c.known_from <= known_at, rate_versions.c.known_to > known_at)
            ever = self._view.rows(select(rate_versions).where(known).order_by(rate_versions.c.effective_from))
        rates: dict[str, list[_Fixed]] = {}
        for row in ever:
            if row.known_from <= known_at < row.known_to:
                fixed = _Fixed(row.effective_from, row.effective_to, row.base, row.rate)
                rates.setdefault(row.stream.removeprefix("rate-"), []).append(fixed)
        return rates

    def factor(self, currency: str, at: int) -> Fraction:
        """Minor units of the reporting currency for one of `currency` at an instant. Raises `MissingRate`."""
        try:
            return self._factor(currency, at)
        except MissingRate as missing:
            if self._question.missing is None:
                raise
            self._question.missing[at, currency] = missing
            return Fraction(1)

    def converts(self, currency: str, at: int) -> bool:
        """Whether `currency` can be converted at an instant."""
        with suppress(MissingRate):
            self._factor(currency, at)
            return True
        return False

    def factors(self, at: int) -> dict[str, Fraction]:
        """The factor of every currency that can be converted at an instant."""
        named = self._fixed.keys() | {each.base for fixed in self._fixed.values() for each in fixed}
        found = {}
        for currency in named - {self._question.currency}:
            with suppress(MissingRate):
                found[currency] = self._factor(currency, at)
        return found

    def streams(self, currency: str) -> tuple[str, ...]:
        """The streams whose rates may have told the factor of a currency."""
        named = {currency, self._question.currency, self._question.book.currency}
        return tuple(sorted(f"rate-{each}" for each in named if each in self._fixed))

    def _factor(self, currency: str, at: int) -> Fraction:
        to = self._question.currency
        if currency == to:
            return Fraction(1)
        if self._constant:
            at = self._question.pair.as_of
        if (currency, at) not in self._found:
            rate, apart = self._rate(currency, to, at), decimals(to) - decimals(currency)
            self._found[currency, at] = rate * Fraction(10) ** apart if apart else rate
        return self._found[currency, at]

    def _rate(self, currency: str, to: str, at: int) -> Fraction:
        rate = self._between(currency, to, at)
        if rate is None:
            through = self._question.book.currency
            legs = (self._between(currency, through, at), self._between(through, to, at))
            if legs[0] is None or legs[1] is None:
                day = local_date(at, self._question.book.time_zone)
                lacks = currency if legs[0] is None and currency != through else to
                raise MissingRate(
                    f"no exchange rate from {currency} to {to} on {day}: append rate.fixed to rate-{lacks} "
                    f"with base {through}, or report in another currency"
                )
            rate = legs[0] * legs[1]
        return rate

    def _between(self, currency: str, to: str, at: int) -> Fraction | None:
        if (fixed := self._at(currency, at)) and fixed.base == to:
            return fixed.rate
        if (fixed := self._at(to, at)) and fixed.base == currency and fixed.rate:
            return _inverse(fixed.written)
        return None

    def _at(self, currency: str, at: int) -> _Fixed | None:
        rates = self._fixed.get(currency, [])
        found = bisect_right(rates, at, key=lambda each: each.since) - 1
        return rates[found] if found >= 0 and at < rates[found].until else None
