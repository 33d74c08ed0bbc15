"""Interactions with customers: logged once, then settled or turned into an order where their kind allows."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import Event, InteractionConverted, InteractionLogged, InteractionResolved

RESOLVABLE = ("support_request", "complaint")
CONVERTIBLE = ("cart", "visit", "web_visit")


class State(msgspec.Struct, frozen=True, gc=False):
    """An interaction, whether it is settled, and the deal it became."""

    logged: InteractionLogged
    resolved: bool = False
    converted: str | None = None


def evolve(state: State | None, event: Event) -> State:
    """The interaction after an event. Raises `Refused`."""
    match event:
        case InteractionLogged():
            if state is not None:
                raise Refused("already_logged", "this interaction is logged; correct it with event.corrected")
            return State(event)
        case _ if state is None:
            raise Refused("not_logged", f"{event.TYPE} needs an interaction; use interaction.logged first")
        case InteractionResolved():
            _check_kind(state, event, RESOLVABLE)
            if state.resolved:
                raise Refused("already_resolved", "this interaction is resolved; log another one if it comes back")
            return msgspec.structs.replace(state, resolved=True)
        case InteractionConverted(deal=deal):
            _check_kind(state, event, CONVERTIBLE)
            if state.converted is not None:
                raise Refused(
                    "already_converted", f"this interaction became deal {state.converted}; it becomes one deal"
                )
            return msgspec.structs.replace(state, converted=deal)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to an interaction")


def _check_kind(state: State, event: Event, kinds: tuple[str, ...]) -> None:
    if state.logged.kind not in kinds:
        raise Refused(
            "wrong_kind", f"{event.TYPE} needs an interaction of kind {' or '.join(kinds)}, not {state.logged.kind}"
        )
