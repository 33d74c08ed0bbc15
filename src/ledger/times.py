"""Instants are integer microseconds since 1970 in UTC; dates are read in the book's time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from time import time_ns
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

FOREVER = 2**63 - 1
"""The open end of an interval."""

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years outside these bounds are typing errors in selling, and are refused as such."""

DATE_PATTERN = r"(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
INSTANT_PATTERN = (
    DATE_PATTERN
    + r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""The form of all dates and instants that are taken, for those who are told of it; `parse_date` and `parse_instant` also
ask whether the day exists."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (UTC, without the cost of saying so)
MICROSECOND = timedelta(microseconds=1)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_FIRST_DAY = (datetime(FIRST_YEAR, 1, 1) - _NAIVE_EPOCH).days  # noqa: DTZ001 (as above)
_LAST_DAY = (datetime(LAST_YEAR + 1, 1, 1) - _NAIVE_EPOCH).days  # noqa: DTZ001
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def from_datetime(moment: datetime) -> int:
    """Microseconds since 1970 of an aware `datetime`, exactly."""
    return (moment - EPOCH) // MICROSECOND


def to_datetime(instant: int) -> datetime:
    """The aware UTC `datetime` of an instant."""
    return EPOCH + instant * MICROSECOND


def utc_now() -> int:
    """The machine's clock. Only edges call this; everything else is given the time."""
    return time_ns() // 1_000


def format_instant(instant: int) -> str:
    """ISO 8601 in UTC with six decimals, the one way instants are written.

    >>> format_instant(0)
    '1970-01-01T00:00:00.000000Z'
    """
    days, since = divmod(instant, DAY_US)
    minutes, since = divmod(since, MINUTE_US)
    return f"{_day(days)}T{_minute(minutes)}:{since // SECOND_US:02}.{since % SECOND_US:06}Z"


@lru_cache(maxsize=16_384)
def _day(days: int) -> str:
    return (_NAIVE_EPOCH + timedelta(days=days)).date().isoformat()


@lru_cache(maxsize=1_440)
def _minute(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def is_date(text: str) -> bool:
    """Whether the text has the form of a date (it may still not exist)."""
    return len(text) == len("YYYY-MM-DD") and _DATE.fullmatch(text) is not None


def parse_date(text: str) -> date:
    """A `YYYY-MM-DD` that exists, between 1900 and 2199. Raises `Refused`."""
    if not is_date(text):
        raise Refused("bad_date", f"{text[:40]!r} is not a date; write YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused("bad_date", f"the date {text} does not exist") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused("bad_date", f"the date {text} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return day


@lru_cache(maxsize=4096)
def parse_instant(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 instant with its zone. Raises `Refused`."""
    if _CANONICAL.fullmatch(text):
        try:
            since = datetime.fromisoformat(text[:26]) - _NAIVE_EPOCH
        except ValueError:
            raise Refused("bad_instant", f"the instant {text} does not exist") from None
        if _FIRST_DAY <= since.days < _LAST_DAY:
            return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise Refused(
            "bad_instant",
            f"{text[:40]!r} is not an instant with a time zone; write 2026-03-31T16:00:00Z",
        )
    parse_date(match[1])
    fraction = (match[3] or ".0")[1:].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}.{fraction}{match[4].upper().replace('Z', '+00:00')}")
    except ValueError:
        raise Refused("bad_instant", f"the instant {text} does not exist") from None
    return from_datetime(moment)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises `Refused`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused("unknown_time_zone", f"unknown time zone {name[:40]!r}; use one such as Europe/Paris") from None


@lru_cache(maxsize=8192)
def day_start(day: date, time_zone: str) -> int:
    """The first instant of a local day, also on the nights when clocks change."""
    return from_datetime(datetime.combine(day, time.min, tzinfo=zone(time_zone)).astimezone(UTC))


def day_end(day: date, time_zone: str) -> int:
    """The last instant of a local day: one microsecond before the next midnight."""
    return day_start(day + timedelta(days=1), time_zone) - 1


def local_date(instant: int, time_zone: str) -> date:
    """The date on which an instant falls in a time zone."""
    day, after, next_day = _around(instant // _SPAN_US, time_zone)
    return day if instant < after else next_day


def local_days(instants: Iterable[int | None], time_zone: str) -> list[str | None]:
    """The dates on which instants fall in a time zone, as ISO 8601 has them; None of none."""
    written = cache(date.isoformat)
    return [None if at is None else written(local_date(at, time_zone)) for at in instants]


_SPAN_US = 6 * HOUR_US
"""No two midnights lie within it."""


@lru_cache(maxsize=65_536)
def _around(number: int, time_zone: str) -> tuple[date, int, date]:
    """The local date at the beginning of a span since 1970, the first instant of the next, and that date: reports ask by thousands."""
    day = _date(number * _SPAN_US, time_zone)
    after = day_start(day + timedelta(days=1), time_zone)
    return day, after, _date(after, time_zone)


def _date(instant: int, time_zone: str) -> date:
    return to_datetime(instant).astimezone(zone(time_zone)).date()
