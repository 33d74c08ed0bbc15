"""The tables of the read store (DESIGN 6): rows that hold on rectangles of business time and knowledge.

Each row holds for `effective_from <= as_of < effective_to` and `known_from <= known_at < known_to`, in microseconds,
open ends being `FOREVER`. `position` and `appended_at` are those of the event from which it holds. Read them through
`projections.intervals`, never by hand: what happened is right only where `as_of <= known_at`.
"""

from __future__ import annotations

import zlib
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
    or_,
)
from sqlalchemy.types import TypeEngine

from ledger.times import FOREVER

FOLDS_VERSION: Final = 3
"""Raise it whenever a fold says something else of the same events: a store of other folds is rebuilt, never patched."""

INTERVAL_COLUMNS: Final = (
    "stream",
    "effective_from",
    "effective_to",
    "known_from",
    "known_to",
    "position",
    "appended_at",
    "reported_from",
    "reported_to",
    "reported_class",
    "effective_class",
)
"""The columns that `timeline` fills, in the order of its rows; a table's payload follows.

`reported_*` is the diagonal, where `as_of = known_at`; its class is null where that is empty. Text columns are compared
byte by byte on both databases.
"""

metadata = MetaData()
TABLES: Final[dict[str, Table]] = {}
"""The tables that folds write, by name."""

_TEXT: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
_INTEGER: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
_INTEGER_SUFFIXES = (
    "_at",
    "_minor",
    "_e6",
    "_bp",
    "_no",
    "_position",
    "_month",
    "_days",
    "_minutes",
    "_score",
    "_count",
)
_FLAGS = ("active", "gone", "cancelled")


def _rows(name: str, payload: str, *, key: str | None = None) -> Table:
    """A table of rectangles; `key` tells apart the rows of one stream that hold at once."""
    keys = {"stream", "effective_from", "known_from", key}

    def column(each: str, type_: TypeEngine[int] | TypeEngine[str], *, nullable: bool) -> Column[int | str]:
        return Column(each, type_, primary_key=each in keys, nullable=nullable and each not in keys)

    table = Table(
        name,
        metadata,
        *(
            column(each, _TEXT if each == "stream" else _INTEGER, nullable=each == "reported_class")
            for each in INTERVAL_COLUMNS
        ),
        *(
            column(each, _INTEGER if each in _FLAGS or each.endswith(_INTEGER_SUFFIXES) else _TEXT, nullable=True)
            for each in payload.split()
        ),
        sqlite_with_rowid=False,
    )
    TABLES[name] = table
    return table


deal_versions = _rows(
    "deal_versions",
    "status pipeline stage owner customer kind region country channel campaign value_minor margin_minor quantity_e6"
    " currency expected_close_on probability_bp category opened_at opened_position",
)
"""`status` is open, won, lost, abandoned or merged; `probability_bp` and `category` are the deal's own, if set.

A closed deal goes on here as it is classified now; what it was when it closed stands in `wins` and `losses`."""

deal_lines = _rows("deal_lines", "line_no product value_minor margin_minor quantity_e6 currency", key="line_no")
"""Product lines of open deals that have any; they add up to the deal, what no line explains being product null."""

wins = _rows(
    "wins",
    "pipeline owner customer kind region country channel campaign value_minor margin_minor quantity_e6 currency"
    " opened_at stages stage closed_at",
)
"""`effective_from`, which is `closed_at`, is when it was won; the row ends when it is reopened. `stages` are those that the
deal had been open in, a space between them. Quotes accepted without a deal are wins too, of streams `quote-…`."""

win_lines = _rows("win_lines", "line_no product value_minor margin_minor quantity_e6 currency", key="line_no")
"""Product lines of wins that have any; they add up to the win."""

losses = _rows(
    "losses",
    "outcome reason competitor pipeline stage owner customer kind region country channel campaign value_minor"
    " margin_minor quantity_e6 currency opened_at stages closed_at",
)
"""`outcome` is lost or abandoned; `effective_from`, which is `closed_at`, is when; `stages` as of wins."""

