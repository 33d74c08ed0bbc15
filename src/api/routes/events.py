"""`/v1/events`: append event lines, and read the log by position."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.appending import IdempotencyKey, Receipt, store
from api.bodies import JSON, decoded, read_body
from api.openapi import PARTS
from api.problems import document
from api.queries import KNOWN_ONLY
from api.service import ServiceOf
from ledger.errors import BadRequest
from ledger.plain import plain_events

MAX_LINES = 5_000
MAX_PAGE = 1_000
MAX_POSITION = 2**53

router = APIRouter(prefix="/v1", tags=["events"])

_EXAMPLE = [
    {
        "stream": "deal-1042",
        "type": "deal.won",
        "effective_at": "2026-03-31T16:00:00Z",
        "data": {"value": {"minor": 125_000, "currency": "EUR"}},
        "expected_version": 7,
    }
]
_EVENT = {
    "position": 5120,
    "stream": "deal-1042",
    "version": 8,
    "type": "deal.won",
    "effective_at": "2026-03-31T16:00:00.000000Z",
    "recorded_at": "2026-04-01T08:12:30.000000Z",
    "appended_at": "2026-04-01T08:12:30.000000Z",
    "actor": "local",
    "data": {"value": {"minor": 125_000, "currency": "EUR"}},
}


class Receipts(BaseModel):
    """One receipt for each line, in their order."""

    receipts: list[Receipt] = Field(
        examples=[[{"stream": "deal-1042", "version": 8, "position": 5120, "appended": True}]]
    )


class Page(BaseModel):
    """A page of the log. Ask again with `after=next` until it is null."""

    events: list[dict[str, Any]] = Field(examples=[[_EVENT]])
    next: int | None = Field(description="Position to go on after; null at the end of what there is.", examples=[5120])
    head: int = Field(description="Position of the log's last event when it was read.", examples=[81_342])


_BODY = {
    "required": True,
    "content": {
        JSON: {
            "schema": {"type": "array", "minItems": 1, "maxItems": MAX_LINES, "items": {"$ref": f"{PARTS}EventLine"}},
            "example": _EXAMPLE,
        }
    },
}


@router.post(
    "/events",
    status_code=HTTPStatus.CREATED,
    response_description="Appended.",
    responses=document(400, 403, 409, 413, 415, 421, 422, 503)
    | {HTTPStatus.OK: {"model": Receipts, "description": "It was all so already; nothing was appended."}},
    openapi_extra={"requestBody": _BODY},
)
async def append(
    request: Request, response: Response, service: ServiceOf, idempotency_key: IdempotencyKey = None
) -> Receipts:
    """Append event lines, all or nothing: each is decided by its stream's rules, in order."""
    lines = _lines(await read_body(request))
    receipts = await store(service, lines, idempotency_key)
    appended = any(each.appended for each in receipts)
    response.status_code = HTTPStatus.CREATED if appended else HTTPStatus.OK
    return Receipts(receipts=receipts)


@router.get("/events", dependencies=[KNOWN_ONLY], responses=document(400, 421, 503))
def read(
    service: ServiceOf,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION, description="Only positions beyond this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    stream: Annotated[str | None, Query(max_length=100, examples=["deal-1042"])] = None,
    type: Annotated[str | None, Query(max_length=60, examples=["deal.won"])] = None,  # noqa: A002 (the contract's word)
) -> Page:
    """The log from a position on, in order, sealed values put back."""
    head = service.ledger.head().position
    found = service.ledger.feed(after, limit + 1, stream=stream, type=type)
    page = found[:limit]
    return Page(
        events=plain_events(page, service.ledger), next=page[-1].position if len(found) > limit else None, head=head
    )


def _lines(body: bytes) -> list[bytes]:
    """The lines as they were sent: the ledger itself reads them, and so meets keys that come twice."""
    lines = decoded(body, list[msgspec.Raw], "a JSON array of event lines")
    if not 1 <= len(lines) <= MAX_LINES:
        raise BadRequest(f"the body holds {len(lines)} lines; send 1 to {MAX_LINES}")
    return [bytes(line) for line in lines]
