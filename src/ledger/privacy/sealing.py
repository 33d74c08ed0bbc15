"""Sealing: a value goes to the vault, a salted commitment takes its place in the entry.

The commitment is SHA-256 of 0x02, a random salt of 32 bytes, and the value's canonical JSON. Whoever has salt and
value can check it; whoever has only the entry can neither read nor guess the value.
"""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256
from typing import Any

import msgspec

from ledger.codec import encode
from ledger.events import (
    Commitment,
    ContactAdded,
    ContactChanged,
    Event,
    ForecastSubmitted,
    InteractionLogged,
    ObjectiveSet,
    Sealed,
    TaskPlanned,
)

SALT_BYTES = 32
_REF_BYTES = 15


class VaultRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value as the vault keeps it, with where it was said."""

    commitment: str
    subject_ref: str
    stream: str
    version: int
    field: str
    salt: bytes
    value: bytes


def new_ref() -> str:
    """A random name for a subject; nothing can be learnt from it."""
    return b64encode(os.urandom(_REF_BYTES), b"-_").decode()


def commitment_of(salt: bytes, value: bytes) -> str:
    """The commitment to a value, given as its canonical JSON."""
    return b64encode(sha256(b"\x02" + salt + value).digest()).decode()


def subject_of(stream: str, event: Event) -> str:
    """Whom the event's personal values are about: the contact or person it names, else the stream itself."""
    match event:
        case InteractionLogged(customer=str(customer), contact=str(contact)):
            return f"customer-{customer}/{contact}"
        case TaskPlanned(customer=str(customer), contact=str(contact)):
            return f"customer-{customer}/{contact}"
        case ObjectiveSet(scope=scope) | ForecastSubmitted(scope=scope):
            return stream if scope.person is None else f"person-{scope.person}"
        case ContactAdded(contact=contact) | ContactChanged(contact=contact):
            return f"{stream}/{contact}"
        case _:
            return stream


def seal(event: Event, fields: tuple[str, ...], ref: str, stream: str, version: int) -> tuple[Event, list[VaultRow]]:
    """The event with these fields sealed, and what goes into the vault."""
    rows: list[VaultRow] = []
    sealed: dict[str, Any] = {}
    for field in fields:
        value = getattr(event, field)
        if isinstance(value, Sealed):
            continue
        salt, plain = os.urandom(SALT_BYTES), encode(value)
        commitment = commitment_of(salt, plain)
        rows.append(VaultRow(commitment, ref, stream, version, field, salt, plain))
        sealed[field] = Sealed(Commitment(commitment, ref))
    return (msgspec.structs.replace(event, **sealed) if sealed else event), rows
