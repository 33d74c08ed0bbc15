"""Appending: read lines, decide them, store them: a request at once, or a long file in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING

from ledger.errors import Conflict, KeyReused, Moved, Refused
from ledger.events import BookOpened
from ledger.kinds import OPENINGS
from ledger.lines import body_hmac, check_key, read
from ledger.log.requests import PendingEntry, Remembered, Request, Row, Told, positioned
from ledger.said import Said
from ledger.session import References, Sealing, Session, StreamCache

if TYPE_CHECKING:
    from ledger.application import Ledger

CACHED_STREAMS = 20_000
MAX_REQUEST_LINES = 10_000
MAX_TRIES = 50
TURNS = 64

Receipt = Told
"""What the caller is told of a line: `stream, version, position, appended` (false: it was already so)."""


class Appender:
    """Decides and stores for one ledger. Safe to share between threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._recorder = ledger.recorder
        self._cache = StreamCache(CACHED_STREAMS)
        self._references = References(ledger.recorder)
        self._secret: bytes | None = None
        self._turns = [Lock() for _ in range(TURNS)]

    # One request, all or nothing ----------------------------------------------------------------------------------

    def append(self, lines: Sequence[bytes], *, actor: str, history: bool, key: str | None) -> list[Receipt]:
        """See `Ledger.append`."""
        if not 1 <= len(lines) <= MAX_REQUEST_LINES:
            raise Refused("bad_request", f"a request holds 1 to {MAX_REQUEST_LINES} lines, not {len(lines)}")
        said: list[Said] = []
        for number, line in enumerate(lines, 1):
            with _naming(number, lines):
                said.append(read(line, history=history))
        if key is not None:
            check_key(key)
        if key is None and len(lines) == 1:
            key = said[0].key
        elif any(each.key for each in said):
            raise Refused("bad_request", "lines of one request share its key; leave out the lines' own")
        body = body_hmac(self._the_secret(), list(lines)) if key is not None else b""
        cached, moved = True, False
        for _ in range(MAX_TRIES):
            if key is not None and (before := self._recorder.remembered(actor, [key]).get(key)):
                return same_body(before, body)
            session = Session(self._recorder, self._references, self._cache if cached else None)
            try:
                with self._turn(said[0].stream) if moved else nullcontext():
                    receipts, rows = self._attempt(session, lines, said, actor, history=history, key=key, body=body)
            except (Conflict, Refused) as error:
                session.forget()
                if not cached and not isinstance(error, Moved):
                    raise
                cached, moved = False, moved or isinstance(error, Moved)
                continue
            session.keep(rows)
            return receipts
        raise Conflict("these streams are being appended to by many at once; try again")

    def _attempt(
        self,
        session: Session,
        lines: Sequence[bytes],
        said: Sequence[Said],
        actor: str,
        *,
        history: bool,
        key: str | None,
        body: bytes,
    ) -> tuple[list[Receipt], Sequence[Row]]:
        now = self._recorder.now()
        entries: list[PendingEntry] = []
        sealing = Sealing([], [])
        opening = session.opening()
        if opening is not None and not isinstance(said[0].event, BookOpened):
            _collect(session.decide(opening, now, history=False), entries, sealing)
        if session.cached:
            session.begin(each.stream for each in said if isinstance(each.event, OPENINGS))
        session.preload(each.stream for each in said)
        told: list[Told] = []
        for number, each in enumerate(said, 1):
            with _naming(number, lines):
                decided = session.decide(each, now, history=history)
            _collect(decided, entries, sealing)
            if decided is None and session.cached:
                raise Conflict("what is already so is for the log to say, not for streams kept at hand")
            told.append(session.told(each.stream, appended=decided is not None))
        remembered = [Remembered(key, body, told)] if key is not None else []
        if not entries and not remembered:
            return told, ()
        stored = self._recorder.append(Request(entries, actor, sealing.vault, sealing.subjects, remembered))
        return positioned(told, stored.rows), stored.rows

    def _turn(self, stream: str) -> Lock:
        """Those who lost a race for a stream go on one by one, or many writers would forever undo each other."""
        return self._turns[hash(stream) % TURNS]

    def _the_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._recorder.secret
        return self._secret


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


@contextmanager
def _naming(number: int, lines: Sequence[bytes]) -> Iterator[None]:
    """Where there are several lines, a refusal says which one it is about."""
    try:
        yield
    except Refused as refused:
        if len(lines) == 1:
            raise
        raise Refused(refused.code, f"line {number}: {refused}") from None
