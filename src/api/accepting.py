"""`Accept` and `Accept-Language`: what a client would rather have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def best(header: str | None, offered: Mapping[str, str]) -> str:
    """Which of the media types offered an `Accept` header likes best, as what they map to; the first if it likes none.

    >>> best("text/html, text/csv;q=0.5", {"application/json": "json", "text/csv": "csv"})
    'csv'
    """
    for wanted in by_quality(header or ""):
        kind, star, _ = wanted.lower().partition("*")
        found = next((offered[each] for each in offered if each == kind or (star and each.startswith(kind))), None)
        if found:
            return found
    return next(iter(offered.values()))


def by_quality(header: str) -> list[str]:
    """What a header lists, the most wanted first, without what it refuses."""
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
