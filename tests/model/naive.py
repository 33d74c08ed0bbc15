"""A second way to every figure: what each thing was at a pair of instants, by plain replay of plain lists.

Written from the documents, not from the code it checks: nothing of `projections` and none of the ledger's own reading
of histories is imported here. No index, no interval, no join: every question walks the whole list of events again.
Slow, short and obvious is the point.

Instants are integer microseconds, amounts integer minor units, ratios and quantities `Fraction`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "TND": 3}
ENDINGS = {"won", "lost", "abandoned"}
CATEGORIES = ("commit", "most_likely", "best_case", "pipeline")


# Time -------------------------------------------------------------------------------------------------------------


def instant(text: str) -> int:
    """Microseconds of an ISO 8601 instant."""
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def midnight(day: date, zone: str) -> int:
    """The first instant of a local day."""
    return (datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) - EPOCH) // MICROSECOND


def day_of(at: int, zone: str) -> date:
    """The local day on which an instant falls."""
    return (EPOCH + at * MICROSECOND).astimezone(ZoneInfo(zone)).date()


def add_months(day: date, months: int) -> date:
    """The first of the month so many months after the month of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def days_of_period(text: str, fiscal_start: int = 1) -> tuple[date, date]:
    """First day and the day after the last of `2026-Q3`, `2026-S1`, `2026-09`, `2026`, `FY…` or `from..to`.

    A fiscal year is named after the calendar year in which it ends.
    """
    if ".." in text:
        first, last = (date.fromisoformat(part) for part in text.split(".."))
        return first, last + timedelta(days=1)
    shift = fiscal_start - 13 if text.startswith("FY") and fiscal_start > 1 else 0
    text = text.removeprefix("FY")
    year, _, part = text.partition("-")
    january = date(int(year), 1, 1)
    if part == "":
        offset, length = 0, 12
    elif part[0] == "Q":
        offset, length = 3 * (int(part[1:]) - 1), 3
    elif part[0] == "S":
        offset, length = 6 * (int(part[1:]) - 1), 6
    else:
        offset, length = int(part) - 1, 1
    return add_months(january, shift + offset), add_months(january, shift + offset + length)


# Rounding ---------------------------------------------------------------------------------------------------------


