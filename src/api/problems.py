"""Errors as RFC 9457 problem documents, in the language asked for. The one place where refusals meet HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection

from api.texts import language_for
from ledger.errors import (
    BadRequest,
    Conflict,
    DatabaseFailed,
    DatabaseUnusable,
    KeyReused,
    LedgerError,
    NotFound,
    NotProven,
    Refused,
    UnreadableEvent,
)
from ledger.in_french import NO_BREAK, in_language

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:sales-ledger:problem:"

STATUS: dict[type[LedgerError], tuple[HTTPStatus, str]] = {
    BadRequest: (HTTPStatus.BAD_REQUEST, "The question cannot be answered as asked"),
    NotFound: (HTTPStatus.NOT_FOUND, "There is no such thing"),
    Conflict: (HTTPStatus.CONFLICT, "The stream has moved on"),
    Refused: (HTTPStatus.UNPROCESSABLE_ENTITY, "The ledger refuses the event"),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "The idempotency key came with another body"),
    UnreadableEvent: (HTTPStatus.INTERNAL_SERVER_ERROR, "A stored event cannot be read"),
    NotProven: (HTTPStatus.INTERNAL_SERVER_ERROR, "What is stored is not what was stored"),
    DatabaseUnusable: (HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be used"),
}
"""Status and title of each kind of refusal; the problem's type is its `code`."""

_logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong (RFC 9457). `type` is stable; `detail` is for people and says what to do."""

    type: str = Field(examples=[f"{TYPE_PREFIX}closed_deal"])
    title: str = Field(examples=["The ledger refuses the event"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["line 2: deal-1042 is won since 2026-03-31; reopen it first"])


def problem(
    request: HTTPConnection, status: int, code: str, title: str, *details: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """One problem document as an answer: what is wrong, one thing or several.

    It speaks the language that the request asks for, with `lang` or else `Accept-Language`; English where that is none
    of ours.
    """
    lang = language_for(request.query_params.get("lang"), request.headers.get("accept-language"), None)
    semicolon = f"{NO_BREAK}; " if lang == "fr" else "; "
    body = {
        "type": TYPE_PREFIX + code,
        "title": in_language(title, lang),
        "status": status,
        "detail": semicolon.join(in_language(each, lang) for each in details),
    }
    ours = {"Content-Language": lang, "Vary": "Accept-Language"}
    return JSONResponse(body, status, ours | dict(headers or {}), MEDIA_TYPE)


def document(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that may answer with these problems, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Turn every error of the app, whose routes these routers have, into a problem document."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def of_http(request: Request, error: Exception) -> JSONResponse:
        answer = _of_http(request, error)
        if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # Starlette names the methods of one route only
            path = request.scope["path"]
            methods = {name for route in routes if route.path_regex.match(path) for name in route.methods or ()}
            methods |= {"HEAD"} if "GET" in methods else set()
            answer.headers["Allow"] = ", ".join(sorted(methods))
        return answer

    app.add_exception_handler(LedgerError, _of_ledger)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(DBAPIError, _of_database)
    app.add_exception_handler(ClientDisconnect, _of_silence)
    app.add_exception_handler(Exception, _of_fault)


def _of_ledger(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LedgerError)
    if isinstance(error, DatabaseFailed):
        return _of_database(request, error)
    status, title = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), STATUS[BadRequest])
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _logger.error("%s: %s", error.code, error)
    return problem(request, status, error.code, title, str(error))


def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()[:5]]
    return problem(request, HTTPStatus.BAD_REQUEST, "bad_request", STATUS[BadRequest][1], *wrong)


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    return problem(request, error.status_code, code, phrase, str(error.detail), headers=error.headers)


def _of_database(request: Request, error: Exception) -> JSONResponse:
    _logger.error("the database failed: %s", error)
    status, title = STATUS[DatabaseUnusable]
    detail = (
        "the database did not answer, and the service's log says why; try again in a moment, what was to be stored with"
        " its Idempotency-Key"
    )
    return problem(request, status, DatabaseUnusable.code, title, detail, headers={"Retry-After": "2"})


def _of_silence(request: Request, _: object) -> JSONResponse:
    """For a client that left before it had said all: nothing was stored, and nobody hears this."""
    status = HTTPStatus.BAD_REQUEST
    detail = "the request broke off; nothing was stored; send it again"
    return problem(request, status, "disconnected", status.phrase, detail)


def _of_fault(request: Request, error: Exception) -> JSONResponse:
    _logger.error("a fault of ours", exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(request, status, "fault", status.phrase, "this is a fault of the service; its log says more")
