"""`/v1/reports`: the catalogue, any report at any pair of dates, and what is behind each figure."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.accepting import best
from api.lines import page_of_lines
from api.problems import document
from api.queries import KNOWN_ONLY
from api.service import Service, ServiceOf
from api.texts import language_asked
from ledger.errors import BadRequest
from projections.exports import FORMATS, check_format, export, file_name
from projections.exports import language as language_of
from projections.reports import PARAMETERS, REPORTS, answer, choices, explain, find

MAX_LINES = 5_000
MAX_PAGE = 500
MAX_PARAMETERS = 30

router = APIRouter(prefix="/v1", tags=["reports"])

Lang = Annotated[str | None, Query(max_length=20, description="fr or en; else as Accept-Language says.")]
Name = Annotated[str, Path(json_schema_extra={"enum": [each.name for each in REPORTS]})]
Form = Annotated[
    str | None,
    Query(
        alias="format",
        json_schema_extra={"enum": list(FORMATS)},
        description="How to write it; else as Accept says, JSON by default.",
    ),
]
Locale = Annotated[
    str | None,
    Query(
        max_length=20,
        examples=["fr"],
        description="With csv: as spreadsheets of that country open it, its separators and headings; fr, en, fr-CH.",
    ),
]
Accept = Annotated[str | None, Header(include_in_schema=False)]
AcceptLanguage = Annotated[str | None, Header(include_in_schema=False)]


class Parameter(BaseModel):
    """One parameter of a report; `choices` are all it may be, its default first, empty when it is not a choice."""

    name: str
    description: str
    example: str
    choices: list[str]


class Definition(BaseModel):
    """What a report means, where it comes from and what it takes."""

    name: str = Field(examples=["forecast"])
    title: str
    description: str
    formula: str
    source: str
    columns: list[str]
    dimensions: list[str]
    parameters: list[Parameter]


class Catalogue(BaseModel):
    """Every report there is."""

    reports: list[Definition]


def _query(*extra: dict[str, Any]) -> dict[str, Any]:
    """The reports' own parameters, as OpenAPI has them; each report says which of them it takes."""
    shared = [
        {
            "name": each.name,
            "in": "query",
            "required": False,
            "description": each.text.en,
            "schema": {"type": "string", "maxLength": 2_000},
            "example": each.example,
        }
        for each in PARAMETERS.values()
    ]
    return {"parameters": [*shared, *extra]}


_ANSWER = {
    "report": "pipeline",
    "title": "Pipeline",
    "as_of": "2026-09-30T21:59:59.999999Z",
    "known_at": "2026-09-30T21:59:59.999999Z",
    "position": 81_342,
    "generation": 3,
    "parameters": {"as_of": "2026-09-30"},
    "columns": [{"name": "amount_minor", "type": "money", "unit": "EUR", "label": "Amount"}],
    "rows": [{"stage": "proposal", "stage_name": "Proposal", "deals": 12, "amount_minor": 48_200_000}],
    "totals": {"deals": 12, "amount_minor": 48_200_000},
    "notes": [],
}


_FILE = {
    "Content-Disposition": {
        "description": "What to call the file; pictures are shown, the others saved.",
        "schema": {"type": "string"},
        "example": 'attachment; filename="pipeline-2026-09-30.xlsx"',
    },
    "Vary": {"schema": {"type": "string"}},
}


