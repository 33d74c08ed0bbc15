"""Appending requests: the lines of each are read, decided and stored together or not at all.

Requests that arrive while others are being stored go together next: one thread decides and stores for all of them
(`GroupCommit`), since it has their streams at hand and threads that only wait cost little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ledger.errors import Conflict, KeyReused, LedgerError, Refused
from ledger.events import BookOpened
from ledger.kinds import OPENINGS
from ledger.lines import body_hmac, check_key, read
from ledger.log.group_commit import GroupCommit
from ledger.log.requests import PendingEntry, Remembered, Request, Stored, Told, positioned
from ledger.said import Said
from ledger.session import References, Sealing, Session

if TYPE_CHECKING:
    from ledger.application import Ledger

KEPT_STREAMS = 20_000
MAX_REQUEST_LINES = 10_000
MAX_TRIES = 50
MOST_LINES_AT_ONCE = 10_000
MOST_REQUESTS_AT_ONCE = 256

Receipt = Told
"""What the caller is told of a line: `stream, version, position, appended` (false: it was already so)."""

Answer = list[Receipt] | BaseException


class _Asked(msgspec.Struct, eq=False):
    """A request on its way, and what becomes of it."""

    lines: Sequence[bytes]
    actor: str
    history: bool
    key: str | None
    body: bytes = b""
    said: list[Said] = []
    told: list[Receipt] = []
    answer: Answer | None = None

    @property
    def streams(self) -> set[str]:
        return {said.stream for said in self.said}


class Appender:
    """Decides and stores for one ledger. Safe to share between threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._recorder = ledger.recorder
        self._session = Session(ledger.recorder, References(ledger.recorder), most=KEPT_STREAMS, positions=True)
        self._group: GroupCommit[_Asked, list[Receipt]] = GroupCommit(self._answer, MOST_REQUESTS_AT_ONCE)
        self._secret: bytes | None = None

    def append(self, lines: Sequence[bytes], *, actor: str, history: bool, key: str | None) -> list[Receipt]:
        """See `Ledger.append`."""
        if not 1 <= len(lines) <= MAX_REQUEST_LINES:
            raise Refused("bad_request", f"a request holds 1 to {MAX_REQUEST_LINES} lines, not {len(lines)}")
        if key is not None:
            check_key(key)
        return self._group.submit(_Asked(lines, actor, history, key))

    def _the_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._recorder.secret
        return self._secret

    # What one thread does for all that wait -----------------------------------------------------------------------

    def _answer(self, group: Sequence[_Asked]) -> list[Answer]:
        """Decide and store, in passes: whom the first cannot answer for sure is asked about again.

        In the first, streams at hand may be older than the log. What is decided from them is safe to store, since the
        log checks versions; but only streams just read can say that something is refused, or already so.
        """
        waiting, tries, sure = list(group), 0, False
        try:
            waiting = [asked for asked in group if self._read(asked)]
            while waiting and tries < MAX_TRIES:
                later = self._pass(waiting, sure=sure)
                tries = tries + 1 if sure and len(later) == len(waiting) else 0
                waiting, sure = later, True
        except BaseException as error:
            self._session.forget()
            if not isinstance(error, Exception):
                raise
            for asked in waiting:
                asked.answer = asked.answer or error
        self._session.rest()
        many = Conflict("these streams are being appended to by many at once; try again")
        return [many if asked.answer is None else asked.answer for asked in group]

    def _read(self, asked: _Asked) -> bool:
        """Whether its lines can be decided; else it is answered."""
        try:
            asked.said = _said(asked)
        except Refused as refused:
            asked.answer = refused
            return False
        if asked.key is None and len(asked.said) == 1:
            asked.key = asked.said[0].key
        if asked.key is not None:
            asked.body = body_hmac(self._the_secret(), asked.lines)
        return True

    def _pass(self, waiting: Sequence[_Asked], *, sure: bool) -> list[_Asked]:
        """Answer whom we can; those who must be asked about again."""
        session = self._session
        if sure:
            session.look_again()
            session.drop(stream for asked in waiting for stream in asked.streams)
        some, later = self._portion(waiting)
        some = self._new(some)
        said = [each for asked in some for each in asked.said]
        if not sure:
            session.begin([each.stream for each in said if isinstance(each.event, OPENINGS)])
        session.preload([each.stream for each in said])
        session.preload_subjects(said)
        now = self._recorder.now(fresh=sure)
        keys: set[tuple[str, str]] = set()
        changed: set[str] = set()
        decided: list[tuple[_Asked, Request]] = []
        for asked in some:
            settled = sure and changed.isdisjoint(asked.streams)
            if asked.key is not None and (asked.actor, asked.key) in keys:
                later.append(asked)
                continue
            try:
                request = self._decide(asked, now)
            except LedgerError as error:
                session.drop(("book", *asked.streams))
                if settled:
                    asked.answer = error
                else:
                    later.append(asked)
                continue
            if not settled and not all(told.appended for told in asked.told):
                session.drop(asked.streams)
                later.append(asked)
                continue
            if not request.entries and not request.remembered:
                asked.answer = asked.told
                continue
            decided.append((asked, request))
            changed |= asked.streams
            if asked.key is not None:
                keys.add((asked.actor, asked.key))
        return later + self._store(decided)

    def _portion(self, waiting: Sequence[_Asked]) -> tuple[list[_Asked], list[_Asked]]:
        """Those whose lines go well into one transaction, and the rest. Who opens the book does so alone."""
        most = 0 if self._session.opening() is not None else MOST_LINES_AT_ONCE
        count = 0
        for index, asked in enumerate(waiting):
            count += len(asked.said)
            if index and count > most:
                return list(waiting[:index]), list(waiting[index:])
        return list(waiting), []

    def _new(self, some: Sequence[_Asked]) -> list[_Asked]:
        """Those whose keys were not used before; the others are given their first answer again."""
        keys: dict[str, list[str]] = {}
        for asked in some:
            if asked.key is not None:
                keys.setdefault(asked.actor, []).append(asked.key)
        before = {actor: self._recorder.remembered(actor, used) for actor, used in keys.items()}
        for asked in some:
            if asked.key is not None and (first := before[asked.actor].get(asked.key)) is not None:
                try:
                    asked.answer = same_body(first, asked.body)
                except KeyReused as reused:
                    asked.answer = reused
        return [asked for asked in some if asked.answer is None]

    def _decide(self, asked: _Asked, now: int) -> Request:
        """What to store, which may be nothing; notes what to tell. Raises `Refused` or `Conflict`."""
        session = self._session
        entries: list[PendingEntry] = []
        sealing = Sealing([], [])
        asked.told = []
        opening = session.opening()
        if opening is not None and not isinstance(asked.said[0].event, BookOpened):
            _collect(session.decide(opening, now, history=False), entries, sealing)
        for number, said in enumerate(asked.said, 1):
            try:
                decided = session.decide(said, now, history=asked.history)
            except Refused as refused:
                raise _naming(refused, number, asked.lines) from None
            _collect(decided, entries, sealing)
            asked.told.append(session.told(said.stream, decided))
        remembered = () if asked.key is None else (Remembered(asked.key, asked.body, asked.told),)
        return Request(entries, asked.actor, sealing.vault, sealing.subjects, remembered)

    def _store(self, decided: Sequence[tuple[_Asked, Request]]) -> list[_Asked]:
        """Answer those whose requests could be stored, or never can; the others."""
        if not decided:
            return []
        later: list[_Asked] = []
        stored: list[tuple[Request, Stored]] = []
        for (asked, request), outcome in zip(
            decided, self._recorder.append_many([request for _, request in decided]), strict=True
        ):
            if isinstance(outcome, Stored):
                asked.answer = positioned(asked.told, request.entries, outcome.position)
                stored.append((request, outcome))
                continue
            self._session.drop(("book", *asked.streams))
            if isinstance(outcome, Conflict):
                later.append(asked)
            else:
                asked.answer = outcome
        self._session.keep(stored)
        return later


def _said(asked: _Asked) -> list[Said]:
    said: list[Said] = []
    for number, line in enumerate(asked.lines, 1):
        try:
            said.append(read(line, history=asked.history))
        except Refused as refused:
            raise _naming(refused, number, asked.lines) from None
    if (len(said) > 1 or asked.key is not None) and any(each.key for each in said):
        raise Refused("bad_request", "lines of one request share its key; leave out the lines' own")
    return said


def _collect(decided: tuple[PendingEntry, Sealing] | None, entries: list[PendingEntry], sealing: Sealing) -> None:
    if decided is not None:
        entries.append(decided[0])
        sealing.vault += decided[1].vault
        sealing.subjects += decided[1].subjects


def same_body(before: Remembered, body: bytes) -> list[Receipt]:
    """The first answer again. Raises `KeyReused` if the body is another one."""
    if before.body_hmac != body:
        raise KeyReused(
            f"the idempotency key {before.key!r} was used with another body; use a new key for a new request"
        )
    return list(before.answer)


def _naming(refused: Refused, number: int, lines: Sequence[bytes]) -> Refused:
    """Where there are several lines, a refusal says which one it is about."""
    return refused if len(lines) == 1 else Refused(refused.code, f"line {number}: {refused}")
