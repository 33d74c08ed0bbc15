"""Random books: what a few people could do to a few deals, in any order and with any second thoughts.

`books(legal=True)` gives event lines for the log, of which nearly all are legal; `books(legal=False)` gives streams that
no decision has seen: effects before the opening, two closings, endings without a beginning.

Asking costs more than telling, so several histories share a book, its settings, teams and rates, each with people,
customers, products, pipelines, deals and quotes of its own. They also share a calendar, on whose instants most things
happen or become known: a pair that stands on one of them, or a microsecond beside it, is at the edge of many things at
once in every history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st

from ledger.codec import Recorded
from ledger.errors import Refused
from ledger.events import EVENTS
from ledger.history import visible
from ledger.kinds import KINDS
from ledger.times import format_instant, parse_instant

PARIS = ZoneInfo("Europe/Paris")
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

START = parse_instant("2023-11-01T00:00:00Z")
FIRST_STEP = parse_instant("2023-12-20T09:00:00Z")
CLOCK = parse_instant("2026-01-15T12:00:00Z")
"""The machine's clock while the history is imported; native events follow it."""

NEVER_LATER = CLOCK + 100 * DAY
"""Nothing is asked about later instants."""


def _midnight(text: str) -> int:
    moment = datetime.combine(date.fromisoformat(text), datetime.min.time(), PARIS).astimezone(UTC)
    return parse_instant(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


_BORDERS = [
    _midnight(day)
    for day in (
        *("2024-01-01", "2024-02-29", "2024-03-01", "2024-03-31", "2024-04-01", "2024-07-01"),
        *("2024-10-01", "2024-10-27", "2024-10-28", "2025-01-01", "2025-04-01"),
    )
]
_NIGHTS = [
    parse_instant(text)
    for text in (
        *("2024-03-31T00:59:59.999999Z", "2024-03-31T01:00:00Z", "2024-10-27T00:30:00Z"),
        *("2024-10-27T01:00:00Z", "2024-10-27T01:30:00Z", "2024-02-29T12:00:00Z"),
    )
]
HOT = sorted({*_BORDERS, *(border - 1 for border in _BORDERS), *_NIGHTS})
"""Where quarters, months, leap days and the nights of clock changes begin and end."""

DAYS = [
    *("2023-12-31", "2024-01-31", "2024-02-29", "2024-03-30", "2024-03-31", "2024-04-01", "2024-06-30"),
    *("2024-09-15", "2024-10-27", "2024-12-31", "2025-01-01", "2025-03-10", "2025-11-30"),
]
PERIODS = [
    *("2024-Q1", "2024-Q2", "2024-Q4", "2023-Q4", "2024", "2025", "2024-S1", "2024-02", "2024-03", "2024-10"),
    *("2024-02-29..2024-03-31", "2024-03-31..2024-03-31", "2023-11-01..2025-12-31"),
    *("FY2024", "FY2025-Q1", "this-month", "last-quarter", "this-year", "last-month"),
]
PEOPLE = ["ana", "bob", "cleo", "ghost"]
TEAMS = ["north", "south", "west"]
PRODUCTS = ["anvil", "bolt", "cog", "ghost"]
CUSTOMERS = [f"c{number}" for number in range(1, 7)]
SCOPES: list[dict[str, Any]] = [
    {"company": True},
    *({"team": team} for team in TEAMS[:2]),
    *({"person": person} for person in PEOPLE[:2]),
]
TARGETED = [
    {"from": first, "to": last}
    for first, last in (
        *(("2024-01-01", "2024-12-31"), ("2024-01-01", "2024-03-31"), ("2024-02-01", "2024-02-29")),
        *(("2024-03-15", "2024-04-20"), ("2024-10-01", "2025-03-31"), ("2025-11-20", "2025-11-30")),
        *(("2024-04-01", "2024-06-30"), ("2025-01-01", "2025-12-31")),
    )
]
"""Days that objectives and calls are for."""

CONTACTS = ["ida", "jim"]
REGIONS = ["north", "south"]
STAGES = {"sales": ["lead", "offer", "closing"], "parts": ["ask", "lead"]}
VALUES = [0, 1, 3, 5, 25, 99, 101, 333, 125_000, 1_000_003, 999_999_999_999]
CHANCES = [5_000, 2_500, 0, 10_000, 3_333, 1, 7_500]
CATEGORIES = ["pipeline", "best_case", "most_likely", "commit", "omitted"]
RATES = ["0.5", "0.92", "0.923456", "1.1", "3"]
YENS = ["0.0061", "0.00625", "0.5"]


class Choices:
    """Choices that follow from one number. Drawing each by itself would cost Hypothesis more than it could draw."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def one_of(self, items: list[Any]) -> Any:
        return items[self.below(len(items))]

    def chance(self, one_in: int) -> bool:
        return self.below(one_in) == 0


@dataclass
class Story:
    """A history being made up: what its streams hold so far, and the time at which people record things."""

    legal: bool
    calendar: list[int]
    streams: dict[str, list[Recorded]] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    events: list[Recorded] = field(default_factory=list)
    now: int = START

    def tell(
        self, stream: str, type_: str, data: dict[str, Any], at: int, *, force: bool = False, native: bool = False
    ) -> None:
        """Add an event if it is legal, or whatever it is when nobody asks."""
        so_far = self.streams.get(stream, [])
        planned = KINDS[stream.partition("-")[0]].planned
        recorded_at = max(self.now, so_far[-1].recorded_at if so_far else self.now)
        at = at if planned else min(at, recorded_at)
        event = Recorded(
            position=len(self.events) + 1,
            stream=stream,
            version=len(so_far) + 1,
            type=type_,
            effective_at=at,
            recorded_at=recorded_at,
            appended_at=CLOCK + len(self.events),
            data=msgspec.convert(data, EVENTS[type_]),
            actor="hypothesis",
        )
        allowed = self.allowed(stream, [*so_far, event])
        line: dict[str, Any] = {"stream": stream, "type": type_, "data": data, "effective_at": format_instant(at)}
        if native:
            line["native"] = recorded_at
        else:
            line["recorded_at"] = format_instant(recorded_at)
        if allowed or force:
            self.lines.append(line)
        if allowed or not self.legal:
            self.streams[stream] = [*so_far, event]
            self.events.append(event)

    def allowed(self, stream: str, events: list[Recorded]) -> bool:
        last = events[-1]
        if last.type in {"event.retracted", "event.corrected"}:
            version = last.data.version  # type: ignore[attr-defined]
            target = events[version - 1]
            if not 1 <= version < last.version:
                return False
            if last.type == "event.corrected" and target.type.startswith("event."):
                return False
        try:
            state = None
            evolve = KINDS[stream.partition("-")[0]].evolve
            for event in visible(events):
                state = evolve(state, event.data)
        except Refused:
            return False
        return True

    def state(self, stream: str) -> Any:
        """What decisions see; None when nothing legal is there."""
        evolve = KINDS[stream.partition("-")[0]].evolve
        state = None
        try:
            for event in visible(self.streams.get(stream, [])):
                state = evolve(state, event.data)
        except Refused:
            return None
        return state


# What can be said -------------------------------------------------------------------------------------------------


def _currency(name: str) -> str:
    """A thing keeps its currency: every fifth is in dollars, every seventh in yen."""
    number = int("".join(filter(str.isdigit, name)) or 0)
    return "USD" if number % 5 == 2 else "JPY" if number % 7 == 3 else "EUR"


def _money(choices: Choices, currency: str) -> dict[str, Any]:
    return {"minor": choices.one_of(VALUES), "currency": currency}


def _margin(choices: Choices, currency: str) -> dict[str, Any]:
    return {"minor": choices.one_of([*VALUES[:9], -7, -101]), "currency": currency}


def _worth(choices: Choices, currency: str, *, quantity: bool = True) -> dict[str, Any]:
    shape = choices.below(8)
    worth: dict[str, Any] = {}
    if shape in {1, 2, 3}:
        worth["value"] = _money(choices, currency)
    if shape in {2, 3, 4}:
        worth["margin"] = _margin(choices, currency)
    if shape in {3, 5} and quantity:
        worth["quantity"] = choices.one_of(["1", "2.5", "0.000001", "40"])
    if shape in {5, 6, 7}:
        worth["lines"] = [
            {
                "product": choices.one_of([*PRODUCTS, None]),
                "quantity": choices.one_of(["1", "3", "0.5"]),
                "value": _money(choices, currency),
                **({"margin": _margin(choices, currency)} if shape == 7 else {}),
            }
            for _ in range(1 + choices.below(3))
        ]
        if shape == 7 and choices.chance(2):
            worth["value"] = {
                "minor": sum(line["value"]["minor"] for line in worth["lines"]),
                "currency": currency,
            }
    return worth


def _labels(choices: Choices, *names: str) -> dict[str, str]:
    options = {
        "region": REGIONS,
        "country": ["fr", "be"],
        "channel": ["web", "fair"],
        "campaign": ["spring"],
        "segment": ["small", "large"],
        "kind": ["new", "renewal"],
        "customer": [*CUSTOMERS, "ghost"],
    }
    mask = choices.below(256)
    return {name: choices.one_of(options[name]) for bit, name in enumerate(names) if mask >> bit & 1}


def _stages(choices: Choices, pipeline: str) -> list[dict[str, Any]]:
    """Some stages of the pipeline, or all, with probabilities of the day."""
    chosen = [stage for stage in STAGES[pipeline] if not choices.chance(4)] or STAGES[pipeline]
    return [
        {
            "stage": stage,
            "name": stage.title(),
            "probability_bp": choices.one_of(CHANCES),
            "category": choices.one_of(CATEGORIES),
        }
        for stage in chosen
    ]


def _due(choices: Choices) -> str:
    return format_instant(choices.one_of(HOT))


def _data(choices: Choices, type_: str, stream: str) -> dict[str, Any]:  # noqa: PLR0915 (one case per event)
    """Data for an event of that type on that stream."""
    currency = _currency(stream)
    pipeline = "sales" if int("0" + "".join(filter(str.isdigit, stream))) % 3 else "parts"
    match type_:
        case "deal.opened":
            data = {"pipeline": pipeline, "stage": choices.one_of(STAGES[pipeline]), "title": "a deal"}
            data |= {"owner": choices.one_of(PEOPLE)}
            if choices.below(4):
                data["customer"] = choices.one_of(CUSTOMERS)
            if choices.below(4):
                data["expected_close_on"] = choices.one_of(DAYS)
            data |= _worth(choices, currency)
            return data | _labels(choices, "region", "country", "channel", "campaign", "kind")
        case "deal.stage_changed":
            return {"stage": choices.one_of(STAGES[pipeline])}
        case "deal.reopened":
            return {"stage": choices.one_of(STAGES[pipeline]), "reason": "call_back"}
        case "deal.revalued":
            return _worth(choices, currency)
        case "deal.close_date_changed":
            return {"expected_close_on": choices.one_of(DAYS)}
        case "deal.assigned" | "customer.assigned":
            return {"owner": choices.one_of(PEOPLE)}
        case "deal.probability_set":
            return {"probability_bp": choices.one_of([*CHANCES, None])}
        case "deal.category_set":
            return {"category": choices.one_of([*CATEGORIES, None])}
        case "deal.reclassified":
            return _labels(choices, "customer", "kind", "region", "country", "channel", "campaign")
        case "deal.won":
            return _worth(choices, currency)
        case "deal.lost" | "deal.abandoned":
            return {"reason": "price"}
        case "deal.merged":
            return {"into": "d1"}
        case "deal.invoiced":
            return {"invoice": "i1", "value": _money(choices, currency)}
        case "deal.delivered":
            return {"value": _money(choices, currency)} if choices.chance(2) else {"quantity": "2.5"}
        case "deal.credited":
            return {"reason": "damaged", "value": _money(choices, currency), "margin": _margin(choices, currency)}
        case "quote.issued":
            data = {"customer": choices.one_of(CUSTOMERS), "number": "Q-1", "value": _money(choices, currency)}
            worth = _worth(choices, currency, quantity=False)
            if "lines" in worth:
                del data["value"]
                worth["value"] = {
                    "minor": sum(line["value"]["minor"] for line in worth["lines"]),
                    "currency": currency,
                }
            data |= worth
            if choices.chance(2):
                data["deal"] = f"d{1 + choices.below(12)}"
            if choices.below(3):
                data["owner"] = choices.one_of(PEOPLE)
            if choices.below(3):
                data["valid_until"] = choices.one_of(DAYS)
            return data
        case "quote.revised":
            data = _worth(choices, currency, quantity=False)
            if choices.chance(3):
                data["valid_until"] = choices.one_of(DAYS)
            return data
        case "quote.declined" | "quote.withdrawn":
            return {"reason": "price"}
        case "customer.registered":
            labels = _labels(choices, "region", "country", "channel", "campaign", "segment")
            return {"name": stream, "kind": "customer", **labels}
        case "customer.reclassified":
            return _labels(choices, "region", "country", "channel", "campaign", "segment")
        case "customer.merged":
            number = CUSTOMERS.index(stream.partition("-")[2])
            return {"into": choices.one_of(CUSTOMERS[number + 1 :] or ["ghost"])}
        case "customer.qualified":
            return {"kind": choices.one_of(["lead", "prospect", "customer"])}
        case "customer.churned":
            return {"reason": choices.one_of(["price", "moved"])}
        case "contact.added":
            return {"contact": choices.one_of(CONTACTS), "name": "Somebody"}
        case "contact.changed":
            return {"contact": choices.one_of(CONTACTS), "role": choices.one_of(["buyer", "boss"])}
        case "contact.removed":
            return {"contact": choices.one_of(CONTACTS)}
        case "person.joined":
            return {"name": "Somebody", "role": "rep", "team": choices.one_of(TEAMS)}
        case "person.moved":
            return {"team": choices.one_of(TEAMS)}
        case "team.created":
            return {"name": stream}
        case "team.renamed":
            return {"name": choices.one_of(["Us", "Them"])}
        case "product.listed":
            return {"name": stream, "range": choices.one_of(["iron", "steel"])}
        case "product.changed":
            return {"range": choices.one_of(["iron", "steel"])}
        case "pipeline.defined":
            name = stream.partition("-")[2]
            stages = [
                {"stage": stage, "name": stage, "probability_bp": 5_000, "category": "pipeline"}
                for stage in STAGES[name]
            ]
            return {"name": name, "stages": stages}
        case "pipeline.redefined":
            return {"stages": _stages(choices, stream.partition("-")[2])}
        case "rate.fixed":
            return {"base": "EUR", "rate": choices.one_of(YENS if stream == "rate-JPY" else RATES)}
        case "book.opened":
            opening = {"currency": "EUR", "time_zone": "Europe/Paris", "locale": "fr", "name": "A book"}
            return opening | {"fiscal_year_start_month": choices.one_of([1, 1, 4, 7])}
        case "interaction.logged":
            data = {"kind": choices.one_of(["visit", "complaint", "cart"]), "direction": choices.one_of(["in", "out"])}
            data |= {"customer": choices.one_of(CUSTOMERS), "owner": choices.one_of(PEOPLE)}
            if choices.chance(3):
                data |= {"duration_minutes": choices.below(90), "satisfaction": {"scale": "nps", "score": 9}}
            return data
        case "interaction.converted":
            return {"deal": f"d{1 + choices.below(12)}"}
        case "task.planned":
            return {"kind": "call_back", "owner": choices.one_of(PEOPLE), "due_at": _due(choices)}
        case "task.rescheduled":
            return {"due_at": _due(choices)}
        case "task.assigned":
            return {"owner": choices.one_of(PEOPLE)}
        case "objective.set":
            data = {"metric": choices.one_of(["amount", "amount", "amount", "margin", "quantity"])}
            if data["metric"] == "amount" and choices.chance(8):
                data["kind"] = "new"
            data |= {"scope": choices.one_of(SCOPES), "period": choices.one_of(TARGETED)}
            return data | {"target": "40" if data["metric"] == "quantity" else _money(choices, currency)}
        case "objective.revised":
            return {"target": _money(choices, currency)}
        case "objective.cancelled":
            return {"reason": "moved"}
        case "forecast.submitted":
            number = int(stream.partition("f")[2])
            data = {"scope": SCOPES[number % len(SCOPES)], "period": TARGETED[number % len(TARGETED)]}
            return data | {
                "category": choices.one_of(["commit", "commit", "best_case"]),
                "value": _money(choices, currency),
            }
        case "campaign.launched":
            return {"name": stream, "channel": choices.one_of(["web", "fair"]), "starts_on": choices.one_of(DAYS)}
        case "campaign.spent" | "channel.spent":
            return {"value": _money(choices, currency), "what": "print"}
        case "campaign.responses_counted":
            return {choices.one_of(["sent", "opened", "reached"]): choices.below(1_000)}
        case "channel.counted":
            return {"on": choices.one_of(DAYS[:5]), choices.one_of(["visits", "carts"]): choices.below(1_000)}
        case "person.role_changed":
            return {"role": "manager"}
        case "deal.retitled":
            return {"title": "another title"}
        case "book.settings_changed":
            return {"stalled_after_days": 10 + choices.below(20)}
        case _:
            return {}


OPEN_DEAL = [
    *("deal.stage_changed", "deal.revalued", "deal.won", "deal.lost", "deal.stage_changed", "deal.won"),
    *("deal.close_date_changed", "deal.assigned", "deal.probability_set", "deal.category_set"),
    *("deal.reclassified", "deal.abandoned", "deal.retitled", "deal.revalued", "deal.merged"),
]
CLOSED_DEAL = [
    *("deal.reopened", "deal.invoiced", "deal.reclassified", "deal.reopened", "deal.delivered", "deal.invoiced"),
    *("deal.reopened", "deal.credited", "deal.reclassified", "deal.merged", "deal.reopened"),
]
QUOTE = ["quote.accepted", "quote.revised", "quote.accepted", "quote.declined", "quote.expired", "quote.withdrawn"]
CUSTOMER = [
    *("customer.reclassified", "customer.merged", "customer.reclassified", "customer.qualified"),
    *("contact.added", "contact.changed", "contact.removed", "customer.churned", "customer.reactivated"),
]
PERSON = ["person.moved", "person.moved", "person.left", "person.joined", "person.role_changed"]
PRODUCT = ["product.changed", "product.changed", "product.retired", "product.listed"]
SIDES = {
    "interaction": ["interaction.resolved", "interaction.converted"],
    "task": ["task.rescheduled", "task.assigned", "task.rescheduled", "task.done", "task.cancelled"],
    "objective": ["objective.revised", "objective.revised", "objective.cancelled"],
    "call": ["forecast.submitted", "forecast.submitted", "forecast.withdrawn"],
    "campaign": ["campaign.spent", "campaign.responses_counted", "campaign.spent", "campaign.closed"],
    "channel": ["channel.spent", "channel.counted", "channel.counted"],
}
"""What happens to the things that stand beside deals."""

OPENINGS = {
    "interaction": "interaction.logged",
    "task": "task.planned",
    "objective": "objective.set",
    "call": "forecast.submitted",
    "campaign": "campaign.launched",
    "channel": "channel.counted",
    "deal": "deal.opened",
    "quote": "quote.issued",
    "customer": "customer.registered",
    "person": "person.joined",
    "team": "team.created",
    "product": "product.listed",
    "pipeline": "pipeline.defined",
    "rate": "rate.fixed",
    "book": "book.opened",
}


def _next_type(choices: Choices, story: Story, stream: str) -> str:
    kind = stream.partition("-")[0]
    state = story.state(stream)
    if state is None and not (not story.legal and choices.chance(3)):
        return OPENINGS[kind]
    match kind:
        case "deal":
            still_open = state is None or state.closing is None
            if not story.legal and choices.chance(4):
                still_open = not still_open
            return str(choices.one_of(OPEN_DEAL if still_open else CLOSED_DEAL))
        case "quote":
            return str(choices.one_of(QUOTE))
        case "customer":
            return str(choices.one_of(CUSTOMER))
        case "person":
            return str(choices.one_of(PERSON))
        case "product":
            return str(choices.one_of(PRODUCT))
        case "pipeline":
            return "pipeline.redefined"
        case "rate":
            return "rate.fixed"
        case "team":
            return "team.renamed"
        case "book":
            return "book.settings_changed"
        case _:
            return str(choices.one_of(SIDES[kind]))


def _advance(choices: Choices, story: Story) -> int:
    """When the next thing is recorded: often at the very same instant, mostly on the calendar, sometimes weeks later."""
    ahead = [instant for instant in story.calendar if instant > story.now] or [story.now]
    match choices.below(9):
        case 0 | 1 | 2:
            return story.now
        case 3:
            return story.now + 1
        case 4 | 5:
            return ahead[0]
        case 6:
            return max(story.now, ahead[0] - 1)
        case 7:
            return ahead[min(choices.below(4), len(ahead) - 1)]
        case _:
            return story.now + choices.below(5 * DAY // SECOND) * SECOND


def _effect(choices: Choices, story: Story, stream: str, *, planned: bool) -> int:
    """When it was true: mostly as it was recorded, else earlier, or at an instant that means something."""
    before = story.streams.get(stream, [])
    past = [instant for instant in story.calendar if instant <= story.now] or [story.now]
    match choices.below(12):
        case 0 | 1 | 2 | 3:
            return story.now
        case 4 | 5:
            return past[-1 - choices.below(min(4, len(past)))]
        case 6:
            return past[choices.below(len(past))]
        case 7:
            return story.now - choices.below(10 * DAY // SECOND) * SECOND
        case 8 | 9 if before:
            return before[choices.below(len(before))].effective_at
        case 10 if before:
            return before[-1].effective_at + choices.below(3) - 1
        case 11 if planned:
            return story.calendar[choices.below(len(story.calendar))]
        case _:
            return past[-1] - choices.below(2)


def _second_thoughts(choices: Choices, stream: str, events: list[Recorded]) -> tuple[str, dict[str, Any]]:
    """A retraction or correction of something said before, retractions included."""
    target = events[-1 - choices.below(len(events))] if choices.chance(2) else events[-1]
    if target.type.startswith("event.") or choices.below(5) < 2:
        return "event.retracted", {"version": target.version, "reason": "mistake"}
    data: dict[str, Any] = {"version": target.version, "reason": "mistake"}
    shape = choices.below(3)
    if shape != 1:
        shift = choices.one_of([-DAY, -1, 1, -30 * DAY, 2 * DAY, 0])
        data["effective_at"] = format_instant(min(target.effective_at + shift, target.recorded_at))
    if shape != 0:
        data["data"] = _data(choices, target.type, stream)
    return "event.corrected", data


def _setting_up_book(story: Story, choices: Choices) -> None:
    story.tell("book", "book.opened", _data(choices, "book.opened", "book"), START)
    for team in TEAMS:
        story.tell(f"team-{team}", "team.created", {"name": team.title()}, START)
    for currency, rate in {"USD": "0.9", "JPY": "0.006"}.items():
        story.tell(f"rate-{currency}", "rate.fixed", {"base": "EUR", "rate": rate}, START)


def _setting_up(story: Story, choices: Choices) -> None:
    names = {"person": PEOPLE[:-1], "product": PRODUCTS[:-1], "pipeline": list(STAGES), "customer": CUSTOMERS}
    for kind, ids in names.items():
        for each in ids:
            stream = f"{kind}-{each}"
            story.tell(stream, OPENINGS[kind], _data(choices, OPENINGS[kind], stream), START)


def _step(story: Story, choices: Choices, stream: str, *, native: bool = False) -> None:
    story.now = _advance(choices, story)
    so_far = story.streams.get(stream, [])
    if so_far and choices.below(6) == 5:
        type_, data = _second_thoughts(choices, stream, so_far)
        story.tell(stream, type_, data, story.now, native=native)
        return
    type_ = _next_type(choices, story, stream)
    planned = KINDS[stream.partition("-")[0]].planned
    at = _effect(choices, story, stream, planned=planned)
    force = story.legal and choices.chance(16)
    story.tell(stream, type_, _data(choices, type_, stream), at, force=force, native=native)


def _target(choices: Choices, deals: int) -> str:
    pick = choices.below(130)
    if pick >= 100:
        return str(choices.one_of(BESIDE))
    if pick < 64:
        return f"deal-d{1 + choices.below(deals)}"
    if pick < 79:
        return f"quote-q{1 + choices.below(max(2, deals // 2))}"
    if pick < 88:
        return f"customer-{choices.one_of(CUSTOMERS)}"
    if pick < 93:
        return f"person-{choices.one_of(PEOPLE)}"
    if pick < 97:
        return f"pipeline-{choices.one_of(list(STAGES))}"
    return f"product-{choices.one_of(PRODUCTS[:-1])}"


BESIDE = [
    *(f"objective-o{number}" for number in range(1, 7)),
    *(f"call-f{number}" for number in range(1, 7)),
    *("interaction-i1", "interaction-i2", "interaction-i3", "task-t1", "task-t2", "campaign-spring", "channel-web"),
    *("campaign-spring", "campaign-spring", "channel-web", "channel-web"),
]
COMMON = ["rate-USD", "rate-JPY", "rate-USD", "rate-JPY", "rate-USD", "team-north", "book"]


# Questions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A report and its parameters, as a user would write them."""

    report: str
    parameters: dict[str, str]


DEAL_ASPECTS = [
    *(
        "",
        "owner",
        "team",
        "kind",
        "customer",
        "stage",
        "region",
        "country",
        "channel,campaign",
        "segment",
        "team,region",
    ),
    *("product", "product_range", "month", "product,team", "customer,quarter"),
]
ASPECTS = {
    "pipeline": DEAL_ASPECTS,
    "forecast": [*DEAL_ASPECTS[:13], "quarter", "product,owner"],
    "win_rate": [*DEAL_ASPECTS[:11], "month", "owner,year"],
    "sales": [*DEAL_ASPECTS, "year"],
    "conversion": ["", "owner", "team", "channel", "campaign,region", "customer", "segment", "month", "team,quarter"],
}
"""What each report may be asked by. Few enough that the statements behind them are compiled but once."""

FILTERS = {
    "pipeline": ["team", "customer", "product", "region", "month"],
    "forecast": ["team", "customer", "product_range", "segment", "quarter"],
    "win_rate": ["owner", "team", "country", "stage"],
    "sales": ["kind", "team", "customer", "product", "year"],
    "conversion": ["owner", "team", "customer", "channel"],
}
"""What each may be filtered by."""


def _pool(events: Iterable[Recorded]) -> list[int]:
    """Every instant at which something happens or becomes known."""
    pool = set()
    for event in events:
        pool |= {event.effective_at, event.recorded_at}
        at = getattr(event.data, "effective_at", None)
        if at is not None:
            pool.add(parse_instant(at))
    return sorted(pool)


def _instant(choices: Choices, calendar: list[int], pool: list[int]) -> int:
    shape = choices.below(10)
    if shape == 9:
        return FIRST_STEP + choices.below(60_000) * ((NEVER_LATER - FIRST_STEP) // 60_000)
    instants = pool if shape in {7, 8} else calendar
    return instants[choices.below(len(instants))] + {4: 1, 5: 1, 6: -1, 8: -1}.get(shape, 0)


def _pair(choices: Choices, calendar: list[int], pool: list[int]) -> tuple[int, int]:
    as_of = _instant(choices, calendar, pool)
    match choices.below(5):
        case 0:
            known_at = as_of
        case 1:
            known_at = NEVER_LATER
        case 2:
            known_at = as_of + choices.below(90) * DAY
        case 3:
            known_at = as_of - choices.below(60) * DAY
        case _:
            known_at = _instant(choices, calendar, pool)
    return min(as_of, NEVER_LATER), min(known_at, NEVER_LATER)


def _questions(choices: Choices, as_of: int, known_at: int, prefix: str) -> list[Asked]:
    """All five reports at one pair, each with parameters of its own."""
    asked = []
    for report, aspects in ASPECTS.items():
        parameters = {"as_of": format_instant(as_of), "known_at": format_instant(known_at)}
        by = choices.one_of(aspects)
        if by:
            parameters["by"] = by
        if choices.chance(4):
            name = choices.one_of(FILTERS[report])
            parameters["where"] = f"{name}={_prefixed(name, choices.one_of(KNOWN[name]), prefix)}"
        if report in {"win_rate", "sales", "conversion"} or (report == "forecast" and choices.chance(3)):
            parameters["period"] = choices.one_of(PERIODS)
        if report == "forecast" and "period" not in parameters and choices.chance(3):
            parameters["horizon"] = choices.one_of(["1", "3", "24"])
        if report == "win_rate" and choices.chance(2):
            parameters["basis"] = "cohort"
        if report != "conversion" and choices.chance(6):
            parameters["fx"] = "constant"
        if report != "conversion" and choices.chance(6):
            parameters["currency"] = choices.one_of(["USD", "JPY", "EUR"])
        asked.append(Asked(report, parameters))
    return asked


KNOWN = {
    "owner": PEOPLE,
    "team": [*TEAMS, ""],
    "kind": ["new", "renewal", ""],
    "customer": [*CUSTOMERS, ""],
    "stage": sorted({stage for stages in STAGES.values() for stage in stages}),
    "product": [*PRODUCTS, ""],
    "product_range": ["iron", "steel"],
    "region": REGIONS,
    "country": ["fr", "be"],
    "channel": ["web", "fair"],
    "campaign": ["spring"],
    "segment": ["small", "large", ""],
    "month": ["2024-02", "2024-03", "2024-10", ""],
    "quarter": ["2024-Q1", "2024-Q4"],
    "year": ["2024", "2025"],
}
"""Values to ask for; the empty one means those without any."""


@dataclass(frozen=True)
class Case:
    """A history and what is asked of it: event lines for the log, the same as bare events for the folds."""

    lines: tuple[dict[str, Any], ...] = ()
    events: tuple[Recorded, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    questions: tuple[Asked, ...] = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 (IPython's protocol)
        """Short: a whole book says nothing to the eye. Tests print what went wrong, and the lines it came from."""
        printer.text(f"<book of {len(self.lines)} lines asked at {len(self.pairs)} pairs>")


OWN = {"owner", "person", "customer", "into", "deal", "pipeline", "product"}
"""What an event refers to by an id of its own history."""


def _prefixed(name: str, value: Any, prefix: str) -> Any:
    if name in OWN and value:
        return prefix + value
    if isinstance(value, dict):
        return {key: _prefixed(key, each, prefix) for key, each in value.items()}
    if isinstance(value, list):
        return [_prefixed("", each, prefix) for each in value]
    return value


def _of_history(line: dict[str, Any], prefix: str) -> dict[str, Any]:
    """A line with its ids made the history's own."""
    kind, _, thing = line["stream"].partition("-")
    return line | {"stream": f"{kind}-{prefix}{thing}", "data": _prefixed("", line["data"], prefix)}


PAIRS = 20


@st.composite
def books(draw: st.DrawFn, *, legal: bool, histories: int = 1, pairs: int = PAIRS) -> Case:
    """A book of some histories, of 3 to 12 deals and some fifteen other streams each, asked at so many pairs."""
    some = _drawn(draw)
    calendar = sorted({*HOT, *(FIRST_STEP + some.below(18 * 30 * 24) * HOUR for _ in range(18))})
    common = Story(legal, calendar)
    _setting_up_book(common, some)
    common.now = FIRST_STEP
    for _ in range(draw(st.integers(0, 12))):
        _step(common, some, some.one_of(COMMON))
    lines, events = list(common.lines), list(common.events)
    prefixes = [f"{chr(ord('a') + number)}." if histories > 1 else "" for number in range(histories)]
    for prefix in prefixes:
        story = draw(_histories(legal=legal, calendar=calendar))
        lines += [_of_history(line, prefix) for line in story.lines]
        events += story.events
    lines.sort(key=lambda line: line.get("native", 0))
    asking = _drawn(draw)
    pool = _pool(events)
    chosen, questions = [], []
    for number in range(pairs):
        chosen.append(_pair(asking, calendar, pool))
        questions += _questions(asking, *chosen[-1], prefixes[number % histories])
    return Case(tuple(lines), tuple(events), tuple(chosen), tuple(questions))


@st.composite
def _histories(draw: st.DrawFn, *, legal: bool, calendar: list[int]) -> Story:
    choices = _drawn(draw)
    deals = draw(st.integers(3, 12))
    story = Story(legal, calendar)
    _setting_up(story, choices)
    story.now = FIRST_STEP
    steps = draw(st.integers(6 * deals, 14 * deals))
    own = draw(st.integers(0, 3)) if legal else 0
    for index in range(steps):
        native = index >= steps - own
        if native:
            story.now = max(story.now, CLOCK)
        _step(story, choices, _target(choices, deals), native=native)
    return story


def _drawn(draw: st.DrawFn) -> Choices:
    return Choices(draw(st.integers(0, 2**64 - 1)))
