"""What the benchmarks share: fresh databases with fsync on, timings, and a table of ours beside the stock library."""

from __future__ import annotations

import argparse
import math
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from ledger.application import Ledger, open_ledger
from ledger.privacy.key_file import KeyPlace
from tests.support.postgres import HOST, USER, PostgresServer, running

DATABASES = ("postgresql", "sqlite")
WIDTH = 140


@contextmanager
def opened(url: str, folder: Path | None = None) -> Iterator[Ledger]:
    """The ledger at an address, the keys of what it seals in a folder; its connections are given back afterwards."""
    ledger = open_ledger(url, keys=KeyPlace(str(folder / "trust")) if folder else None)
    with closing(ledger.recorder):
        yield ledger


@dataclass(frozen=True)
class Place:
    """Where a measurement's databases are made: a folder, or a server of its own that waits for the disk."""

    database: str
    folder: Path
    server: PostgresServer | None

    def url(self) -> str:
        """The address of a new, empty database."""
        if self.server is None:
            return f"sqlite:///{self.folder / secrets.token_hex(4)}.db"
        return self.server.url(self.server.create_database())

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """A new ledger."""
        with opened(self.url(), self.folder) as ledger:
            yield ledger

    def stock_settings(self) -> dict[str, str]:
        """The stock library's settings for a new database. Both wait for the disk: SQLite's default is FULL."""
        if self.server is None:
            file = str(self.folder / f"{secrets.token_hex(4)}.db")
            return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": file}
        return {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": self.server.create_database(),
            "POSTGRES_HOST": HOST,
            "POSTGRES_PORT": str(self.server.port),
            "POSTGRES_USER": USER,
            "POSTGRES_PASSWORD": "",
        }


@contextmanager
def place(database: str) -> Iterator[Place]:
    """A place for databases of one kind; everything in it is gone afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ledger-benchmark-"))
        server = stack.enter_context(running()) if database == "postgresql" else None
        yield Place(database, Path(folder), server)


def parser(description: str | None, *, in_rounds: bool = False) -> argparse.ArgumentParser:
    """Options that every benchmark has, or every one that is taken in rounds."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--database", choices=DATABASES, action="append", help="one of the two instead of both")
    if in_rounds:
        options.add_argument("--rounds", type=int, default=3, help="how often each measurement is taken, in turn")
    return options


def chosen(options: argparse.Namespace) -> Sequence[str]:
    """The databases to measure."""
    return options.database or DATABASES


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def milliseconds(values_s: Sequence[float]) -> tuple[str, str]:
    """Median and 99th percentile of durations in seconds, as shown."""
    return tuple(f"{1000 * value:,.2f}" for value in (median(values_s), percentile(values_s, 0.99)))  # type: ignore[return-value]


def ratio(ours: Sequence[float], stock: Sequence[float]) -> str:
    """How many times the stock rate ours is: the median over rounds, with the least and greatest."""
    ratios = [mine / theirs for mine, theirs in zip(ours, stock, strict=True)]
    return f"{median(ratios):.1f} × ({min(ratios):.1f} to {max(ratios):.1f})"


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; numbers to the right."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=WIDTH).print(table)
