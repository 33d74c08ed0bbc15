"""Numbers, money and dates as people and spreadsheets write them.

Nothing is guessed: what can be read in two ways (`1,234`, `03/04/2017`) is refused unless the mapping, or the other
values of the file, say which is meant. Reasons are for the person who mends the file or the mapping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from ledger.errors import Refused
from ledger.imports.rows import RowRefused
from ledger.money import decimals
from ledger.times import format_instant, from_datetime, parse_date, zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DecimalMark = Literal[",", "."]
DayOrder = Literal["dmy", "mdy"]

MAX_DIGITS = 21
MAX_CODE = 40

_SPACES = " \u00a0\u2007\u2009\u202f"
_NUMBER = re.compile(
    rf"""(?P<sign>[-\u2212+]?)[{_SPACES}]*
    (?P<whole>[0-9]{{1,3}}(?:(?P<group>[{_SPACES}'\u2019.,])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*)|[0-9]+)
    (?:(?P<mark>[.,])(?P<fraction>[0-9]+))?""",
    re.VERBOSE,
)
_CURRENCY_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY CNY", "$": "USD CAD AUD NZD SGD HKD MXN TWD"}
_DATE = re.compile(
    r"(?:(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})|(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<last>\d{4}))"
    r"(?:[T ](?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s?(?P<zone>[Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Formats:
    """How one file writes things; `None` means that nothing in the mapping or the file has said so yet."""

    decimal: DecimalMark | None = None
    dates: DayOrder | None = None
    time_zone: str | None = None


def _matched_number(text: str) -> re.Match[str]:
    match = _NUMBER.fullmatch(text)
    if match is None or (match["group"] is not None and match["group"] == match["mark"]):
        raise RowRefused(f"{text[:40]!r} is not a number")
    if sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise RowRefused(f"{text[:40]!r} has more than {MAX_DIGITS} digits")
    return match


def _doubtful(match: re.Match[str]) -> bool:
    """`1,234` may be a thousand or a fraction; `0,500`, `1234,567` and `1,234,567` may not."""
    return (
        match["mark"] is None
        and match["group"] in {",", "."}
        and match["whole"].count(match["group"]) == 1
        and not match["whole"].startswith("0")
    )


def number(text: str, mark: DecimalMark | None) -> Decimal:
    """The number written, exactly.

    >>> number("1 234,56", None), number("1,234", "."), number("1,234", ",")
    (Decimal('1234.56'), Decimal('1234'), Decimal('1.234'))
    """
    match = _matched_number(text)
    whole, fraction, group = match["whole"], match["fraction"] or "", match["group"]
    if _doubtful(match) and mark is None:
        raise RowRefused(f'{text!r} can be read in two ways; say decimal = "," or decimal = "." in the mapping')
    single = group in {",", "."} and whole.count(group) == 1 and match["mark"] is None
    fits = mark is None or (mark != group and match["mark"] in {mark, None})
    if single and mark in ({group, None} if whole.startswith("0") else {group}):
        whole, _, fraction = whole.partition(group)
    elif not fits or (single and whole.startswith("0")):
        raise RowRefused(f"{text!r} does not fit the mapping, which says decimal = {mark!r}")
    digits = re.sub(r"[^0-9]", "", whole)
    sign = "-" if match["sign"] in {"-", "\u2212"} else ""
    return Decimal(f"{sign}{digits}.{fraction or 0}")


def decimal_text(text: str, mark: DecimalMark | None) -> str:
    """The number as a plain decimal string, as quantities and rates are stored."""
    value = number(text, mark) + 0  # a written -0 is 0
    return format(value, "f").rstrip("0").rstrip(".")


def total(found: Sequence[Any]) -> Any:
    """The sum of what a group's rows say: whole numbers, decimal strings, or money of one currency."""
    if isinstance(found[0], int):
        return sum(found)
    if isinstance(found[0], str):
        return format(sum(map(Decimal, found), Decimal()), "f")
    currencies = {money["currency"] for money in found}
    if len(currencies) > 1:
        raise RowRefused(f"the rows are in {' and '.join(sorted(currencies))}, which cannot be added up")
    return {"minor": sum(money["minor"] for money in found), "currency": currencies.pop()}


def integer(text: str, mark: DecimalMark | None) -> int:
    """The whole number written."""
    value = number(text, mark)
    if value != int(value):
        raise RowRefused(f"{text!r} is not a whole number")
    return int(value)


def basis_points(text: str, mark: DecimalMark | None) -> int:
    """A percentage, with or without its sign, in basis points."""
    value = number(text.rstrip("%").rstrip(_SPACES), mark) * 100
    if value != int(value) or not 0 <= value <= 10_000:
        raise RowRefused(f"{text!r} is not a percentage from 0 to 100 with at most two decimals")
    return int(value)


def money_minor(text: str, currency: str, mark: DecimalMark | None, *, negative: bool = False) -> int:
    """The amount in minor units of `currency`, whose code or sign may stand beside it.

    >>> money_minor("1\u202f234,50 €", "EUR", None)
    123450
    """
    value = number(_without_currency(text, currency), mark)
    if value < 0 and not negative:
        raise RowRefused(f"{text!r} is negative; where that is right, say negative = true")
    minor = value * 10 ** decimals(currency)
    if minor != int(minor):
        raise RowRefused(f"{text!r} has more than the {decimals(currency)} decimals of {currency}")
    return int(minor)


def _without_currency(text: str, currency: str) -> str:
    bare = text.removeprefix(currency).removesuffix(currency).strip(_SPACES)
    for sign, codes in _CURRENCY_SIGNS.items():
        if sign in bare:
            if currency not in codes:
                raise RowRefused(f"{text!r} is not in {currency}, which the mapping says it is")
            return bare.replace(sign, "", 1).strip(_SPACES)
    return bare


def day(text: str, formats: Formats) -> str:
    """The date written, as `YYYY-MM-DD`; a local time of day after it is dropped."""
    match = _matched_date(text)
    if match["zone"]:
        raise RowRefused(f"{text!r} is an instant where a date is wanted")
    return _date_of(match, formats)


def moment(text: str, formats: Formats) -> str:
    """A date as `YYYY-MM-DD`, or an instant in UTC when a time of day is written.

    Midnight without a zone is a date: spreadsheets write dates so.
    """
    match = _matched_date(text)
    date = _date_of(match, formats)
    time, offset = match["time"], match["zone"]
    if time is None or (offset is None and not time.strip("0:.")):
        return date
    if offset is None and formats.time_zone is None:
        raise RowRefused(f'{text!r} has a time but no time zone; say time_zone = "Europe/Paris" (or yours)')
    try:
        written = datetime.fromisoformat(f"{date}T{_full_time(time)}{(offset or '').upper().replace('Z', '+00:00')}")
    except ValueError:
        raise RowRefused(f"the time in {text!r} does not exist") from None
    if written.tzinfo is not None:
        return format_instant(from_datetime(written))
    local = written.replace(tzinfo=zone(formats.time_zone or "UTC"))
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo).replace(tzinfo=None) != written:
        raise RowRefused(f"the time {text!r} does not exist in {formats.time_zone}: clocks went forward")
    return format_instant(from_datetime(instant))


def _matched_date(text: str) -> re.Match[str]:
    match = _DATE.fullmatch(text)
    if match is None:
        raise RowRefused(f"{text[:40]!r} is not a date; dates are YYYY-MM-DD, DD/MM/YYYY or MM/DD/YYYY")
    return match


def _date_of(match: re.Match[str], formats: Formats) -> str:
    if match["year"]:
        year, month, number_of_day = match["year"], match["month"], match["day"]
    else:
        year, first, second = match["last"], match["a"], match["b"]
        order = formats.dates or _order(first, second)
        if order is None:
            raise RowRefused(f'{match[0]!r} can be read in two ways; say dates = "dmy" or dates = "mdy" in the mapping')
        number_of_day, month = (first, second) if order == "dmy" else (second, first)
    try:
        return parse_date(f"{year}-{month:0>2}-{number_of_day:0>2}").isoformat()
    except Refused as refused:
        hint = "" if match["year"] else f" (read as {formats.dates or 'dmy'}: day and month may be the other way round)"
        raise RowRefused(f"{match[0]!r}: {refused}{hint}") from None


def _order(first: str, second: str) -> DayOrder | None:
    if int(first) == int(second):
        return "dmy"
    if int(first) > 12:
        return "dmy"
    return "mdy" if int(second) > 12 else None


def _full_time(time: str) -> str:
    hours, _, rest = time.partition(":")
    clock, dot, fraction = (rest if ":" in rest else f"{rest}:00").partition(".")
    return f"{hours:0>2}:{clock}{dot}{fraction:0<6}" if dot else f"{hours:0>2}:{clock}"


def learn(formats: Formats, numbers: Iterable[str], dates: Iterable[str]) -> Formats:
    """Fill in what the mapping leaves open from values that can be read in one way only, when these agree."""
    if formats.decimal is None:
        marks = {mark for text in numbers if (mark := _evident_mark(text))}
        formats = replace(formats, decimal=marks.pop() if len(marks) == 1 else None)
    if formats.dates is None:
        orders = {
            order
            for text in dates
            if (match := _DATE.fullmatch(text)) and match["a"] and int(match["a"]) != int(match["b"])
            if (order := _order(match["a"], match["b"]))
        }
        formats = replace(formats, dates=orders.pop() if len(orders) == 1 else None)
    return formats


def _evident_mark(text: str) -> DecimalMark | None:
    match = _NUMBER.search(text)
    if match is None or _doubtful(match):
        return None
    if match["whole"].startswith("0") and match["group"]:
        return _as_mark(match["group"])
    if match["mark"]:
        return _as_mark(match["mark"])
    return _as_mark({",": ".", ".": ","}.get(match["group"]))


def _as_mark(character: str | None) -> DecimalMark | None:
    match character:
        case "," | ".":
            return character
    return None
