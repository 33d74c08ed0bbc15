"""What the dashboard must know before it asks anything: the book, how far back it goes, the stages it ever had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from ledger.book import DEFAULT_OPENING
from ledger.times import local_date
from projections.tables import FOREVER_SQL, book_versions, deal_versions, stage_versions, wins

if TYPE_CHECKING:
    from datetime import date

    from projections.store import View


class Stage(NamedTuple):
    """A stage by its id, as it was last called and weighed in any pipeline."""

    stage: str
    name: str
    probability_bp: int


@dataclass(frozen=True)
class Overview:
    """`first` is the day of the first deal or sale, None for a book without any; `stages` go from the surest down."""

    name: str
    currency: str
    locale: str
    time_zone: str
    fiscal_year_start_month: int
    first: date | None
    today: date
    stages: tuple[Stage, ...]


def overview(view: View, now: int) -> Overview:
    """Read from one view of the read store; `now` is the log's time."""
    row = next(iter(view.rows(_BOOK)), None)
    zone = view.time_zone
    starts = [at for (at,) in (*view.rows(_FIRST_DEAL), *view.rows(_FIRST_WIN)) if at is not None]
    return Overview(
        name=row.name if row else DEFAULT_OPENING.name,
        currency=row.currency if row else DEFAULT_OPENING.currency,
        locale=row.locale if row else DEFAULT_OPENING.locale,
        time_zone=zone,
        fiscal_year_start_month=row.fiscal_year_start_month if row else DEFAULT_OPENING.fiscal_year_start_month,
        first=local_date(min(starts), zone) if starts else None,
        today=local_date(max(now, view.stamp), zone),
        stages=_stages(view),
    )


_BOOK = (
    select(book_versions)
    .where(book_versions.c.known_to == FOREVER_SQL)
    .order_by(book_versions.c.effective_from.desc())
    .limit(1)
)
_FIRST_DEAL = select(func.min(deal_versions.c.opened_at))
_FIRST_WIN = select(func.min(wins.c.effective_from))


def _stages(view: View) -> tuple[Stage, ...]:
    s = stage_versions.c
    query = (
        select(s.stage, s.stage_name, s.probability_bp)
        .where(s.known_to == FOREVER_SQL)
        .order_by(s.effective_from, s.stage_no)
    )
    latest = {row.stage: Stage(row.stage, row.stage_name, row.probability_bp) for row in view.rows(query)}
    return tuple(sorted(latest.values(), key=lambda each: (-each.probability_bp, each.stage)))
