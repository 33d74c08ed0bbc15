"""One stream's story while it is being invented: events in order, each recorded when somebody got round to it."""

from __future__ import annotations

from ledger.demo.agenda import DATA, Agenda, Event
from ledger.demo.amounts import Amounts, Data
from ledger.demo.calendar import HOUR_US, MINUTE_US, Calendar, Chance
from ledger.times import DAY_US


class Life:
    """Events of one stream; effects go forward, and so does what is recorded."""

    __slots__ = ("_agenda", "_calendar", "_random", "effective_at", "events", "fixes", "recorded_at", "stream")

    def __init__(self, stream: str, agenda: Agenda, calendar: Calendar, chance: Chance) -> None:
        self.stream = stream
        self._agenda = agenda
        self._calendar = calendar
        self._random = chance.random
        self.events: list[Event] = []
        self.fixes: list[tuple[Event, Event]] = []
        self.effective_at = self.recorded_at = 0

    def say(self, day: int, event: str, data: Data, amounts: Amounts | None = None, *, lag_days: float = 0) -> Event:
        """Something happens on a day (or the next working day), recorded `lag_days` later but never out of turn."""
        calendar = self._calendar
        at = calendar.morning[calendar.workday[day]] + int(self._random() * 10 * HOUR_US)
        if at <= self.effective_at:
            at = self.effective_at + MINUTE_US + int(self._random() * 15 * MINUTE_US)
        recorded_at = at + int(lag_days * DAY_US) if lag_days else at
        recorded_at = max(recorded_at, self.recorded_at)
        self.effective_at = at
        self.recorded_at = recorded_at
        said = (recorded_at, next(self._agenda.order), self.stream, event, at, data, amounts)
        self.events.append(said)
        return said

    def say_at(self, effective_at: int, recorded_at: int, event: str, data: Data) -> Event:
        """Something out of order: what took effect earlier than what is already told."""
        self.recorded_at = max(self.recorded_at, recorded_at)
        said = (self.recorded_at, next(self._agenda.order), self.stream, event, effective_at, data, None)
        self.events.append(said)
        return said

    def fix(self, target: Event, recorded_at: int, event: str, data: Data) -> Event:
        """A retraction or correction of an earlier event, to be recorded later."""
        recorded_at = max(recorded_at, target[0])
        fixing = (recorded_at, next(self._agenda.order), self.stream, event, recorded_at, data, None)
        self.fixes.append((fixing, target))
        return fixing

    def day_of_record(self) -> int:
        """The day on which the last event was recorded."""
        return self.recorded_at // DAY_US - self._calendar.epoch_day

    def tell(self) -> None:
        """Put everything in the agenda; only now is it known which version each fixed event has."""
        if self.fixes:
            self.events.extend(fixing for fixing, _ in self.fixes)
            self.events.sort()
            version = {id(event): number for number, event in enumerate(self.events, 1)}
            for fixing, target in self.fixes:
                fixing[DATA]["version"] = version[id(target)]
        self._agenda.put_all(self.events)
