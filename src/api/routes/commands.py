"""One command per decision: `POST /v1/deals/{id}/win` and its like, made from the table in `api.commands`."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.appending import IdempotencyKey, IfMatch, IfNoneMatch, Receipt, expected_version, store
from api.bodies import JSON, read_body
from api.commands import body_example, body_schema, events, line_of, path_parameters
from api.openapi import ETAG, PARTS
from api.problems import document
from api.service import ServiceOf
from ledger.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ledger.events import Event

router = APIRouter(prefix="/v1")

_EXAMPLE = {"stream": "deal-1042", "version": 8, "position": 5120, "appended": True}


def _command(event: type[Event], *, empty: bytes | None) -> Callable[..., Awaitable[Receipt]]:
    async def command(  # noqa: PLR0917 (FastAPI calls it by name)
        request: Request,
        response: Response,
        service: ServiceOf,
        idempotency_key: IdempotencyKey = None,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Receipt:
        expected = expected_version(if_match, if_none_match)
        line = line_of(event, request.path_params, await read_body(request, empty=empty), expected)
        try:
            (receipt,) = await store(service, [line], idempotency_key)
        except Conflict as conflict:
            if expected is None:
                raise
            raise HTTPException(HTTPStatus.PRECONDITION_FAILED, str(conflict)) from None
        response.headers["ETag"] = f'"{receipt.version}"'
        response.status_code = HTTPStatus.CREATED if receipt.appended else HTTPStatus.OK
        return receipt

    return command


def _answer(description: str) -> dict[str, Any]:
    return {
        "model": Receipt,
        "description": description,
        "headers": ETAG,
        "content": {JSON: {"example": _EXAMPLE}},
    }


def _add(event: type[Event], path: str) -> None:
    needs_body = "required" in body_schema(event, PARTS)
    said = inspect.getdoc(event) or ""
    router.add_api_route(
        path,
        _command(event, empty=None if needs_body else b"{}"),
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        operation_id=event.TYPE,
        summary=path.rpartition("/")[2].replace("-", " ").capitalize(),
        description=f"{said}\n\nAppends `{event.TYPE}`.",
        tags=[path.split("/")[1]],
        response_description="Appended; the ETag is the stream's new version.",
        responses=document(400, 403, 404, 409, 412, 413, 415, 421, 422, 503)
        | {
            HTTPStatus.CREATED: _answer("Appended; the ETag is the stream's new version."),
            HTTPStatus.OK: _answer("It was already so; nothing was appended."),
        },
        openapi_extra={
            "parameters": path_parameters(event),
            "requestBody": {
                "required": needs_body,
                "content": {JSON: {"schema": {"$ref": PARTS + event.__name__}, "example": body_example(event)}},
            },
        },
    )


for _event, _path in events():
    _add(_event, _path)
