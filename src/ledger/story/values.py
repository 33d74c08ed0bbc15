"""Values of events as people read them, by the type and rule of their field, in French or English."""

from __future__ import annotations

import types
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from babel import Locale
from babel.dates import format_date, format_datetime, get_month_names
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol
from babel.units import format_unit

from ledger.codes import code_text
from ledger.events import Erased, Line, Money, Rule, Sealed, Stage
from ledger.money import decimals
from ledger.story.fields import hints
from ledger.story.names import REFERENCES, SAME_KIND, Names
from ledger.story.texts import texts
from ledger.times import is_date, local_date, parse_date, parse_instant, to_datetime, zone

ARROW = "→"
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


class Around(msgspec.Struct, frozen=True):
    """Where a value stands: on which kind of stream, when, and in which pipeline or with which customer."""

    kind: str
    at: int
    pipeline: str | None = None
    customer: str | None = None


class Words:
    """Writes values in one language, in the book's time zone, with the names of what they refer to."""

    def __init__(self, locale: Locale, time_zone: str, names: Names) -> None:
        self.locale = locale
        self.texts = texts(locale.language)
        self.time_zone = time_zone
        self._names = names

    # Fields -----------------------------------------------------------------------------------------------------

    def label(self, field: str) -> str:
        """What a field is called; one without a text of its own is called by its name."""
        return str(self.texts["field"].get(field, field.replace("_", " ")))

    def labelled(self, field: str, text: str) -> str:
        """`value: €1,200.00`, in French with a space before the colon."""
        return f"{self.label(field)}{self.texts['colon']}{text}"

    def listed(self, texts: Iterable[str]) -> str:
        """Several texts in a row."""
        return str(self.texts["separator"]).join(texts)

    def difference(self, field: str, before: Any, after: Any, hint: Any, around: Around) -> str | None:
        """What differs between two lists of lines or stages, or two tables; None for anything else."""
        old, new = _keyed(before), _keyed(after)
        if old is None or new is None:
            return None
        said = []
        for key in {**old, **new}:
            was, now = (key in each and self._part(field, key, each[key], _inner(hint), around) for each in (old, new))
            if not was or not now:
                said.append(f"+ {' '.join(now)}" if now else f"− {' '.join(was or ())}")
            elif was[0] != now[0]:
                said.append(f"{' '.join(was)} {ARROW} {' '.join(now)}")
            elif was != now:
                said.append(f"{now[0]}{self.texts['colon']}{was[1]} {ARROW} {now[1]}")
        return self.listed(said) or None

    def _part(self, field: str, key: Any, value: Any, hint: Any, around: Around) -> tuple[str, str]:
        """What a line, stage or setting is called, and what is said of it."""
        match value:
            case Line():
                said = {"quantity": self._number(value.quantity), "value": self.money(value.value)}
                return self._product(value, around), str(self.texts["line"]).format(**said)
            case Stage():
                return value.name, self._percent(value.probability_bp)
            case _:
                return str(key), self.value(field, value, hint, around)

    def value(self, field: str, value: Any, hint: Any, around: Around) -> str:
        """One field's value, as its annotated type says what it is."""
        match value:
            case None:
                return str(self.texts["none"])
            case Sealed():
                shown = self._names.values.get(value.commitment.c)
                return str(self.texts["sealed"]) if shown is None else self._unsealed(shown)
            case bool():
                return str(self.texts["yes" if value else "no"])
            case Money():
                return self.money(value)
            case Line():
                return self._line(value, around)
            case Stage():
                return f"{value.name} {self._percent(value.probability_bp)}"
            case msgspec.Struct():
                return self._part_of(value, around)
            case list() | tuple():
                said = [self.value(field, each, _inner(hint), around) for each in value]
                return self.listed(said) if _inner(hint) in (Line, Stage) else ", ".join(said)
            case dict():
                inner = {key: self.value(field, each, _inner(hint), around) for key, each in value.items()}
                return self.listed(f"{key}{self.texts['colon']}{said}" for key, said in inner.items())
            case str() | int():
                return self._plain(field, value, hint, around)
            case _:
                return str(value)

    def _unsealed(self, value: Any) -> str:
        return str(self.texts["erased"]) if isinstance(value, Erased) else str(value)

    def _plain(self, field: str, value: Any, hint: Any, around: Around) -> str:
        match _rule(hint):
            case "literal":
                return self._one_of(field, value)
            case Rule.ID:
                return self._thing(field, value, around)
            case Rule.CODE:
                return code_text(value, self.locale.language)
            case Rule.DATE:
                return self.date(value)
            case Rule.DECIMAL | Rule.QUANTITY:
                return self._number(value)
            case Rule.BASIS_POINTS:
                return self._percent(value)
            case Rule.MONTH:
                return str(get_month_names("wide", "stand-alone", self.locale)[value])
            case Rule.DAYS:
                return self._amount_of(value, "day")
            case _ if field.endswith("_at") and isinstance(value, str):
                return self.date(value) if is_date(value) else self.moment(parse_instant(value))
            case _ if isinstance(value, int):
                return self._amount_of(value, "minute") if field.endswith("_minutes") else self._number(value)
            case _:
                return self._one_of(field, value)

    def _one_of(self, field: str, value: Any) -> str:
        return str(self.texts["value"].get(field, {}).get(str(value), value))

    def _thing(self, field: str, thing: str, around: Around) -> str:
        kind = around.kind if field in SAME_KIND else REFERENCES.get(field)
        if kind is not None:
            return self._unsealed(self._names.of(kind, thing, around.at) or thing)
        match field:
            case "stage" if around.pipeline is not None:
                return self._names.stage(around.pipeline, thing, around.at) or thing
            case "contact" if around.customer is not None:
                return self._unsealed(self._names.contact(around.customer, thing, around.at) or thing)
            case "country":
                return str(self.locale.territories.get(thing, thing))
            case _:
                return thing

    def _line(self, line: Line, around: Around) -> str:
        return f"{self._number(line.quantity)} × {self._product(line, around)} {self.money(line.value)}"

    def _product(self, line: Line, around: Around) -> str:
        return "–" if line.product is None else self._thing("product", line.product, around)

    def _part_of(self, part: msgspec.Struct, around: Around) -> str:
        """A value of several fields: by its own template, else each field with its name."""
        types_of = hints(type(part))
        fields = {name: value for name, value in msgspec.structs.asdict(part).items() if value is not None}
        said = {name: self.value(name, value, types_of[name], around) for name, value in fields.items()}
        template = self.texts["part"].get(type(part).__name__)
        if template is not None:
            return str(template).format(**said)
        return ", ".join(self.label(name) + ("" if fields[name] is True else f" {text}") for name, text in said.items())

    # Numbers, money, times --------------------------------------------------------------------------------------

    def money(self, money: Money) -> str:
        """An amount with its currency and the currency's own number of decimals."""
        places = decimals(money.currency)
        pattern = self.locale.currency_formats["standard"].pattern.replace(".00", "." + "0" * places if places else "")
        if get_currency_symbol(money.currency, self.locale)[-1].isalpha():
            pattern = pattern.replace("¤#", "¤\u00a0#")
        amount = Decimal(money.minor).scaleb(-places)
        return format_currency(amount, money.currency, pattern, self.locale, currency_digits=False)

    def date(self, day: str) -> str:
        """A date in full: 30 June 2026."""
        return format_date(parse_date(day), "long", self.locale)

    def moment(self, instant: int) -> str:
        """A local instant; midnight is only its date."""
        local = to_datetime(instant).astimezone(zone(self.time_zone))
        if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
            return format_date(local, "long", self.locale)
        return f"{format_date(local, 'long', self.locale)} {self._time(local)}"

    def late(self, effective_at: int, recorded_at: int) -> str | None:
        """How long after its effect something was recorded, or before; None within a minute, or on a date's own day."""
        local = to_datetime(effective_at).astimezone(zone(self.time_zone))
        days = (local_date(recorded_at, self.time_zone) - local.date()).days
        apart = abs(recorded_at - effective_at)
        if apart < MINUTE_US or (days == 0 and self.moment(effective_at) == format_date(local, "long", self.locale)):
            return None
        if days and apart >= DAY_US // 2:
            span = self._amount_of(abs(days), "day")
        elif apart >= HOUR_US:
            span = self._amount_of(apart // HOUR_US, "hour")
        else:
            span = self._amount_of(apart // MINUTE_US, "minute")
        return str(self.texts["mark"]["late" if recorded_at > effective_at else "ahead"]).format(span=span)

    def _time(self, local: datetime) -> str:
        return format_datetime(local, "HH:mm", locale=self.locale)

    def _amount_of(self, count: int, unit: str) -> str:
        return format_unit(count, f"duration-{unit}", "long", locale=self.locale)

    def _number(self, value: str | int) -> str:
        return format_decimal(Decimal(value), "#,##0.############", self.locale)

    def _percent(self, basis_points: int) -> str:
        pattern = "#,##0.## %" if self.locale.language == "fr" else "#,##0.##%"
        return format_percent(Decimal(basis_points) / 10_000, pattern, self.locale)


def _rule(hint: Any) -> Any:
    """The rule that a field's type is marked with, "literal" for one of a few words, else None."""
    if get_origin(hint) is Annotated:
        return get_args(hint)[1]
    if get_origin(hint) is Literal:
        return "literal"
    if get_origin(hint) in (Union, types.UnionType):
        return next(filter(None, map(_rule, get_args(hint))), None)
    return None


def _keyed(value: Any) -> dict[Any, Any] | None:
    """Lines by product and stages by id, each told from its likes by how many came before; a table as it is."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(each, Line | Stage) for each in value):
        return None
    found: dict[Any, Any] = {}
    for each in value:
        name = each.product if isinstance(each, Line) else each.stage
        found[name, sum(known == name for known, _ in found)] = each
    return found


def _inner(hint: Any) -> Any:
    """The type of what a list or dictionary holds."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(filter(None, map(_inner, get_args(hint))), None)
    return get_args(hint)[-1] if get_origin(hint) in (list, dict) else None
