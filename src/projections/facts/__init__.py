"""The folds: from one stream's visible history to rows, one file per kind of stream.

A fold sees every event of its kind, in whatever order an early `known_at` leaves them, and never raises for that.
"""

from __future__ import annotations

from typing import Final

from ledger.events import EventCorrected, EventRetracted
from projections.facts import (
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
from projections.timeline import Fold

FOLDS: Final[dict[str, Fold]] = {
    "book": book.FOLD,
    "call": call.FOLD,
    "campaign": campaign.CAMPAIGN,
    "channel": campaign.CHANNEL,
    "customer": customer.FOLD,
    "deal": deal.FOLD,
    "interaction": interaction.FOLD,
    "objective": objective.FOLD,
    "person": organisation.PERSON,
    "pipeline": pipeline.FOLD,
    "product": product.FOLD,
    "quote": quote.FOLD,
    "rate": rates.FOLD,
    "subject": subject.FOLD,
    "task": task.FOLD,
    "team": organisation.TEAM,
}
"""By kind of stream."""

RESOLVED: Final = (EventRetracted, EventCorrected)
"""What the timeline resolves before a fold sees the history."""


def kind_of(stream: str) -> str:
    """The kind of a stream: what stands before its first hyphen."""
    return stream.partition("-")[0]
