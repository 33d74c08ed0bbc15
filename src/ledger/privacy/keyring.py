"""What a process holds of a book's key store: the keys it has just used, and subjects reserved for those to come.

Reserving waits for the disk; so more is reserved each time, and a subject in a long run of them costs next to nothing.
Those that a process does not use are lost: their refs are in no log.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from threading import Lock
from typing import TYPE_CHECKING

from ledger.errors import KeysUnusable
from ledger.privacy.sealing import new_ref
from ledger.privacy.wrapping import KEY_BYTES

if TYPE_CHECKING:
    from ledger.privacy.key_store import KeyStore

KEPT_KEYS = 50_000
FIRST_RESERVED = 8
MOST_RESERVED = 16_384


class Keyring:
    """Safe to share between threads. Every method raises `KeysUnusable` where the key store cannot be used."""

    def __init__(self, open_store: Callable[[], KeyStore]) -> None:
        self._open_store = open_store
        self._store: KeyStore | None = None
        self._lock = Lock()
        self._reserved: deque[tuple[str, bytes]] = deque()
        self._next = FIRST_RESERVED
        self._keys: dict[str, bytes] = {}

    @property
    def store(self) -> KeyStore:
        """The key store, opened when it is first asked for."""
        if self._store is None:
            with self._lock:
                self._store = self._store or self._open_store()
        return self._store

    @property
    def origin(self) -> str:
        """Whose book this is; what is sealed is bound to it."""
        return self.store.origin

    def new(self) -> str:
        """The ref of a new subject, whose key is on the disk."""
        store = self.store
        while True:
            try:
                ref, key = self._reserved.popleft()
            except IndexError:
                with self._lock:
                    if not self._reserved:
                        self._reserved.extend(store.reserve(self._next))
                        self._next = min(4 * self._next, MOST_RESERVED)
                continue
            self._keep({ref: key})
            return ref

    def _keep(self, keys: dict[str, bytes]) -> None:
        if len(self._keys) > KEPT_KEYS:
            self._keys = {}
        self._keys |= keys

    def preload(self, refs: Sequence[str]) -> dict[str, bytes]:
        """Fetch the keys of many subjects at once; those that were not at hand."""
        missing = [ref for ref in refs if ref not in self._keys]
        found = self.store.keys(missing) if missing else {}
        self._keep(found)
        return found

    def forget(self, refs: Sequence[str]) -> None:
        """These are being erased."""
        for ref in refs:
            self._keys.pop(ref, None)

    def fenced(self) -> AbstractSet[str]:
        """The subjects that are erased, or are just being erased."""
        return self.store.fenced()

    def key(self, ref: str) -> bytes | None:
        """The data key of a subject; None if it is erased. Raises `KeysUnusable` for one that nobody knows.

        One at hand may have been fenced since; the recorder lets nothing pass that is sealed with it (`fenced`).
        """
        found = self._keys.get(ref)
        if found is None:
            if ref in self.fenced():
                return None
            found = self.preload([ref]).get(ref)
        if found is None:
            raise KeysUnusable(
                f"the key store has neither a key nor a fence for the subject {ref}: it is older than this database;"
                " put back its newest copy"
            )
        return found

    def apart(self) -> Keyring:
        """A keyring for trying: the same keys, but what is new is written nowhere."""
        return _Trying(self)

    def close(self) -> None:
        """Forget the keys and give back the store."""
        self._keys = {}
        self._reserved.clear()
        store, self._store = self._store, None
        if store is not None:
            store.close()


class _Trying(Keyring):
    """See `Keyring.apart`."""

    def __init__(self, real: Keyring) -> None:
        super().__init__(lambda: real.store)
        self._real = real
        self._made: dict[str, bytes] = {}

    @property
    def origin(self) -> str:
        return "nowhere"

    def new(self) -> str:
        ref = new_ref()
        self._made[ref] = os.urandom(KEY_BYTES)
        return ref

    def key(self, ref: str) -> bytes | None:
        return self._made.get(ref) or self._real.key(ref)

    def preload(self, refs: Sequence[str]) -> dict[str, bytes]:
        return self._real.preload(refs)
