"""Customers: companies or persons, their contacts, and duplicates merged away."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import (
    ContactAdded,
    ContactChanged,
    ContactRemoved,
    CustomerAssigned,
    CustomerChurned,
    CustomerMerged,
    CustomerQualified,
    CustomerReactivated,
    CustomerReclassified,
    CustomerRegistered,
    CustomerRenamed,
    Event,
)


class State(msgspec.Struct, frozen=True, gc=False):
    """A customer as it stands; `profile` keeps the registration's fields up to date."""

    profile: CustomerRegistered
    contacts: dict[str, ContactAdded] = {}
    churned: bool = False
    merged_into: str | None = None


def sealed_fields(state: State | None, event: Event) -> tuple[str, ...] | None:
    """The fields to seal where that depends on whether the customer is a person; None means all that are marked."""
    match event:
        case CustomerRegistered(person=person):
            return ("name",) if person else ()
        case CustomerRenamed():
            return ("name",) if state is not None and state.profile.person else ()
        case _:
            return None


def evolve(state: State | None, event: Event) -> State:
    """The customer after an event. Raises `Refused`."""
    replace = msgspec.structs.replace
    match event:
        case CustomerRegistered():
            if state is not None:
                raise Refused("already_registered", "this customer is registered; use customer.reclassified and others")
            return State(event)
        case _ if state is None:
            raise Refused("unknown_customer", f"{event.TYPE} needs a customer; register it first")
        case _ if state.merged_into is not None:
            raise Refused("customer_merged", f"this customer was merged into {state.merged_into}; use that one")
        case CustomerQualified(kind=kind):
            return replace(state, profile=replace(state.profile, kind=kind))
        case CustomerReclassified():
            said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
            return replace(state, profile=replace(state.profile, **said))
        case CustomerAssigned(owner=owner):
            return replace(state, profile=replace(state.profile, owner=owner))
        case CustomerRenamed(name=name):
            return replace(state, profile=replace(state.profile, name=name))
        case ContactAdded(contact=contact):
            if contact in state.contacts:
                raise Refused("already_added", f"contact {contact} is there; use contact.changed")
            return replace(state, contacts=state.contacts | {contact: event})
        case ContactChanged(contact=contact):
            said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
            return replace(state, contacts=state.contacts | {contact: replace(_contact(state, contact), **said)})
        case ContactRemoved(contact=contact):
            _contact(state, contact)
            return replace(state, contacts={key: each for key, each in state.contacts.items() if key != contact})
        case CustomerChurned():
            if state.churned:
                raise Refused("already_churned", "this customer is declared churned; reactivate it first")
            return replace(state, churned=True)
        case CustomerReactivated():
            return replace(state, churned=False)
        case CustomerMerged(into=into):
            return replace(state, merged_into=into)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a customer")


def _contact(state: State, contact: str) -> ContactAdded:
    try:
        return state.contacts[contact]
    except KeyError:
        raise Refused("unknown_contact", f"no contact {contact} here; add it with contact.added first") from None
