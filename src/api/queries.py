"""What a route may be asked: its own parameters, and no others."""

from __future__ import annotations

from fastapi import Depends, Request

from ledger.errors import BadRequest


def _known_only(request: Request) -> None:
    route = request.scope["route"]
    known = [each.alias for each in route.dependant.query_params]
    for name in request.query_params:
        if name not in known:
            raise BadRequest(f"{route.path} does not take {name[:40]!r}; it takes {', '.join(known)}")


KNOWN_ONLY = Depends(_known_only)
"""Of a route: a parameter that it does not know is a mistake, and answered with 400."""
