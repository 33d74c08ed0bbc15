"""What a mapping says: which event lines the rows of which file make.

`ledger.imports.mapping_file` reads it; `docs/import-csv.md` is its manual.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ledger.imports.values import Formats

if TYPE_CHECKING:
    from collections.abc import Mapping as Map
    from pathlib import Path

Kind = Literal["text", "integer", "decimal", "money", "percent", "date", "moment"]

_COLUMN = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `{column}` in it; `parts` alternates text and column names, and begins and ends with text."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Template:
        """The template that a text means."""
        return cls(tuple(_COLUMN.split(text)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it reads."""
        return self.parts[1::2]


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a row: its `source`, then what `values` says it means, then the column `take` of the table `lookup`."""

    source: Template | Text
    values: Map[str, str] | None = None
    lookup: str | None = None
    take: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it reads."""
        return self.source.columns


@dataclass(frozen=True, slots=True)
class Value:
    """A value worked out for each row: what its text stands for, or what to do when there is none."""

    text: Text
    id_table: str | None = None
    kind: Kind = "text"
    currency: Template | None = None
    negative: bool = False
    missing: str = "reject"
    fallback: Node | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """The same in every row."""

    value: Any


Node: TypeAlias = "Value | Constant | dict[str, Node] | list[Node]"


@dataclass(frozen=True, slots=True)
class EventRule:
    """One event line of a row, when `when` holds and `unless` does not."""

    type: str
    stream_kind: str
    id: Node | None
    effective_at: Node
    recorded_at: Node | None
    data: dict[str, Node]
    when: Map[str, frozenset[str]]
    unless: Map[str, frozenset[str]]
    once: bool


@dataclass(frozen=True, slots=True)
class FileRule:
    """What to do with the files whose name matches; `aliases` is by column, what is written -> what is meant."""

    name: str
    encoding: str | None
    delimiter: str | None
    formats: Formats
    aliases: Map[str, Map[str, str]]
    unique: Node | None
    events: tuple[EventRule, ...]


@dataclass(frozen=True, slots=True)
class TableRule:
    """A file kept in memory by key: it gives ids to its keys, and other columns to look up."""

    name: str
    file: str
    key: str
    ids: Literal["number", "slug"]
    prefix: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping file."""

    path: Path
    source: str | None
    before: tuple[dict[str, Any], ...]
    files: tuple[FileRule, ...]
    tables: Map[str, TableRule] = field(default_factory=dict)
