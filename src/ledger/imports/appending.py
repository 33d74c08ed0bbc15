"""Rows of another system into the log: each stored whole or not at all, and each of its events once.

Every event has a key made of what it is known by in its source (`rows.Made.identity`), under the book's secret, since a
row's identity may be a person's name. Importing a file again, or one that has grown, so stores only what is new.
"""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from ledger.codec import encode
from ledger.errors import Conflict, DatabaseUnusable, KeyReused, LedgerError, Refused, bare
from ledger.events import BookOpened
from ledger.imports.rows import Made, Produced, Rejected
from ledger.lines import read
from ledger.log.recorder import LogRecorder
from ledger.log.requests import PendingEntry, Remembered, Request, Stored
from ledger.said import Said
from ledger.session import Recent, References, Sealing, Session

ROWS_AT_ONCE = 1_000
KEPT_STREAMS = 20_000
KEPT_THINGS = 20_000
MAX_TRIES = 50
_KEY_BYTES = 20
_TIMES = ("effective_at", "recorded_at")


class RowOutcome(msgspec.Struct, gc=False):
    """What became of a row: how many of its events were stored, or why it was refused, all of it.

    `known` events were in the log before or came there by another import, `twice` came earlier in this one; `differs`
    are notes about things that earlier rows described otherwise. Positions are those of the first and last event stored.
    `error` is bare, since the frames it was raised in hold the batch.
    """

    row: Produced | Rejected
    error: LedgerError | None = None
    appended: int = 0
    known: int = 0
    twice: int = 0
    first_position: int | None = None
    last_position: int | None = None
    differs: list[str] = []


class _Thing(msgspec.Struct, frozen=True, gc=False):
    """What was said of a thing, and where, by the first row that named it."""

    data: dict[str, Any]
    place: str


class _Line(msgspec.Struct, gc=False):
    """An event line on its way; where its `thing` is at hand it is not new, and the rest is wanting."""

    made: Made
    thing: _Thing | None = None
    said: Said | None = None
    key: str = ""
    body: bytes = b""


class _Try(msgspec.Struct, gc=False):
    """A row on its way: its lines or the fault of one of them, what was decided, and the things it was first to name."""

    outcome: RowOutcome
    lines: list[_Line] = []
    fault: LedgerError | None = None
    request: Request | None = None
    opens: int = 0
    named: Iterable[str] = ()


