"""Names: in clear for an organisation, a commitment for a person (personal values never enter the read store)."""

from __future__ import annotations

from ledger.events import Commitment, Sealed


def split(name: str | Sealed | None) -> tuple[str | None, str | None]:
    """`name` and `name_commitment` as columns hold them: one of the two."""
    if isinstance(name, Sealed):
        return None, f"{name.commitment.s}/{name.commitment.c}"
    return name, None


def sealed(name_commitment: str) -> Sealed:
    """What the vault is asked with, from a column `name_commitment`."""
    subject, _, commitment = name_commitment.partition("/")
    return Sealed(commitment=Commitment(c=commitment, s=subject))
