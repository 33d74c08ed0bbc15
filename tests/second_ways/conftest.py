"""Two books on both databases: the real sales data, and the demo's company, which uses every kind of event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from ledger.application import open_ledger
from ledger.cli.app import app
from projections.reports import answer
from projections.runner import run_batch
from projections.store import ReadStore
from tests.model.naive import plain
from tests.model.naive_reports import Book
from tests.support.company import company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.application import Ledger
    from projections.reports import Answer

MAPPING = Path(__file__).parents[2] / "docs" / "examples" / "crm_sales_opportunities.toml"
TODAY = date(2026, 12, 31)


@dataclass
class Told:
    """A book to ask reports of, and its plain list of events to ask the second way."""

    name: str
    store: ReadStore
    events: list[dict[str, Any]]
    book: Book
    dates: tuple[date, ...]

    @property
    def head(self) -> int:
        """The instant that `now` means."""
        return int(self.events[-1]["appended_at"])

    def ask(self, report: str, **parameters: str) -> Answer:
        return answer(self.store, report, parameters, today=TODAY)


BOOKS = [
    pytest.param(("demo", "sqlite"), id="demo-sqlite"),
    pytest.param(("demo", "postgres"), id="demo-postgres", marks=pytest.mark.postgres),
    pytest.param(("real", "sqlite"), id="real-sqlite", marks=pytest.mark.real_data),
    pytest.param(("real", "postgres"), id="real-postgres", marks=[pytest.mark.real_data, pytest.mark.postgres]),
]


@pytest.fixture(scope="package", params=BOOKS)
def told(request, tmp_path_factory):
    name, database = request.param
    make = {"demo": _demo, "real": _real}[name]
    folder = request.getfixturevalue("real_data") if name == "real" else None
    if database == "sqlite":
        yield from make(f"sqlite:///{tmp_path_factory.mktemp(name) / 'sales-ledger.db'}", folder)
        return
    server = request.getfixturevalue("postgres_server")
    made = server.create_database()
    yield from make(server.url(made), folder)
    server.drop_database(made)


def _demo(url: str, _: None) -> Iterator[Told]:
    """Some three hundred deals of three years."""
    given = company(url, deals=300, years=3)
    days = (date(2024, 11, 4), date(2025, 6, 30), date(2025, 12, 31), date(2026, 3, 17), date(2026, 6, 15))
    yield _told("demo", given.ledger, given.store, days)
    given.close()


def _real(url: str, folder: Path) -> Iterator[Told]:
    """Imported as a user does."""
    arguments = ["import", "csv", str(folder), "--mapping", str(MAPPING), "--database", url]
    assert "500 rows refused" in CliRunner().invoke(app, arguments).output
    days = (date(2017, 1, 16), date(2017, 3, 31), date(2017, 6, 30), date(2017, 9, 12), date(2017, 12, 31))
    with open_ledger(url) as ledger:
        store = ReadStore.open(ledger)
        while run_batch(ledger, store):
            pass
        yield _told("real", ledger, store, days)
        store.engine.dispose()


def _told(name: str, ledger: Ledger, store: ReadStore, dates: tuple[date, ...]) -> Told:
    events = [plain(event) for event in ledger.feed(0, 1_000_000)]
    return Told(name, store, events, Book(events), dates)