invoices = _rows(
    "invoices",
    "entry invoice reason pipeline stage owner customer kind region country channel campaign value_minor margin_minor"
    " quantity_e6 currency opened_at invoiced_at entry_position",
    key="entry_position",
)
"""`entry` is invoice, delivery or credit; a credit note's amounts are negative. `invoiced_at`, which is
`effective_from`, is when; the rest is the deal as it was then. Amounts that nobody said are null."""

quote_versions = _rows(
    "quote_versions",
    "status deal customer owner number value_minor margin_minor currency valid_until issued_at ended_at",
)
"""`status` is issued, accepted, declined, expired or withdrawn."""

customer_versions = _rows(
    "customer_versions",
    "name name_commitment kind country region segment industry channel campaign owner parent merged_into"
    " registered_at registered_kind kind_since_at",
)
"""A person's name is its commitment (`facts.names.sealed`); the value is joined from the vault at answer time."""

contact_versions = _rows(
    "contact_versions",
    "contact role name_commitment email_commitment phone_commitment added_at",
    key="contact",
)
"""The persons at a customer's, while they are there; what is personal is a commitment."""

churns = _rows("churns", "reason churned_at")
"""Customers declared lost since `churned_at`; the row ends when one is declared back."""

interactions = _rows(
    "interactions",
    "kind direction customer contact deal owner campaign duration_minutes outcome satisfaction_scale"
    " satisfaction_score logged_at resolved_at converted_deal converted_at",
)
"""One row for each interaction at a pair; `logged_at` is when it was."""

task_versions = _rows("task_versions", "status kind owner customer contact deal due_at planned_at ended_at")
"""`status` is planned, done or cancelled."""

objective_versions = _rows(
    "objective_versions",
    "scope_kind scope metric kind product_range period_from period_to target_minor target_e6 currency cancelled",
)
"""`scope_kind` is company, team or person, `scope` the id of one of the latter. The period's days are both included; the
target is `target_minor` of `currency` or a number, `target_e6`."""

call_versions = _rows(
    "call_versions",
    "category scope_kind scope period_from period_to value_minor currency submitted_at submitted_position",
    key="category",
)
"""The forecasts that people submitted, until they are withdrawn or submitted anew. Of several of one scope, period and
category that which was submitted last counts."""

campaign_versions = _rows(
    "campaign_versions",
    "status name channel starts_on ends_on budget_minor currency sent_count delivered_count opened_count clicked_count"
    " answered_count unsubscribed_count called_count reached_count launched_at closed_at",
)
"""`status` is launched or closed; the counts are totals since the launch, null where nobody counted."""

costs = _rows("costs", "channel what value_minor currency spent_at cost_position", key="cost_position")
"""What campaigns and channels cost, each spending a row from `spent_at` on. The stream tells which; `channel` is a
campaign's channel, and null for a channel's own cost."""

channel_counts = _rows("channel_counts", "day visits_count carts_count orders_count counted_at", key="day")
"""What was counted of a channel on a day, as counted last."""

person_versions = _rows("person_versions", "team role name_commitment active")
team_versions = _rows("team_versions", "name parent active")
product_versions = _rows("product_versions", "name product_range unit_price_minor unit_cost_minor currency active")
stage_versions = _rows(
    "stage_versions", "pipeline_name stage stage_no stage_name probability_bp category gone", key="stage"
)
"""`gone` is 1 for a stage that a redefinition removed; it keeps what it last was."""

rate_versions = _rows("rate_versions", "base rate")
"""One unit of the stream's currency in `base`, as a decimal."""

book_versions = _rows(
    "book_versions",
    "name currency time_zone fiscal_year_start_month locale lapse_after_days stalled_after_days settings",
)
"""`settings` holds the rest as JSON: dashboard, score_weights, thresholds."""

PLANNED: Final = frozenset({
    "person_versions", "team_versions", "product_versions", "stage_versions", "rate_versions", "book_versions",
    "objective_versions",
})  # fmt: skip
"""Tables of what may lie ahead; all others hold what happened."""

