"""The commands: one address per event type, and the event line that a request to it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from api.bodies import decoded
from ledger.checks import PATTERNS
from ledger.errors import NotFound, Refused
from ledger.events import EVENTS, MODIFIERS, Event, Rule
from ledger.examples import EXAMPLES
from ledger.kinds import kind_of_event
from ledger.lines import refuse_duplicate_keys
from ledger.schema import EFFECTIVE_AT, Schema, data_schema, stream_schema, whole

COMMANDS: dict[str, str] = {
    "event.retracted": "/streams/{stream}/events/{version}/retract",
    "event.corrected": "/streams/{stream}/events/{version}/correct",
    "book.opened": "/book/open",
    "book.settings_changed": "/book/change-settings",
    "book.history_closed": "/book/close-history",
    "pipeline.defined": "/pipelines/{id}/define",
    "pipeline.redefined": "/pipelines/{id}/redefine",
    "team.created": "/teams/{id}/create",
    "team.moved": "/teams/{id}/move",
    "team.renamed": "/teams/{id}/rename",
    "team.closed": "/teams/{id}/close",
    "person.joined": "/persons/{id}/join",
    "person.moved": "/persons/{id}/move",
    "person.role_changed": "/persons/{id}/change-role",
    "person.left": "/persons/{id}/leave",
    "product.listed": "/products/{id}/list",
    "product.changed": "/products/{id}/change",
    "product.retired": "/products/{id}/retire",
    "rate.fixed": "/rates/{id}/fix",
    "customer.registered": "/customers/{id}/register",
    "customer.qualified": "/customers/{id}/qualify",
    "customer.reclassified": "/customers/{id}/reclassify",
    "customer.assigned": "/customers/{id}/assign",
    "customer.renamed": "/customers/{id}/rename",
    "customer.churned": "/customers/{id}/churn",
    "customer.reactivated": "/customers/{id}/reactivate",
    "customer.merged": "/customers/{id}/merge",
    "contact.added": "/customers/{id}/add-contact",
    "contact.changed": "/customers/{id}/change-contact",
    "contact.removed": "/customers/{id}/remove-contact",
    "deal.opened": "/deals/{id}/open",
    "deal.stage_changed": "/deals/{id}/change-stage",
    "deal.revalued": "/deals/{id}/revalue",
    "deal.close_date_changed": "/deals/{id}/change-close-date",
    "deal.assigned": "/deals/{id}/assign",
    "deal.probability_set": "/deals/{id}/set-probability",
    "deal.category_set": "/deals/{id}/set-category",
    "deal.reclassified": "/deals/{id}/reclassify",
    "deal.retitled": "/deals/{id}/retitle",
    "deal.won": "/deals/{id}/win",
    "deal.lost": "/deals/{id}/lose",
    "deal.abandoned": "/deals/{id}/abandon",
    "deal.reopened": "/deals/{id}/reopen",
    "deal.merged": "/deals/{id}/merge",
    "deal.invoiced": "/deals/{id}/invoice",
    "deal.delivered": "/deals/{id}/deliver",
    "deal.credited": "/deals/{id}/credit",
    "quote.issued": "/quotes/{id}/issue",
    "quote.revised": "/quotes/{id}/revise",
    "quote.accepted": "/quotes/{id}/accept",
    "quote.declined": "/quotes/{id}/decline",
    "quote.expired": "/quotes/{id}/expire",
    "quote.withdrawn": "/quotes/{id}/withdraw",
    "interaction.logged": "/interactions/{id}/log",
    "interaction.resolved": "/interactions/{id}/resolve",
    "interaction.converted": "/interactions/{id}/convert",
    "task.planned": "/tasks/{id}/plan",
    "task.rescheduled": "/tasks/{id}/reschedule",
    "task.assigned": "/tasks/{id}/assign",
    "task.done": "/tasks/{id}/do",
    "task.cancelled": "/tasks/{id}/cancel",
    "objective.set": "/objectives/{id}/set",
    "objective.revised": "/objectives/{id}/revise",
    "objective.cancelled": "/objectives/{id}/cancel",
    "forecast.submitted": "/calls/{id}/submit",
    "forecast.withdrawn": "/calls/{id}/withdraw",
    "campaign.launched": "/campaigns/{id}/launch",
    "campaign.spent": "/campaigns/{id}/spend",
    "campaign.responses_counted": "/campaigns/{id}/count-responses",
    "campaign.closed": "/campaigns/{id}/close",
    "channel.spent": "/channels/{id}/spend",
    "channel.counted": "/channels/{id}/count",
}
"""Where each event type is said: the things, the thing, and the event's verb as an order. `id` follows the kind of
stream and its dash in the stream's name. `subject.erased` has none: nobody erases but by `sales-ledger erase`."""

