"""Whether something is already so: said before, in other seals perhaps (DESIGN 4)."""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.events import (
    CampaignSpent,
    ChannelSpent,
    DealAbandoned,
    DealCredited,
    DealDelivered,
    DealInvoiced,
    DealLost,
    DealMerged,
    DealReopened,
    DealWon,
    Event,
    EventCorrected,
    Sealed,
)
from ledger.kinds import fields_to_seal
from ledger.said import World
from ledger.stream import Stream

ADDS_UP = (DealInvoiced, DealDelivered, DealCredited, CampaignSpent, ChannelSpent)
"""The events that may truly happen twice alike."""


def already_said(stream: Stream, event: Event, at: int) -> bool:
    """Whether the last word on what the event speaks of, at its time, is the event itself."""
    if isinstance(event, ADDS_UP):
        return counted_already(stream, event, at)
    topic = _topic(event)
    words = (each.data for each in reversed(stream.shown) if each.effective_at <= at and _topic(each.data) == topic)
    return next(words, None) == event


def _topic(event: Event) -> tuple[Any, str | None]:
    """What an event has the last word on, until the next one on the same topic."""
    opens_or_closes = isinstance(event, DealWon | DealLost | DealAbandoned | DealReopened | DealMerged)
    return "closing" if opens_or_closes else type(event), getattr(event, "contact", None)


def counted_already(stream: Stream, event: Event, at: int | None) -> bool:
    """Invoices, deliveries, credit notes and spendings add up; said twice for one instant they are one."""
    return isinstance(event, ADDS_UP) and any(each.effective_at == at and each.data == event for each in stream.shown)


def with_known_seals(stream: Stream, event: Event, world: World, version: int | None = None) -> Event:
    """The event with each text replaced by the stream's own seal of the same text, so that the two compare equal.

    The seals of one event, as first said and as corrected, when its `version` is given; else those of the whole stream.
    """
    for name in fields_to_seal(stream.kind, stream.state, event) if stream.events else ():
        seals = seals_of(stream, version, name)
        known = world.reveal(seals)
        for seal in reversed(seals):
            if known.get(seal.commitment.c) == getattr(event, name):
                event = msgspec.structs.replace(event, **{name: seal})
                break
    return event


def seals_of(stream: Stream, version: int | None, name: str) -> list[Sealed]:
    """The seals that a field has had, in one event of the stream or in all, as first said and as corrected."""
    seals: list[Any] = []
    for event in stream.events:
        match event.data:
            case EventCorrected(version=corrected, data=dict(data)) if version in (None, corrected):
                if isinstance(data.get(name), dict):
                    seals.append(msgspec.convert(data[name], Sealed))
            case _ if version in (None, event.version):
                seals.append(getattr(event.data, name, None))
            case _:
                pass
    return [seal for seal in seals if isinstance(seal, Sealed)]