class RowAppender:
    """Appends the rows of one import. Belongs to one thread."""

    def __init__(self, recorder: LogRecorder, *, actor: str, dry_run: bool = False) -> None:
        self._recorder = recorder
        self._actor = actor
        self._dry_run = dry_run
        self._secret = recorder.secret
        # What a dry run decides is nowhere but here, so it may forget nothing.
        self._session = Session(recorder, References(recorder), most=None if dry_run else KEPT_STREAMS, trying=dry_run)
        self._things: Recent[_Thing] = Recent(None if dry_run else KEPT_THINGS)
        self._noted: Recent[bool] = Recent(KEPT_THINGS)
        self._tried: dict[str, bytes] = {}
        self._stored = _StoredHere()
        self._opened = False

    def run(self, rows: Iterable[Produced | Rejected]) -> Iterator[RowOutcome]:
        """Outcomes in the order of the rows, those included that make no events."""
        numbered = iter(rows)
        while several := list(islice(numbered, ROWS_AT_ONCE)):
            for outcome in self._append(several):
                outcome.differs = [note for note in outcome.differs if self._is_news(note)]
                yield outcome

    def _append(self, rows: Sequence[Produced | Rejected]) -> list[RowOutcome]:
        tries = [_Try(RowOutcome(row)) for row in rows]
        waiting = []
        for each in tries:
            if isinstance(each.outcome.row, Rejected):
                each.outcome.error = Refused("bad_row", each.outcome.row.reason)
            else:
                waiting.append(each)
        for _ in range(MAX_TRIES):
            overtaken = self._decide(waiting)
            waiting = self._store(waiting) or overtaken
            if not waiting:
                return [each.outcome for each in tries]
        for each in waiting:
            each.outcome = RowOutcome(
                each.outcome.row, Conflict("others are appending to what this row speaks of; import it again")
            )
        return [each.outcome for each in tries]

    # Deciding -----------------------------------------------------------------------------------------------------

    def _decide(self, tries: Sequence[_Try]) -> list[_Try]:
        """Decide each row in turn; leaves an outcome and perhaps a request. The rows to be decided again at once."""
        for each in tries:
            each.request, each.opens, each.fault, each.named = None, 0, None, ()
            each.outcome = RowOutcome(each.outcome.row)
            try:
                row = each.outcome.row
                each.lines = [self._line(made) for made in row.made] if isinstance(row, Produced) else []
            except LedgerError as fault:
                each.fault = bare(fault)
        lines = [line for each in tries if each.fault is None for line in each.lines if line.said is not None]
        before = self._recorder.remembered(self._actor, sorted({line.key for line in lines}))
        said = [line.said for line in lines if line.said is not None and line.key not in before]
        self._session.preload(each.stream for each in said)
        self._session.preload_subjects(said)
        seen = self._tried if self._dry_run else {}
        now = self._recorder.now()
        for each in tries:
            self._decide_row(each, before, seen, now)
        return self._overtaken(tries, before)

    def _overtaken(self, tries: Sequence[_Try], before: dict[str, Remembered]) -> list[_Try]:
        """The refused rows that another import has stored since we looked up their keys, and may be refused for that."""
        refused = [
            (each, {line.key for line in each.lines if line.said is not None and line.key not in before})
            for each in tries
            if each.outcome.error is not None and each.fault is None
        ]
        keys = {key for _, its_own in refused for key in its_own}
        since = self._recorder.remembered(self._actor, sorted(keys)) if keys else {}
        return [each for each, its_own in refused if not its_own.isdisjoint(since)]

    def _line(self, made: Made) -> _Line:
        """The line read, with its key. Raises `Refused`."""
        if made.once and (thing := self._things.get(_name(made))) is not None:
            return _Line(made, thing)
        raw = encode(made.line)
        body = encode({name: value for name, value in made.line.items() if name not in _TIMES}) if made.once else raw
        key = hashlib.blake2b(_name(made).encode(), key=self._secret, digest_size=_KEY_BYTES)
        return _Line(
            made,
            None,
            read(raw, history=True),
            f"import {key.hexdigest()}",
            hmac.digest(self._secret, body, "sha256"),
        )

    def _decide_row(self, row: _Try, before: dict[str, Remembered], seen: dict[str, bytes], now: int) -> None:
        session, outcome = self._session, row.outcome
        decided: list[tuple[PendingEntry, Sealing]] = []
        remembered: list[Remembered] = []
        things: dict[str, _Thing] = {}
        try:
            if row.fault is not None:
                raise row.fault
            for line in row.lines:
                if line.made.once:
                    known = self._known_thing(line, outcome, things, before)
                else:
                    known = self._known(line, outcome, before, seen)
                if known:
                    continue
                said = line.said
                assert said is not None
                if not self._opened and not decided and not isinstance(said.event, BookOpened):
                    row.opens = self._open(decided, now)
                entry = session.decide(said, now, history=True)
                if entry is not None:
                    decided.append(entry)
                remembered.append(Remembered(line.key, line.body, [session.told(said.stream, entry)]))
        except DatabaseUnusable:
            raise  # no row's own fault
        except LedgerError as error:
            session.undo(decided)
            row.outcome = RowOutcome(outcome.row, bare(error))
            return
        self._opened = self._opened or bool(decided)
        seen |= {each.key: each.body_hmac for each in remembered}
        row.named = things
        for name, thing in things.items():
            self._things.put(name, thing)
        if remembered:
            outcome.appended = len(decided) - row.opens
            row.request = _request(decided, self._actor, remembered)

    def _open(self, decided: list[tuple[PendingEntry, Sealing]], now: int) -> int:
        """Open the book with the defaults, where nobody has; how many entries that takes."""
        opening = self._session.opening()
        entry = self._session.decide(opening, now, history=False) if opening is not None else None
        if entry is not None:
            decided.append(entry)
        return len(decided)

    def _known(
        self,
        line: _Line,
        outcome: RowOutcome,
        before: dict[str, Remembered],
        seen: dict[str, bytes],
    ) -> bool:
        """Whether the event is not new; counts it. Raises `KeyReused` if the row said otherwise before."""
        made, earlier = line.made, before.get(line.key)
        body = earlier.body_hmac if earlier is not None else seen.get(line.key)
        if body is None:
            return False
        here = earlier is None or self._stored.has(earlier)
        if body != line.body:
            where = "earlier in this import" if here else "by an earlier import"
            raise KeyReused(
                f"the {made.line['type']} of this row was stored {where} and says something else now;"
                " what is stored stays: append an event.corrected for it, or undo the change in the file"
            )
        if here:
            outcome.twice += 1
        else:
            outcome.known += 1
        return True

    def _known_thing(
        self, line: _Line, outcome: RowOutcome, things: dict[str, _Thing], before: dict[str, Remembered]
    ) -> bool:
        """Whether a thing is not new; notes where it is described otherwise. Only the first row's word is counted."""
        made, earlier, name = line.made, before.get(line.key), _name(line.made)
        first = line.thing or things.get(name) or self._things.get(name)
        if first is not None:
            outcome.differs += _differences(made, first)
            return True
        things[name] = _Thing(made.line["data"], outcome.row.place)
        if earlier is None:
            return False
        outcome.known += not self._stored.has(earlier)
        if earlier.body_hmac != line.body:
            outcome.differs.append(
                f"{made.line['stream']}: {made.line['type']} was imported before with other data, which stays"
            )
        return True

    def _is_news(self, note: str) -> bool:
        if self._noted.get(note) is not None:
            return False
        self._noted.put(note, True)
        return True

    # Storing ------------------------------------------------------------------------------------------------------

    def _store(self, tries: Sequence[_Try]) -> list[_Try]:
        """Store what was decided. The rows to be decided again: if one was not stored, all that may rest on it."""
        asked = [each for each in tries if each.request is not None]
        if self._dry_run or not asked:
            return []
        outcomes = self._recorder.append_many([each.request for each in asked if each.request is not None])
        stored: list[tuple[Request, Stored]] = []
        unsettled = False
        settled = set()
        for each, outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, Stored):
                assert each.request is not None
                stored.append((each.request, outcome))
                settled.add(id(each))
                if each.outcome.appended:
                    each.outcome.first_position = outcome.position + each.opens
                    each.outcome.last_position = outcome.position + len(each.request.entries) - 1
                continue
            unsettled = True
            if not isinstance(outcome, Conflict):
                settled.add(id(each))
                error = outcome if isinstance(outcome, LedgerError) else LedgerError(str(outcome))
                each.outcome = RowOutcome(each.outcome.row, error)
        self._session.keep(stored)
        self._stored.add(stored)
        if not unsettled:
            self._session.rest()
            return []
        self._session.forget()
        for each in tries:
            if id(each) not in settled or each.outcome.error is not None:
                for name in each.named:
                    self._things.drop(name)
        return [each for each in tries if id(each) not in settled]


