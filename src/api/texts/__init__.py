"""What the pages say, in French and English: one catalogue file per language, the same keys in each."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from babel import Locale, UnknownLocaleError, negotiate_locale

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
    for preferred in ([asked or ""], _by_quality(accepted or ""), [book_locale or ""]):
        chosen = negotiate_locale([each.replace("-", "_") for each in preferred if each], LANGUAGES)
        for language in LANGUAGES:
            if chosen == language:
                return language
    return "en"


def locale_for(language: Language, book_locale: str | None) -> Locale:
    """The book's own locale where it speaks the page's language (en-US, fr-CA), else that language at home."""
    try:
        own = Locale.parse((book_locale or "").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        own = None
    return own if own is not None and own.language == language else Locale.parse(_LOCALES[language])


def _by_quality(header: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        name, _, quality = parameters.strip().partition("=")
        try:
            weight = float(quality) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            weighed.append((-weight, tag))
    return [tag for _, tag in sorted(weighed, key=lambda each: each[0])]
