"""The folds: from one stream's visible history to rows, one file per kind of stream.

A fold sees every event of its kind, in whatever order an early `known_at` leaves them, and never raises for that.
"""

from __future__ import annotations

from typing import Final

from ledger.events import EventCorrected, EventRetracted
from projections.facts import book, customer, deal, organisation, pipeline, product, quote, rates
from projections.facts.unfolded import unfolded
from projections.timeline import Fold

FOLDS: Final[dict[str, Fold]] = {
    "book": book.FOLD,
    "call": unfolded("forecast"),
    "campaign": unfolded("campaign"),
    "channel": unfolded("channel"),
    "customer": customer.FOLD,
    "deal": deal.FOLD,
    "interaction": unfolded("interaction"),
    "objective": unfolded("objective", planned=True),
    "person": organisation.PERSON,
    "pipeline": pipeline.FOLD,
    "product": product.FOLD,
    "quote": quote.FOLD,
    "rate": rates.FOLD,
    "task": unfolded("task"),
    "team": organisation.TEAM,
}
"""By kind of stream."""

RESOLVED: Final = (EventRetracted, EventCorrected)
"""What the timeline resolves before a fold sees the history."""


def kind_of(stream: str) -> str:
    """The kind of a stream: what stands before its first hyphen."""
    return stream.partition("-")[0]
