"""The peer: the stock `eventsourcing` library with its own recorders, used as its documentation shows."""

from __future__ import annotations

from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Deal(Aggregate):
    """A deal with what the benchmarks change about it. Its events take 200 bytes with their topic; our entries, 320."""

    @event("Opened")
    def __init__(self, *, owner: str, customer: str, pipeline: str, stage: str, title: str, value: int) -> None:
        self.owner = owner
        self.customer = customer
        self.pipeline = pipeline
        self.stage = stage
        self.title = title
        self.value = value
        self.expected_close_on: str | None = None
        self.actor: str | None = None

    @event("StageChanged")
    def change_stage(self, stage: str, actor: str) -> None:
        self.stage = stage
        self.actor = actor

    @event("CloseDateChanged")
    def change_close_date(self, expected_close_on: str, actor: str) -> None:
        self.expected_close_on = expected_close_on
        self.actor = actor

    @event("Revalued")
    def revalue(self, value: int, currency: str, actor: str) -> None:
        self.value = value
        self.currency = currency
        self.actor = actor


class Deals(Application[Any]):
    """The stock application over deals."""

    name = "deals"