FOREVER_SQL: ColumnElement[int] = literal_column(str(FOREVER), _INTEGER)
OPEN_DEAL: ColumnElement[bool] = deal_versions.c.status == literal_column("'open'", _TEXT)
"""Literals, not parameters: a partial index is used only where its condition stands in the statement."""

_d = deal_versions.c

_HELD = ("stream", "effective_from", "known_from", "effective_to", "known_to", "reported_from", "reported_to")
"""Whose a row is and when it holds: an index that has them passes over those that do not without visiting the table."""

_LINE = (
    *("position", "appended_at", "owner", "customer", "kind"),
    *("value_minor", "margin_minor", "quantity_e6", "currency"),
)
"""What reports read most of a line that is looked for by its time."""


def _open_deals(name: str, keys: tuple[str, str, str], condition: ColumnElement[bool]) -> Index:
    """Open deals by length class; the index holds all that reports read, so that they need not visit the table."""
    rest = [column for column in _d if column.name not in keys]
    where = and_(OPEN_DEAL, condition)
    return Index(name, *(_d[key] for key in keys), *rest, postgresql_where=where, sqlite_where=where)


def _by_time(name: str, table: Table, at: str, *more: str) -> Index:
    """Lines by their time; the index holds what reports read most of them."""
    names = dict.fromkeys((at, *_HELD, *_LINE, *more))
    return Index(name, *(table.c[each] for each in names if each in table.c))


def _held_until(*more: str) -> dict[str, None]:
    """The columns of an index of what is soon settled, by when it was; it holds all that is told of whose it is."""
    return dict.fromkeys(("effective_to", *_HELD, "position", "appended_at", "owner", *more))


DEAL_KNOWN: ColumnElement[bool] = _d.known_to == FOREVER_SQL
DEAL_CORRECTED: ColumnElement[bool] = _d.known_to < FOREVER_SQL
DEAL_LATE: ColumnElement[bool] = or_(_d.known_from > _d.effective_from, _d.known_to < FOREVER_SQL)
"""Recorded after it happened, or corrected since; of all others the diagonal is the effective interval itself."""

OF_A_DEAL: ColumnElement[bool] = interactions.c.deal.is_not(None)
RATED: ColumnElement[bool] = interactions.c.satisfaction_scale.is_not(None)
UNSETTLED: ColumnElement[bool] = and_(
    interactions.c.resolved_at.is_(None),
    interactions.c.kind.in_([literal_column(f"'{kind}'", _TEXT) for kind in ("complaint", "support_request")]),
)
DEAL_MERGED: ColumnElement[bool] = _d.status == literal_column("'merged'", _TEXT)
ISSUED_QUOTE: ColumnElement[bool] = quote_versions.c.status == literal_column("'issued'", _TEXT)
PLANNED_TASK: ColumnElement[bool] = task_versions.c.status == literal_column("'planned'", _TEXT)
CUSTOMER_MERGED: ColumnElement[bool] = customer_versions.c.merged_into.is_not(None)

_EFFECTIVE = ("effective_class", "effective_from", "effective_to")

