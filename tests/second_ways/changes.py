"""The waterfall of the open deals the second way: each deal's own story between the two dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.model.naive import State, half_even
from tests.model.naive_reports import Book, Question, Row
from tests.second_ways.plain import Rows, labels

LINES = (
    *("opening", "corrected", "increased", "decreased", "fx", "created", "reopened", "pulled_in", "pushed_out"),
    *("reassigned_in", "reassigned_out", "merged", "abandoned", "lost", "won", "closing"),
)
FIGURES = [f"{line}_{unit}" for line in LINES for unit in ("minor", "deals")]


@dataclass
class Deal:
    """One deal, asked at instants as known at instants."""

    book: Book
    question: Question
    stream: str

    def state(self, at: int, known_at: int) -> State | None:
        state = self.book.state(self.stream, at, known_at)
        return state if state is not None and state["status"] == "open" else None

    def key(self, state: State, at: int, known_at: int) -> tuple[Any, ...]:
        """Its row: who is who as at the question's own pair, all else as known then."""
        survivor = self.book.survivor(state["customer"], self.question)
        then = replace(self.question, as_of=at, known_at=known_at)
        of = labels(self.book, then, state | {"customer": survivor}, at)
        return tuple(of[name] for name in self.question.by)

    def worth(self, state: State, at: int, known_at: int) -> int | None:
        into = self.question.currency or self.book.settings(self.question)["currency"]
        rate, missing = self.book.rate(state["currency"], into, at, replace(self.question, known_at=known_at))
        assert missing is None
        return None if state["value"] is None else half_even(state["value"] * rate)

    def end(self, since: int) -> tuple[State, int, str | None] | None:
        """What it was when last open after an instant, when that was, and how it ended if it did."""
        until, known_at = self.question.happened_by, self.question.known_at
        now = self.book.state(self.stream, until, known_at)
        if now is None:
            return None
        if now["status"] == "open":
            return now, until, None
        events = [event for event in self.book.seen(self.stream, known_at) if event.at <= until]
        last, left = None, None
        for at in sorted({event.at for event in events}):
            state = self.book.state(self.stream, at, known_at)
            if state is not None and state["status"] == "open":
                last, left = state, None
            elif last is not None and left is None:
                left = at
        return None if last is None or left is None or left <= since else (last, left, now["status"])


def changes(book: Book, question: Question, since: int) -> tuple[Rows, Row]:
    """From what was open at `since`, as known then, to what is open at the question's pair."""
    cells: dict[tuple[Any, ...], list[Row]] = {}

    def add(key: tuple[Any, ...], line: str, minor: int | None, deals: int) -> None:
        cells.setdefault(key, []).append({f"{line}_minor": minor, f"{line}_deals": deals})

    for stream in book.of_kind("deal"):
        _tell(Deal(book, question, stream), since, add)
    return {key: _sums(cell) for key, cell in cells.items()}, _sums([each for cell in cells.values() for each in cell])


def _sums(cell: list[Row]) -> Row:
    """A line's amount is unknown if it is of every deal in it."""
    sums: Row = {}
    for name in FIGURES:
        said = [each[name] for each in cell if name in each]
        told = [figure for figure in said if figure is not None]
        sums[name] = sum(told) if told or not said else None
    return sums


def _less(minor: int | None) -> int | None:
    return None if minor is None else -minor


def _tell(deal: Deal, since: int, add: Any) -> None:
    known_at = deal.question.known_at
    then, was, end = deal.state(since, since), deal.state(since, known_at), deal.end(since)
    key = worth = published = None
    if then is not None:
        published = deal.key(then, since, since), deal.worth(then, since, since)
        add(published[0], "opening", published[1], 1)
    if was is not None:
        key, worth = deal.key(was, since, known_at), deal.worth(was, since, known_at)
    if published is not None and (was is None or published != (key, worth)):
        add(published[0], "corrected", _less(published[1]), -1)
    if was is not None and published != (key, worth):
        assert key is not None
        add(key, "corrected", worth, 1)
    if end is None:
        assert was is None, "what was open either is or ended"
        return
    state, at, ending = end
    place, last = deal.key(state, at, known_at), deal.worth(state, since, known_at)
    if was is not None:
        change = (last or 0) - (worth or 0)
        if change:
            add(key, "increased" if change > 0 else "decreased", change, 1)
        if ending == "merged" or place == key:
            leaves, enters = ending, None
        else:
            leaves, enters = "reassigned_out", "reassigned_in"
        if leaves is not None:
            add(key, leaves, _less(last), -1)
        if leaves == "merged":
            return
    else:
        opened = deal.book.state(deal.stream, at, known_at)
        assert opened is not None
        leaves, enters = None, "created" if opened["opened_at"] > since else "reopened"
    if enters is not None:
        add(place, enters, last, 1)
        if ending is not None:
            add(place, ending, _less(last), -1)
    if ending is None:
        now = deal.worth(state, at, known_at)
        if now is not None and last is not None and now != last:
            add(place, "fx", now - last, 1)
        add(place, "closing", now, 1)
