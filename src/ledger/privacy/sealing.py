"""Sealing: a value goes to the vault, encrypted; a salted commitment takes its place in the entry.

The commitment is SHA-256 of 0x02, a random salt of 32 bytes, and the value's canonical JSON. Whoever has salt and
value can check it; whoever has only the entry can neither read nor guess the value. Both lie in the vault under
AES-256-GCM with the subject's data key, bound to where they were said.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.codec import encode
from ledger.errors import NotProven
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

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALT_BYTES = 32
NONCE_BYTES = 12
_REF_BYTES = 15


class VaultRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value as the vault keeps it, with where it was said.

    `sealed` is a nonce of 12 bytes and what AES-256-GCM makes of salt and value.
    """

    commitment: str
    subject_ref: str
    stream: str
    version: int
    field: str
    sealed: bytes


def new_ref() -> str:
    """A random name for a subject; nothing can be learnt from it."""
    return b64encode(os.urandom(_REF_BYTES), b"-_").decode()


def commitment_of(salt: bytes, value: bytes) -> str:
    """The commitment to a value, given as its canonical JSON."""
    return b64encode(sha256(b"\x02" + salt + value).digest()).decode()


def subject_of(stream: str, event: Event) -> str:
    """Whom the event's personal values are about: the contact or person it names, else the stream itself."""
    named = _NAMED.get(type(event))
    return stream if named is None else named(stream, event) or stream


def _contact_of_customer(_: str, event: InteractionLogged | TaskPlanned) -> str | None:
    return event.customer and event.contact and f"customer-{event.customer}/{event.contact}"


def _contact(stream: str, event: ContactAdded | ContactChanged) -> str:
    return f"{stream}/{event.contact}"


def _person(_: str, event: ObjectiveSet | ForecastSubmitted) -> str | None:
    return event.scope.person and f"person-{event.scope.person}"


_NAMED: dict[type[Event], Callable[[str, Any], str | None]] = {
    InteractionLogged: _contact_of_customer,
    TaskPlanned: _contact_of_customer,
    ObjectiveSet: _person,
    ForecastSubmitted: _person,
    ContactAdded: _contact,
    ContactChanged: _contact,
}


class Sealer:
    """Seals the values of one subject, and opens them."""

    def __init__(self, origin: str, ref: str, key: bytes) -> None:
        self._cipher = _aes_gcm()(key)
        self._origin = origin
        self._ref = ref

    def seal(self, stream: str, version: int, field: str, salt: bytes, value: bytes) -> VaultRow:
        """A value, given as its canonical JSON, for the vault."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, salt + value, self._about(stream, version, field))
        return VaultRow(commitment_of(salt, value), self._ref, stream, version, field, sealed)

    def open(self, row: VaultRow) -> bytes:
        """The canonical JSON of a value. Raises `NotProven` if it is not the one that was sealed there."""
        sealed = row.sealed
        try:
            opened = self._cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._about(row.stream, row.version, row.field)
            )
        except (_invalid_tag(), TypeError, ValueError):
            opened = b""
        salt, value = opened[:SALT_BYTES], opened[SALT_BYTES:]
        if row.subject_ref != self._ref or commitment_of(salt, value) != row.commitment:
            raise NotProven(
                f"the sealed {row.field} of {row.stream}, version {row.version}, is not the one that was sealed there:"
                " the vault was altered; restore it from a backup"
            )
        return value

    def _about(self, stream: str, version: int, field: str) -> bytes:
        return encode([self._origin, stream, version, field, self._ref])


@cache
def _aes_gcm() -> type[AESGCM]:
    """The cipher; its package takes an eighth of a second to load, so it is where something is sealed or opened."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM


def _invalid_tag() -> type[Exception]:
    """What the cipher raises; asked for when it does."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (as above)

    return InvalidTag


def seal(
    event: Event, fields: tuple[str, ...], sealer: Sealer, stream: str, version: int
) -> tuple[Event, list[VaultRow]]:
    """The event with these fields sealed, and what goes into the vault."""
    rows: list[VaultRow] = []
    sealed: dict[str, Any] = {}
    for field in fields:
        value = getattr(event, field)
        if isinstance(value, Sealed):
            continue
        row = sealer.seal(stream, version, field, os.urandom(SALT_BYTES), encode(value))
        rows.append(row)
        sealed[field] = Sealed(Commitment(row.commitment, row.subject_ref))
    return (msgspec.structs.replace(event, **sealed) if sealed else event), rows