INDEXES: Final = (
    _open_deals("deals_known", _EFFECTIVE, DEAL_KNOWN),
    _open_deals("deals_corrected", _EFFECTIVE, DEAL_CORRECTED),
    _open_deals("deals_late", ("reported_class", "reported_from", "reported_to"), DEAL_LATE),
    Index(
        "deals_opened",
        *(_d[name] for name in ("opened_at", *_HELD, "appended_at")),
        *(_d[name] for name in ("status", "pipeline", "stage", "owner")),
    ),
    Index("deals_merged", _d.effective_from, postgresql_where=DEAL_MERGED, sqlite_where=DEAL_MERGED),
    _by_time("wins_by_time", wins, "effective_from", "opened_at"),
    Index(
        "wins_by_customer",
        *(wins.c[name] for name in ("customer", *_HELD, "position", "appended_at")),
        *(wins.c[name] for name in ("value_minor", "margin_minor", "currency")),
    ),
    _by_time("losses_by_time", losses, "effective_from", "outcome", "opened_at"),
    _by_time("quotes_by_time", quote_versions, "issued_at", "status", "valid_until"),
    _by_time("invoices_by_time", invoices, "invoiced_at", "entry", "entry_position"),
    Index(
        "invoices_by_customer",
        *(invoices.c[name] for name in ("customer", *_HELD, "entry")),
    ),
    Index("customers_registered", customer_versions.c.registered_at),
    Index(
        "customers_merged", customer_versions.c.stream, postgresql_where=CUSTOMER_MERGED, sqlite_where=CUSTOMER_MERGED
    ),
    Index("contacts_added", contact_versions.c.added_at),
    Index(
        "interactions_by_time",
        *(interactions.c[name] for name in ("logged_at", *_HELD, "appended_at")),
        *(interactions.c[name] for name in ("kind", "direction", "customer", "deal", "owner", "duration_minutes")),
    ),
    Index(
        "interactions_by_customer",
        *(interactions.c[name] for name in ("customer", "logged_at", *_HELD, "kind", "resolved_at")),
    ),
    Index(
        "interactions_by_deal",
        *(interactions.c[name] for name in ("deal", "logged_at", *_HELD)),
        postgresql_where=OF_A_DEAL,
        sqlite_where=OF_A_DEAL,
    ),
    Index(
        "interactions_rated",
        *(interactions.c[name] for name in ("logged_at", *_HELD, "satisfaction_scale", "satisfaction_score")),
        postgresql_where=RATED,
        sqlite_where=RATED,
    ),
    Index(
        "interactions_unsettled",
        *(interactions.c[name] for name in _held_until("logged_at", "kind", "resolved_at")),
        postgresql_where=UNSETTLED,
        sqlite_where=UNSETTLED,
    ),
    Index(
        "quotes_issued",
        *(quote_versions.c[name] for name in ("valid_until", *_HELD)),
        postgresql_where=ISSUED_QUOTE,
        sqlite_where=ISSUED_QUOTE,
    ),
    Index(
        "tasks_planned",
        *(task_versions.c[name] for name in _held_until("due_at", "status")),
        postgresql_where=PLANNED_TASK,
        sqlite_where=PLANNED_TASK,
    ),
    Index("objectives_by_period", objective_versions.c.scope_kind, objective_versions.c.period_to),
    Index("objectives_by_scope", *(objective_versions.c[name] for name in ("scope", "scope_kind", "period_to"))),
    Index("calls_by_period", call_versions.c.scope_kind, call_versions.c.period_to),
    Index("costs_by_time", costs.c.spent_at),
)
"""Made after the rows of a rebuild are in. `deals_opened` holds the stages that deals went through."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("only", _INTEGER, primary_key=True, autoincrement=False),
    Column("position", _INTEGER, nullable=False),
    Column("stamp", _INTEGER, nullable=False),
    Column("newest", _INTEGER, nullable=False),
    Column("reported_classes", _INTEGER, nullable=False),
    Column("effective_classes", _INTEGER, nullable=False),
    Column("shape", _INTEGER, nullable=False),
)
"""One row: how far the folds are, `appended_at` of that event, the greatest `recorded_at` so far, and as bits which
length classes open deals have."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("stream", _TEXT, primary_key=True),
    Column("position", _INTEGER, nullable=False),
    Column("error", _TEXT, nullable=False),
)
"""Streams that could not be folded, at which position and why; their rows are those of before, the others go on."""

SHAPE: Final = zlib.crc32(
    repr(
        [
            FOLDS_VERSION,
            *((table.name, table.columns.keys()) for table in metadata.sorted_tables),
            *((index.name, index.columns.keys()) for index in INDEXES),
        ]
    ).encode()
)
"""Of what tables, indexes and folds a read store is made; one of another shape is made anew."""
