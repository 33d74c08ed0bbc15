"""What all requests that append share: their headers, the storing, and the receipts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import Header
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from ledger.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.service import Service

_KEY = re.compile(r'"([ !#-\[\]-~]{1,200})"|([!#-~]{1,200})')
_VERSION = re.compile(r'"(0|[1-9][0-9]{0,14})"')

NEVER = 2**53 - 1
"""A version that no stream has: what a request wants of the stream cannot be."""

IdempotencyKey = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        description="A quoted string; the same key and body again give the first answer.",
        examples=['"8f14e4"'],
        json_schema_extra={"pattern": f"^({_KEY.pattern})$"},
    ),
]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="If-Match",
        description='The stream\'s version as its ETag says it, such as `"7"`; refused with 412 if it has another.',
        json_schema_extra={"pattern": f"^{_VERSION.pattern}$"},
    ),
]
IfNoneMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="If-None-Match",
        description="`*`: refused with 412 if the stream has any events.",
        json_schema_extra={"enum": ["*"]},
    ),
]


class Receipt(BaseModel):
    """Where a line's event stands in the log; `appended` is false when it was there already."""

    stream: str
    version: int
    position: int
    appended: bool


async def store(service: Service, lines: Sequence[bytes], idempotency_key: str | None) -> list[Receipt]:
    """Append these lines, all or none, and say where they are. Raises what `Ledger.append` raises, and `BadRequest`."""
    key = None if idempotency_key is None else _key(idempotency_key)
    receipts = await run_in_threadpool(service.ledger.append, lines, actor=service.settings.actor, key=key)
    return [Receipt.model_validate(each, from_attributes=True) for each in receipts]


def expected_version(if_match: str | None, if_none_match: str | None) -> int | None:
    """The version that a request is conditional on; 0 for a stream without events. Raises `BadRequest`."""
    if if_none_match not in (None, "*"):
        raise BadRequest("If-None-Match takes * alone: the stream must be new")
    if if_match is None:
        return None if if_none_match is None else 0
    match = _VERSION.fullmatch(if_match)
    if match is None:
        raise BadRequest('If-Match takes one version as the ETag says it, such as "7"')
    version = int(match[1])
    return NEVER if version and if_none_match else version


def _key(header: str) -> str:
    match = _KEY.fullmatch(header)
    if match is None:
        raise BadRequest('Idempotency-Key takes a quoted string of 1 to 200 characters, such as "8f14e4"')
    return match[1] or match[2]
