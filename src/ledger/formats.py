"""Amounts, numbers and instants as people read them, in French or English."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

from ledger.money import decimals
from ledger.times import to_datetime, zone

_ANY_SIZE = Context(prec=400)
"""Digits enough for any number there is; the usual 28 are fewer than a sum over a microsecond has per day."""


def amount_text(minor: int, currency: str, lang: str) -> str:
    """Minor units as an amount: `1,250.00` or `1 250,00`, with the currency's own number of decimals."""
    from babel.numbers import format_decimal  # noqa: PLC0415 (babel is slow to import, and rarely asked)

    places = decimals(currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    with localcontext(_ANY_SIZE):
        return format_decimal(Decimal(minor).scaleb(-places), format=pattern, locale=lang)


def count_text(count: int, one: str, many: str | None = None) -> str:
    """`1 event`, `1,200 events`: how many of what, in English."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def number_text(value: float, lang: str) -> str:
    """A number with its thousands set apart and at most four decimals."""
    from babel.numbers import format_decimal  # noqa: PLC0415 (babel is slow to import, and rarely asked)

    with localcontext(_ANY_SIZE):
        return format_decimal(value, format="#,##0.####", locale=lang)


def whole_text(value: int, lang: str) -> str:
    """A whole number as `number_text` writes it, without the time that babel takes to import.

    >>> whole_text(-10_000, "en"), whole_text(10_000, "fr")
    ('-10,000', '10\u202f000')
    """
    text = f"{value:,}"
    return text.replace(",", "\u202f") if lang == "fr" else text


def percent_text(value: float, lang: str) -> str:
    """A share as a percentage with one decimal."""
    from babel.numbers import format_percent  # noqa: PLC0415 (as above)

    pattern = "#,##0.0 %" if lang == "fr" else "#,##0.0%"
    with localcontext(_ANY_SIZE):
        return format_percent(value, format=pattern, locale=lang)


def moment_text(instant: int, time_zone: str) -> str:
    """An instant in local time, to the second; a local midnight is a date."""
    local = to_datetime(instant).astimezone(zone(time_zone))
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return local.strftime("%Y-%m-%d")
    return local.strftime("%Y-%m-%d %H:%M:%S")


def until_text(instant: int, time_zone: str) -> str:
    """An inclusive instant: the last of a day is that day."""
    following = moment_text(instant + 1, time_zone)
    if len(following) == len("2026-03-31"):
        return moment_text(instant, time_zone)[: len(following)]
    return moment_text(instant, time_zone)
