"""`sales-ledger serve`: API, dashboard and the runner that keeps the read store up to date."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.common import Book, Database, settings_with
from ledger.cli.failures import WrongUse

if TYPE_CHECKING:
    from types import FrameType

    from ledger.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Host = Annotated[
    str | None, typer.Option("--host", show_default=False, help="Address to listen on [LEDGER_HOST, or 127.0.0.1]")
]
Port = Annotated[
    int | None, typer.Option("--port", show_default=False, help="Port to listen on [LEDGER_PORT, or 8000]")
]


def serve(host: Host = None, port: Port = None, database: Database = None, book: Book = None) -> None:
    """Serve the API and the dashboard. New events are folded in as they come."""
    run_service(settings_with(database_url=database, book=book, host=host, port=port))


def run_service(settings: Settings) -> None:
    """Serve until interrupted. Raises `WrongUse` for an address that is not this machine's own or not free."""
    if settings.host not in LOOPBACK:
        raise WrongUse(f"--host {settings.host}: there is no access control yet, so only 127.0.0.1 is served")
    import uvicorn

    from api import create_app

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit:  # asked twice: what is cut short now is no fault, and would be logged as one
                logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
            super().handle_exit(sig, frame)

    with _listening(settings) as listener:
        config = uvicorn.Config(create_app(settings), log_level="warning", access_log=False)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        typer.echo(f"Serving http://{host}:{listener.getsockname()[1]}/ (stop with Ctrl-C)")
        with suppress(KeyboardInterrupt):
            Server(config).run(sockets=[listener])


def _listening(settings: Settings) -> socket.socket:
    """Listening before anything is said, so that the address printed is one that answers."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen()
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise WrongUse(f"cannot listen on port {settings.port}: {reason}; choose another with --port") from None
    return listener
