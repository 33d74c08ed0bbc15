"""Calls: what somebody themselves forecasts, beside what the pipeline says."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import Event, ForecastSubmitted, ForecastWithdrawn


class State(msgspec.Struct, frozen=True, gc=False):
    """The forecast last submitted, and whether it was withdrawn since."""

    submitted: ForecastSubmitted
    withdrawn: bool = False


def evolve(state: State | None, event: Event) -> State:
    """The call after an event; it may be submitted anew, for the same scope and period. Raises `Refused`."""
    match event:
        case ForecastSubmitted(scope=scope, period=period):
            if state is not None and (scope, period) != (state.submitted.scope, state.submitted.period):
                raise Refused(
                    "another_call", "this call is for another scope or period; submit each on a stream of its own"
                )
            return State(event)
        case _ if state is None:
            raise Refused("not_submitted", f"{event.TYPE} needs a forecast; use forecast.submitted first")
        case ForecastWithdrawn():
            if state.withdrawn:
                raise Refused("already_withdrawn", "this forecast is withdrawn; submit it again first")
            return msgspec.structs.replace(state, withdrawn=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a call")
