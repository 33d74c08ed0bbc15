"""The service's description of itself: what FastAPI finds in the routes, and the schemas that come from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.commands import body_schema, events
from api.problems import Problem
from ledger.schema import any_line_schema, parts_of

if TYPE_CHECKING:
    from fastapi import FastAPI

PARTS = "#/components/schemas/"
ETAG = {
    "ETag": {
        "description": "The stream's version, for If-Match: what it says also depends on dates, language and erasures.",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    }
}


def install(app: FastAPI) -> None:
    """Complete the app's OpenAPI document, once it is asked for."""
    found = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(found())
        return found()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    ours = {"Problem": Problem.model_json_schema(), "EventLine": any_line_schema()}
    for event, _ in events():
        ours |= {event.__name__: body_schema(event, PARTS)} | parts_of(event, PARTS)
    assert ours.keys().isdisjoint(schemas), "a schema of the ledger has the name of another of ours"
    schemas |= ours
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        if "HTTPValidationError" in str(operation["responses"].get("422")):  # problems.install turns these into 400
            del operation["responses"]["422"]
