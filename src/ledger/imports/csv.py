"""CSV files to event lines, by a mapping file. `docs/import-csv.md` is the manual."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any

from ledger.imports import text_table
from ledger.imports.compiled import RowCompiler, columns_read, columns_shared, columns_taken, values_of
from ledger.imports.groups import grouped
from ledger.imports.mapping_file import load
from ledger.imports.rows import CannotImport, Made, Produced, Rejected, RowRefused
from ledger.imports.tables import Seen, Table
from ledger.imports.values import learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ledger.imports.mapping import FileRule, Mapping, TableRule
    from ledger.imports.text_table import TextRow, TextTable
    from ledger.imports.values import Formats

__all__ = ["CannotImport", "Produced", "Rejected", "load", "read"]

SAMPLE_ROWS = 1_000
"""How many rows are looked at to learn how a file writes numbers and dates."""


def read(paths: Sequence[Path], mapping: Mapping) -> Iterator[Produced | Rejected]:
    """What the rows of the files (or folders of files) make, in the order of the mapping, row by row.

    First come the mapping's own `before` lines. Raises `CannotImport`, before yielding anything, when a file is
    missing, unreadable, or lacks a column.
    """
    files = _matched(paths, mapping)
    tables = {name: _table(rule, _only(files, rule.file), mapping) for name, rule in mapping.tables.items()}
    sheets = [_open(path, rule) for rule in mapping.files for path in files[rule.name]]
    return _read(mapping, tables, sheets)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A file ready to be read by its rule."""

    table: TextTable
    rule: FileRule
    formats: Formats


def _read(mapping: Mapping, tables: dict[str, Table], sheets: list[_Sheet]) -> Iterator[Produced | Rejected]:
    source = mapping.source or ""
    extra = {"source": source} if source else {}
    for line in mapping.before:
        identity = (source, "before", line["stream"], line["type"], line["effective_at"])
        text = json.dumps(line, ensure_ascii=False)
        yield Produced(mapping.path, 0, text, [Made({**line, **extra}, identity)])
    seen = Seen()
    try:
        for sheet in sheets:
            path, encoding = sheet.table.path, sheet.table.encoding
            compiler = RowCompiler(sheet.table.header, tables, sheet.formats)
            made_of = _row_reader(sheet, compiler, source, seen)
            for row in _records(sheet, compiler):
                try:
                    made = made_of(row)
                except RowRefused as refused:
                    yield Rejected(path, row.line_number, row.text, str(refused), encoding)
                else:
                    yield Produced(path, row.line_number, row.text, made, encoding)
    finally:
        seen.close()


def _row_reader(sheet: _Sheet, compiler: RowCompiler, source: str, seen: Seen) -> Callable[[TextRow], list[Made]]:
    events = list(zip(_names(sheet.rule), sheet.rule.events, strict=True))
    rules = [(name, rule.once, compiler.event(rule, source or None)) for name, rule in events]
    node = sheet.rule.unique if sheet.rule.group is None else sheet.rule.group
    unique = compiler.value(node) if node is not None else None
    origin = (source, sheet.rule.name)

    def made_of(row: TextRow) -> list[Made]:
        if row.fault is not None:
            raise RowRefused(row.fault)
        key = row.text.rstrip("\r\n")
        if unique is not None:
            key = unique(row.fields)
            _refuse_another(key, row, sheet, seen)
        made = []
        for name, once, event in rules:
            line = event(row.fields)
            if line is not None:
                identity = _thing(source, line) if once else (*origin, key, name)
                made.append(Made(line, identity, once))
        if not made:
            raise RowRefused("no event of the mapping applies to this row (see when and unless)")
        if unique is not None:
            seen.add(
                f"{sheet.rule.name} {key}", f"{hash(row.text.strip())} {sheet.table.path.name} line {row.line_number}"
            )
        return made

    return made_of


def _thing(source: str, line: dict[str, Any]) -> tuple[str, ...]:
    """What is said once of a stream; of a customer's contacts, of each, and of a channel's counts, of each day."""
    parts = [str(line["data"][name]) for name in ("contact", "on") if name in line["data"]]
    return (source, "once", line["stream"], line["type"], *parts)


