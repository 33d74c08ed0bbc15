"""A read store that has caught up with the log, for commands that ask it questions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.application import Ledger
    from projections.store import ReadStore

PATIENCE_S = 600.0
SLICE_S = 0.5
WORTH_A_REBUILD = 20_000
"""Into an empty read store so many events go quicker by all processors at once than batch by batch."""


def fresh_store(ledger: Ledger, *, patience_s: float = PATIENCE_S) -> ReadStore:
    """The current read store, folded up to the head as it is now, with a bar while that takes time.

    Should it take longer than `patience_s`, the read store as it is: answers say how far that was.
    """
    from ledger.cli.progress import Bar
    from projections.store import ReadStore

    store = ReadStore.open(ledger)
    if store.position() == 0 and ledger.head().position > WORTH_A_REBUILD:
        from projections.rebuild import rebuild

        with Bar("Folding events") as bar:
            rebuild(ledger, progress=bar.show)
    deadline = time.monotonic() + patience_s
    with Bar("Folding events") as bar:
        while True:
            freshness = store.wait(ledger, timeout=SLICE_S)
            if freshness.complete:
                return store
            if time.monotonic() > deadline:
                return store
            bar.show(freshness.position, freshness.head)
