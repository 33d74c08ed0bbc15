"""Exchange rates: `rate_versions`."""

from __future__ import annotations

from ledger.events import RateFixed
from projections.rectangle import Payloads
from projections.timeline import Fold


def step(state: RateFixed | None, event: RateFixed, at: int, position: int) -> RateFixed:  # noqa: ARG001
    """The rate in force is the one fixed last."""
    return event


def _versions(state: RateFixed) -> Payloads:
    return ((state.base, state.rate),)


FOLD = Fold(step, (("rate_versions", _versions),), (RateFixed,), planned=True)
