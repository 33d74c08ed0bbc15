"""Customers: `customer_versions`. Who is who among merged ones is settled by the reports, once, at their pair."""

from __future__ import annotations

from typing import assert_never

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
from projections.timeline import Fold, Payloads

CustomerEvent = (
    CustomerRegistered | CustomerQualified | CustomerReclassified | CustomerAssigned | CustomerRenamed | CustomerMerged
)
Ignored = ContactAdded | ContactChanged | ContactRemoved | CustomerChurned | CustomerReactivated


class State(msgspec.Struct, frozen=True, gc=False):
    """The columns of `customer_versions` in their order."""

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
    merged_into: str | None = None


def step(state: State | None, event: CustomerEvent | Ignored, at: int, position: int) -> State | None:  # noqa: ARG001
    """The customer after an event; None before its registration."""
    if state is None:
        return _registered(event) if isinstance(event, CustomerRegistered) else None
    if state.merged_into is not None:
        return state
    replace = msgspec.structs.replace
    match event:
        case CustomerQualified(kind=kind):
            return replace(state, kind=kind)
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
        case ContactAdded() | ContactChanged() | ContactRemoved() | CustomerChurned() | CustomerReactivated():
            return state
        case _:
            assert_never(event)


def _registered(event: CustomerRegistered) -> State:
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
    )


def _versions(state: State) -> Payloads:
    return (msgspec.structs.astuple(state),)


FOLD = Fold(
    step,
    (("customer_versions", _versions),),
    CustomerEvent.__args__,
    ignored={
        ContactAdded: "no report reads contacts yet",
        ContactChanged: "no report reads contacts yet",
        ContactRemoved: "no report reads contacts yet",
        CustomerChurned: "for the churn report, which is yet to come",
        CustomerReactivated: "for the churn report, which is yet to come",
    },
)