def _answers(example: dict[str, Any], *statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return document(*statuses) | {200: {"description": "OK", "content": content}}


@router.get("/reports", dependencies=[KNOWN_ONLY], responses=document(400, 421))
def catalogue(lang: Lang = None, accept_language: AcceptLanguage = None) -> Catalogue:
    """Every report: what it means, by which formula, from which events."""
    language = language_asked(lang, accept_language, None)
    return Catalogue(
        reports=[
            Definition(
                name=each.name,
                title=each.title.in_(language),
                description=each.description.in_(language),
                formula=each.formula.in_(language),
                source=each.source.in_(language),
                columns=[column.name for column in each.columns],
                dimensions=list(each.dimensions),
                parameters=[
                    Parameter(
                        name=name,
                        description=PARAMETERS[name].text.in_(language),
                        example=PARAMETERS[name].example,
                        choices=list(choices(each, name)),
                    )
                    for name in each.parameters
                ],
            )
            for each in REPORTS
        ]
    )


def _files() -> dict[int | str, dict[str, Any]]:
    """As `_answers`, in every format there is."""
    found = _answers(_ANSWER, 400, 404, 421, 422, 503)
    for form in list(FORMATS.values())[1:]:
        schema = {"type": "string"} if form.text else {"type": "string", "format": "binary"}
        found[200]["content"][form.media_type] = {"schema": schema}
    found[200]["headers"] = _FILE
    return found


@router.get("/reports/{name}", openapi_extra=_query(), responses=_files())
def report(  # noqa: PLR0917 (FastAPI calls it by name)
    name: Name,
    request: Request,
    service: ServiceOf,
    form: Form = None,
    locale: Locale = None,
    lang: Lang = None,
    accept: Accept = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """A report at a pair of dates, as JSON or as a file. Money is in minor units, in columns that end in `_minor`; in
    files for people (xlsx, csv with a locale, pictures) it is in units of its currency.
    """
    find(name)
    form = form or best(accept, {each.media_type: each.name for each in FORMATS.values()})
    check_format(form)
    language = language_asked(lang, accept_language, None) if locale is None else language_of(form, locale)
    params = _params(request, "format", "locale")
    head, now = _caught_up(service, params)
    found = answer(
        service.store,
        name,
        params,
        today=service.today(now),
        lang=language,
        ledger=service.ledger,
        head=head,
        now=now,
    )
    content = export(found, form, lang=language, time_zone=service.time_zone, locale=locale)
    how = "inline" if FORMATS[form].shown or form == "json" else "attachment"
    headers = {
        "Content-Disposition": f'{how}; filename="{file_name(found, form)}"',
        "Vary": "Accept, Accept-Language",
    }
    return Response(content, media_type=FORMATS[form].media_type, headers=headers)


_EXPLANATION = {
    "report": "forecast",
    "cell": {"month": "2026-11"},
    "figures": {"deals": 12, "amount_minor": 48_200_000},
    "lines": [{"stream": "deal-1042", "title": "Renewal", "figures": {"amount_minor": 4_250_000}, "events": {}}],
    "total": 12,
    "more": 11,
}


@router.get(
    "/reports/{name}/explain", openapi_extra=_query(), responses=_answers(_EXPLANATION, 400, 404, 421, 422, 503)
)
def explanation(  # noqa: PLR0917 (FastAPI calls it by name)
    name: Name,
    request: Request,
    service: ServiceOf,
    cell: Annotated[str, Query(max_length=2_000, description="The figure: dimension=value, separated by commas.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_LINES)] = 0,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """The lines behind a figure, largest first, each with the positions of the events it stands on.

    Of more than 5,000 lines the first 5,000 by stream are listed; `figures` is the whole cell all the same.
    """
    find(name)
    params = _params(request, "cell", "limit", "offset")
    _, now = _caught_up(service, params)
    language = language_asked(lang, accept_language, None)
    found = explain(
        service.store,
        service.ledger,
        name,
        params,
        _cell(cell),
        today=service.today(now),
        lang=language,
        now=now,
        limit=MAX_LINES,
    )
    return Response(page_of_lines(service, found, offset, limit, language), media_type="application/json")


def _params(request: Request, *ours: str) -> dict[str, str]:
    """The report's own parameters, each said once. Raises `BadRequest`."""
    given = request.query_params.multi_items()
    if len(given) > MAX_PARAMETERS:
        raise BadRequest(f"{len(given)} parameters are too many; send at most {MAX_PARAMETERS}")
    params: dict[str, str] = {}
    for name, value in given:
        if name in params:
            raise BadRequest(f"{name[:40]!r} is said twice; separate several values by commas")
        if name != "lang" and name not in ours:
            params[name] = value
    return params


def _caught_up(service: Service, params: dict[str, str]) -> tuple[int, int]:
    """The log's head and time now, once the read store has what the question could touch. Raises `BadRequest`."""
    pair = service.pair(params.get("as_of") or None, params.get("known_at") or None)
    return service.caught_up(pair.known_at).head, service.ledger.now()


def _cell(text: str) -> dict[str, str | None]:
    """`month=2026-11,stage=offer`; nothing after the sign means rows without one. Raises `BadRequest`."""
    cell: dict[str, str | None] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals or name in cell:
            raise BadRequest("cell takes dimension=value, separated by commas, each dimension once")
        cell[name] = value or None
    return cell
