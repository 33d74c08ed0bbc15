"""`/`: the forecast at any date, as a page; and the files it needs, all of them ours."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import jinja2
import vl_convert
from fastapi import APIRouter, Header, Query
from fastapi.responses import HTMLResponse, Response

from api import charts
from api.overview import overview
from api.service import ServiceOf
from api.texts import LANGUAGES, language_for, locale_for, texts
from ledger import catalogue
from ledger.errors import NotFound
from ledger.money import decimals

if TYPE_CHECKING:
    from babel import Locale

    from api.overview import Overview
    from api.texts import Language

router = APIRouter(include_in_schema=False)

_HERE = Path(__file__).parents[1]
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_VEGA = "vega.js"
_FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/")
def dashboard(
    service: ServiceOf,
    lang: Annotated[str | None, Query(max_length=20)] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    """The page, in the language asked for; its figures come from `/v1/reports` once it is open."""
    service.caught_up()
    with service.store.view() as view:
        book = overview(view, service.ledger.now())
    language = language_for(lang, accept_language, book.locale)
    locale = locale_for(language, book.locale)
    template = _templates().get_template("dashboard.html")
    html = template.render(
        say=texts(language),
        language=language,
        languages=[(code, texts(code)["language"]) for code in LANGUAGES],
        locale_tag=str(locale).replace("_", "-"),
        book=book,
        page=_page(book, language, locale) if book.first else None,
        begun=service.ledger.head().position > 0,
        where=f"--database URL --book {service.ledger.book}",
        build=_build(),
    )
    return HTMLResponse(html, headers={"Cache-Control": "no-store", "Vary": "Accept-Language"})


@router.get("/events.md")
def events() -> Response:
    """The catalogue of events, as a page of text."""
    return Response(_catalogue(), media_type="text/plain; charset=utf-8")


@router.get("/static/{build}/{name}")
def static(build: str, name: str) -> Response:
    """Our style sheet and modules, and Vega. The build is part of the path, so that files of two never mix."""
    if name == _VEGA:
        content, kind = _vega(), ".js"
    elif name in _files():
        content, kind = _files()[name], Path(name).suffix
    else:
        raise NotFound(f"there is no file {name[:40]!r}; reload the page")
    caching = _FOR_GOOD if build == _build() else "no-store"
    return Response(content, media_type=_MEDIA_TYPES[kind], headers={"Cache-Control": caching})


def _page(book: Overview, language: Language, locale: Locale) -> dict[str, Any]:
    """What the page's script works with."""
    assert book.first is not None
    return {
        "language": language,
        "say": texts(language),
        "locale": str(locale).replace("_", "-"),
        "charts": _charts(),
        "book": {
            "currency": book.currency,
            "time_zone": book.time_zone,
            "fiscal_year_start_month": book.fiscal_year_start_month,
        },
        "decimals": _decimals(),
        "history": {
            "first": book.first.isoformat(),
            "today": book.today.isoformat(),
            "stages": [{"stage": each.stage, "name": each.name} for each in book.stages],
        },
    }


_catalogue = cache(catalogue.page)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _charts() -> dict[str, Any]:
    return {"upright": charts.forecast(), "lying": charts.forecast(lying=True)}


@cache
def _vega() -> bytes:
    """Vega with its compiler and embedder as one module, bundled from the installed wheel; nothing is fetched.

    Bundling takes a second or two, so it happens once, when the first page asks.
    """
    return str(vl_convert.javascript_bundle("export { vegaEmbed };")).encode()


@cache
def _files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (_HERE / "static").iterdir() if path.suffix in _MEDIA_TYPES}


@cache
def _decimals() -> dict[str, int]:
    """Currencies that do not have two decimals."""
    from babel.core import get_global  # noqa: PLC0415 (babel is slow to import)

    return {code: decimals(code) for code in get_global("all_currencies") if decimals(code) != 2}


@cache
def _build() -> str:
    """Changes with the files, so that a browser never mixes two versions of them."""
    digest = hashlib.sha256(version("vl-convert-python").encode())
    for name, content in sorted(_files().items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()[:12]
