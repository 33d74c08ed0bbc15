"""What a key store must do. `key_file` keeps one in a file; a key service would stand behind the same methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol


class KeyStore(Protocol):
    """The data keys and the erasure fences of one book, outside of its database and of the backups of that.

    A subject, by its random ref, has a data key or a fence, never a key again after a fence. Every method raises
    `KeysUnusable` where the store cannot be used. Safe to share between threads, and its data between processes.
    """

    origin: str
    """Whose book this is, `host/book`: settled when the store was made, and part of what every value is bound to."""

    def reserve(self, count: int) -> list[tuple[str, bytes]]:
        """So many new subjects, as their refs and data keys; durable when this returns."""

    def adopt(self, refs: Iterable[str]) -> None:
        """Give keys to subjects that were named before there were any; those that have one keep it."""

    def keys(self, refs: Sequence[str]) -> dict[str, bytes]:
        """The data keys of those subjects that have one."""

    def fenced(self) -> AbstractSet[str]:
        """The subjects for whom nothing may be sealed or opened any more, as of now."""

    def fence(self, refs: Iterable[str], at: int) -> None:
        """Fence these subjects off; durable when this returns. Those fenced before stay so."""

    def destroy(self, refs: Iterable[str]) -> None:
        """Destroy the keys of these subjects, those that they still have."""

    def rewrap(self, to: str | None) -> str:
        """Wrap the store with a new key, into a file if one is named; where it is kept."""

    def counts(self) -> tuple[int, int]:
        """How many keys there are, those reserved included, and how many fences."""

    def close(self) -> None:
        """Give back what is held open."""
