"""Roots of complete subtrees of the log, kept so that proofs need not read it anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing is filled in here: whoever first asks for a proof does that."""
    op.create_table(
        "tree_nodes",
        sa.Column("book", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("book", "level", "number", name="tree_nodes_pkey"),
    )
