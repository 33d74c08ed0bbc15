"""What every request passes before it reaches a route: who it is addressed to, how large it is, who sent the browser.

The service has no access control yet, so it answers loopback only. A web page elsewhere must not reach it through its
visitor's browser either: not by a name that it points at 127.0.0.1 (DNS rebinding), not by a form (CSRF).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from starlette.requests import HTTPConnection

from api.problems import STATUS, problem
from ledger.errors import BadRequest

if TYPE_CHECKING:
    from fastapi.responses import JSONResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BAD_REQUEST = STATUS[BadRequest][0], BadRequest.code, STATUS[BadRequest][1]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def check_host(host: str) -> None:
    """Raises `BadRequest` for an address that others can reach."""
    if host not in LOOPBACK:
        raise BadRequest(
            f"refusing to listen on {host}: there is no access control yet, so anybody who reaches it could read and "
            "write the ledger; use 127.0.0.1, and a tunnel such as ssh -L from elsewhere"
        )


class Guard:
    """ASGI middleware: refuses what is not addressed to this machine or too large, and adds the security headers."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        received = 0
        started = False

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise _TooLarge
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send_guarded(message)

        try:
            await self._app(scope, receive_counted, send_noted)
        except _TooLarge:
            if not started:
                await self._too_large(HTTPConnection(scope))(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        request = HTTPConnection(scope)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if _parts_of(f"//{headers.get(b'host', '')}").hostname not in LOOPBACK:
            detail = "the Host header does not name this machine; use http://127.0.0.1 or http://localhost"
            title = "Not addressed to this service"
            return problem(request, HTTPStatus.MISDIRECTED_REQUEST, "host_not_allowed", title, detail)
        if scope["method"] not in _SAFE and _from_elsewhere(headers):
            detail = "a page of another site may not write to the ledger"
            return problem(request, HTTPStatus.FORBIDDEN, "cross_site", "Sent by another site", detail)
        if b"%00" in scope["query_string"]:
            detail = "the query holds a NUL character, which no text here has; leave out %00"
            return problem(request, *_BAD_REQUEST, detail)
        length = headers.get(b"content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._max_body_bytes:
            return self._too_large(request)
        return None

    def _too_large(self, request: HTTPConnection) -> JSONResponse:
        detail = f"a request body holds at most {self._max_body_bytes} bytes; send it in parts"
        return problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is too large", detail)


class _TooLarge(Exception):
    """The body went past the limit while it was read."""


def _parts_of(url: str) -> SplitResult:
    """None of them, of what is no address."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _from_elsewhere(headers: dict[bytes, str]) -> bool:
    if headers.get(b"sec-fetch-site", "none") not in {"same-origin", "none"}:
        return True
    origin = headers.get(b"origin")
    return origin is not None and origin.partition("://")[2] != headers.get(b"host")  # an origin has no path
