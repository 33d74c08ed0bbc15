"""How rebuilds and checks read the log: whole streams in order of their names, a range of them at a time."""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.application import Ledger
    from ledger.codec import Recorded

LogRow = tuple[int, str, int, str, int, int, int, bytes]
"""`position, stream, version, type, effective_at, recorded_at, appended_at, entry`."""

Range = tuple[str, str]
"""Streams from the first name on, up to but not including the second. Names are ASCII, compared byte by byte."""

FIRST, AFTER_LAST = "", "\x7f"
RANGE_EVENTS: Final = 20_000
MOST_SAMPLES: Final = 5_000
SAMPLES_PER_RANGE: Final = 20
MOST_IN_A_LIST: Final = 500


def ranges(ledger: Ledger, upto: int, events: int = RANGE_EVENTS) -> list[Range]:
    """All possible names, cut so that each range holds about this many of the first `upto` events."""
    step = max(events // SAMPLES_PER_RANGE, upto // MOST_SAMPLES, 1)
    sampled = range(step, upto + 1, step)
    streams: list[str] = []
    for start in range(0, len(sampled), MOST_IN_A_LIST):
        some = list(sampled[start : start + MOST_IN_A_LIST])
        places = ", ".join("?" * len(some))
        streams += [row[1] for row in ledger.recorder.rows(f"position IN ({places})", some, "position")]
    streams.sort()
    every = max(events // step, 1)
    bounds = [FIRST, *sorted(set(streams[every::every])), AFTER_LAST]
    return list(pairwise(bounds))


_WITHIN: Final = "stream >= ? AND stream < ? AND +position <= ?"
"""The plus keeps both databases from walking the log by position instead of by stream."""


def events_in(ledger: Ledger, within: Range, upto: int) -> Iterator[tuple[str, list[Recorded]]]:
    """Each stream of a range with those of its events that are among the first `upto`, by version.

    Raises `UnreadableEvent`, before the first stream, if any of them cannot be read.
    """
    events = ledger.recorder.events(_WITHIN, [*within, upto], "stream, version")
    return ((stream, list(some)) for stream, some in groupby(events, attrgetter("stream")))


def streams_in(ledger: Ledger, within: Range, upto: int) -> Iterator[tuple[str, list[LogRow]]]:
    """As `events_in`, with the log's rows, whether they can be read or not."""
    rows = ledger.recorder.rows(_WITHIN, [*within, upto], "stream, version")
    for stream, events in groupby(rows, itemgetter(1)):
        yield stream, list(events)
