"""`/v1/streams/{stream}`: one thing's life, as it was known at a date."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.openapi import ETAG
from api.problems import document
from api.service import ServiceOf
from ledger.errors import NotFound, Refused
from ledger.history import visible
from ledger.kinds import kind_of
from ledger.plain import plain_events
from ledger.times import format_instant

router = APIRouter(prefix="/v1", tags=["streams"])


class History(BaseModel):
    """What was visible of a stream at a pair of dates, in order of effect.

    `version` is the stream's own, now. An event's `corrected_by` is the position of the correction in force.
    """

    stream: str = Field(examples=["deal-1042"])
    version: int = Field(examples=[8])
    as_of: str = Field(examples=["2026-03-31T21:59:59.999999Z"])
    known_at: str = Field(examples=["2026-03-31T21:59:59.999999Z"])
    events: list[dict[str, Any]]


@router.get("/streams/{stream}", responses=document(400, 404, 421, 503) | {200: {"headers": ETAG}})
def stream_history(
    service: ServiceOf,
    response: Response,
    stream: Annotated[str, Path(max_length=100, examples=["deal-1042"])],
    as_of: Annotated[str | None, Query(max_length=40, description="Date or instant; now by default.")] = None,
    known_at: Annotated[
        str | None, Query(max_length=40, description="What was known when; `as_of` by default, `now` for all.")
    ] = None,
) -> History:
    """The visible events of one stream, corrections applied; the ETag is the stream's version."""
    try:
        kind_of(stream)
    except Refused as refused:
        raise NotFound(str(refused)) from None
    events = service.ledger.stream(stream)
    if not events:
        raise NotFound(f"there is no stream {stream} in this book; look through /v1/events")
    pair = service.pair(as_of, known_at)
    shown = [each for each in visible(events, pair.known_at) if each.effective_at <= pair.as_of]
    response.headers["ETag"] = f'"{len(events)}"'
    by_position = {event.position: event for event in events}
    counted = [
        msgspec.structs.replace(by_position[each.origin], data=each.data, effective_at=each.effective_at)
        for each in shown
    ]
    plain = plain_events(counted, service.ledger)
    for event, each in zip(plain, shown, strict=True):
        if each.position != each.origin:
            event["corrected_by"] = each.position
    return History(
        stream=stream,
        version=len(events),
        as_of=format_instant(pair.as_of),
        known_at=format_instant(pair.known_at),
        events=plain,
    )
