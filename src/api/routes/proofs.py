"""`/v1/checkpoint` and `/v1/proofs`: the signed state of the log, and what an auditor checks against it.

Formats are those of RFC 9162 and C2SP (`tlog-checkpoint`): any verifier of transparency logs can check them.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from api.problems import document
from api.service import ServiceOf
from ledger.errors import BadRequest, NotFound
from ledger.formats import count_text
from ledger.proof import tree
from ledger.proof.log_tree import LogTree, stored
from ledger.proof.merkle import leaf_hash
from ledger.proof.signing import desk_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.service import Service

MOST = 2**53

router = APIRouter(prefix="/v1", tags=["proofs"])

_NOTE = """sales-ledger.local/main
81342
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=

— sales-ledger.local/main OTMyMWJlZjE3NzQ1YzJk…
"""
_HASH = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="

Size = Annotated[
    int | None, Query(ge=1, le=MOST, description="Of how many events the tree is; as many as there are by default.")
]


class Inclusion(BaseModel):
    """That an event stands at its position in the log of `size` events (RFC 9162 2.1.3). Bytes are in base64.

    `leaf` is SHA-256 of 0x00 and `entry`, the stored bytes; its index in the tree is `position - 1`. `root` is what
    `hashes` must lead to: compare it with that of a signed checkpoint of this size, which is the proof.
    """

    position: int = Field(examples=[5120])
    size: int = Field(examples=[81_342])
    entry: str = Field(examples=["eyJhY3RvciI6ImxvY2FsIn0="])
    leaf: str = Field(examples=[_HASH])
    root: str = Field(examples=[_HASH])
    hashes: list[str] = Field(examples=[[_HASH]])


class Consistency(BaseModel):
    """That the log of `second` events begins with that of `first` (RFC 9162 2.1.4). Hashes are in base64.

    Compare both roots with those of signed checkpoints of these sizes.
    """

    first: int = Field(examples=[80_000])
    second: int = Field(examples=[81_342])
    first_root: str = Field(examples=[_HASH])
    second_root: str = Field(examples=[_HASH])
    hashes: list[str] = Field(examples=[[_HASH]])


@router.get(
    "/checkpoint",
    response_class=PlainTextResponse,
    responses=document(421, 503)
    | {
        200: {
            "description": "A signed note",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _NOTE}},
        }
    },
)
def checkpoint(service: ServiceOf) -> PlainTextResponse:
    """The log as it is now, signed: origin, size, root, a blank line, and the signature.

    Keep it where nobody who can write the database can change it. The verifier key is printed by
    `sales-ledger checkpoint`.
    """
    recorder = service.ledger.recorder
    note = desk_of(service.settings, recorder.book).sign(recorder, LogTree(recorder))
    return PlainTextResponse(note, headers={"Cache-Control": "no-store"})


@router.get("/proofs/inclusion", responses=document(400, 404, 421, 503))
def inclusion(
    service: ServiceOf, position: Annotated[int, Query(ge=1, le=MOST, description="Which event.")], size: Size = None
) -> Inclusion:
    """The proof that one event is in the log, for a checkpoint of `size` events."""
    size = _size(service, size)
    if position > size:
        raise BadRequest(f"event {position} is not among the first {size}; name a larger size")
    entry = stored(service.ledger.feed_rows(position - 1, 1)[0][7])
    log, leaf = LogTree(service.ledger.recorder), leaf_hash(entry)
    root, hashes = log.root(size), log.inclusion(position - 1, size)
    tree.check_inclusion(leaf, position - 1, size, hashes, root)
    return Inclusion(
        position=position,
        size=size,
        entry=_text(entry),
        leaf=_text(leaf),
        root=_text(root),
        hashes=_texts(hashes),
    )


@router.get("/proofs/consistency", responses=document(400, 404, 421, 503))
def consistency(
    service: ServiceOf,
    first: Annotated[int, Query(ge=1, le=MOST, description="The size of the earlier checkpoint.")],
    second: Size = None,
) -> Consistency:
    """The proof that the log only grew from one checkpoint to a later one."""
    second = _size(service, second)
    if first > second:
        raise BadRequest(
            f"the later checkpoint has {count_text(second, 'event')} and the earlier one {first}; exchange them"
        )
    log = LogTree(service.ledger.recorder)
    roots, hashes = (log.root(first), log.root(second)), log.consistency(first, second)
    tree.check_consistency(first, roots[0], second, roots[1], hashes)
    return Consistency(
        first=first,
        second=second,
        first_root=_text(roots[0]),
        second_root=_text(roots[1]),
        hashes=_texts(hashes),
    )


def _size(service: Service, size: int | None) -> int:
    """The size asked for, or that of the log as it is. Raises `NotFound` for more events than there are."""
    head = service.ledger.head().position
    if head == 0 or (size or 0) > head:
        raise NotFound(f"the log has {count_text(head, 'event')}; there is no proof about {size or 'an empty log'}")
    return size or head


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [_text(each) for each in hashes]
