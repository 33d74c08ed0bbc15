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
DAY_US = 86_400_000_000
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "TND": 3}
ENDINGS = {"won", "lost", "abandoned"}


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


def days_of_period(text: str, fiscal_start: int = 1, today: date | None = None) -> tuple[date, date]:
    """First day and the day after the last of `2026-Q3`, `2026-S1`, `2026-09`, `2026`, `FY…` or `from..to`.

    A fiscal year is named after the calendar year in which it ends. `this-` and `last-` month, quarter and year are
    those of `today`.
    """
    if today is not None and text.startswith(("this-", "last-")):
        word, _, unit = text.partition("-")
        length = {"month": 1, "quarter": 3, "year": 12}[unit]
        first = add_months(today, -((today.month - 1) % length) - (length if word == "last" else 0))
        return first, add_months(first, length)
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


def largest_remainder(total: int, weights: list[Any]) -> list[int]:
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


def ratio(numerator: int | None, *denominators: int | None) -> Fraction | None:
    """Over the sum of the others; of what is unknown, or over nothing, there is none."""
    if numerator is None or None in denominators:
        return None
    denominator = sum(each or 0 for each in denominators)
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


def put_money(state: State, data: dict[str, Any], *, winning: bool = False) -> None:
    """What is named changes, the rest stays; lines say of the whole what nobody else says.

    A new value without lines drops the lines, unless it wins the deal. A margin in a currency that is no longer the
    value's is forgotten.
    """
    said = [line_of(line) for line in data.get("lines") or []]
    value, margin, quantity = data.get("value"), data.get("margin"), data.get("quantity")
    if said and value is None:
        value = {"minor": sum(line["value"] for line in said), "currency": data["lines"][0]["value"]["currency"]}
    if value is not None:
        new = (value["minor"], value["currency"]) != (state["value"], state["currency"])
        if value["currency"] != state["currency"]:
            state.update(margin=None, lines=[])
        elif new and not winning:
            state["lines"] = []
        state.update(value=value["minor"], currency=value["currency"])
    if said:
        state["lines"] = said
        state["quantity"] = sum(line["quantity"] for line in said)
        if all(line["margin"] is not None for line in said):
            state["margin"] = sum(line["margin"] for line in said)
    if margin is not None:
        state["currency"] = state["currency"] or margin["currency"]
        state["margin"] = margin["minor"] if margin["currency"] == state["currency"] else None
    if quantity is not None:
        state["quantity"] = Fraction(quantity)


def line_of(line: dict[str, Any]) -> State:
    margin = line.get("margin")
    return {
        "product": line["product"],
        "value": line["value"]["minor"],
        "margin": None if margin is None else margin["minor"],
        "quantity": Fraction(line["quantity"]),
    }


def product_lines(state: State) -> list[State]:
    """The lines as said, then what they leave unexplained, on no product; none where nobody said any.

    A margin said of the whole is shared by value over the lines that say none.
    """
    if not state["lines"]:
        return []
    lines = [dict(line) for line in state["lines"]]
    silent = any(line["margin"] is None for line in lines)
    rest = {
        name: (state[name] or 0) - sum(line[name] or 0 for line in lines) for name in ("value", "margin", "quantity")
    }
    if state["margin"] is None:
        rest["margin"] = 0
    if rest["value"] or rest["quantity"] or (rest["margin"] and not silent):
        lines.append({"product": None, **rest, "margin": None if silent else rest["margin"]})
    if silent and state["margin"] is not None:
        without = [line for line in lines if line["margin"] is None]
        parts = largest_remainder(rest["margin"], [max(0, line["value"]) for line in without])
        for line, part in zip(without, parts, strict=True):
            line["margin"] = part
    return lines


INVOICED = {"deal.invoiced": "invoice", "deal.delivered": "delivery", "deal.credited": "credit"}
DEAL_LABELS = ("customer", "kind", "region", "country", "channel", "campaign")


def deal_after(events: Iterable[Seen]) -> State | None:
    """A deal once these events have happened; nothing without an opening, and only the first opening counts.

    A closed deal takes a later closing, a reopening or a merger, a merged one nothing more.
    """
    state: State | None = None
    for event in events:
        if state is None:
            state = opened(event) if event.type == "deal.opened" else None
        elif state["status"] == "merged":
            continue
        elif event.type in INVOICED:
            state["invoices"].append({"at": event.at, "type": event.type, **event.data})
        elif state["status"] == "open":
            happen_to_open(state, event)
        else:
            happen_to_closed(state, event)
    return state


