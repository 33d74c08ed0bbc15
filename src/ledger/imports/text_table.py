"""Rows of a delimited text file with the text they came from, whatever state the file is in.

A file that is wrong as a whole (not there, empty, another encoding, no such column) raises `CannotImport` before its
first row is read; a row that is wrong comes out with the reason. Nothing but the row at hand is kept in memory.
"""

from __future__ import annotations

import codecs
import csv
import difflib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from ledger.imports.rows import CannotImport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_LINE = 1_048_576
"""Longest line read, in characters; a longer one is not a table."""

DELIMITERS = (",", ";", "\t", "|")
_BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file whose encoding, delimiter and header are settled; rows start after line `header_line`."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_line: int


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row: its fields in the order of the header, trimmed, or the reason why it has none."""

    line_number: int
    text: str
    fields: list[str]
    fault: str | None = None


def open_table(path: Path, *, encoding: str | None, delimiter: str | None, columns: Mapping[str, str]) -> TextTable:
    """Settle how the file is to be read, and that it has every one of `columns`; they say what they are for.

    Raises `CannotImport`.
    """
    encoding = _readable(path, encoding)
    with path.open(encoding=encoding, newline="") as stream:
        first = stream.readline()
        before = 0
        if first.startswith("sep=") and len(first.rstrip("\r\n")) == 5:  # what Excel writes to tell itself
            delimiter, before = delimiter or first[4], 1
        candidates = [delimiter] if delimiter else DELIMITERS
        headers = [_header(path, encoding, before, candidate) for candidate in candidates]
    best = max(headers, key=lambda table: (len(set(table.header) & columns.keys()), len(table.header)))
    for column, purpose in columns.items():
        if best.header.count(column) != 1:
            what = f"has column {column!r} twice" if column in best.header else f"has no column {column!r}"
            near = [name for name in difflib.get_close_matches(column, best.header, 1) if name != column]
            hint = f"did you mean {near[0]!r}? Its" if near else "its"
            raise CannotImport(
                f"{path.name} {what}, which the mapping reads for {purpose}; {hint} columns are:"
                f" {', '.join(best.header)}"
            )
    return best


def rows(table: TextTable) -> Iterator[TextRow]:
    """Every row but blank lines, in order."""
    with table.path.open(encoding=table.encoding, newline="") as stream:
        lines = _Lines(stream)
        for _ in range(table.header_line):
            next(lines)
        reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
        while True:
            start = lines.begin()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield TextRow(start, lines.keep_first(), [], f"not a readable row: {error}")
                continue
            if not fields:
                continue
            yield TextRow(start, "".join(lines.taken), [field.strip() for field in fields], _ragged(fields, table))


def _ragged(fields: list[str], table: TextTable) -> str | None:
    if len(fields) == len(table.header):
        return None
    return f"{len(fields)} fields where the header has {len(table.header)}"


class _Lines:
    """Remembers the lines that the row at hand took, and can give back all but the first.

    A stray quotation mark makes a reader swallow the lines after it; only the line that has it is at fault.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._number = 0
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._stream)
        self._number += 1
        self.taken.append(line)
        return line

    def begin(self) -> int:
        """Start a new row; the number of its first line."""
        self.taken = []
        return self._number + 1

    def keep_first(self) -> str:
        """Give back what followed the first line of this row, and return that line."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        self._number -= len(others)
        return first


def _header(path: Path, encoding: str, before: int, delimiter: str) -> TextTable:
    with path.open(encoding=encoding, newline="") as stream:
        for _ in range(before):
            stream.readline()
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            names = next(reader, [])
        except csv.Error as error:
            raise CannotImport(f"the header of {path.name} is not readable: {error}") from None
        if not any(name.strip() for name in names):
            raise CannotImport(f"{path.name} is empty: its first line must name its columns")
        return TextTable(path, encoding, delimiter, tuple(name.strip() for name in names), before + reader.line_num)


def _readable(path: Path, encoding: str | None) -> str:
    """Read the file through once, so that nothing is stored of one that turns out unreadable half-way."""
    try:
        with path.open("rb") as binary:
            start = binary.read(4)
    except OSError as error:
        raise CannotImport(f"cannot read {path}: {error.strerror}") from None
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
    chosen = marked or encoding or "utf-8"
    try:
        with path.open(encoding=chosen, newline="") as stream:
            number = 0
            while line := stream.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise CannotImport(f"{path.name} line {number} is longer than {MAX_LINE} characters: not a table")
    except UnicodeError:
        raise CannotImport(_not_decodable(path, chosen)) from None
    return chosen


def _not_decodable(path: Path, encoding: str) -> str:
    advice = 'say encoding = "cp1252" (Windows), or the one it was saved in, in the mapping'
    with path.open("rb") as binary:
        for number, line in enumerate(iter(lambda: binary.readline(MAX_LINE), b""), 1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f"{path.name} line {number} is not {encoding.upper()}; {advice}"
    return f"{path.name} is not {encoding.upper()}; {advice}"
