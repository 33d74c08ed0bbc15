"""What an import remembers between rows: tables to look things up in, and what it has already seen."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from typing import TYPE_CHECKING

from ledger.imports.rows import CannotImport, RowRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.imports.mapping import TableRule
    from ledger.imports.text_table import TextRow

MAX_KEYS = 200_000
"""Most keys of one table: tables are kept in memory, the rows of the files are not."""

MAX_SLUG = 48


class Table:
    """The distinct keys of a file in the order of its rows, each with its id and the columns that are asked of it."""

    def __init__(self, rule: TableRule, header: tuple[str, ...], taken: Iterable[str]) -> None:
        self._rule = rule
        self._key = rule.key.reader(header)
        self._columns = {column: header.index(column) for column in taken}
        self._ids: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._rows: dict[str, dict[str, str | None]] = {}

    def add(self, rows: Iterable[TextRow]) -> None:
        """Take in rows; unreadable ones and those without a key are left to whoever reads the file for events."""
        for row in rows:
            if row.fault is None and (key := self._key(row.fields)):
                self._add(key, row.fields)

    def _add(self, key: str, fields: list[str]) -> None:
        values: dict[str, str | None] = {column: fields[index] for column, index in self._columns.items()}
        if (known := self._rows.get(key)) is not None:
            for column, value in values.items():
                if known[column] != value:
                    known[column] = None
            return
        if len(self._rows) == MAX_KEYS:
            raise CannotImport(f"tables.{self._rule.name} has more than {MAX_KEYS} keys; write ids by template instead")
        identity = self._rule.prefix + (str(len(self._rows) + 1) if self._rule.ids == "number" else slug(key))
        if identity in self._keys:
            raise CannotImport(
                f"tables.{self._rule.name}: {self._keys[identity]!r} and {key!r} both make the id {identity!r};"
                ' make them equal by an alias, or use ids = "number"'
            )
        self._rows[key], self._ids[key], self._keys[identity] = values, identity, key

    def id_of(self, key: str) -> str:
        """The id of a key. Raises `RowRefused`."""
        return self._ids[self._known(key)]

    def take(self, key: str, column: str) -> str:
        """Another column of the row with that key; empty when it is empty there. Raises `RowRefused`."""
        value = self._rows[self._known(key)][column]
        if value is None:
            raise RowRefused(f"{key!r} has several values of {column} in {self._rule.file}")
        return value

    def _known(self, key: str) -> str:
        if key not in self._ids:
            columns = " and ".join(self._rule.key.columns)
            raise RowRefused(f"{key[:80]!r} is not in column {columns} of {self._rule.file}")
        return key


def slug(text: str, joint: str = "-", longest: int = MAX_SLUG) -> str:
    """An id that reads like the text: lower case ASCII letters and digits, with hyphens or another joint.

    >>> slug("Gekko & Co"), slug("Élan S.A."), slug("Trop cher", "_")
    ('gekko-co', 'elan-s-a', 'trop_cher')
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, ascii_text)[:longest].strip(joint) or "x"


class Seen:
    """Which keys were met, and where first. Lies in a temporary file, so that memory stays bounded."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def place(self, key: str) -> str | None:
        """Where the key was first met."""
        row = self._database.execute("SELECT place FROM seen WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def add(self, key: str, place: str) -> None:
        """Remember where the key was met first."""
        self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, place))

    def close(self) -> None:
        """Give the temporary file back."""
        self._database.close()
