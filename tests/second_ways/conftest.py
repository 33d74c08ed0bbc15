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
    book: Book
    dates: tuple[date, ...]
    restated: date
    """The day, after all that was recorded, on which the others are looked at again."""

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
    data = request.getfixturevalue("real_data") if name == "real" else None
    if database == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp(name) / 'sales-ledger.db'}"
        yield from _demo(url) if data is None else _real(url, data)
        return
    server = request.getfixturevalue("postgres_server")
    made = server.create_database()
    yield from _demo(server.url(made)) if data is None else _real(server.url(made), data)
    server.drop_database(made)


def _demo(url: str) -> Iterator[Told]:
    """Some three hundred deals of three years."""
    given = company(url, deals=300, years=3)
    days = (date(2024, 11, 4), date(2025, 6, 30), date(2025, 12, 31), date(2026, 3, 17), date(2026, 6, 15))
    yield Told("demo", given.store, plain_book("demo", given.ledger), days, date(2026, 6, 30))
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
        yield Told("real", store, plain_book("real", ledger), days, date(2018, 6, 30))
        store.engine.dispose()


_BOOKS: dict[str, tuple[list[Any], Book]] = {}


def plain_book(name: str, ledger: Ledger) -> Book:
    """The second way's book: the same whatever database it is read from, but for salts and stamps."""
    events = [_unsealed(plain(event) | {"appended_at": None}) for event in ledger.feed(0, 1_000_000)]
    read, book = _BOOKS.setdefault(name, (events, Book(events)))
    assert read == events
    return book


def _unsealed(said: Any) -> Any:
    if isinstance(said, dict):
        return None if "$sealed" in said else {name: _unsealed(each) for name, each in said.items()}
    return said
