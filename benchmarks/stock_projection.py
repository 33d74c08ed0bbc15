"""The peer's live projection: the stock `ProjectionRunner`, one transaction per event, on PostgreSQL only.

Its view keeps one row per deal as it is now; ours keeps every rectangle of what was so and known when.
"""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from benchmarks.stock import Deals

CREATE = "CREATE TABLE IF NOT EXISTS deals_now (deal uuid PRIMARY KEY, stage text, value bigint, closes text)"
CHANGE = (
    "INSERT INTO deals_now VALUES (%(deal)s, %(stage)s, %(value)s, %(closes)s) ON CONFLICT (deal) DO UPDATE SET"
    " stage = coalesce(excluded.stage, deals_now.stage), value = coalesce(excluded.value, deals_now.value),"
    " closes = coalesce(excluded.closes, deals_now.closes)"
)


class DealsNow(PostgresTrackingRecorder):
    """The view: one row per deal, changed in the transaction that tracks the event."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(SQL(CREATE).format())

    def change(self, deal: dict[str, Any], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(SQL(CHANGE), deal, prepare=True)


class DealsNowProjection(Projection[DealsNow]):
    """From events to the view."""

    name = "deals_now"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        deal = {
            "deal": domain_event.originator_id,
            "stage": getattr(domain_event, "stage", None),
            "value": getattr(domain_event, "value", None),
            "closes": getattr(domain_event, "expected_close_on", None),
        }
        self.view.change(deal, tracking)


def stock_runner(settings: dict[str, str]) -> ProjectionRunner[Deals, DealsNow]:
    """A running projection of the application with these settings, from where it stopped."""
    return ProjectionRunner(
        application_class=Deals, projection_class=DealsNowProjection, view_class=DealsNow, env=settings
    )
