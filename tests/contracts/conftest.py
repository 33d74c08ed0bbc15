"""One database of each kind for the whole session; each test has a book of its own in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from ledger.application import Ledger, open_ledger
from tests.support.lines import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database_url(request, tmp_path_factory) -> Iterator[str]:
    """Both databases, one after the other: what asks for it is a contract of both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('contracts') / 'sales-ledger.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def book() -> str:
    """A book that nobody has opened yet."""
    return f"b{secrets.token_hex(6)}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(database_url: str, book: str, clock: Clock) -> Iterator[Ledger]:
    ledger = open_ledger(database_url, book, clock=clock)
    yield ledger
    ledger.close()


@pytest.fixture
def other(ledger: Ledger, database_url: str, book: str, clock: Clock) -> Iterator[Ledger]:
    """The same book, as another process has it open."""
    other = open_ledger(database_url, book, clock=clock)
    yield other
    other.close()
