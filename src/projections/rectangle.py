"""Rows over both times: what they are made of."""

from __future__ import annotations

from typing import Any

from ledger.times import FOREVER

Payload = tuple[Any, ...]
Payloads = tuple[Payload, ...]
Row = tuple[Any, ...]
"""The columns of `tables.INTERVAL_COLUMNS`, then the payload's."""

OPEN_ENDED = 63
"""Length class of an interval without an end."""


def length_class(start: int, end: int) -> int:
    """The power of two that an interval of microseconds just fits in.

    >>> [length_class(0, end) for end in (1, 2, 3, 4, 5, FOREVER)]
    [0, 1, 2, 2, 3, 63]
    """
    return OPEN_ENDED if end == FOREVER else (end - start - 1).bit_length()


def new_row(  # noqa: PLR0917 (keywords would cost a tenth of the whole)
    stream: str, start: int, end: int, known_from: int, known_to: int, position: int, appended_at: int, payload: Payload
) -> Row:
    seen_from = start if start > known_from else known_from  # noqa: FURB136 (half a million rows a second)
    seen_to = end if end < known_to else known_to  # noqa: FURB136
    if seen_to == FOREVER:
        seen_class: int | None = OPEN_ENDED
    else:
        seen_class = (seen_to - seen_from - 1).bit_length() if seen_to > seen_from else None
    return (
        stream,
        start,
        end,
        known_from,
        known_to,
        position,
        appended_at,
        seen_from,
        seen_to,
        seen_class,
        OPEN_ENDED if end == FOREVER else (end - start - 1).bit_length(),
        *payload,
    )