def opened(event: Seen) -> State:
    data = event.data
    state = {
        "status": "open",
        "opened_at": event.at,
        "closed_at": None,
        "value": None,
        "margin": None,
        "quantity": None,
        "currency": None,
        "lines": [],
        "invoices": [],
        "probability_bp": None,
        "category": None,
        "expected_close_on": data.get("expected_close_on"),
        **{name: data[name] for name in ("pipeline", "stage", "owner")},
        **{name: data.get(name) for name in DEAL_LABELS},
    }
    put_money(state, data)
    return state


def happen_to_open(state: State, event: Seen) -> None:
    data = event.data
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
            state["probability_bp"] = data["probability_bp"]
        case "deal.category_set":
            state["category"] = data["category"]
        case "deal.merged":
            state.update(status="merged", closed_at=None)
        case _:
            happen_to_either(state, event)


def happen_to_closed(state: State, event: Seen) -> None:
    match event.type:
        case "deal.reopened":
            state.update(status="open", closed_at=None, stage=event.data["stage"])
        case "deal.merged" if state["status"] != "won":
            state.update(status="merged", closed_at=None)
        case _:
            happen_to_either(state, event)


def happen_to_either(state: State, event: Seen) -> None:
    data = event.data
    match event.type:
        case "deal.reclassified":
            state.update({name: data[name] for name in DEAL_LABELS if data.get(name) is not None})
        case "deal.won":
            put_money(state, data, winning=True)
            state.update(status="won", closed_at=event.at)
        case "deal.lost" | "deal.abandoned":
            status = event.type.removeprefix("deal.")
            state.update(status=status, closed_at=event.at, reason=data["reason"], competitor=data.get("competitor"))


QUOTE_ENDS = {
    "quote.accepted": "accepted",
    "quote.declined": "declined",
    "quote.expired": "expired",
    "quote.withdrawn": "withdrawn",
}


