"""Whose an objective or forecast is, as columns hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.events import Scope


def split(scope: Scope) -> tuple[str, str | None]:
    """`scope_kind` and `scope`: company and null, team or person and its id."""
    if scope.team is not None:
        return "team", scope.team
    return ("company", None) if scope.person is None else ("person", scope.person)
