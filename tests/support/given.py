"""Given what happened, when somebody says this, then: the rules of a stream, without a database.

    given(pipeline(), opened()).when(say("deal-d1", "deal.won")).then("deal.won")
    given(pipeline(), opened()).when(say("deal-d1", "deal.invoiced", ...)).refused("not_won", saying="win it first")

Each line is said an hour after the one before, from 2026-01-01T01:00:00Z on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ledger.book import DEFAULT_OPENING
from ledger.codec import Recorded
from ledger.decision import decide
from ledger.errors import Refused
from ledger.lines import read
from ledger.said import Draft
from ledger.stream import Stream
from ledger.times import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.lines import Line

HOUR_US = 3_600_000_000
BEGIN = parse_instant("2026-01-01T00:00:00Z")


class Given:
    """A book in memory; it is the `World` of its decisions."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._events: dict[str, list[Recorded]] = {}
        self._position = 0
        self.now = BEGIN
        for line in lines:
            self._append(self._decide(line))

    def stream(self, name: str) -> Stream:
        return Stream(name, self._events.get(name, ()))

    def time_zone(self) -> str:
        state = self.stream("book").state
        return str((state.settings if state else DEFAULT_OPENING).time_zone)

    def reveal(self, sealed: Iterable[Any]) -> dict[str, Any]:
        assert not list(sealed), "nothing is sealed here"
        return {}

    def _decide(self, line: Line, *, history: bool = False) -> Draft | None:
        self.now += HOUR_US
        said = read(msgspec.json.encode(line), history=history)
        return decide(self.stream(said.stream), said, self, self.now, history=history)

    def _append(self, draft: Draft | None) -> None:
        assert draft is not None, "what is given must be news"
        self._position += 1
        effective_at = self.now if draft.effective_at is None else draft.effective_at
        recorded_at = self.now if draft.recorded_at is None else draft.recorded_at
        times = (effective_at, recorded_at, self.now)
        event = Recorded(self._position, draft.stream, draft.version, draft.event.TYPE, *times, draft.event, "test")
        self._events.setdefault(draft.stream, []).append(event)

    def say(self, line: Line, *, history: bool = False) -> bool:
        """Append it if it is news, and tell whether it was. Raises `Refused`."""
        draft = self._decide(line, history=history)
        if draft is not None:
            self._append(draft)
        return draft is not None

    def when(self, line: Line, *, history: bool = False) -> When:
        return When(self, line, history=history)


class When:
    """Something said to a given book, and what came of it."""

    def __init__(self, given: Given, line: Line, *, history: bool) -> None:
        self._given, self._line, self._history = given, line, history

    def then(self, type_: str, state: dict[str, Any] | None = None) -> Given:
        """It is appended as this event; `state` names what of the stream's state to look at afterwards."""
        draft = self._given._decide(self._line, history=self._history)
        assert draft is not None, "it was already so"
        assert type_ == draft.event.TYPE
        self._given._append(draft)
        now = self._given.stream(draft.stream).state
        for name, wanted in (state or {}).items():
            found = now
            for part in name.split("."):
                found = getattr(found, part)
            assert found == wanted, name
        return self._given

    def nothing(self) -> Given:
        """It was already so."""
        assert self._given._decide(self._line, history=self._history) is None
        return self._given

    def refused(self, code: str, saying: str = "") -> Given:
        """It is refused, in one line that holds these words."""
        with pytest.raises(Refused) as refused:
            self._given._decide(self._line, history=self._history)
        assert (refused.value.code, saying in str(refused.value)) == (code, True), str(refused.value)
        assert "\n" not in str(refused.value)
        return self._given


def given(*lines: Line) -> Given:
    return Given(lines)
