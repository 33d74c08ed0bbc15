"""Customers: `customer_versions`, their contacts and when they were declared lost.

Who is who among merged ones is settled by the reports, once, at their pair.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, assert_never

import msgspec

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
)
from projections.facts.names import split
from projections.grown import Grown, replaced
from projections.rectangle import Payload, Payloads
from projections.timeline import Fold

if TYPE_CHECKING:
    from projections.grown import Shown

ContactEvent = ContactAdded | ContactChanged | ContactRemoved
CustomerEvent = (
    CustomerRegistered
    | CustomerQualified
    | CustomerReclassified
    | CustomerAssigned
    | CustomerRenamed
    | CustomerMerged
    | CustomerChurned
    | CustomerReactivated
    | ContactAdded
    | ContactChanged
    | ContactRemoved
)


class State(msgspec.Struct, frozen=True, gc=False):
    """The columns of `customer_versions` in their order, then what the other tables show."""

    name: str | None
    name_commitment: str | None
    kind: str
    country: str | None
    region: str | None
    segment: str | None
    industry: str | None
    channel: str | None
    campaign: str | None
    owner: str | None
    parent: str | None
    merged_into: str | None
    registered_at: int
    registered_kind: str
    kind_since_at: int
    contacts: Shown = ()
    churn: Payloads = ()


_COLUMNS = State.__struct_fields__.index("contacts")


def step(state: State | None, event: CustomerEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The customer after an event; None before its registration."""
    if state is None:
        return _registered(event, at) if isinstance(event, CustomerRegistered) else None
    if state.merged_into is not None:
        return state
    replace = msgspec.structs.replace
    match event:
        case CustomerQualified(kind=kind):
            return state if kind == state.kind else replace(state, kind=kind, kind_since_at=at)
        case CustomerReclassified():
            return replace(
                state,
                country=event.country or state.country,
                region=event.region or state.region,
                segment=event.segment or state.segment,
                industry=event.industry or state.industry,
                channel=event.channel or state.channel,
                campaign=event.campaign or state.campaign,
                parent=event.parent or state.parent,
            )
        case CustomerAssigned(owner=owner):
            return replace(state, owner=owner)
        case CustomerRenamed(name=name):
            clear, commitment = split(name)
            return replace(state, name=clear, name_commitment=commitment)
        case CustomerMerged(into=into):
            return replace(state, merged_into=into)
        case CustomerRegistered():
            return state  # a second registration, seen before the retraction of the first
        case CustomerChurned(reason=reason):
            return state if state.churn else replace(state, churn=((reason, at),))
        case CustomerReactivated():
            return replace(state, churn=())
        case ContactAdded() | ContactChanged() | ContactRemoved():
            return replace(state, contacts=_contacts(state.contacts, event, at))
        case _:
            assert_never(event)


def _registered(event: CustomerRegistered, at: int) -> State:
    name, commitment = split(event.name)
    return State(
        name,
        commitment,
        event.kind,
        event.country,
        event.region,
        event.segment,
        event.industry,
        event.channel,
        event.campaign,
        event.owner,
        event.parent,
        None,
        at,
        event.kind,
        at,
    )


def _contacts(contacts: Shown, event: ContactEvent, at: int) -> Shown:
    """The contacts after an event; one that is there already, or not there, leaves them as they are."""
    there = any(payload[0] == event.contact for payload in contacts)
    if isinstance(event, ContactAdded):
        return contacts if there else Grown(contacts, _contact((event.contact, *[None] * 4, at), event))
    if not there:
        return contacts
    changed = event if isinstance(event, ContactChanged) else None
    return replaced(
        contacts,
        lambda payload: payload[0] == event.contact,
        lambda payload: None if changed is None else _contact(payload, changed),
    )


def _contact(before: Payload, event: ContactAdded | ContactChanged) -> Payload:
    contact, role, name, email, phone, added_at = before
    return (
        contact,
        event.role or role,
        split(event.name)[1] or name,
        split(event.email)[1] or email,
        split(event.phone)[1] or phone,
        added_at,
    )


def _versions(state: State) -> Payloads:
    payload: Payload = msgspec.structs.astuple(state)[:_COLUMNS]
    return (payload,)


FOLD = Fold(
    step,
    (
        ("customer_versions", _versions),
        ("contact_versions", attrgetter("contacts")),
        ("churns", attrgetter("churn")),
    ),
    CustomerEvent.__args__,
)