class _StoredHere:
    """What this import has stored itself, among what others store meanwhile, as ranges of positions."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def add(self, stored: Sequence[tuple[Request, Stored]]) -> None:
        """These requests are stored, in one transaction, and so one after the other."""
        placed = [(request, where.position) for request, where in stored if request.entries]
        if not placed:
            return
        first, last = placed[0][1], placed[-1][1] + len(placed[-1][0].entries) - 1
        if self._lasts and self._lasts[-1] == first - 1:
            self._lasts[-1] = last
        else:
            self._firsts.append(first)
            self._lasts.append(last)

    def has(self, earlier: Remembered) -> bool:
        """Whether the event of this key is ours."""
        position = earlier.answer[0].position or 0
        index = bisect_right(self._firsts, position) - 1
        return index >= 0 and position <= self._lasts[index]


def _request(decided: Sequence[tuple[PendingEntry, Sealing]], actor: str, remembered: Sequence[Remembered]) -> Request:
    return Request(
        [entry for entry, _ in decided],
        actor,
        [row for _, sealing in decided for row in sealing.vault],
        [subject for _, sealing in decided for subject in sealing.subjects],
        remembered,
    )


def _differences(made: Made, first: _Thing) -> Iterator[str]:
    """Notes on where a row describes a thing otherwise than the first row did; what it leaves out is not otherwise."""
    for field, value in made.line["data"].items():
        told = first.data.get(field)
        if told != value:
            said = "nothing of it" if told is None else f"{_shown(told)}, which stays"
            yield f"{made.line['stream']}: {made.line['type']} says {field} {_shown(value)}; {first.place} said {said}"


def _name(made: Made) -> str:
    return "\x1f".join(made.identity)


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
