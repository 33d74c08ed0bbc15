"""The log: events, heads, types, idempotency, subjects, vault, and the register of read stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _ordered_text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, _ordered_text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "events",
        _text("book"),
        _number("position"),
        _text("stream"),
        _number("version"),
        _text("type"),
        _number("effective_at"),
        _number("recorded_at"),
        _number("appended_at"),
        _bytes("entry"),
        sa.PrimaryKeyConstraint("book", "position", name="events_pkey"),
        sa.UniqueConstraint("book", "stream", "version", name="events_stream"),
    )
    op.create_table(
        "heads",
        _text("book"),
        _number("position"),
        _number("stamp"),
        _bytes("frontier"),
        _bytes("secret"),
        sa.PrimaryKeyConstraint("book", name="heads_pkey"),
    )
    op.create_table(
        "event_types",
        _text("book"),
        _text("type"),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("book", "type", "schema", name="event_types_pkey"),
    )
    op.create_table(
        "idempotency",
        _text("book"),
        _text("actor"),
        _text("key"),
        _bytes("body_hmac"),
        _bytes("outcome"),
        _number("appended_at"),
        sa.PrimaryKeyConstraint("book", "actor", "key", name="idempotency_pkey"),
    )
    op.create_table(
        "subjects",
        _text("book"),
        _text("subject"),
        _text("ref"),
        sa.PrimaryKeyConstraint("book", "subject", name="subjects_pkey"),
        sa.UniqueConstraint("book", "ref", name="subjects_ref"),
    )
    op.create_table(
        "vault",
        _text("book"),
        _text("commitment"),
        _text("subject_ref"),
        _text("stream"),
        _number("version"),
        _text("field"),
        _bytes("salt"),
        _bytes("value"),
        sa.PrimaryKeyConstraint("book", "commitment", name="vault_pkey"),
    )
    op.create_index("vault_subject", "vault", ["book", "subject_ref"])
    op.create_table(
        "read_stores",
        _text("book"),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        _number("created_at"),
        sa.PrimaryKeyConstraint("book", "generation", name="read_stores_pkey"),
    )
    op.execute(
        "CREATE VIEW events_readable AS SELECT book, position, stream, version, type, "
        + _moment("effective_at")
        + ", "
        + _moment("recorded_at")
        + ", "
        + _moment("appended_at")
        + ", "
        + ("convert_from(entry, 'UTF8')" if op.get_bind().dialect.name == "postgresql" else "CAST(entry AS TEXT)")
        + " AS entry FROM events"
    )


def _moment(column: str) -> str:
    if op.get_bind().dialect.name == "postgresql":
        return f"timestamptz 'epoch' + {column} * interval '1 microsecond' AS {column}"
    micros = f"(({column} % 1000000 + 1000000) % 1000000)"  # rounded down before 1970 too
    return (
        f"strftime('%Y-%m-%dT%H:%M:%S', ({column} - {micros}) / 1000000, 'unixepoch')"
        f" || printf('.%06dZ', {micros}) AS {column}"
    )