def half_even(value: Fraction) -> int:
    """The nearest integer, ties to the even one: what Python's `round` does with a `Fraction`."""
    return round(value)


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """Whole parts of a whole; the units left over go to the largest remainders, the earlier first."""
    if sum(weights) == 0:
        weights = [1] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [share.numerator // share.denominator for share in exact]
    remainders = [share - part for share, part in zip(exact, parts, strict=True)]
    for _ in range(total - sum(parts)):
        most = remainders.index(max(remainders))
        parts[most] += 1
        remainders[most] = Fraction(-1)
    return parts


def ratio(numerator: int, denominator: int) -> Fraction | None:
    return Fraction(numerator, denominator) if denominator > 0 else None


# What a stream says -----------------------------------------------------------------------------------------------


def plain(recorded: Any) -> dict[str, Any]:
    """A `Recorded` as a dictionary of plain values."""
    event = {name: getattr(recorded, name) for name in recorded.__struct_fields__ if name != "data"}
    return event | {"data": msgspec.to_builtins(recorded.data)}


class Seen(NamedTuple):
    """An event that counts, as it counts."""

    at: int
    position: int
    type: str
    data: dict[str, Any]


def stands(event: dict[str, Any], stream: list[dict[str, Any]], known_at: int) -> bool:
    """Recorded by then, and not retracted by an event that itself stands."""
    return event["recorded_at"] <= known_at and not any(
        other["type"] == "event.retracted"
        and other["version"] > event["version"]
        and other["data"]["version"] == event["version"]
        and stands(other, stream, known_at)
        for other in stream
    )


def seen(stream: list[dict[str, Any]], known_at: int) -> list[Seen]:
    """What the stream said at `known_at`, in order of effect."""
    result = []
    for event in stream:
        if event["type"] in {"event.retracted", "event.corrected"}:
            continue
        if not stands(event, stream, known_at):
            continue
        at, data = event["effective_at"], event["data"]
        for other in sorted(stream, key=lambda each: each["version"]):
            if (
                other["type"] == "event.corrected"
                and other["data"]["version"] == event["version"]
                and stands(other, stream, known_at)
            ):
                if other["data"].get("effective_at") is not None:
                    at = instant(other["data"]["effective_at"])
                if other["data"].get("data") is not None:
                    data = other["data"]["data"]
        result.append(Seen(at, event["position"], event["type"], data))
    return sorted(result, key=lambda each: (each.at, each.position))


# One thing at an instant ------------------------------------------------------------------------------------------

State = dict[str, Any]


def put_money(state: State, data: dict[str, Any]) -> None:
    """What is named changes; lines say the value when nobody else does; a value without lines drops the lines."""
    lines = data.get("lines")
    if lines is not None:
        state["lines"] = [line_of(line) for line in lines]
        if lines:
            state["currency"] = lines[0]["value"]["currency"]
            state["value"] = sum(line["value"] for line in state["lines"])
        margins = [line["margin"] for line in state["lines"] if line["margin"] is not None]
        if margins:
            state["margin"] = sum(margins)
    elif data.get("value") is not None:
        state["lines"] = []
    for name in ("value", "margin"):
        if data.get(name) is not None:
            state[name] = data[name]["minor"]
            state["currency"] = data[name]["currency"]
    if data.get("quantity") is not None:
        state["quantity"] = Fraction(data["quantity"])


def line_of(line: dict[str, Any]) -> State:
    margin = line.get("margin")
    return {
        "product": line["product"],
        "value": line["value"]["minor"],
        "margin": None if margin is None else margin["minor"],
        "quantity": Fraction(line["quantity"]),
    }


DEAL_LABELS = ("customer", "kind", "region", "country", "channel", "campaign")


def deal_after(events: Iterable[Seen]) -> State | None:
    """A deal once these events have happened; nothing without an opening."""
    state: State | None = None
    for event in events:
        data = event.data
        if event.type == "deal.opened":
            state = {
                "status": "open",
                "opened_at": event.at,
                "closed_at": None,
                "value": None,
                "margin": None,
                "quantity": None,
                "currency": None,
                "lines": [],
                "probability_bp": None,
                "category": None,
                "expected_close_on": data.get("expected_close_on"),
                **{name: data[name] for name in ("pipeline", "stage", "owner")},
                **{name: data.get(name) for name in DEAL_LABELS},
            }
            put_money(state, data)
            continue
        if state is None:
            continue
        match event.type:
            case "deal.stage_changed":
                state["stage"] = data["stage"]
            case "deal.revalued":
                put_money(state, data)
            case "deal.close_date_changed":
                state["expected_close_on"] = data["expected_close_on"]
            case "deal.assigned":
                state["owner"] = data["owner"]
            case "deal.probability_set":
                state["probability_bp"] = data.get("probability_bp")
            case "deal.category_set":
                state["category"] = data.get("category")
            case "deal.reclassified":
                state.update({name: data[name] for name in DEAL_LABELS if data.get(name) is not None})
            case "deal.won":
                win(state, data)
                state.update(status="won", closed_at=event.at)
            case "deal.lost":
                state.update(status="lost", closed_at=event.at, reason=data["reason"])
            case "deal.abandoned":
                state.update(status="abandoned", closed_at=event.at, reason=data["reason"])
            case "deal.reopened":
                state.update(status="open", closed_at=None, stage=data["stage"])
            case "deal.merged":
                state.update(status="merged", closed_at=None)
    return state


def win(state: State, data: dict[str, Any]) -> None:
    """Winning with a new value and no lines leaves the lines and puts the difference on no product."""
    before = state["lines"]
    put_money(state, data)
    if before and not data.get("lines") and data.get("value") is not None:
        difference = state["value"] - sum(line["value"] for line in before)
        rest = {"product": None, "value": difference, "margin": None, "quantity": Fraction(0)}
        state["lines"] = before + ([rest] if difference else [])


QUOTE_ENDS = {
    "quote.accepted": "accepted",
    "quote.declined": "declined",
    "quote.expired": "expired",
    "quote.withdrawn": "withdrawn",
}


def quote_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        data = event.data
        if event.type == "quote.issued":
            state = {
                "status": "issued",
                "opened_at": event.at,
                "closed_at": None,
                "deal": data.get("deal"),
                "customer": data["customer"],
                "owner": data.get("owner"),
                "valid_until": data.get("valid_until"),
                "value": None,
                "margin": None,
                "quantity": None,
                "currency": None,
                "lines": [],
                **dict.fromkeys(("pipeline", "stage", "kind", "region", "country", "channel", "campaign")),
            }
            put_money(state, data)
        elif state is None:
            continue
        elif event.type == "quote.revised":
            put_money(state, data)
            if data.get("valid_until") is not None:
                state["valid_until"] = data["valid_until"]
        elif event.type in QUOTE_ENDS:
            state.update(status=QUOTE_ENDS[event.type], closed_at=event.at)
    return state


CUSTOMER_LABELS = ("country", "region", "segment", "industry", "channel", "campaign")


def customer_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "customer.registered":
            state = {name: event.data.get(name) for name in CUSTOMER_LABELS} | {"into": None}
        elif state is None:
            continue
        elif event.type == "customer.reclassified":
            state.update({name: event.data[name] for name in CUSTOMER_LABELS if event.data.get(name) is not None})
        elif event.type == "customer.merged":
            state["into"] = event.data["into"]
    return state


def person_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "person.joined":
            state = {"team": event.data["team"], "active": True}
        elif state is None:
            continue
        elif event.type == "person.moved":
            state["team"] = event.data["team"]
        elif event.type == "person.left":
            state["active"] = False
    return state


def product_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "product.listed":
            state = {"range": event.data.get("range")}
        elif state is not None and event.data.get("range") is not None:
            state["range"] = event.data["range"]
    return state


def pipeline_after(events: Iterable[Seen]) -> State | None:
    """Stages by id. A stage that a redefinition leaves out keeps its last probability and category."""
    state: State | None = None
    for event in events:
        if event.type == "pipeline.defined" or (state is not None and event.type == "pipeline.redefined"):
            state = dict(state or {})
            state.update({stage["stage"]: stage for stage in event.data["stages"]})
    return state


def rate_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "rate.fixed":
            state = {"base": event.data["base"], "rate": Fraction(event.data["rate"])}
    return state


def book_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "book.opened":
            state = {name: event.data[name] for name in ("currency", "time_zone", "fiscal_year_start_month")}
        elif state is not None and event.type == "book.settings_changed":
            state.update({name: event.data[name] for name in state if event.data.get(name) is not None})
    return state


AFTER = {
    "book": book_after,
    "customer": customer_after,
    "deal": deal_after,
    "person": person_after,
    "pipeline": pipeline_after,
    "product": product_after,
    "quote": quote_after,
    "rate": rate_after,
}
