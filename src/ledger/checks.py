"""Whether the values inside an event are what their rules say, before anything is decided or stored.

Checked once, at append; what is stored is trusted to have passed. Structure (fields, types) is checked by decoding.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from ledger.codec import MAX_SAFE_INTEGER
from ledger.errors import Refused
from ledger.events import (
    Attributes,
    Event,
    EventCorrected,
    InteractionKind,
    Line,
    Money,
    Part,
    Period,
    Rule,
    Satisfaction,
    Scope,
    Sealed,
    Stage,
    Target,
)
from ledger.money import MAX_MINOR, is_currency
from ledger.times import is_date, parse_date, parse_instant, zone

Check = Callable[[Any, str], None]

MAX_LINES = 200
MAX_STAGES = 50
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_KEY = 64
MAX_SETTINGS = 100
MAX_TEXT = 10_000
MAX_NAME = 200

MONEY_METRICS = ("amount", "margin", "invoiced_amount", "delivered_amount")
NUMBER_METRICS = ("quantity", "won_count", "new_customers", "quotes_issued")
SCORES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""The lowest and the highest answer on each scale."""

_METRICS = (*MONEY_METRICS, *NUMBER_METRICS)
_INTERACTIONS = get_args(InteractionKind)

PATTERNS: dict[Rule, tuple[re.Pattern[str], str]] = {
    Rule.ID: (re.compile(r"[A-Za-z0-9._:-]{1,64}"), "an id: 1 to 64 of A-Z a-z 0-9 . _ : -"),
    Rule.CODE: (re.compile(r"[a-z0-9_]{1,40}"), "a code: 1 to 40 of a-z 0-9 _"),
    Rule.DECIMAL: (re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?"), 'a decimal string such as "1.0842"'),
    Rule.QUANTITY: (re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?"), 'a decimal string such as "12.5", at most 6 decimals'),
    Rule.CURRENCY: (re.compile(r"[A-Z]{3}"), "an ISO 4217 currency code such as EUR"),
    Rule.LOCALE: (re.compile(r"[a-z]{2}(-[A-Z]{2})?"), "a locale such as fr or en-GB"),
    Rule.METRIC: (
        re.compile(f"{'|'.join(_METRICS)}|interactions:({'|'.join(_INTERACTIONS)})"),
        f"{', '.join(_METRICS)}, or interactions: and one of {', '.join(_INTERACTIONS)}",
    ),
}
RANGES: dict[Rule, tuple[int, int, str]] = {
    Rule.BASIS_POINTS: (0, 10_000, "basis points from 0 to 10000"),
    Rule.MONTH: (1, 12, "a month from 1 to 12"),
    Rule.DAYS: (1, 36_500, "a number of days from 1 to 36500"),
    Rule.VERSION: (1, 2**53, "the number of an earlier event of this stream"),
    Rule.COUNT: (0, 10**12, "a count from 0 to 1,000,000,000,000"),
    Rule.MINUTES: (0, 100_000, "a number of minutes from 0 to 100000"),
    Rule.SCORE: (0, 10, "a score from 0 to 10"),
}
LENGTHS = {Rule.NAME: MAX_NAME, Rule.PERSONAL: MAX_NAME, Rule.FREE_TEXT: MAX_TEXT}
ATTRIBUTE_KEY = re.compile(r"[a-z][a-z0-9_]*")
SETTING_KEY = re.compile(r"[a-z0-9_.:-]{1,64}")


def _bad(path: str, wanted: str, value: object) -> Refused:
    shown = repr(value)
    return Refused("bad_value", f"{path} must be {wanted}, not {shown[:60]}{'…' if len(shown) > 60 else ''}")


def check(event: Event) -> None:
    """Raise `Refused` naming the first value that breaks its rule."""
    for name, fits, test in _checks(type(event)):
        value = getattr(event, name)
        if value is not None and (fits is None or not fits(value)):
            test(value, name)


def check_value(hint: Any, value: Any, path: str) -> None:
    """Raise `Refused` if a value of a field with this type breaks the field's rule."""
    test = _check_of(hint)
    if test is not None and value is not None:
        test(value, path)


@lru_cache(maxsize=16_384)
def is_id(text: str) -> bool:
    """Whether the text can name a thing or an actor."""
    return PATTERNS[Rule.ID][0].fullmatch(text) is not None


@cache
def _checks(kind: type[Part]) -> tuple[tuple[str, Callable[[Any], object] | None, Check], ...]:
    """The fields that have a rule: what most values pass at once, where there is such a thing, and the test itself."""
    hints = get_type_hints(kind, include_extras=True)
    found = ((field.name, hints[field.name]) for field in msgspec.structs.fields(kind))
    return tuple((name, _passes_of(hint), test) for name, hint in found if (test := _check_of(hint)) is not None)


def _passes_of(hint: Any) -> Callable[[Any], object] | None:
    """The regular expression or range that tells whether a value is right, without a call to tell what is wrong."""
    if get_origin(hint) in (Union, types.UnionType):
        some = [each for each in get_args(hint) if each is not types.NoneType]
        return _passes_of(some[0]) if len(some) == 1 else None
    rule = get_args(hint)[1] if get_origin(hint) is Annotated else None
    if rule in RANGES:
        low, high, _ = RANGES[rule]
        return range(low, high + 1).__contains__
    return PATTERNS[rule][0].fullmatch if rule in PATTERNS and rule is not Rule.CURRENCY else None


def _check_of(hint: Any) -> Check | None:
    if hint == Attributes:
        return _check_attributes
    if hint == Target:
        return _check_target
    if get_origin(hint) is Annotated:
        return _check_of_rule(get_args(hint)[1])
    if get_origin(hint) in (Union, types.UnionType):
        return next(filter(None, map(_check_of, get_args(hint))), None)
    if hint == list[Line]:
        return _check_lines
    if hint == list[Stage]:
        return _check_stages
    if hint in _WHOLE:
        return _WHOLE[hint]
    if get_origin(hint) is dict and get_args(hint)[1] is not Any:  # what a correction holds is checked as its type
        return _check_setting
    return None


def _check_of_rule(rule: Rule) -> Check:
    if rule in RANGES:
        low, high, wanted = RANGES[rule]

        def in_range(value: int, path: str) -> None:
            if not low <= value <= high:
                raise _bad(path, wanted, value)

        return in_range
    if rule in LENGTHS:
        longest = LENGTHS[rule]

        def short_enough(value: str | Sealed, path: str) -> None:
            if isinstance(value, Sealed):
                raise _bad(path, "the text itself, not a sealed value", "$sealed")
            if not value.strip() or len(value) > longest:
                raise _bad(path, f"a text of 1 to {longest} characters", value)
            _check_unicode(value, path)

        return short_enough
    if rule is Rule.DATE:
        return lambda value, path: _named(path, parse_date, value)
    if rule is Rule.DUE:
        return lambda value, path: _named(path, parse_date if is_date(value) else parse_instant, value)
    if rule is Rule.TIME_ZONE:
        return lambda value, path: _named(path, zone, value)
    pattern, wanted = PATTERNS[rule]
    fits = {Rule.ID: is_id, Rule.CURRENCY: _is_currency}.get(rule, pattern.fullmatch)

    def matches(value: str, path: str) -> None:
        if not fits(value):
            raise _bad(path, wanted, value)

    return matches


def _named(path: str, parse: Callable[[str], object], value: str) -> None:
    try:
        parse(value)
    except Refused as refused:
        raise Refused(refused.code, f"{path}: {refused}") from None


def _check_unicode(value: str, path: str) -> None:
    if "\x00" in value:
        raise _bad(path, "a text without NUL characters", value)


@lru_cache(maxsize=1_024)
def _is_currency(code: str) -> bool:
    return PATTERNS[Rule.CURRENCY][0].fullmatch(code) is not None and is_currency(code)


def _check_money(money: Money, path: str) -> None:
    if not _is_currency(money.currency):
        raise _bad(f"{path}.currency", PATTERNS[Rule.CURRENCY][1], money.currency)
    if not -MAX_MINOR <= money.minor <= MAX_MINOR:
        raise _bad(f"{path}.minor", "at most 1,000,000,000,000 minor units", money.minor)
    if money.minor < 0 and not path.endswith("margin"):
        raise _bad(f"{path}.minor", "zero or more (a margin alone may be negative)", money.minor)


def _check_target(target: Money | str, path: str) -> None:
    if isinstance(target, Money):
        _check_money(target, path)
    else:
        _check_of_rule(Rule.QUANTITY)(target, path)


def _check_scope(scope: Scope, path: str) -> None:
    _check_part(scope, path)
    named = [name for name, value in msgspec.structs.asdict(scope).items() if value is not None]
    if len(named) != 1:
        raise _bad(path, "exactly one of company, team, person", " and ".join(named) or "none of them")


def _check_period(period: Period, path: str) -> None:
    for name, day in (("from", period.first), ("to", period.last)):
        _named(f"{path}.{name}", parse_date, day)
    if period.last < period.first:
        raise _bad(f"{path}.to", f"{period.first} or later, which it begins on", period.last)


def _check_satisfaction(satisfaction: Satisfaction, path: str) -> None:
    low, high = SCORES[satisfaction.scale]
    if not low <= satisfaction.score <= high:
        raise _bad(f"{path}.score", f"a score from {low} to {high} on scale {satisfaction.scale}", satisfaction.score)


_WHOLE: dict[Any, Check] = {
    Money: _check_money,
    Scope: _check_scope,
    Period: _check_period,
    Satisfaction: _check_satisfaction,
}
"""Values of several fields that are checked together."""


def _check_part(part: Part, path: str) -> None:
    for name, fits, test in _checks(type(part)):
        value = getattr(part, name)
        if value is not None and (fits is None or not fits(value)):
            test(value, f"{path}.{name}")


def _check_parts(parts: Sequence[Part], path: str, most: int) -> None:
    if not 1 <= len(parts) <= most:
        raise _bad(path, f"a list of 1 to {most}", f"{len(parts)} of them")
    for index, part in enumerate(parts):
        _check_part(part, f"{path}[{index}]")


def _check_lines(lines: list[Line], path: str) -> None:
    _check_parts(lines, path, MAX_LINES)


def _check_stages(stages: list[Stage], path: str) -> None:
    _check_parts(stages, path, MAX_STAGES)
    if len({stage.stage for stage in stages}) < len(stages):
        raise Refused("bad_value", f"{path} names a stage twice; each stage of a pipeline stands once")


def _check_attributes(attributes: Attributes, path: str) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise _bad(path, f"at most {MAX_ATTRIBUTES} pairs", f"{len(attributes)} of them")
    for key, value in attributes.items():
        if ATTRIBUTE_KEY.fullmatch(key) is None or len(key) > MAX_ATTRIBUTE_KEY:
            raise _bad(path, "keyed by names such as shoe_size", key)
        _check_plain(value, f"{path}.{key}")


def _check_setting(setting: dict[str, Any], path: str) -> None:
    if len(setting) > MAX_SETTINGS:
        raise _bad(path, f"at most {MAX_SETTINGS} pairs", f"{len(setting)} of them")
    for key, value in setting.items():
        if SETTING_KEY.fullmatch(key) is None:
            raise _bad(path, "keyed by lower-case names", key)
        for item in value if isinstance(value, list) else [value]:
            _check_plain(item, f"{path}.{key}")


def _check_plain(value: str | int, path: str) -> None:
    if isinstance(value, str):
        if len(value) > MAX_NAME:
            raise _bad(path, f"a text of at most {MAX_NAME} characters", value)
        _check_unicode(value, path)
    elif abs(value) >= MAX_SAFE_INTEGER:
        raise _bad(path, "an integer within 2^53", value)


@cache
def sealable(kind: type[Event]) -> tuple[tuple[str, Rule], ...]:
    """The fields of an event type that hold personal data or free text."""
    if kind is EventCorrected:
        return (("note", Rule.FREE_TEXT),)
    hints = get_type_hints(kind, include_extras=True)
    marked = (
        (field.name, get_args(hint)[1])
        for field in msgspec.structs.fields(kind)
        for hint in (hints[field.name], *get_args(hints[field.name]))
        if get_origin(hint) is Annotated
    )
    return tuple((name, rule) for name, rule in marked if rule in (Rule.PERSONAL, Rule.FREE_TEXT))
