"""What a mapping says: which event lines the rows of which file make.

`ledger.imports.mapping_file` reads it; `docs/import-csv.md` is its manual.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ledger.imports.values import Formats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Mapping as Map
    from pathlib import Path

Kind = Literal["text", "integer", "decimal", "money", "percent", "date", "moment", "slug", "code"]

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

    def reader(self, header: Sequence[str]) -> Callable[[Sequence[str]], str]:
        """The function that fills it in from a row's fields; empty text when any of its columns is empty."""
        indexes = [header.index(column) for column in self.columns]
        if len(self.parts) == 3 and not self.parts[0] and not self.parts[2]:
            only = indexes[0]
            return lambda fields: fields[only]
        texts = [part.replace("%", "%%") if number % 2 == 0 else "%s" for number, part in enumerate(self.parts)]
        pattern = "".join(texts)

        def filled(fields: Sequence[str]) -> str:
            values = [fields[index] for index in indexes]
            return pattern % tuple(values) if all(values) else ""

        return filled


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
    """A value worked out for each row: what its text stands for, or what to do when there is none.

    `missing` is `reject`, `omit` (the field) or `omit_all` (the object it stands in). `total`: of a group's rows.
    """

    text: Text
    id_table: str | None = None
    kind: Kind = "text"
    currency: Template | None = None
    negative: bool = False
    missing: str = "reject"
    fallback: Node | None = None
    total: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """The same in every row."""

    value: Any


@dataclass(frozen=True, slots=True)
class Each:
    """A list with an item for each row of a group."""

    item: Node


Node: TypeAlias = "Value | Constant | Each | dict[str, Node] | list[Node]"


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
    """What to do with the files whose name matches; `aliases` is by column, what is written -> what is meant.

    `unique` is what a row is known by; with `group`, rows that follow each other and agree in it are taken together.
    """

    name: str
    encoding: str | None
    delimiter: str | None
    formats: Formats
    aliases: Map[str, Map[str, str]]
    unique: Node | None
    group: Node | None
    events: tuple[EventRule, ...]


@dataclass(frozen=True, slots=True)
class TableRule:
    """A file kept in memory by key: it gives ids to its keys, and other columns to look up."""

    name: str
    file: str
    key: Template
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
