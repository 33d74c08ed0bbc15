"""Counts what was appended and refused, and keeps the refused lines."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import typer

if TYPE_CHECKING:
    from ledger.appending import Receipt
    from ledger.bulk import Outcome

SHOWN_REFUSALS = 20


class Tally:
    """A rejects file holds each refused line unchanged, under a comment that says which it was and why.

    `append` skips the comments, so that a corrected rejects file can be appended as it is. Without a file the first
    refusals are shown on stderr.
    """

    def __init__(self, rejects: Path | None, dry_run: bool) -> None:
        self.appended = self.known = self.refused = 0
        self.first_position = self.last_position = 0
        self._path = rejects
        self._dry_run = dry_run
        self._file: BinaryIO | None = None
        self._closing = ExitStack()

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
        return not (self.appended or self.known or self.refused)

    def add(self, which: str, outcome: Outcome) -> None:
        """Count one line's outcome; `which` names the line, as in `line 7`."""
        if outcome.error is not None:
            self.refuse(which, outcome.line, str(outcome.error))
        elif outcome.receipt is not None:
            self.receive([outcome.receipt])

    def receive(self, receipts: Iterable[Receipt]) -> None:
        """Count what the log took, and what it knew already."""
        for receipt in receipts:
            if not receipt.appended:
                self.known += 1
                continue
            self.appended += 1
            if receipt.position is not None:
                self.first_position = self.first_position or receipt.position
                self.last_position = receipt.position

    def refuse(self, which: str, line: bytes, reason: str) -> None:
        """Keep one refused line, or show it."""
        self.refused += 1
        text = f"{which}: {' '.join(reason.split())}"
        if self._file is not None:
            self._file.write(f"# {text}\n".encode() + line.rstrip(b"\r\n") + b"\n")
        elif self.refused <= SHOWN_REFUSALS:
            typer.echo(text, err=True)

    def summary(self, unit: str = "line") -> str:
        """What happened, in one line; `unit` is what was refused or not."""
        verb = "would be appended" if self._dry_run else "appended"
        parts = [f"{_events(self.appended)} {verb}"]
        if self.appended and not self._dry_run:
            only = self.last_position == self.first_position
            where = f"position {self.first_position:,}"
            parts[0] += f" at {where}" if only else f" from {where} to {self.last_position:,}"
        if self.known:
            parts.append(f"{self.known:,} already known")
        if self.refused:
            where = f" (see {self._path})" if self._path else ""
            if not self._path and self.refused > SHOWN_REFUSALS:
                where = f" ({self.refused - SHOWN_REFUSALS:,} not shown; keep them with --rejects FILE)"
            parts.append(f"{self.refused:,} {unit}{'s' * (self.refused > 1)} refused{where}")
        return ", ".join(parts)


def _events(count: int) -> str:
    return f"{count:,} event{'s' * (count != 1)}"
