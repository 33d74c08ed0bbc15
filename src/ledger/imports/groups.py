"""Rows that are one thing together: an order whose products stand in rows of their own.

Only rows that follow each other are taken together, so that a file of any length needs little memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.imports.compiled import Group
from ledger.imports.rows import RowRefused
from ledger.imports.text_table import TextRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAX_ROWS = 500
"""Most rows of a group; an event has at most 200 lines, and some rows have none."""


@dataclass(slots=True)
class _Pending:
    key: str
    rows: list[TextRow]
    faults: list[str]


def grouped(
    rows: Iterable[TextRow], key_of: Callable[[Sequence[str]], str], shared: Sequence[tuple[int, str]]
) -> Iterator[TextRow]:
    """Rows with the same key taken together as one, whose fields are a `Group`.

    A group is at fault, all of it, when one of its rows is, when its rows differ in one of the `shared` columns (index
    and name), or when a row beside it cannot be read: that one may have belonged to it. A row without key, such as a
    grand total, is at fault alone.
    """
    pending: _Pending | None = None
    doubts: list[str] = []
    for row in rows:
        try:
            key = key_of(row.fields)
        except RowRefused as refused:
            yield TextRow(row.line_number, row.text, [], row.fault or str(refused))
            continue
        except IndexError:  # too few fields to tell
            doubts = [f"line {row.line_number} cannot be read, and may belong to it"]
            if pending is not None:
                pending.faults += doubts
                yield _whole(pending, shared)
                pending = None
            yield row
            continue
        if pending is not None and (key != pending.key or len(pending.rows) > MAX_ROWS):
            doubts = [_too_many(key)] if key == pending.key else []
            yield _whole(pending, shared)
            pending = None
        if pending is None:
            pending, doubts = _Pending(key, [], doubts), []
        pending.rows.append(row)
        if row.fault is not None:
            pending.faults.append(f"line {row.line_number}: {row.fault}")
    if pending is not None:
        yield _whole(pending, shared)


def _whole(pending: _Pending, shared: Sequence[tuple[int, str]]) -> TextRow:
    rows, faults = pending.rows, pending.faults
    if len(rows) > MAX_ROWS:
        faults = [_too_many(pending.key)]
    if not faults:
        faults = [
            f"the rows of {pending.key!r} differ in column {name}, which is read for all of them together"
            for index, name in shared
            if any(row.fields[index] != rows[0].fields[index] for row in rows)
        ]
    text = "".join(row.text for row in rows)
    if faults:
        return TextRow(rows[0].line_number, text, [], faults[0])
    return TextRow(rows[0].line_number, text, Group([row.fields for row in rows]))


def _too_many(key: str) -> str:
    return f"more than {MAX_ROWS} rows have {key[:80]!r} in common"
