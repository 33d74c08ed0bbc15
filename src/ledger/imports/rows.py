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
class Made:
    """An event line that a row makes.

    `identity` is what the event is known by in its source, so that it is stored once however often it is imported:
    the row and the type, or with `once` the thing and the type, whichever row names it first.
    """

    line: dict[str, Any]
    identity: tuple[str, ...]
    once: bool = False


@dataclass(frozen=True, slots=True)
class Produced:
    """A row and the event lines it makes, in the order in which to append them.

    `line_number` is where the row begins in its file, the header being line 1; 0 for what the mapping itself defines.
    `row_text` is the unchanged text, line end included, on several lines when a quoted field is, or where the rows of
    a group together make the lines; `encoding` is that of the file.
    """

    path: Path
    line_number: int
    row_text: str
    made: list[Made]
    encoding: str = "utf-8"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The event lines alone."""
        return [made.line for made in self.made]

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.path.name} line {self.line_number}"

    @property
    def raw(self) -> bytes:
        """The row as it stands in its file."""
        return _bytes_of(self.row_text, self.encoding)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that makes no event at all, and why."""

    path: Path
    line_number: int
    row_text: str
    reason: str
    encoding: str = "utf-8"

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.path.name} line {self.line_number}"

    @property
    def raw(self) -> bytes:
        """The row as it stands in its file."""
        return _bytes_of(self.row_text, self.encoding)


def _bytes_of(text: str, encoding: str) -> bytes:
    """Bytes as in the file; UTF-16 becomes UTF-8, since lines of both cannot stand in one file of rejects."""
    return text.encode("utf-8" if encoding.startswith("utf") else encoding)
