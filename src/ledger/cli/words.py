"""An event's details as people read them, in French or English."""

from __future__ import annotations

from typing import Any

from ledger.formats import amount_text


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
