"""Histories that were wrong once, or are easily got wrong, kept for good."""

from __future__ import annotations

from typing import Any

from ledger.times import parse_instant
from tests.model.histories import Asked, Case


def _line(stream: str, type_: str, at: str, recorded: str | None = None, **data: Any) -> dict[str, Any]:
    times = {"effective_at": f"{at}T12:00:00Z", "recorded_at": f"{recorded or at}T12:00:00Z"}
    return {"stream": stream, "type": type_, "data": data, **times}


def _eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def _case(lines: list[dict[str, Any]], *asked: tuple[str, str, str, dict[str, str]]) -> Case:
    """Questions are `(report, as_of, known_at, other parameters)`, dates meaning noon."""
    times = [(f"{as_of}T12:00:00.000000Z", f"{known_at}T12:00:00.000000Z") for _, as_of, known_at, _ in asked]
    questions = tuple(
        Asked(report, {"as_of": as_of, "known_at": known_at} | parameters)
        for (report, _, _, parameters), (as_of, known_at) in zip(asked, times, strict=True)
    )
    pairs = tuple((parse_instant(as_of), parse_instant(known_at)) for as_of, known_at in times)
    return Case(lines=tuple(_BOOK + lines), pairs=pairs, questions=questions)


_STAGES = [
    {"stage": "lead", "name": "Lead", "probability_bp": 5_000, "category": "pipeline"},
    {"stage": "offer", "name": "Offer", "probability_bp": 7_500, "category": "commit"},
]
_OPENING = {"currency": "EUR", "time_zone": "Europe/Paris", "locale": "fr", "name": "A book"}
_BOOK = [
    _line("book", "book.opened", "2023-11-01", fiscal_year_start_month=1, **_OPENING),
    _line("pipeline-sales", "pipeline.defined", "2023-11-01", name="Sales", stages=_STAGES),
    _line("person-ana", "person.joined", "2023-11-01", name="Ana", role="rep", team="north"),
    _line("product-anvil", "product.listed", "2023-11-01", name="Anvil", range="iron"),
]
_DEAL: dict[str, Any] = {"pipeline": "sales", "stage": "lead", "owner": "ana", "title": "a deal"}
_ANVILS = [{"product": "anvil", "quantity": "1", "value": _eur(101)}]
_YEAR = {"period": "2024"}

TEAM_ASKED_TWICE = _case(
    [
        _line("deal-d1", "deal.opened", "2024-01-10", **_DEAL, value=_eur(101)),
        _line("deal-d1", "deal.won", "2024-02-10"),
    ],
    ("sales", "2024-06-30", "2024-06-30", _YEAR | {"by": "team", "where": "team=north"}),
)
"""A dimension both asked for and filtered by joined its table twice."""

REOPENED_AND_WON_AT_ONE_INSTANT = _case(
    [
        _line("deal-d1", "deal.opened", "2024-01-10", **_DEAL, lines=_ANVILS),
        _line("deal-d1", "deal.won", "2024-02-10"),
        _line("product-anvil", "product.changed", "2024-03-01", range="steel"),
        _line("deal-d1", "deal.reopened", "2024-04-10", stage="lead", reason="call_back"),
        _line("deal-d1", "deal.won", "2024-04-10"),
    ],
    ("sales", "2024-06-30", "2024-06-30", _YEAR | {"by": "product_range"}),
    ("sales", "2024-06-30", "2024-06-30", {"period": "2024-Q1"}),
    ("sales", "2024-06-30", "2024-06-30", {"period": "2024-Q2", "by": "month"}),
    ("sales", "2024-03-31", "2024-06-30", _YEAR | {"by": "product_range"}),
)
"""The win in force is the second, though between the two no instant shows the deal open."""

RECLASSIFIED_AT_ITS_CLOSING = _case(
    [
        _line("deal-d1", "deal.opened", "2024-01-10", **_DEAL, region="north"),
        _line("deal-d1", "deal.lost", "2024-02-10", reason="price"),
        _line("deal-d1", "deal.reclassified", "2024-02-10", recorded="2024-02-20", region="south"),
        _line("deal-d1", "deal.reclassified", "2024-02-21", region="west"),
    ],
    ("win_rate", "2024-06-30", "2024-06-30", _YEAR | {"by": "region"}),
    ("win_rate", "2024-06-30", "2024-02-15", _YEAR | {"by": "region"}),
)
"""A closing takes all that happened at its own instant, and nothing later."""

_DOLLARS = {"minor": 101, "currency": "USD"}
_WITHOUT = {"product": "bolt", "quantity": "1", "value": _DOLLARS}

NO_RATE_FOR_WHAT_IS_FILTERED_OUT = _case(
    [
        _line("deal-d1", "deal.opened", "2024-01-10", **_DEAL, value=_DOLLARS, expected_close_on="2024-07-31"),
        _line("deal-d2", "deal.opened", "2024-01-10", **_DEAL, lines=_ANVILS, expected_close_on="2024-08-31"),
        _line("deal-d3", "deal.opened", "2024-01-10", **_DEAL, lines=[_WITHOUT]),
        _line("deal-d3", "deal.won", "2024-02-10"),
    ],
    ("pipeline", "2024-06-30", "2024-06-30", {"where": "month=2024-08"}),
    ("pipeline", "2024-06-30", "2024-06-30", {"where": "month=2024-07"}),
    ("pipeline", "2024-06-30", "2024-06-30", {"where": "product=anvil"}),
    ("forecast", "2024-06-30", "2024-06-30", {"where": "product=anvil"}),
    ("sales", "2024-06-30", "2024-06-30", _YEAR | {"where": "month=2024-03"}),
    ("sales", "2024-06-30", "2024-06-30", _YEAR | {"where": "product=bolt"}),
)
"""A rate is missing only where an amount that counts needs it."""

EXAMPLES = (
    TEAM_ASKED_TWICE,
    REOPENED_AND_WON_AT_ONE_INSTANT,
    RECLASSIFIED_AT_ITS_CLOSING,
    NO_RATE_FOR_WHAT_IS_FILTERED_OUT,
)
