"""Subjects of sealed values: no rows, since nothing personal is in the read store."""

from __future__ import annotations

from ledger.events import SubjectErased
from projections.timeline import Fold


def step(state: None, event: SubjectErased, at: int, position: int) -> None:
    """An erasure shows nothing."""


FOLD = Fold(step, (), (), ignored={SubjectErased: "what is personal never enters the read store"})
