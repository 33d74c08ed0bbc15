"""The board pack: what a director prints, all of it at one pair of dates and one position of the log.

`gather` asks the reports (`single` takes one answer), `tell` puts their answers into words, `typeset` makes the pages.
"""

from __future__ import annotations

from api.pack.gathering import Pack, gather, single
from api.pack.sections import ROLES
from api.pack.telling import tell
from api.pack.typesetting import typeset

__all__ = ["ROLES", "Pack", "gather", "pack", "single", "tell", "typeset"]


def pack(gathered: Pack, lang: str) -> bytes:
    """The pages as PDF/A; the same pack gives the same bytes."""
    return typeset(tell(gathered, lang), gathered.pair.known_at)
