"""The vault: what commitments stand for, encrypted, in a table beside the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.errors import NotProven
from ledger.events import Commitment, Erased, Sealed
from ledger.privacy.keyring import Keyring
from ledger.privacy.sealing import Sealer, VaultRow

if TYPE_CHECKING:
    from ledger.log.recorder import LogRecorder

PAGE = 500
PAGE_OF_ALL = 5_000
_COLUMNS = "commitment, subject_ref, stream, version, field, sealed"

SUBJECTS, _AFTER_SUBJECTS = "subject-", "subject."
"""What the streams of subjects begin with, and what comes after all of them."""


class Vault:
    """Reads the values of one book; they are written by the append that seals them."""

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder
        self._keys: Keyring = recorder.keys

    def reveal(self, sealed: Iterable[Sealed]) -> dict[str, Any]:
        """The values behind commitments, `Erased` where the subject is; those that are not in the vault are missing.

        Raises `KeysUnusable`, and `NotProven` for a value that is not the one committed to.
        """
        wanted = iter({seal.commitment.c: seal.commitment for seal in sealed}.values())
        found: dict[str, Any] = {}
        while page := list(islice(wanted, PAGE)):
            found |= self._page(page)
        return found

    def _page(self, page: list[Commitment]) -> dict[str, Any]:
        fenced = self._keys.fenced()
        found: dict[str, Any] = {each.c: Erased(each) for each in page if each.s in fenced}
        refs = {each.c: each.s for each in page if each.s not in fenced}
        if not refs:
            return found
        statement = f"SELECT {_COLUMNS} FROM vault WHERE book = ? AND commitment IN ({', '.join('?' * len(refs))})"
        rows = [VaultRow(*row) for row in self._recorder.all(statement, [self._recorder.book, *refs])]
        self._keys.preload(list(dict.fromkeys(refs[row.commitment] for row in rows)))
        for row in rows:
            ref = refs[row.commitment]  # as hashed in the log; the row's own may have been altered
            key = self._keys.key(ref)
            if key is None:
                found[row.commitment] = Erased(Commitment(row.commitment, ref))
            else:
                found[row.commitment] = msgspec.json.decode(Sealer(self._keys.origin, ref, key).open(row))
        return found

    def pages(self) -> Iterator[list[VaultRow]]:
        """All that the vault holds of the book, by subject, so that each one's key is fetched once."""
        after = ("", "")
        statement = (
            f"SELECT {_COLUMNS} FROM vault WHERE book = ? AND (subject_ref, commitment) > (?, ?)"
            " ORDER BY subject_ref, commitment LIMIT ?"
        )
        while rows := self._recorder.all(statement, [self._recorder.book, *after, PAGE_OF_ALL]):
            yield [VaultRow(*row) for row in rows]
            after = (rows[-1][1], rows[-1][0])

    def wrong(self, page: Sequence[VaultRow]) -> Iterator[str]:
        """What is wrong with these values, one line each; those of erased subjects have nothing to check."""
        self._keys.preload(list(dict.fromkeys(row.subject_ref for row in page)))
        for ref, rows in groupby(page, attrgetter("subject_ref")):
            key = self._keys.key(ref)
            if key is None:
                continue
            sealer = Sealer(self._keys.origin, ref, key)
            for row in rows:
                try:
                    sealer.open(row)
                except NotProven as altered:
                    yield str(altered)


def erased(recorder: LogRecorder) -> set[str]:
    """The refs of the subjects that the log says are erased."""
    rows = recorder.all(
        "SELECT stream FROM events WHERE book = ? AND stream > ? AND stream < ?",
        [recorder.book, SUBJECTS, _AFTER_SUBJECTS],
    )
    return {str(stream).removeprefix(SUBJECTS) for (stream,) in rows}
