"""A book to tell events to, on both databases; and a small company's whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import company as companies
from tests.support.book import GivenBook

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def book(database_url: str) -> Iterator[GivenBook]:
    given = GivenBook(database_url)
    yield given
    given.close()


@pytest.fixture
def empty_book(database_url: str) -> Iterator[GivenBook]:
    """Nothing was ever said, not even its settings."""
    given = GivenBook(database_url, opened=None)
    yield given
    given.close()


@pytest.fixture(scope="session")
def company(tmp_path_factory) -> Iterator[GivenBook]:
    given = companies.company(f"sqlite:///{tmp_path_factory.mktemp('company') / 'sales-ledger.db'}")
    yield given
    given.close()
