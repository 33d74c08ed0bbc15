"""Collecting garbage seldom, where many objects are made that need no collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (100_000, 20, 20)


def collect_seldom() -> None:
    """Look for garbage every hundred thousand objects instead of every seven hundred.

    Thousands of lines or events make many objects that live until they are written; what refers to itself is rare among
    them, and looking for it again and again took a sixth of the processor time of appending and rebuilding.
    """
    gc.set_threshold(*SELDOM)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """The same for a while."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
