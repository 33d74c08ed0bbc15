"""Opening the log's database: reachable, ours, and of the version that this program knows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ledger.errors import DatabaseFailed, DatabaseUnusable, NotFound

if TYPE_CHECKING:
    from alembic.config import Config

    from ledger.privacy.keyring import Keyring

SCHEMA_REVISION = "0003"
"""The newest migration; a database that names another one is older (migrated) or newer (refused)."""

VERSION_TABLE = "ledger_schema"
BUSY_TIMEOUT_MS = 30_000
POOL_SIZE = 32
"""Connections kept; a reader beyond them waits its turn, which is cheaper than connecting anew."""
CONNECT_TIMEOUT_S = 10
_MIGRATION_LOCK = 0x5A1E51ED


KeysOf = Callable[[str, bytes], "Keyring"]
"""The keys of a book, given its name and its secret."""


def connect(url: str, keys_of: KeysOf, *, create: bool = True) -> Engine:
    """An engine for the log at this address, its tables made or migrated. Raises `DatabaseUnusable`.

    Without `create` a database that is not there is an error (`NotFound`), not a new ledger. A migration may need the
    keys of the books.
    """
    address = address_of(url)
    engine = make_engine(address, create=create)
    try:
        with engine.connect() as connection:
            revision = _revision(connection)
        if revision != SCHEMA_REVISION:
            _migrate(engine, address, keys_of, create=create or revision is not None)
    except DBAPIError as error:
        engine.dispose()
        raise unusable(error, address) from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def make_engine(address: URL, *, create: bool = True) -> Engine:
    """An engine with this product's connection settings. Nothing is connected yet."""
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, create=create)
    patience = {} if "connect_timeout" in address.query else {"connect_timeout": CONNECT_TIMEOUT_S}
    # Reads are single statements; a transaction around each would cost two round trips.
    return create_engine(
        address, pool_size=POOL_SIZE, max_overflow=0, isolation_level="AUTOCOMMIT", connect_args=patience
    )


def shown(address: URL) -> str:
    """The address as it may be shown: without the password."""
    return address.render_as_string(hide_password=True)


def unusable(error: DBAPIError, address: URL) -> DatabaseFailed:
    """What a driver's error means for the user, in one line."""
    said = " ".join(str(error.orig).split())[:200]
    where = shown(address)
    if "readonly" in said or "read-only" in said:
        return DatabaseFailed(f"{where} cannot be written to; check its permissions ({said})")
    if "not a database" in said:
        return DatabaseFailed(f"{where} is not a ledger: the file is no SQLite database; name another with --database")
    if "disk is full" in said or "No space left" in said or "disk I/O" in said:
        return DatabaseFailed(f"the disk of {where} is full or failing; free some space and try again ({said})")
    if "locked" in said:
        return DatabaseFailed(f"{where} is locked by another program; end it or try again ({said})")
    return DatabaseFailed(f"{where} cannot be used; check that it runs and that the address is right ({said})")


def address_of(url: str) -> URL:
    """Raises `DatabaseUnusable` for what is no address of a database that a ledger can be on."""
    try:
        address = make_url(url)
        name = address.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        name = ""
    if name == "sqlite" or (name == "postgresql" and address.drivername == "postgresql+psycopg"):
        return address
    raise DatabaseUnusable(
        "the database address must be sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; see --database"
    )


def _sqlite(address: URL, *, create: bool) -> Engine:
    path = address.database
    if path in (None, "", ":memory:"):
        raise DatabaseUnusable("an in-memory ledger would lose everything; name a file: sqlite:///sales-ledger.db")
    assert path is not None
    if not Path(path).exists():
        if not create:
            raise NotFound(f"there is no ledger at {path}; make one with `sales-ledger append` or `sales-ledger demo`")
        if not Path(path).absolute().parent.is_dir():
            raise DatabaseUnusable(f"the folder of {path} does not exist; create it first")
    engine = create_engine(
        address,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        pool_size=POOL_SIZE,
        max_overflow=0,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        # A database that is read-only cannot be switched to WAL; it can still be read.
        with contextlib.suppress(Exception):
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.close()

    return engine


def _revision(connection: Connection) -> str | None:
    """The schema revision that the database names; None for an empty one. Raises `DatabaseUnusable`."""
    names = set(inspect(connection).get_table_names())
    if VERSION_TABLE in names:
        revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
        if revision is not None and revision > SCHEMA_REVISION:
            raise DatabaseUnusable(
                f"this ledger was written by a newer version (schema {revision}); upgrade sales-ledger to open it"
            )
        return str(revision)
    if {"events", "heads"} & names or (names and connection.dialect.name == "sqlite"):
        raise DatabaseUnusable("this database is not a ledger: it holds other tables; name another one with --database")
    return None


def _migrate(engine: Engine, address: URL, keys_of: KeysOf, *, create: bool) -> None:
    if not create:
        raise NotFound(f"there is no ledger in {shown(address)} yet; append to it first")
    from alembic import command  # noqa: PLC0415 (slow to import, and seldom needed)

    with _one_at_a_time(engine) as connection:
        if _revision(connection) != SCHEMA_REVISION:
            config = _alembic(address)
            config.attributes["connection"] = connection
            config.attributes["keys_of"] = keys_of
            command.upgrade(config, SCHEMA_REVISION)
    if address.get_backend_name() == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # what lay in clear lies there still


@contextlib.contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[Connection]:
    """A transaction that other processes wait for; a migration is there whole or not at all."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="READ COMMITTED")  # noqa: PLW2901 (the same one)
            begin = f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"
        else:
            begin = "BEGIN IMMEDIATE"
        with connection.begin():
            connection.exec_driver_sql(begin)
            yield connection


def _alembic(address: URL) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", shown(address).replace("%", "%%"))
    return config
