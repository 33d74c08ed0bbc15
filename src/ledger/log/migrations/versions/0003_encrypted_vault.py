"""The vault's values under their subjects' keys: those that lie there in clear are sealed, and the old table is gone."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import context, op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.privacy.keyring import Keyring

revision = "0003"
down_revision = "0002"

PAGE = 5_000
_KEYS = ("commitment", "subject_ref", "stream", "version", "field")


def upgrade() -> None:
    """Move every value into a new table; in SQLite what was there is overwritten, in PostgreSQL its file removed."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        bind.exec_driver_sql("PRAGMA secure_delete=ON")
    op.drop_index("vault_subject", "vault")
    op.rename_table("vault", "vault_in_clear")
    if bind.dialect.name == "postgresql":
        op.execute("ALTER INDEX vault_pkey RENAME TO vault_in_clear_pkey")
    _create()
    secrets: dict[str, bytes] = dict(bind.execute(sa.text("SELECT book, secret FROM heads")).all())
    for book, rows in groupby(_in_clear(bind), key=lambda row: row.book):
        keys = context.config.attributes["keys_of"](book, bytes(secrets[book]))
        try:
            _seal(bind, keys, rows)
        finally:
            keys.close()
    op.drop_table("vault_in_clear")
    if bind.dialect.name == "sqlite":
        bind.exec_driver_sql("PRAGMA secure_delete=OFF")


def _create() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "vault",
        sa.Column("book", text, nullable=False),
        sa.Column("commitment", text, nullable=False),
        sa.Column("subject_ref", text, nullable=False),
        sa.Column("stream", text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("field", text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("book", "commitment", name="vault_pkey"),
    )
    op.create_index("vault_subject", "vault", ["book", "subject_ref"])


def _in_clear(bind: sa.Connection) -> Iterator[Any]:
    """Every value, by book; a page at a time, since writing goes on meanwhile."""
    last = ("", "")
    page = sa.text(
        "SELECT * FROM vault_in_clear WHERE (book, commitment) > (:book, :commitment)"
        " ORDER BY book, commitment LIMIT :page"
    )
    while rows := bind.execute(page, {"book": last[0], "commitment": last[1], "page": PAGE}).all():
        yield from rows
        last = (rows[-1].book, rows[-1].commitment)


def _seal(bind: sa.Connection, keys: Keyring, rows: Iterator[Any]) -> None:
    from ledger.privacy.sealing import Sealer  # noqa: PLC0415 (only where there is something to seal)

    insert = sa.text("INSERT INTO vault VALUES (:book, :commitment, :subject_ref, :stream, :version, :field, :sealed)")
    fenced = keys.fenced()  # an old backup may hold values of people erased since
    while page := list(islice((row for row in rows if row.subject_ref not in fenced), PAGE)):
        refs = sorted({row.subject_ref for row in page})
        keys.store.adopt(refs)
        found = keys.store.keys(refs)
        sealed = []
        for row in page:
            sealer = Sealer(keys.origin, row.subject_ref, found[row.subject_ref])
            one = sealer.seal(row.stream, row.version, row.field, bytes(row.salt), bytes(row.value))
            sealed.append({"book": row.book, **{name: getattr(one, name) for name in (*_KEYS, "sealed")}})
        bind.execute(insert, sealed)
