"""Request bodies as bytes that are JSON, before anybody asks what they say."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.exceptions import HTTPException

from ledger.errors import BadRequest

if TYPE_CHECKING:
    from fastapi import Request

JSON = "application/json"

Body = TypeVar("Body")


async def read_body(request: Request, *, empty: bytes | None = None) -> bytes:
    """The body of a request that says it is JSON; `empty` stands for one without any. Raises `HTTPException` (415)."""
    said = request.headers.get("content-type")
    if said is None and empty is not None:
        return await request.body() or empty
    if (said or "").partition(";")[0].strip().lower() != JSON:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the body as {JSON}")
    return await request.body() or empty or b""


def decoded(body: bytes, kind: type[Body], called: str) -> Body:
    """The outermost level of a body. Raises `BadRequest`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadRequest(f"the body is not {called} in UTF-8") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
