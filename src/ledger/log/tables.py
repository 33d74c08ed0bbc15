"""The log's tables. `entry` is the truth; the other columns of `events` are copies for finding it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

LOG = MetaData()


def ordered_text() -> TypeEngine[str]:
    """Text that both databases order by its bytes."""
    return Text().with_variant(Text(collation="C"), "postgresql")


events = Table(
    "events",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("stream", ordered_text(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", ordered_text(), nullable=False),
    Column("effective_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("appended_at", BigInteger, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    PrimaryKeyConstraint("book", "position", name="events_pkey"),
    UniqueConstraint("book", "stream", "version", name="events_stream"),
)

heads = Table(
    "heads",
    LOG,
    Column("book", ordered_text(), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
)
"""One row per book, locked by every append. `secret` keys the comparison of idempotent bodies."""

event_types = Table(
    "event_types",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("type", ordered_text(), nullable=False),
    Column("schema", Integer, nullable=False),
    PrimaryKeyConstraint("book", "type", "schema", name="event_types_pkey"),
)
"""What a program must be able to read before it may open the book."""

idempotency = Table(
    "idempotency",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("actor", ordered_text(), nullable=False),
    Column("key", ordered_text(), nullable=False),
    Column("body_hmac", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("appended_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("book", "actor", "key", name="idempotency_pkey"),
)

subjects = Table(
    "subjects",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("subject", ordered_text(), nullable=False),
    Column("ref", ordered_text(), nullable=False),
    PrimaryKeyConstraint("book", "subject", name="subjects_pkey"),
    UniqueConstraint("book", "ref", name="subjects_ref"),
)

vault = Table(
    "vault",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("commitment", ordered_text(), nullable=False),
    Column("subject_ref", ordered_text(), nullable=False),
    Column("stream", ordered_text(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("field", ordered_text(), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("book", "commitment", name="vault_pkey"),
    Index("vault_subject", "book", "subject_ref"),
)
"""`sealed` is what `privacy.sealing` makes of a salt and a value, readable with the subject's key only."""

tree_nodes = Table(
    "tree_nodes",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("level", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("book", "level", "number", name="tree_nodes_pkey"),
)
"""Roots of complete subtrees (`proof.log_tree`): a copy, which proofs made from it are checked against."""

read_stores = Table(
    "read_stores",
    LOG,
    Column("book", ordered_text(), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("book", "generation", name="read_stores_pkey"),
)
"""Generations of the read store: `building`, `current` or `old`."""
