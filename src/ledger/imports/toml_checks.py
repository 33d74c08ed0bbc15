"""Checks on a TOML document that name the place of whatever is wrong and say what to write instead."""

from __future__ import annotations

import difflib
from datetime import date, datetime
from typing import Any

from ledger.imports.rows import CannotImport
from ledger.times import format_instant, from_datetime


def plain(raw: Any, where: str) -> Any:
    """A constant as JSON has it: dates as text, no fractions."""
    match raw:
        case dict():
            return {key: plain(value, f"{where}.{key}") for key, value in raw.items()}
        case list():
            return [plain(value, where) for value in raw]
        case datetime() if raw.tzinfo is not None:
            return format_instant(from_datetime(raw))
        case datetime():
            raise CannotImport(f"{where}: {raw} has no time zone; write 2016-10-01T09:00:00Z, or only the date")
        case date():
            return raw.isoformat()
        case bool() | int() | str():
            return raw
    raise CannotImport(f'{where}: {raw} cannot be stored exactly; write it as text ("0.5"), money in minor units')


def known(raw: Any, keys: set[str], where: str) -> None:
    if not isinstance(raw, dict):
        raise CannotImport(f"{where} must be a table of keys and values")
    for key in raw:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean {near[0]}?" if near else f"it knows {listed(keys)}"
            raise CannotImport(f"{where} has an unknown key {key!r}; {hint}")


def table(raw: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    found = raw.get(key, {})
    if not isinstance(found, dict):
        raise CannotImport(f"{where}: {key} must be a table of keys and values")
    return found


def numbered(raw: dict[str, Any], key: str, where: str) -> list[tuple[int, Any]]:
    found = raw.get(key, [])
    if not isinstance(found, list):
        raise CannotImport(f"{where}: {key} must be a list; write [[{key}]] with two brackets")
    return list(enumerate(found, 1))


def text(raw: dict[str, Any], key: str, where: str) -> str | None:
    found = raw.get(key)
    if found is not None and not isinstance(found, str):
        raise CannotImport(f"{where}: {key} must be text in quotes")
    return found


def needed(raw: dict[str, Any], key: str, where: str) -> str:
    found = text(raw, key, where)
    if not found:
        raise CannotImport(f"{where} lacks {key}")
    return found


def listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
