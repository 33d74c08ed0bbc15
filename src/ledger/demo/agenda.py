"""What will be recorded, day by day: lives are invented whole, the company's lines come out in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from ledger.demo.amounts import Amounts, Data, as_data
from ledger.demo.calendar import Calendar
from ledger.times import DAY_US

Event = tuple[int, int, str, str, int, Data, Amounts | None]
"""`recorded_at, order, stream, type, effective_at, data, amounts`: sorts by the first two, of which the second is
unique; the amounts join the data when the line is written."""

TYPE: Final = 3
EFFECTIVE_AT: Final = 4
DATA: Final = 5
AMOUNTS: Final = 6


class Agenda:
    """A bucket of lines per UTC day; one bucket is sorted at a time, so memory follows what is open."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._lines: defaultdict[int, list[Event]] = defaultdict(list)
        self._calls: defaultdict[int, list[Callable[[], None]]] = defaultdict(list)
        self.order = count(1)

    def put(self, stream: str, event: str, data: Data, effective_at: int, recorded_at: int | None = None) -> None:
        """One line, recorded when it took effect unless told otherwise; what lies beyond `until` is forgotten."""
        recorded_at = effective_at if recorded_at is None else recorded_at
        if recorded_at <= self._calendar.until:
            said = (recorded_at, next(self.order), stream, event, effective_at, data, None)
            self._lines[recorded_at // DAY_US].append(said)

    def put_all(self, events: list[Event]) -> None:
        """A stream's events, in the order in which they were recorded."""
        until, lines = self._calendar.until, self._lines
        for event in events:
            recorded_at = event[0]
            if recorded_at > until:
                break
            lines[recorded_at // DAY_US].append(event)

    def call(self, day: int, action: Callable[[], None]) -> None:
        """Do something at the start of a day: what depends on how other things then stand."""
        if day <= self._calendar.last:
            self._calls[day].append(action)

    def begin(self, day: int) -> None:
        """Run the day's calls."""
        for action in self._calls.pop(day, ()):
            action()

    def close(self, day: int) -> Iterator[Data]:
        """The day's event lines, by `recorded_at`."""
        items = self._lines.pop(day + self._calendar.epoch_day, [])
        items.sort()
        text = self._calendar.instant_text
        for recorded_at, _, stream, event, effective_at, data, amounts in items:
            recorded = text(recorded_at)
            yield {
                "stream": stream,
                "type": event,
                "effective_at": recorded if effective_at == recorded_at else text(effective_at),
                "recorded_at": recorded,
                "data": data if amounts is None else data | as_data(amounts),
            }
