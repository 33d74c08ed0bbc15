"""What every importer yields, and the one error that stops it before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path


class CannotImport(LedgerError):
    """The mapping or a file is wrong as a whole. The message is one line that says what to do."""

    code = "cannot_import"


class RowRefused(Exception):
    """This row says something that cannot become an event; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Produced:
    """A row and the event lines it makes, in the order in which to append them.

    `line_number` is where the row begins in its file, the header being line 1; 0 for what the mapping itself defines.
    `row_text` is the unchanged text, line end included, on several lines when a quoted field is.
    """

    path: Path
    line_number: int
    row_text: str
    lines: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that makes no event at all, and why."""

    path: Path
    line_number: int
    row_text: str
    reason: str
