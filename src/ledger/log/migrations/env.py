"""Runs the migrations on the connection that `ledger.log.database` hands over."""

from __future__ import annotations

from alembic import context

from ledger.log.database import VERSION_TABLE
from ledger.log.tables import LOG

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=LOG,
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
