"""The vault: values behind commitments, in a table beside the log.

Values lie in clear for now; encryption, keys and erasure come behind this same interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder

_PAGE = 500


class Vault:
    """Reads the values of one book; they are written by the append that seals them."""

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder

    def reveal(self, commitments: Iterable[str]) -> dict[str, Any]:
        """The values behind these commitments; those that are gone are missing."""
        wanted = iter(set(commitments))
        found: dict[str, Any] = {}
        while page := list(islice(wanted, _PAGE)):
            marks = ", ".join("?" * len(page))
            statement = f"SELECT commitment, value FROM vault WHERE book = ? AND commitment IN ({marks})"
            for commitment, value in self._recorder.all(statement, [self._recorder.book, *page]):
                found[commitment] = msgspec.json.decode(bytes(value))
        return found