def quote_after(events: Iterable[Seen]) -> State | None:
    """A quote once these events have happened: the first issue counts, and of two endings the later."""
    state: State | None = None
    for event in events:
        data = event.data
        if state is None and event.type == "quote.issued":
            state = {
                "status": "issued",
                "opened_at": event.at,
                "closed_at": None,
                "number": data["number"],
                "valid_until": data.get("valid_until"),
                "deal": data.get("deal"),
                "customer": data["customer"],
                "owner": data.get("owner"),
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
        elif event.type == "quote.revised" and state["status"] == "issued":
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
        if state is None and event.type == "customer.registered":
            state = {name: event.data.get(name) for name in (*CUSTOMER_LABELS, "name", "kind", "owner", "parent")}
            state |= {"into": None, "at": event.at, "first_kind": event.data["kind"], "kind_since": event.at}
            state |= {"contacts": {}, "churned": None}
        elif state is None or state["into"] is not None:
            continue
        elif event.type == "customer.merged":
            state["into"] = event.data["into"]
        elif event.type.startswith("contact."):
            contacts, contact = state["contacts"], event.data["contact"]
            if event.type == "contact.added" and contact not in contacts:
                contacts[contact] = {"at": event.at, **event.data}
            elif event.type == "contact.changed" and contact in contacts:
                contacts[contact] |= event.data
            elif event.type == "contact.removed":
                contacts.pop(contact, None)
        elif event.type == "customer.churned":
            state["churned"] = state["churned"] or {"reason": event.data["reason"], "churned_at": event.at}
        elif event.type == "customer.reactivated":
            state["churned"] = None
        elif event.type != "customer.registered":
            if event.type == "customer.qualified" and event.data["kind"] != state["kind"]:
                state["kind_since"] = event.at
            state.update({name: event.data[name] for name in state if event.data.get(name) is not None})
    return state


def person_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "person.joined" and (state is None or not state["active"]):
            state = {"team": event.data["team"], "role": event.data["role"], "active": True}
        elif state is None or not state["active"]:
            continue
        elif event.type == "person.moved":
            state["team"] = event.data["team"]
        elif event.type == "person.role_changed":
            state["role"] = event.data["role"]
        elif event.type == "person.left":
            state["active"] = False
    return state


def team_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if state is None and event.type == "team.created":
            state = {"name": event.data["name"], "parent": event.data.get("parent"), "active": True}
        elif state is None or not state["active"]:
            continue
        elif event.type == "team.renamed":
            state["name"] = event.data["name"]
        elif event.type == "team.moved":
            state["parent"] = event.data["parent"]
        elif event.type == "team.closed":
            state["active"] = False
    return state


def product_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "product.listed" and (state is None or not state["active"]):
            state = {"range": event.data.get("range"), "active": True}
        elif state is None or not state["active"]:
            continue
        elif event.type == "product.retired":
            state["active"] = False
        elif event.data.get("range") is not None and event.type == "product.changed":
            state["range"] = event.data["range"]
    return state


def pipeline_after(events: Iterable[Seen]) -> State | None:
    """Stages by id. A stage that a redefinition leaves out keeps its last probability and category."""
    state: State | None = None
    for event in events:
        if event.type == ("pipeline.defined" if state is None else "pipeline.redefined"):
            state = dict(state or {})
            state.update({stage["stage"]: stage for stage in event.data["stages"]})
    return state


def rate_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if event.type == "rate.fixed":
            state = {"base": event.data["base"], "rate": Fraction(event.data["rate"])}
    return state


DAYS = ("lapse_after_days", "stalled_after_days")


def book_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if state is None and event.type == "book.opened":
            names = ("currency", "time_zone", "fiscal_year_start_month", *DAYS, "thresholds")
            state = {name: event.data.get(name) for name in names}
        elif state is not None and event.type == "book.settings_changed":
            state.update({name: event.data[name] for name in state if event.data.get(name) is not None})
    return state


def interaction_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if state is None and event.type == "interaction.logged":
            state = {"logged_at": event.at, "resolved_at": None, "converted_deal": None, **event.data}
        elif state is not None and event.type == "interaction.resolved":
            state["resolved_at"] = event.at if state["resolved_at"] is None else state["resolved_at"]
        elif state is not None and event.type == "interaction.converted":
            state["converted_deal"] = state["converted_deal"] or event.data["deal"]
    return state


def task_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if state is None and event.type == "task.planned":
            state = {"status": "planned", "planned_at": event.at, "ended_at": None, **event.data}
        elif state is None:
            continue
        elif event.type in {"task.done", "task.cancelled"}:
            state.update(status=event.type.removeprefix("task."), ended_at=event.at)
        elif event.type in {"task.rescheduled", "task.assigned"} and state["status"] == "planned":
            state.update(event.data)
    return state


def objective_after(events: Iterable[Seen]) -> State | None:
    """An objective with the `at` and `position` of what made it what it is: of two of one period the later counts."""
    state: State | None = None
    for event in events:
        if state is None and event.type == "objective.set":
            state = {"cancelled": False, "said": (event.at, event.position), **event.data}
        elif state is not None and event.type == "objective.cancelled":
            state["cancelled"] = True
        elif state is not None and event.type == "objective.revised" and not state["cancelled"]:
            if event.data["target"] != state["target"]:
                state["said"] = (event.at, event.position)
            state["target"] = event.data["target"]
    return state


def call_after(events: Iterable[Seen]) -> State | None:
    """The forecast submitted last, by category; none once withdrawn."""
    state: State | None = None
    for event in events:
        if event.type == "forecast.submitted":
            said = {"said": (event.at, event.position), **event.data}
            state = (state or {}) | {event.data["category"]: said}
        elif state is not None and event.type == "forecast.withdrawn":
            state = {}
    return state


def campaign_after(events: Iterable[Seen]) -> State | None:
    state: State | None = None
    for event in events:
        if state is None and event.type == "campaign.launched":
            state = {"launched_at": event.at, "closed_at": None, "counts": {}, "costs": [], **event.data}
        elif state is None:
            continue
        elif event.type == "campaign.spent":
            state["costs"].append({"at": event.at, "channel": state["channel"], **event.data})
        elif event.type == "campaign.responses_counted":
            state["counts"].update(event.data)
        elif event.type == "campaign.closed" and state["closed_at"] is None:
            state["closed_at"] = event.at
    return state


def channel_after(events: Iterable[Seen]) -> State | None:
    state: State = {"costs": [], "days": {}}
    for event in events:
        if event.type == "channel.spent":
            state["costs"].append({"at": event.at, "channel": None, **event.data})
        elif event.type == "channel.counted":
            state["days"][event.data["on"]] = {"at": event.at, **event.data}
    return state


AFTER = {
    "book": book_after,
    "call": call_after,
    "campaign": campaign_after,
    "channel": channel_after,
    "customer": customer_after,
    "deal": deal_after,
    "interaction": interaction_after,
    "objective": objective_after,
    "person": person_after,
    "pipeline": pipeline_after,
    "product": product_after,
    "quote": quote_after,
    "rate": rate_after,
    "task": task_after,
    "team": team_after,
}
