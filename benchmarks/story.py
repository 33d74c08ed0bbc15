"""One deal's life of ten events, told to our ledger and to the stock library alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from eventsourcing.application import Application

from benchmarks.stock import Deal

EVENTS_PER_DEAL = 10
ACTOR = "benchmark"
SAVED_AT_ONCE = 100
TITLE = "Sensors and software for the energy of two buildings"

STAGES = ("qualified", "proposal", "negotiation")
PIPELINE = {
    "stream": "pipeline-main",
    "type": "pipeline.defined",
    "effective_at": "2020-01-01",
    "data": {
        "name": "Main",
        "stages": [
            {"stage": stage, "name": stage.title(), "probability_bp": 2_500 * number, "category": "pipeline"}
            for number, stage in enumerate(("lead", *STAGES), 1)
        ],
    },
}


def lines(deal: str) -> Iterator[bytes]:
    """The event lines of one deal, as of now."""
    for number in range(EVENTS_PER_DEAL):
        yield json.dumps({"stream": f"deal-{deal}", **_said(number)}).encode()


def past_lines(deals: Iterable[int]) -> Iterator[bytes]:
    """The event lines of many deals, one deal after the other, as history."""
    for deal in deals:
        for number in range(EVENTS_PER_DEAL):
            when = {"effective_at": f"2024-{1 + number:02}-{1 + deal % 28:02}T09:00:00Z"}
            yield json.dumps({"stream": f"deal-{deal}", **_said(number), **when}).encode()


def tell(app: Application[Any], deals: int) -> None:
    """Tell the stock library the same, many deals in one transaction."""
    for start in range(0, deals, SAVED_AT_ONCE):
        some = [opened() for _ in range(start, min(start + SAVED_AT_ONCE, deals))]
        for deal in some:
            for _ in range(EVENTS_PER_DEAL - 1):
                advance(deal)
        app.save(*some)


def _said(number: int) -> dict[str, Any]:
    if number == 0:
        data = {"owner": "ana", "customer": "acme", "pipeline": "main", "stage": "lead", "title": TITLE}
        return {"type": "deal.opened", "data": data | {"value": {"minor": 1_250_000, "currency": "EUR"}}}
    match number % 3:
        case 0:
            return {"type": "deal.stage_changed", "data": {"stage": STAGES[number // 3 % 3]}}
        case 1:
            return {"type": "deal.close_date_changed", "data": {"expected_close_on": f"2031-01-{1 + number % 28:02}"}}
        case _:
            return {"type": "deal.revalued", "data": {"value": {"minor": 1_000 * number, "currency": "EUR"}}}


def opened() -> Deal:
    """The stock library's deal after its first event."""
    return Deal(owner="ana", customer="acme", pipeline="main", stage="lead", title=TITLE, value=1_250_000)


def advance(deal: Deal) -> None:
    """Tell the stock library's deal its next event."""
    number = deal.version
    match number % 3:
        case 0:
            deal.change_stage(STAGES[number // 3 % 3], ACTOR)
        case 1:
            deal.change_close_date(f"2031-01-{1 + number % 28:02}", ACTOR)
        case _:
            deal.revalue(1_000 * number, "EUR", ACTOR)
