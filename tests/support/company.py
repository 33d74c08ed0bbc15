"""A small company's whole history: the demo's, with few deals."""

from __future__ import annotations

from ledger.codec import encode
from ledger.demo import history
from ledger.times import parse_instant
from tests.support.book import GivenBook

NOW = "2026-06-30T18:00:00Z"


def company(url: str, *, deals: int = 60, years: int = 2) -> GivenBook:
    """The company's book, told and folded."""
    given = GivenBook(url, now=NOW, opened=None)
    lines = enumerate(map(encode, history(deals=deals, years=years, seed=3, until=parse_instant(NOW))), start=1)
    assert all(each.error is None for each in given.ledger.append_each(lines, actor="test", history=True))
    given.folded()
    return given
