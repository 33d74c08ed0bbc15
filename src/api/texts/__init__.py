"""What the pages say, in French and English: one catalogue file per language, the same keys in each."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, get_args

from babel import Locale, UnknownLocaleError, negotiate_locale

from api.accepting import by_quality
from ledger.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_LOCALES: dict[Language, str] = {"fr": "fr_FR", "en": "en_GB"}


@cache
def texts(language: Language) -> dict[str, Any]:
    """The whole catalogue of a language, as nested tables."""
    return tomllib.loads(files(__package__).joinpath(f"{language}.toml").read_text("utf-8"))


def language_for(asked: str | None, accepted: str | None, book_locale: str | None) -> Language:
    """The language of a page: the one asked for, else the browser's best, else the book's, else English.

    `accepted` is an `Accept-Language` header.

    >>> language_for(None, "de, fr-CA;q=0.8, en;q=0.5", "en_US")
    'fr'
    """
    for preferred in ([asked or ""], by_quality(accepted or ""), [book_locale or ""]):
        if (language := _spoken(preferred)) is not None:
            return language
    return "en"


def language_asked(asked: str | None, accepted: str | None, book_locale: str | None) -> Language:
    """As `language_for`, for a program: it is told where what it asks for is not spoken. Raises `BadRequest`."""
    if asked and _spoken([asked]) is None:
        raise BadRequest(f"unknown language {asked!r}; write {' or '.join(LANGUAGES)}")
    return language_for(asked, accepted, book_locale)


def _spoken(preferred: Iterable[str]) -> Language | None:
    chosen = negotiate_locale([each.replace("-", "_") for each in preferred if each], LANGUAGES)
    return next((language for language in LANGUAGES if language == chosen), None)


def locale_for(language: Language, book_locale: str | None) -> Locale:
    """The book's own locale where it speaks the page's language (en-US, fr-CA), else that language at home."""
    try:
        own = Locale.parse((book_locale or "").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        own = None
    return own if own is not None and own.language == language else Locale.parse(_LOCALES[language])
