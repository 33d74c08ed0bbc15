"""The process that is killed while it erases: python -m tests.faults.eraser URL BOOK THING STEP MOMENT.

It ends at the beginning or the end of a step of the erasure, or within the step that writes to the database.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from ledger.application import open_ledger
from ledger.log.recorder import LogRecorder
from ledger.privacy import erasing
from ledger.privacy.key_file import KeyFile

WITHIN: dict[str, tuple[Any, str]] = {
    "_fence": (KeyFile, "fence"),
    "_record": (LogRecorder, "_complete"),
    "_destroy": (KeyFile, "destroy"),
    "_delete": (LogRecorder, "delete_values"),
}
"""What each step calls, in which it can be killed too."""


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, book: str, thing: str, step: str, moment: str) -> None:
    real = getattr(erasing, step)
    if moment == "within":
        owner, name = WITHIN[step]
        setattr(owner, name, _die)
    elif moment == "before":
        setattr(erasing, step, _die)
    else:

        def then_die(*arguments: Any) -> None:
            real(*arguments)
            _die()

        setattr(erasing, step, then_die)
    erasing.erase(open_ledger(url, book), thing, actor="dpo")


if __name__ == "__main__":
    main(*sys.argv[1:])
