"""The two dates of a question: when in the business, and as known when (DESIGN 4)."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import BadRequest, Refused
from ledger.times import day_end, format_instant, is_date, local_date, parse_date, parse_instant


@dataclass(frozen=True, slots=True)
class Pair:
    """`as_of` and `known_at` as inclusive instants in microseconds.

    >>> Pair(30, 20).happened
    Pair(as_of=20, known_at=20)
    """

    as_of: int
    known_at: int

    @property
    def happened(self) -> Pair:
        """The pair as it reads what happened: nothing happens before it is known, so `as_of` ends at `known_at`."""
        return self if self.as_of <= self.known_at else Pair(self.known_at, self.known_at)


@dataclass(frozen=True, slots=True)
class Present:
    """What `now` means to a question: the head that was read, and the clock beside it.

    `stamp` is the head's; `clock` the machine's instant, given by the edge that was asked.
    """

    stamp: int
    clock: int
    time_zone: str

    def instant(self, text: str, name: str) -> int:
        """The instant meant by `now`, a date or an instant. Raises `BadRequest` for what is later than now.

        A date means the end of that day; today's date and `now` mean the head's stamp, or the clock's where the log is
        empty.
        """
        now = self.stamp or self.clock
        if text == "now":
            return now
        latest = max(self.clock, self.stamp)
        try:
            if not is_date(text):
                instant = parse_instant(text)
            else:
                day, today = parse_date(text), local_date(latest, self.time_zone)
                if day == today:
                    return now
                instant = day_end(day, self.time_zone)
        except Refused as refused:
            raise BadRequest(f"{name}: {refused}") from None
        if instant > latest:
            raise BadRequest(
                f"{name} {text} lies after now ({format_instant(latest)}); give a date up to today, or now"
            )
        return instant

    def pair(self, as_of: str | None, known_at: str | None) -> Pair:
        """The pair meant by two texts: `as_of` defaults to now, `known_at` to `as_of`. Raises `BadRequest`."""
        business = self.instant(as_of or "now", "as_of")
        return Pair(business, self.instant(known_at, "known_at") if known_at else business)
