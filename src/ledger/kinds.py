"""The kinds of stream: which rules decide their events, and whether these may be planned ahead."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from ledger import (
    book,
    call,
    campaign,
    customer,
    deal,
    interaction,
    objective,
    organisation,
    pipeline,
    product,
    quote,
    rates,
    subject,
    task,
)
from ledger.checks import PATTERNS, is_id, sealable
from ledger.errors import Refused
from ledger.events import (
    EVENTS,
    BookOpened,
    CampaignLaunched,
    CustomerRegistered,
    DealOpened,
    Event,
    InteractionLogged,
    ObjectiveSet,
    PersonJoined,
    PipelineDefined,
    ProductListed,
    QuoteIssued,
    Rule,
    TaskPlanned,
    TeamCreated,
)
from ledger.money import is_currency

Evolve = Callable[[Any, Event], Any]


class Kind(msgspec.Struct, frozen=True):
    """One kind of stream. `planned` kinds may take effect after they are recorded; what happened may not."""

    evolve: Evolve
    planned: bool = False
    sealed_fields: Callable[[Any, Event], tuple[str, ...] | None] = lambda state, event: None  # noqa: ARG005


KINDS: dict[str, Kind] = {
    "book": Kind(book.evolve, planned=True),
    "pipeline": Kind(pipeline.evolve, planned=True),
    "team": Kind(organisation.evolve_team, planned=True),
    "person": Kind(organisation.evolve_person, planned=True),
    "product": Kind(product.evolve, planned=True),
    "rate": Kind(rates.evolve, planned=True),
    "customer": Kind(customer.evolve, sealed_fields=customer.sealed_fields),
    "deal": Kind(deal.evolve),
    "quote": Kind(quote.evolve),
    "interaction": Kind(interaction.evolve),
    "task": Kind(task.evolve),
    "objective": Kind(objective.evolve, planned=True),
    "call": Kind(call.evolve),
    "campaign": Kind(campaign.evolve_campaign),
    "channel": Kind(campaign.evolve_channel),
    "subject": Kind(subject.evolve),
}

OPENINGS = (
    BookOpened,
    PipelineDefined,
    TeamCreated,
    PersonJoined,
    ProductListed,
    CustomerRegistered,
    DealOpened,
    QuoteIssued,
    InteractionLogged,
    TaskPlanned,
    ObjectiveSet,
    CampaignLaunched,
)
"""The events that begin a stream."""

_usual_name = re.compile(
    rf"({'|'.join(kind for kind in KINDS if kind not in ('book', 'rate'))})-{PATTERNS[Rule.ID][0].pattern}"
).fullmatch

_ELSEWHERE = {"contact": "customer", "forecast": "call"}
"""Event types whose first word is not the kind of stream they belong to."""


def kind_of_event(event_type: str) -> str | None:
    """The kind of stream an event type belongs to; None for `event.*`, which any stream takes."""
    first = event_type.partition(".")[0]
    return None if first == "event" else _ELSEWHERE.get(first, first)


def kind_of(stream: str) -> str:
    """The kind in a stream's name. Raises `Refused` for a name that is not one."""
    if (usual := _usual_name(stream)) is not None:
        return usual[1]
    name, dash, thing = stream.partition("-")
    if name not in KINDS or bool(dash) == (name == "book"):
        known = ", ".join(kind if kind == "book" else f"{kind}-…" for kind in KINDS)
        raise Refused("unknown_stream", f"{stream[:40]!r} is not a stream; streams are {known}")
    if dash and not is_id(thing):
        shown = f"{thing[:40]!r}{'…' if len(thing) > 40 else ''}"
        raise Refused("bad_id", f"{shown} is not an id: 1 to 64 of A-Z a-z 0-9 . _ : -")
    if name == "rate" and not is_currency(thing):
        raise Refused("bad_id", f"{thing!r} is not a currency; rates stand on streams such as rate-USD")
    return name


@cache
def event_class(event_type: str, kind: str) -> type[Event]:
    """The struct of an event type, if streams of that kind take it. Raises `Refused`."""
    event = EVENTS.get(event_type)
    if event is None:
        raise Refused(
            "unknown_type", f"unknown event type {event_type[:60]!r}; docs/events.md and sales-ledger schema list them"
        )
    if kind_of_event(event_type) not in (None, kind):
        raise Refused("wrong_stream", f"{event_type} does not belong on a {kind} stream")
    return event


def fields_to_seal(kind: str, state: Any, event: Event) -> tuple[str, ...]:
    """The fields of an event that go into the vault."""
    marked = sealable(type(event))
    if not marked:
        return ()
    chosen = KINDS[kind].sealed_fields(state, event)
    names = [name for name, _ in marked] if chosen is None else chosen
    return tuple([name for name in names if getattr(event, name) is not None])
