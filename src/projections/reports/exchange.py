"""Amounts in other currencies converted where they lie, when all of them are converted at one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Text, and_, bindparam, case, func, literal_column

from ledger.money import BASIS_POINTS, MAX_MINOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.reports.rates import Rates

MAX_INTEGER = 2**63 - 1
_ZERO = literal_column("0", BigInteger)


class Converted(NamedTuple):
    """A currency's factor `over / under`, both even, and the largest amount whose conversion goes well with 64 bits."""

    currency: str
    over: int
    under: int
    most: int


def converted(rates: Rates, at: int) -> list[Converted]:
    """The currencies that the rates convert at an instant, but for those whose factors are too fine for any amount."""
    found = []
    for currency, factor in sorted(rates.factors(at).items()):
        over, under = (2 * each for each in factor.as_integer_ratio())
        # `lines.half_even` adds less than its denominator to an amount times `over` times its probability; and millions
        # of amounts are to be summed.
        most = min((MAX_INTEGER // BASIS_POINTS - under) // over, MAX_MINOR * under // over)
        if most > 0:
            found.append(Converted(currency, over, under, most))
    return found


def values(currencies: Sequence[Converted]) -> dict[str, int | str]:
    """The parameters of `Exchange`."""
    return {
        f"exchange_{name}_{number}": value
        for number, each in enumerate(currencies)
        for name, value in each._asdict().items()
    }


class Exchange:
    """What converts rows in so many currencies, which `values` name; in SQL.

    `over` is null of rows in other currencies than these, and of those that must be converted by themselves.
    """

    def __init__(self, count: int, currency: ColumnElement[Any], amounts: Sequence[ColumnElement[Any]]) -> None:
        most = _its(count, "most", currency)
        self.fits = and_(*(func.abs(func.coalesce(each, _ZERO)) <= most for each in amounts))
        self.over = case((self.fits, _its(count, "over", currency)))
        self.under = _its(count, "under", currency)


def _its(count: int, name: str, currency: ColumnElement[Any]) -> ColumnElement[int]:
    return case(
        *(
            (
                currency == bindparam(f"exchange_currency_{number}", type_=Text),
                bindparam(f"exchange_{name}_{number}", type_=BigInteger),
            )
            for number in range(count)
        )
    )
