"""What customers are worth over their lifetime: from how much and how often they buy, and how soon they leave."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ledger.money import half_even
from ledger.times import day_start, local_date
from projections.reports.customers import added
from projections.reports.periods import add_months

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.reports.definition import Item
    from projections.reports.question import Question

MOST_YEARS = 5
YEAR_DAYS = 365


def years_before(question: Question, number: int = 1) -> int:
    """The last instant of the day so many times twelve months before that of `as_of`."""
    zone = question.book.time_zone
    today = local_date(question.pair.happened.as_of, zone)
    return day_start(add_months(today, -12 * number) + timedelta(days=1), zone) - 1


def days_since(question: Question, first: int) -> int:
    """How many days a customer has been one, its first and that of `as_of` included; a year at least.

    Who began last month has not shown yet how often it buys in a year.
    """
    zone = question.book.time_zone
    last = local_date(question.pair.happened.as_of, zone)
    return max(YEAR_DAYS, (last - local_date(first, zone)).days + 1)


def years_left(start: int, lost: int) -> Fraction | None:
    """How many years a customer stays when so many of those at the start of a year were lost by its end.

    >>> years_left(10, 4), years_left(10, 1), years_left(10, 0), years_left(0, 0)
    (Fraction(5, 2), Fraction(5, 1), Fraction(5, 1), None)
    """
    if start == 0:
        return None
    return min(Fraction(MOST_YEARS), Fraction(start, lost)) if lost else Fraction(MOST_YEARS)


def margin_per_win(found: Sequence[Item]) -> Fraction | None:
    """Of the wins of customers that say their margin; None where none does.

    Their figures are `observed_minor` and `margins`, how many say it.
    """
    observed, margins = added(found, "observed_minor"), sum(_told(item, "margins") for item in found)
    return Fraction(observed, margins) if margins else None


def wins_per_year(found: Sequence[Item]) -> Fraction | None:
    """How often customers buy; None without any. Their figures are `wins` and `days`."""
    wins, days = sum(_told(item, "wins") for item in found), sum(_told(item, "days") for item in found)
    return Fraction(wins * YEAR_DAYS, days) if days else None


def rounded(amount: Fraction) -> int:
    """An amount in whole minor units, half to even."""
    return half_even(amount.numerator, amount.denominator)


def _told(item: Item, name: str) -> Any:
    return item.figures.get(name, 0)
