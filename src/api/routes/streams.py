"""`/v1/streams/{stream}`: one thing's life, as it was known at a date."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, Field

from api.openapi import ETAG
from api.problems import document
from api.queries import KNOWN_ONLY
from api.service import ServiceOf
from api.texts import language_asked, locale_for
from ledger.errors import NotFound, Refused
from ledger.history import visible
from ledger.kinds import kind_of
from ledger.plain import plain_events
from ledger.story import told
from ledger.times import format_instant

router = APIRouter(prefix="/v1", tags=["streams"])

_ENTRY = {
    "position": 5120,
    "version": 8,
    "type": "deal.stage_changed",
    "effective_at": "2026-03-31T16:00:00.000000Z",
    "recorded_at": "2026-04-02T08:12:30.000000Z",
    "appended_at": "2026-04-02T08:12:30.000000Z",
    "actor": "local",
    "title": "Moved to another stage",
    "text": "Moved from Qualification to Offer",
    "late": "recorded 2 days later",
    "changes": [
        {
            "field": "stage",
            "before": "Qualification",
            "after": "Offer",
            "text": "stage: Qualification → Offer",
            "in_sentence": True,
        }
    ],
    "data": {"stage": "offer"},
}


class History(BaseModel):
    """What was visible of a stream at a pair of dates, in order of effect, and the same as people read it.

    `version` is the stream's own, now. An event's `corrected_by` is the position of the correction in force. `life`
    also has what was retracted, and the retractions and corrections themselves: its `text` and `changes` are written in
    the answer's language.
    """

    stream: str = Field(examples=["deal-1042"])
    name: str | None = Field(examples=["New boilers"])
    version: int = Field(examples=[8])
    as_of: str = Field(examples=["2026-03-31T21:59:59.999999Z"])
    known_at: str = Field(examples=["2026-03-31T21:59:59.999999Z"])
    events: list[dict[str, Any]]
    life: list[dict[str, Any]] = Field(examples=[[_ENTRY]])


@router.get(
    "/streams/{stream}",
    dependencies=[KNOWN_ONLY],
    responses=document(400, 404, 421, 503) | {200: {"headers": ETAG}},
)
def stream_history(
    service: ServiceOf,
    response: Response,
    stream: Annotated[str, Path(max_length=100, examples=["deal-1042"])],
    *,
    as_of: Annotated[str | None, Query(max_length=40, description="Date or instant; now by default.")] = None,
    known_at: Annotated[
        str | None, Query(max_length=40, description="What was known when; `as_of` by default, `now` for all.")
    ] = None,
    lang: Annotated[
        str | None, Query(max_length=20, description="fr or en; else as Accept-Language or the book says.")
    ] = None,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
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
    book = service.book
    language = language_asked(lang, accept_language, book.locale)
    story = told(
        service.ledger,
        events,
        as_of=pair.as_of,
        known_at=pair.known_at,
        time_zone=book.time_zone,
        locale=locale_for(language, book.locale),
    )
    response.headers["Content-Language"], response.headers["Vary"] = language, "Accept-Language"
    return History(
        stream=stream,
        name=story.name,
        version=len(events),
        as_of=format_instant(pair.as_of),
        known_at=format_instant(pair.known_at),
        events=plain,
        life=msgspec.to_builtins(story.life),
    )