_VERSION = re.compile(r"[1-9][0-9]{0,14}")


def stream_of(event: type[Event], path: Mapping[str, Any]) -> str:
    """The stream that a request's path speaks of. Raises `NotFound` for a version that is not a number."""
    if event in MODIFIERS:
        if _VERSION.fullmatch(path["version"]) is None:
            raise NotFound("events of a stream are numbered 1, 2, 3 …; there is none of that name")
        return str(path["stream"])
    kind = kind_of_event(event.TYPE)
    return f"{kind}-{path['id']}" if "id" in path else str(kind)


def line_of(event: type[Event], path: Mapping[str, Any], body: bytes, expected_version: int | None) -> bytes:
    """The event line of a command. What it says is left for the ledger to judge.

    Raises `NotFound`, `BadRequest` where the body is no JSON object, `Refused` where it says a thing twice.
    """
    line: dict[str, Any] = {"stream": stream_of(event, path), "type": event.TYPE}
    if expected_version is not None:
        line["expected_version"] = expected_version
    data = decoded(body, dict[str, msgspec.Raw], "a JSON object")
    refuse_duplicate_keys(body)
    if event in MODIFIERS:
        if "version" in data:
            raise Refused("bad_data", "the version stands in the path; leave it out of the body")
        data["version"] = msgspec.Raw(path["version"].encode())
    elif "effective_at" in data:
        line["effective_at"] = data.pop("effective_at")
    return msgspec.json.encode(line | {"data": data})


def body_schema(event: type[Event], refs: str) -> Schema:
    """What the body of the event type's command may be: its data, and when it was true."""
    schema = data_schema(event, refs)
    if event in MODIFIERS:
        del schema["properties"]["version"]
        schema["required"].remove("version")
    else:
        schema["properties"]["effective_at"] = EFFECTIVE_AT
    return schema


def body_example(event: type[Event]) -> dict[str, Any]:
    """A body that the command takes, for a thing in the state that the event asks for."""
    line = EXAMPLES[event.TYPE]
    if event in MODIFIERS:
        return {name: value for name, value in line.get("data", {}).items() if name != "version"}
    when = {"effective_at": line["effective_at"]} if "effective_at" in line else {}
    return {**line.get("data", {}), **when}


def path_parameters(event: type[Event]) -> list[dict[str, Any]]:
    """The path's blanks as OpenAPI has them, filled in as in the example line."""
    example = EXAMPLES[event.TYPE]
    kind = kind_of_event(event.TYPE)
    blanks: dict[str, tuple[Schema, Any]] = {
        "stream": (stream_schema(None), example["stream"]),
        "version": (
            {"type": "integer", "minimum": 1, "exclusiveMaximum": 10**15},
            example.get("data", {}).get("version"),
        ),
        "id": (
            {"type": "string", "pattern": whole(PATTERNS[Rule.CURRENCY if kind == "rate" else Rule.ID][0].pattern)},
            example["stream"].partition("-")[2],
        ),
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": blanks[name][0], "example": blanks[name][1]}
        for name in re.findall(r"{(\w+)}", COMMANDS[event.TYPE])
    ]


def events() -> list[tuple[type[Event], str]]:
    """Every event type with its path."""
    return [(EVENTS[event_type], path) for event_type, path in COMMANDS.items()]
