"""The real data's figures straight from the CSV, as of any date: the second way, against which the ledger's is held.

Reads `sales_pipeline.csv` with the standard library and nothing of ours, so that no mistake is shared. A deal exists
from its `engage_date` on; rows without one never do. It is open until the day before its `close_date`. Dates are
whole days: "as of" a day means its end.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CURRENCY = "USD"
SPELLING = {"GTXPro": "GTX Pro"}


@dataclass(frozen=True)
class Deal:
    """One row of the pipeline file; `value_minor` is what a won deal was worth, else `None`."""

    id: str
    agent: str
    product: str
    account: str | None
    opened: date
    closed: date | None
    outcome: str | None
    value_minor: int | None

    def is_open(self, as_of: date) -> bool:
        """Whether it is in progress at the end of that day."""
        return self.opened <= as_of and (self.closed is None or self.closed > as_of)

    def closed_within(self, first: date, last: date, outcome: str) -> bool:
        """Whether it was won or lost in the period, both days included."""
        return self.outcome == outcome and self.closed is not None and first <= self.closed <= last


@dataclass(frozen=True)
class Figures:
    """Counts, and the value of what was won, in minor units."""

    won: int
    won_minor: int
    lost: int


def deals(folder: Path) -> list[Deal]:
    """Every row that has a date to begin at."""
    return [_deal(row) for row in _rows(folder) if row["engage_date"]]


def undated(folder: Path) -> list[str]:
    """Ids of the rows without any date, which an importer has to refuse."""
    return [row["opportunity_id"] for row in _rows(folder) if not row["engage_date"]]


def open_deals(all_deals: Iterable[Deal], as_of: date) -> int:
    """How many deals are in progress at the end of a day."""
    return sum(deal.is_open(as_of) for deal in all_deals)


def closed(all_deals: Iterable[Deal], first: date, last: date) -> Figures:
    """What was won and lost from the first to the last day."""
    found = list(all_deals)
    won = [deal for deal in found if deal.closed_within(first, last, "Won")]
    lost = sum(deal.closed_within(first, last, "Lost") for deal in found)
    return Figures(len(won), sum(deal.value_minor or 0 for deal in won), lost)


def closed_by(all_deals: Iterable[Deal], first: date, last: date, attribute: str) -> dict[str | None, Figures]:
    """The same for each value of `agent`, `product` or `account` that has any."""
    groups: dict[str | None, list[Deal]] = {}
    for deal in all_deals:
        groups.setdefault(getattr(deal, attribute), []).append(deal)
    figures = {name: closed(group, first, last) for name, group in groups.items()}
    return {name: found for name, found in figures.items() if found.won or found.lost}


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "sales_pipeline.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _deal(row: dict[str, str]) -> Deal:
    outcome = row["deal_stage"] if row["deal_stage"] in {"Won", "Lost"} else None
    return Deal(
        id=row["opportunity_id"],
        agent=row["sales_agent"],
        product=SPELLING.get(row["product"], row["product"]),
        account=row["account"] or None,
        opened=date.fromisoformat(row["engage_date"]),
        closed=date.fromisoformat(row["close_date"]) if row["close_date"] else None,
        outcome=outcome,
        value_minor=int(Decimal(row["close_value"]) * 100) if outcome == "Won" else None,
    )
