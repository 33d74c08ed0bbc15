"""A book to tell events to, on both databases; and a small company's whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.codec import encode
from ledger.demo import history
from ledger.times import parse_instant
from tests.support.book import GivenBook

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = "2026-06-30T18:00:00Z"


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
    """The demo's company with few deals, over two years."""
    url = f"sqlite:///{tmp_path_factory.mktemp('company') / 'sales-ledger.db'}"
    given = GivenBook(url, now=NOW, opened=None)
    story = history(deals=60, years=2, seed=3, until=parse_instant(NOW))
    lines = enumerate(map(encode, story), start=1)
    refused = [each for each in given.ledger.append_each(lines, actor="test", history=True) if each.error]
    assert not refused
    given.folded()
    yield given
    given.close()