def _refuse_another(key: str, row: TextRow, sheet: _Sheet, seen: Seen) -> None:
    """Raise `RowRefused` if an earlier row had the same key, unless it said the same."""
    earlier = seen.place(f"{sheet.rule.name} {key}")
    if earlier is None:
        return
    said, _, place = earlier.partition(" ")
    if said == str(hash(row.text.strip())):
        return
    if sheet.rule.group is not None:
        raise RowRefused(f"rows of {key!r} already stood at {place}; sort the file so that they stand together")
    raise RowRefused(f"{key!r} was already read at {place}, with other content; it must be unique")


def _names(rule: FileRule) -> list[str]:
    """The types of the events that a row makes, each with its number among those of the same type."""
    types = [event.type for event in rule.events]
    return [f"{each} {types[:index].count(each) + 1}" for index, each in enumerate(types)]


def _records(sheet: _Sheet, compiler: RowCompiler) -> Iterator[TextRow]:
    """The rows of a file, or its groups of rows."""
    rows = _rows(sheet.table, sheet.rule)
    if sheet.rule.group is None:
        return rows
    shared = [(sheet.table.header.index(column), column) for column in columns_shared(sheet.rule)]
    return grouped(rows, compiler.value(sheet.rule.group), shared)


def _rows(table: TextTable, rule: FileRule | None) -> Iterator[TextRow]:
    """The rows of a file, its aliases put in the place of what is written."""
    aliases = {table.header.index(column): alias for column, alias in (rule.aliases if rule else {}).items()}
    for row in text_table.rows(table):
        if row.fault is None:
            for index, alias in aliases.items():
                row.fields[index] = alias.get(row.fields[index], row.fields[index])
        yield row


def _open(path: Path, rule: FileRule) -> _Sheet:
    columns = columns_read(rule)
    table = text_table.open_table(path, encoding=rule.encoding, delimiter=rule.delimiter, columns=columns)
    numbers: set[int] = set()
    dates: set[int] = set()
    for value in values_of(rule):
        indexes = {table.header.index(column) for column in value.text.columns}
        if value.text.lookup is None and len(indexes) == 1:
            if value.kind in {"date", "moment"}:
                dates |= indexes
            elif value.kind in {"money", "decimal", "percent", "integer"}:
                numbers |= indexes
    sample = [row.fields for row in islice(_rows(table, rule), SAMPLE_ROWS) if row.fault is None]
    formats = learn(
        rule.formats,
        (fields[index] for fields in sample for index in numbers),
        (fields[index] for fields in sample for index in dates),
    )
    return _Sheet(table, rule, formats)


def _table(rule: TableRule, path: Path, mapping: Mapping) -> Table:
    taken = columns_taken(mapping.files, rule.name)
    settings = next((file for file in mapping.files if fnmatchcase(path.name, file.name)), None)
    opened = text_table.open_table(
        path,
        encoding=settings.encoding if settings else None,
        delimiter=settings.delimiter if settings else None,
        columns=dict.fromkeys([*rule.key.columns, *taken], f"tables.{rule.name}"),
    )
    table = Table(rule, opened.header, taken)
    table.add(_rows(opened, settings))
    return table


def _matched(paths: Sequence[Path], mapping: Mapping) -> dict[str, list[Path]]:
    """The given files by the mapping's names for them; in a folder, other files are left alone."""
    names = list(
        dict.fromkeys([*(rule.name for rule in mapping.files), *(rule.file for rule in mapping.tables.values())])
    )
    found: dict[str, list[Path]] = {name: [] for name in names}
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            matching = [name for name in names if fnmatchcase(file.name, name)]
            if not matching and not path.is_dir():
                raise CannotImport(f"the mapping says nothing of {file.name}; it knows {', '.join(names)}")
            for name in matching:
                found[name].append(file)
    for name, files in found.items():
        if not files:
            raise CannotImport(f"the mapping needs {name}, which is not among the files given; add its path")
    return found


def _only(files: dict[str, list[Path]], name: str) -> Path:
    if len(files[name]) > 1:
        given = ", ".join(str(path) for path in files[name])
        raise CannotImport(f"a table is one file, but {name} is several: {given}")
    return files[name][0]
