"""Amounts, instants and event details as people read them, in French or English."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ledger.money import decimals
from ledger.times import to_datetime, zone


def amount_text(minor: int, currency: str, lang: str) -> str:
    """Minor units as an amount: `1,250.00` or `1 250,00`, with the currency's own number of decimals."""
    from babel.numbers import format_decimal

    places = decimals(currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(Decimal(minor).scaleb(-places), format=pattern, locale=lang)


def moment_text(instant: int, time_zone: str) -> str:
    """An instant in local time, to the second; a local midnight is a date."""
    local = to_datetime(instant).astimezone(zone(time_zone))
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return local.strftime("%Y-%m-%d")
    return local.strftime("%Y-%m-%d %H:%M:%S")


def details_text(data: dict[str, Any], lang: str) -> str:
    """An event's fields in one line: `stage: offer, value: 1,250.00 EUR`."""
    return ", ".join(f"{name}: {_value_text(value, lang)}" for name, value in data.items())


def _value_text(value: Any, lang: str) -> str:
    match value:
        case {"minor": int() as minor, "currency": str() as currency}:
            return f"{amount_text(minor, currency, lang)} {currency}"
        case {"$sealed": _}:
            return "(sealed)"
        case {"$erased": _}:
            from ledger.story.texts import texts

            return str(texts(lang)["erased"])
        case dict():
            return "{" + details_text(value, lang) + "}"
        case list():
            return "[" + "; ".join(_value_text(each, lang) for each in value) + "]"
        case _:
            return " ".join(str(value).split())


def number_text(value: float, lang: str) -> str:
    """A number with its thousands set apart and at most four decimals."""
    from babel.numbers import format_decimal

    return format_decimal(value, format="#,##0.####", locale=lang)


def percent_text(value: float, lang: str) -> str:
    """A share as a percentage with one decimal."""
    from babel.numbers import format_percent

    pattern = "#,##0.0 %" if lang == "fr" else "#,##0.0%"
    return format_percent(value, format=pattern, locale=lang)


def until_text(instant: int, time_zone: str) -> str:
    """An inclusive instant: the last of a day is that day."""
    following = moment_text(instant + 1, time_zone)
    if len(following) == len("2026-03-31"):
        return moment_text(instant, time_zone)[: len(following)]
    return moment_text(instant, time_zone)
