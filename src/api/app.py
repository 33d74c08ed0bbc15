"""The application: `create_app(settings)` opens the ledger, and its lifespan runs the folds."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import FastAPI

from api import openapi, problems
from api.guard import Guard, check_host
from api.heads import Heads
from api.routes import commands, dashboard, events, health, proofs, reports, streams
from api.service import Service
from projections.runner import Runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ledger.settings import Settings

DESCRIPTION = """An append-only ledger of selling, and its reports as of any past date.

Every report takes `as_of`, the business date in question, and `known_at`, what the company knew by then.
Errors are problem documents (RFC 9457) with a stable `type`."""


def create_app(settings: Settings) -> FastAPI:
    """The service over one book. Raises `BadRequest` for a host that is not loopback, `DatabaseUnusable`."""
    check_host(settings.host)
    service = Service.open(settings)
    app = FastAPI(
        title="Sales ledger",
        version=version("sales-ledger"),
        description=DESCRIPTION,
        lifespan=_lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # FastAPI's pages load scripts from third parties
        redoc_url=None,
    )
    app.state.service = service
    app.add_middleware(Guard, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(Heads)
    routers = [routes.router for routes in (events, reports, streams, commands, proofs, health, dashboard)]
    problems.install(app, routers)
    for router in routers:
        app.include_router(router)
    openapi.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    stop = threading.Event()
    runner = threading.Thread(
        target=Runner(service.ledger, service.store).run, args=(stop,), name="runner", daemon=True
    )
    runner.start()
    try:
        yield
    finally:
        stop.set()
        runner.join(timeout=10)
        service.ledger.close()
