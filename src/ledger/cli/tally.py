"""Counts what was appended and refused, and keeps the refused lines."""

from __future__ import annotations

from array import array
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import typer

from ledger.cli.failures import WrongUse
from ledger.in_french import NO_BREAK, in_language

if TYPE_CHECKING:
    from ledger.bulk import Outcome
    from ledger.imports.appending import RowOutcome

SHOWN_REFUSALS = 20


def keep_apart(rejects: Path | None, *read: Path) -> None:
    """Raise `WrongUse` where the rejects would be written over what is read."""
    for path in read:
        for each in (path, *(path.iterdir() if path.is_dir() else ())):
            if rejects is not None and rejects.exists() and each.exists() and rejects.samefile(each):
                raise WrongUse(f"--rejects names {each}, which is read; name another file")


class Tally:
    """A rejects file holds each refused line unchanged, under a comment that says which it was and why.

    `append` skips the comments, so that a corrected rejects file can be appended as it is. Without a file the first
    refusals are shown on stderr. Reasons and summary are in the language `lang`.
    """

    def __init__(self, rejects: Path | None, dry_run: bool, lang: str) -> None:
        self.appended = self.known = self.twice = self.refused = self.differing = 0
        self.first_position = self.last_position = 0
        self._path = rejects
        self._dry_run = dry_run
        self._lang = lang
        self._file: BinaryIO | None = None
        self._closing = ExitStack()
        self._new = array("q")
        self._again = array("q")

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = self._closing.enter_context(self._path.open("wb"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def nothing(self) -> bool:
        return not (self.appended or self.refused or self._again)

    def add(self, which: str, outcome: Outcome) -> None:
        """Count one line's outcome; `which` names the line, as in `line 7`."""
        if outcome.error is not None:
            self.refuse(which, outcome.line, str(outcome.error))
        elif outcome.receipt is not None and outcome.receipt.appended and not outcome.repeated:
            self._new.append(hash(outcome.line.strip()))
            self._take(1, outcome.receipt.position, outcome.receipt.position)
        else:
            self._again.append(hash(outcome.line.strip()))

    def add_row(self, outcome: RowOutcome) -> None:
        """Count what became of a row of an import."""
        row = outcome.row
        if outcome.error is not None:
            self.refuse(row.place, row.raw, str(outcome.error))
        self._take(outcome.appended, outcome.first_position, outcome.last_position)
        self.known += outcome.known
        self.twice += outcome.twice
        for note in outcome.differs:
            self.differing += 1
            if self.differing <= SHOWN_REFUSALS:
                typer.echo(self._placed(row.place, note), err=True)

    def _take(self, appended: int, first: int | None, last: int | None) -> None:
        self.appended += appended
        if first is not None and last is not None:
            self.first_position = self.first_position or first
            self.last_position = last

    def refuse(self, which: str, line: bytes, reason: str) -> None:
        """Keep one refused line, or show it."""
        self.refused += 1
        text = self._placed(which, " ".join(reason.split()))
        if self._file is not None:
            self._file.write(f"# {text}\n".encode() + line.rstrip(b"\r\n") + b"\n")
        elif self.refused <= SHOWN_REFUSALS:
            typer.echo(text, err=True)

    def _placed(self, which: str, said: str) -> str:
        colon = f"{NO_BREAK}: " if self._lang == "fr" else ": "
        return in_language(which, self._lang) + colon + in_language(said, self._lang)

    def summary(self, unit: str = "line") -> str:
        """What happened, in one line; `unit` is what was refused or not."""
        self._tell_apart()
        verb = "would be appended" if self._dry_run else "appended"
        parts = [f"{_events(self.appended)} {verb}"]
        if self.appended and not self._dry_run:
            only = self.last_position == self.first_position
            where = f"position {self.first_position:,}"
            parts[0] += f" at {where}" if only else f" from {where} to {self.last_position:,}"
        if self.known:
            parts.append(f"{self.known:,} already known")
        if self.twice:
            parts.append(f"{self.twice:,} duplicate{'s' * (self.twice > 1)} in the file")
        if self.differing:
            parts.append(f"{self.differing:,} described otherwise than before")
        if self.refused:
            where = f" (see {self._path})" if self._path else ""
            if not self._path and self.refused > SHOWN_REFUSALS:
                where = f" ({self.refused - SHOWN_REFUSALS:,} not shown; keep them with --rejects FILE)"
            parts.append(f"{self.refused:,} {unit}{'s' * (self.refused > 1)} refused{where}")
        return ", ".join(in_language(part, self._lang) for part in parts)

    def _tell_apart(self) -> None:
        """Of the lines that were no news: those that this file had said before, and those that the log knew already.

        Lines are known by a hash of their bytes, eight bytes each, so that this costs next to nothing while they pass.
        """
        said_here = set(self._again).intersection(self._new)
        twice = sum(line in said_here for line in self._again)
        self.twice += twice
        self.known += len(self._again) - twice
        self._new, self._again = array("q"), array("q")


def _events(count: int) -> str:
    return f"{count:,} event{'s' * (count != 1)}"
