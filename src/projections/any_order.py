"""The bitemporal fold of events in any order, some of them corrected or retracted, knowledge by knowledge."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.events import EventCorrected, EventRetracted
from ledger.history import Visible, visible
from ledger.times import FOREVER
from projections.grown import Shown, changes, makers_of
from projections.rectangle import Payload, Row, new_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.codec import Recorded
    from projections.timeline import Fold


class _Run:
    """A payload over an interval of business time, as known from `known_from` on."""

    __slots__ = ("appended_at", "end", "known_from", "payload", "position", "start")

    def __init__(  # noqa: PLR0917 (as `new_row`)
        self, start: int, end: int, payload: Payload, position: int, appended_at: int, known_from: int
    ) -> None:
        self.start = start
        self.end = end
        self.payload = payload
        self.position = position
        self.appended_at = appended_at
        self.known_from = known_from


class _Entry(NamedTuple):
    """A visible event with the state after it and what that state shows in each table."""

    effective_at: int
    origin: int
    said: Visible
    state: Any
    shown: tuple[Shown, ...]


def in_any_order(events: Sequence[Recorded], fold: Fold) -> list[list[Row]]:
    history = _History(fold)
    tables = [_TableRuns(table, planned=fold.planned) for table in range(len(fold.tables))]
    by_knowledge = sorted(events, key=lambda event: event.recorded_at)
    first = 0
    while first < len(by_knowledge):
        known_at = by_knowledge[first].recorded_at
        after = first
        while after < len(by_knowledge) and by_knowledge[after].recorded_at == known_at:
            after += 1
        learnt = by_knowledge[first:after]
        first = after
        if len(learnt) == 1 and history.ends_before(learnt[0]):
            event, (before, now) = learnt[0], history.go_on(learnt[0])
            for table, was, shows in zip(tables, before, now, strict=True):
                if shows is not was and shows != was:
                    table.go_on(was, shows, event)
            continue
        changed = history.learn(learnt, known_at)
        if changed is not None:
            for table in tables:
                table.relay(history.entries, changed, known_at)
    return [table.rows(events[0].stream) for table in tables]


class _Changed(NamedTuple):
    """The instants of effect between which a history shows something else: `since <= instant < until`."""

    since: int
    until: int


class _History:
    """The visible history of one stream at a growing knowledge, with its states."""

    def __init__(self, fold: Fold) -> None:
        self.entries: list[_Entry] = []
        self._fold = fold
        self._nothing: tuple[Shown, ...] = tuple(() for _ in fold.tables)
        self._families: dict[int, list[Recorded]] = {}
        self._root: dict[int, int] = {}
        self._keys: dict[int, tuple[int, int]] = {}

    def ends_before(self, event: Recorded) -> bool:
        """Whether an event only goes on from all that is known: the common case, even where some are out of order."""
        if type(event.data) is EventRetracted or type(event.data) is EventCorrected:
            return False
        return not self.entries or self.entries[-1].effective_at < event.effective_at

    def go_on(self, event: Recorded) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
        """Take in an event that goes on from all that is known; what each table showed before it, and shows now."""
        version, position, at = event.version, event.position, event.effective_at
        self._families[version] = [event]
        self._root[version] = version
        self._keys[version] = (at, position)
        before, shown = (self.entries[-1].state, self.entries[-1].shown) if self.entries else (None, self._nothing)
        state = self._fold.step(before, event.data, at, position)
        now = self._nothing if state is None else tuple([show(state) for _, show in self._fold.tables])
        said = Visible(at, position, event.data, position, event.appended_at)
        self.entries.append(_Entry(at, position, said, state, now))
        return shown, now

    def learn(self, events: Iterable[Recorded], known_at: int) -> _Changed | None:
        """Take in what is recorded at an instant; where that changes things, if at all."""
        touched: dict[int, None] = {}
        for event in sorted(events, key=lambda event: event.version):
            data = event.data
            if isinstance(data, EventRetracted | EventCorrected):
                root = self._root.get(data.version)
                if root is None:
                    continue
                self._families[root].append(event)
            else:
                root = event.version
                self._families[root] = [event]
            self._root[event.version] = root
            touched[root] = None
        changed: list[tuple[int, int]] = []
        for root in touched:
            changed += self._show(root, known_at)
        if not changed:
            return None
        return _Changed(min(changed)[0], self._refold(min(changed), max(changed)))

    def _show(self, root: int, known_at: int) -> list[tuple[int, int]]:
        """Put an original event where it now belongs; the keys at which the history changed."""
        now = visible(self._families[root], known_at)
        before = self._keys.pop(root, None)
        changed = []
        if before is not None:
            index = bisect_left(self.entries, before)
            if now and now[0] == self.entries[index].said:
                self._keys[root] = before
                return []
            del self.entries[index]
            changed.append(before)
        for said in now:
            self._keys[root] = key = (said.effective_at, said.origin)
            insort(self.entries, _Entry(*key, said, None, self._nothing), key=_key)
            changed.append(key)
        return changed

    def _refold(self, since: tuple[int, int], until: tuple[int, int]) -> int:
        """Fold again what was changed in between, and on until states are again those of before: from which instant."""
        entries, step = self.entries, self._fold.step
        shows = [show for _, show in self._fold.tables]
        first = bisect_left(entries, since)
        state = entries[first - 1].state if first else None
        for index in range(first, len(entries)):
            at, origin, said, before, _ = entries[index]
            state = step(state, said.data, at, said.position)
            if (at, origin) > until and state == before:
                following = bisect_left(entries, (at + 1,), index)
                return entries[following].effective_at if following < len(entries) else FOREVER
            shown = self._nothing if state is None else tuple([show(state) for show in shows])
            entries[index] = _Entry(at, origin, said, state, shown)
        return FOREVER


def _begun(run: _Run) -> _Run:
    """The same run, its end still to be found."""
    return _Run(run.start, FOREVER, run.payload, run.position, run.appended_at, 0)


def _end(run: _Run) -> int:
    return run.end


def _key(entry: _Entry) -> tuple[int, int]:
    return entry.effective_at, entry.origin


class _TableRuns:
    """The rows of one table: what no longer counts (`closed`), and the runs of the present knowledge.

    `ended` is in order of end; `running` are those without an end.
    """

    def __init__(self, table: int, *, planned: bool) -> None:
        self._table = table
        self._planned = planned
        self._ended: list[_Run] = []
        self._running: dict[Payload, _Run] = {}
        self._closed: list[tuple[_Run, int]] = []

    def go_on(self, before: Shown, now: Shown, event: Recorded) -> None:
        """Lay out what an event that goes on from all that is known has changed; as `relay` would."""
        at, known_at = event.effective_at, event.recorded_at
        gone, come = changes(before, now)
        for payload in gone:
            run = self._running.pop(payload)
            if at < known_at or self._planned:
                self._close(run, known_at)
                run = _Run(run.start, at, payload, run.position, run.appended_at, known_at)
            run.end = at
            self._ended.append(run)
        for payload in come:
            self._running[payload] = _Run(at, FOREVER, payload, event.position, event.appended_at, known_at)

    def relay(self, entries: list[_Entry], changed: _Changed, known_at: int) -> None:
        """Lay out anew what holds where the history changed, as known from `known_at` on.

        Of what runs on from before, only what ends there is touched: what adds up may be long.
        """
        since, until = changed
        reached = bisect_left(self._ended, since, key=_end)
        before = [run for run in self._ended[reached:] if run.start < until]
        later = [run for run in self._ended[reached:] if run.start >= until]
        running = [run for run in self._running.values() if since <= run.start < until]
        for run in running:
            del self._running[run.payload]
        before += running
        found = self._runs(entries, changed, before)
        old = {(run.start, run.payload, run.position): run for run in before}
        for new in found:
            run = self._keep(old.pop((new.start, new.payload, new.position), None), new, known_at)
            if run.end == FOREVER:
                self._running[run.payload] = run
            else:
                later.append(run)
        for run in old.values():
            self._close(run, known_at)
        self._ended[reached:] = sorted(later, key=_end)

    def _runs(self, entries: list[_Entry], changed: _Changed, before: list[_Run]) -> list[_Run]:
        """The maximal runs that touch what changed, begun and ended outside of it as they were before.

        What runs on from before and is found to end is moved from `running` to `before`.
        """
        table, (since, until) = self._table, changed
        active = {run.payload: _begun(run) for run in before if run.start < since}
        found: list[_Run] = []
        index = bisect_left(entries, (since,))
        shown = entries[index - 1].shown[table] if index else ()
        while index < len(entries) and (at := entries[index].effective_at) < until:
            first = index
            while index + 1 < len(entries) and entries[index + 1].effective_at == at:
                index += 1
            now = entries[index].shown[table]
            if now is not shown and now != shown:
                gone, come = changes(shown, now)
                for payload in gone:
                    if payload not in active:
                        before.append(self._running.pop(payload))
                        active[payload] = _begun(before[-1])
                    run = active.pop(payload)
                    run.end = at
                    found.append(run)
                if come:
                    group = [(entry.said, entry.shown) for entry in entries[first : index + 1]]
                    makers = makers_of(group, table, shown)
                    for payload in come:
                        said = makers[payload]
                        active[payload] = _Run(at, FOREVER, payload, said.position, said.appended_at, 0)
                shown = now
            index += 1
        ends = {run.payload: run.end for run in before if run.end >= until}
        for payload, run in active.items():
            run.end = FOREVER if until == FOREVER else ends[payload]
            found.append(run)
        return found

    def _keep(self, old: _Run | None, new: _Run, known_at: int) -> _Run:
        """The old row where it can stand for the new one, else the new one, known from now on."""
        if old is not None:
            if old.end == new.end:
                return old
            beyond = min(old.end, new.end) >= known_at and not self._planned
            if beyond or old.known_from == known_at:
                old.end = new.end
                return old
            self._close(old, known_at)
        new.known_from = known_at
        return new

    def _close(self, run: _Run, known_at: int) -> None:
        """What was believed until `known_at`; dropped when nobody can have asked."""
        if run.known_from < known_at and (self._planned or run.start < known_at):
            self._closed.append((run, known_at))

    def rows(self, stream: str) -> list[Row]:
        present = [(run, FOREVER) for run in (*self._ended, *self._running.values())]
        return [
            new_row(stream, run.start, run.end, run.known_from, known_to, run.position, run.appended_at, run.payload)
            for run, known_to in (*self._closed, *present)
        ]
