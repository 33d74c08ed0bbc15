"""`/v1/events`: append event lines, and read the log by position."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.problems import document
from api.service import ServiceOf
from ledger.errors import BadRequest
from ledger.plain import plain_events

MAX_LINES = 5_000
MAX_PAGE = 1_000
MAX_POSITION = 2**53

_KEY = re.compile(r'"([ !#-\[\]-~]{1,200})"|([!#-~]{1,200})')

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


class EventLine(BaseModel, extra="forbid"):
    """What happened, to what, and when; the ledger decides whether it may be."""

    stream: str = Field(description="The thing it happened to: `deal-1042`, `book`.")
    type: str = Field(description="What happened, as in the list of events.")
    data: dict[str, Any] = Field(default={}, description="The event's own fields.")
    effective_at: str | None = Field(default=None, description="Date or instant it was true; now when left out.")
    expected_version: int | None = Field(default=None, description="Refused with 409 if the stream has another.")
    key: str | None = Field(default=None, description="Makes this line repeatable without effect.")


class Receipt(BaseModel):
    """Where a line's event stands in the log; `appended` is false when it was there already."""

    stream: str
    version: int
    position: int
    appended: bool


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
        "application/json": {
            "schema": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_LINES,
                "items": EventLine.model_json_schema(),
            },
            "example": _EXAMPLE,
        }
    },
}


@router.post(
    "/events",
    status_code=HTTPStatus.CREATED,
    responses=document(400, 403, 409, 413, 415, 421, 422, 503),
    openapi_extra={"requestBody": _BODY},
)
async def append(
    request: Request,
    service: ServiceOf,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="A quoted string; the same key and body again give the first answer.", examples=['"8f14e4"']
        ),
    ] = None,
) -> Receipts:
    """Append event lines, all or nothing: each is decided by its stream's rules, in order."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send a JSON array as application/json")
    lines = _lines(await request.body())
    key = None if idempotency_key is None else _key(idempotency_key)
    receipts = await run_in_threadpool(service.ledger.append, lines, actor=service.settings.actor, key=key)
    return Receipts(receipts=[Receipt.model_validate(each, from_attributes=True) for each in receipts])


@router.get("/events", responses=document(400, 421, 503))
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
    try:
        lines = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadRequest("the body is not a JSON array of event lines in UTF-8") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    if not 1 <= len(lines) <= MAX_LINES:
        raise BadRequest(f"the body holds {len(lines)} lines; send 1 to {MAX_LINES}")
    return [bytes(line) for line in lines]


def _key(header: str) -> str:
    match = _KEY.fullmatch(header)
    if match is None:
        raise BadRequest('Idempotency-Key takes a quoted string of 1 to 200 characters, such as "8f14e4"')
    return match[1] or match[2]
