"""Collecting garbage seldom, where many objects are made that need no collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (100_000, 20, 20)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Look for garbage every hundred thousand objects instead of every seven hundred.

    A batch of thousands of lines makes many objects that live until it is stored; what refers to itself is rare there,
    and looking for it again and again took a sixth of the processor time of a bulk append.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
