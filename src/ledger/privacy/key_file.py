"""The key store of a book as a small SQLite file of its own: transactions, locks between processes, and waits for the
disk are SQLite's.

A subject's data key is made of the store's root, which is wrapped by the wrapping key, and of a random secret of its
own. So the file alone opens nothing, and once a secret is overwritten (`secure_delete`) nothing opens what it sealed,
whoever holds the wrapping key. Wrapping the store anew is wrapping its root.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from hashlib import blake2b, sha256
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec

from ledger.errors import KeysUnusable
from ledger.privacy.sealing import new_ref
from ledger.privacy.wrapping import KEY_BYTES, WrappingKey, parse, read_file, sync_folder, write_file

FORMAT = 1
BUSY_TIMEOUT_S = 30.0
_OWNER_BYTES = 8
_MOST_IN_A_LIST = 5_000
_SECRET_MODE = 0o600
_TABLES = (
    "CREATE TABLE about (format INTEGER, origin TEXT, owner TEXT, wrapped_by TEXT, wrapped BLOB)",
    "CREATE TABLE keys (ref TEXT PRIMARY KEY, secret BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE fences (number INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, fenced_at INTEGER NOT NULL)",
)


class KeyPlace(msgspec.Struct, frozen=True):
    """Where the keys of a database's books are kept, and what they are wrapped with.

    `directory` is the trust directory. The wrapping key is given by its text or its file; without either one is made in
    the trust directory. `origin` is the first half of the name that a new store is given.
    """

    directory: str
    origin: str = "sales-ledger.local"
    wrapping_key: str | None = None
    wrapping_key_file: str | None = None

    def path(self, book: str, owner: str) -> Path:
        """The key file of the book that `owner_of` tells from all others."""
        return Path(self.directory) / book / f"keys-{owner}.db"

    def read_wrapping_key(self, book: str) -> WrappingKey:
        """The key in force. Raises `KeysUnusable`."""
        if self.wrapping_key is not None:
            return parse(self.wrapping_key, "LEDGER_WRAPPING_KEY")
        return read_file(Path(self.wrapping_key_file) if self.wrapping_key_file else self.own_wrapping_key(book))

    def make_wrapping_key(self, book: str) -> WrappingKey:
        """The key for a new store: as given, else one of our own. Raises `KeysUnusable`."""
        if self.wrapping_key is not None or self.wrapping_key_file is not None:
            return self.read_wrapping_key(book)
        return write_file(self.own_wrapping_key(book))

    def own_wrapping_key(self, book: str) -> Path:
        """The file of the key that we make where none is given."""
        return Path(self.directory) / book / "wrapping.key"


def owner_of(secret: bytes) -> str:
    """What tells one book's database from any other, restored ones included: made of the book's secret."""
    return sha256(b"key store" + secret).digest()[:_OWNER_BYTES].hex()


class KeyFile:
    """See `KeyStore`."""

    def __init__(self, place: KeyPlace, book: str, owner: str, *, create: bool) -> None:
        self._place = place
        self._book = book
        self._owner = owner
        self.path = place.path(book, owner)
        self._lock = RLock()
        self._root: bytes | None = None
        self._fences: set[str] = set()
        self._seen: int | None = None
        if not self.path.exists() and not create:
            raise KeysUnusable(self._missing())
        with self._explained():
            self._database = self._open(create=create)
            self.origin = self._check_about()

    # Reading ----------------------------------------------------------------------------------------------------

    def keys(self, refs: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with self._explained():
            root = self._the_root()
            for start in range(0, len(refs), _MOST_IN_A_LIST):
                some = refs[start : start + _MOST_IN_A_LIST]
                statement = f"SELECT ref, secret FROM keys WHERE ref IN ({', '.join('?' * len(some))})"
                for ref, secret in self._database.execute(statement, some):
                    found[ref] = _data_key(root, ref, secret)
        return found

    def fenced(self) -> AbstractSet[str]:
        with self._explained():
            seen = self._database.execute("PRAGMA data_version").fetchone()[0]
            if seen != self._seen:
                self._fences = {ref for (ref,) in self._database.execute("SELECT ref FROM fences")}
                self._seen = seen
            return self._fences

    def counts(self) -> tuple[int, int]:
        with self._explained():
            keys, fences = self._database.execute(
                "SELECT (SELECT count(*) FROM keys), (SELECT count(*) FROM fences)"
            ).fetchone()
        return keys, fences

    # Writing ----------------------------------------------------------------------------------------------------

    def reserve(self, count: int) -> list[tuple[str, bytes]]:
        secrets = [(new_ref(), os.urandom(KEY_BYTES)) for _ in range(count)]
        with self._writing() as database:
            root = self._the_root()
            database.executemany("INSERT INTO keys VALUES (?, ?)", sorted(secrets))
        return [(ref, _data_key(root, ref, secret)) for ref, secret in secrets]

    def adopt(self, refs: Iterable[str]) -> None:
        with self._writing() as database:
            secrets = ((ref, os.urandom(KEY_BYTES)) for ref in refs)
            database.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", secrets)

    def fence(self, refs: Iterable[str], at: int) -> None:
        with self._writing() as database:
            rows = [(ref, at) for ref in refs]
            database.executemany("INSERT OR IGNORE INTO fences (ref, fenced_at) VALUES (?, ?)", rows)
            self._seen = None

    def destroy(self, refs: Iterable[str]) -> None:
        with self._writing() as database:
            database.executemany("DELETE FROM keys WHERE ref = ?", [(ref,) for ref in refs])

    def rewrap(self, to: str | None) -> str:
        """Wrap the root with the key in the file `to`, made if it is not there, else with a new one of our own.

        Our own file is replaced after the store: `_the_root` knows what to do where that was cut short.
        """
        own = self._place.own_wrapping_key(self._book)
        if to is None and (self._place.wrapping_key is not None or self._place.wrapping_key_file is not None):
            raise KeysUnusable(
                "the wrapping key is given by LEDGER_WRAPPING_KEY…: name the file of the new one with --to"
            )
        with self._writing() as database:
            root = self._the_root()
            path = _next(own) if to is None else Path(to)
            if to is None:
                path.unlink(missing_ok=True)
            key = write_file(path)
            self._write_about(database, key, root)
        if to is None:
            path.replace(own)
            sync_folder(own.parent)
        return str(own if to is None else path)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    # The file ---------------------------------------------------------------------------------------------------

    def _open(self, *, create: bool) -> sqlite3.Connection:
        if create and not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, _SECRET_MODE))
            sync_folder(self.path.parent)
        database = sqlite3.connect(self.path, BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        # In this mode nothing of what was overwritten stays in a journal beside the file.
        database.execute("PRAGMA journal_mode=TRUNCATE")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("PRAGMA secure_delete=ON")
        database.execute("PRAGMA cache_size=-16384")
        if not _is_made(database):
            if not create:
                database.close()
                raise KeysUnusable(self._missing())
            self._make(database)
        return database

    def _make(self, database: sqlite3.Connection) -> None:
        key = self._place.make_wrapping_key(self._book)
        database.execute("BEGIN EXCLUSIVE")
        if not _is_made(database):  # or another process was quicker
            for table in _TABLES:
                database.execute(table)
            about = (FORMAT, f"{self._place.origin}/{self._book}", self._owner, key.id)
            wrapped = key.wrap(os.urandom(KEY_BYTES), _about(about[1], self._owner))
            database.execute("INSERT INTO about VALUES (?, ?, ?, ?, ?)", (*about, wrapped))
        database.execute("COMMIT")

    def _check_about(self) -> str:
        form, origin, owner = self._database.execute("SELECT format, origin, owner FROM about").fetchone()
        if form > FORMAT:
            raise KeysUnusable(f"{self.path} was written by a newer version; upgrade sales-ledger")
        if owner != self._owner:
            raise KeysUnusable(
                f"{self.path} holds the keys of another database ({origin}, {owner}), not of this one ({self._owner});"
                " put this one's own key file there, or name its folder with LEDGER_TRUST_DIR"
            )
        return str(origin)

    def _the_root(self) -> bytes:
        if self._root is None:
            wrapped_by, wrapped = self._database.execute("SELECT wrapped_by, wrapped FROM about").fetchone()
            key = self._place.read_wrapping_key(self._book)
            own = self._place.own_wrapping_key(self._book)
            if key.id != wrapped_by and key.where == str(own) and _next(own).exists():
                key = read_file(_next(own))
                if key.id == wrapped_by:
                    _next(own).replace(own)
                    sync_folder(own.parent)
            if key.id != wrapped_by:
                raise KeysUnusable(
                    f"{self.path} is wrapped by the key {wrapped_by}, and {key.where} holds another, {key.id};"
                    " give the right one with LEDGER_WRAPPING_KEY_FILE or LEDGER_WRAPPING_KEY"
                )
            self._root = key.unwrap(wrapped, _about(self.origin, self._owner))
        return self._root

    def _write_about(self, database: sqlite3.Connection, key: WrappingKey, root: bytes) -> None:
        wrapped = key.wrap(root, _about(self.origin, self._owner))
        database.execute("UPDATE about SET wrapped_by = ?, wrapped = ?", (key.id, wrapped))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """One thread at a time; a fault of the file in the ledger's words."""
        with self._lock:
            try:
                yield
            except sqlite3.DatabaseError as error:
                raise KeysUnusable(f"the key store {self.path} cannot be used ({error})") from None
            except OSError as error:
                raise KeysUnusable(
                    f"the key store {self.path} cannot be used ({error.strerror}); name another folder with"
                    " LEDGER_TRUST_DIR"
                ) from None

    def _missing(self) -> str:
        others = [path.name for path in sorted(self.path.parent.glob("keys-*.db")) if path != self.path]
        there = f"; {', '.join(others[:3])} there belongs to another database" if others else ""
        return (
            f"the key store {self.path} is missing, and without it what is personal in this database cannot be opened"
            f"{there}: put it back, or name its folder with LEDGER_TRUST_DIR"
        )


def _is_made(database: sqlite3.Connection) -> bool:
    found: Any = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'about'").fetchone()
    return bool(found[0])


def _about(origin: str, owner: str) -> bytes:
    return f"{origin}\n{owner}".encode()


def _data_key(root: bytes, ref: str, secret: bytes) -> bytes:
    return blake2b(ref.encode() + b"\0" + secret, key=root, digest_size=KEY_BYTES, person=b"data key").digest()


def _next(own: Path) -> Path:
    return own.with_name("wrapping.key.next")
