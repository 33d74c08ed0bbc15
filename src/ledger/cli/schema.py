"""`sales-ledger schema`: what may be said, as JSON Schema for programs or as a page for people."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from ledger.errors import NotFound


class Format(StrEnum):
    JSON = "json"
    MARKDOWN = "markdown"


def schema(
    type_: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", help="One event type, as deal.won; all of them if left out.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="json: JSON Schema of an event line; markdown: the catalogue.")
    ] = Format.JSON,
    history: Annotated[
        bool, typer.Option("--history", help="With the fields that only imported history may claim (json).")
    ] = False,
) -> None:
    """Describe the event lines: their fields, rules and an example each."""
    from ledger import catalogue
    from ledger.events import EVENTS
    from ledger.schema import line_schema, lines_schema

    event = None if type_ is None else EVENTS.get(type_)
    if type_ is not None and event is None:
        raise NotFound(f"there is no event type {type_[:60]!r}; {catalogue.COMMAND} lists what there is")
    if form is Format.MARKDOWN:
        typer.echo(catalogue.page() if event is None else catalogue.entry(event), nl=False)
    else:
        found = lines_schema(history=history) if event is None else line_schema(event, history=history)
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
