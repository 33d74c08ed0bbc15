"""Appending: read lines, decide them, store them: a request at once, or a long file in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from ledger.decision import Said
from ledger.errors import Conflict, KeyReused, LedgerError, Moved, Refused
from ledger.lines import body_hmac, read
from ledger.log.recorder import PendingEntry, Remembered, Request, Row, Stored, Told, positioned
from ledger.session import References, Sealing, Session, StreamCache

if TYPE_CHECKING:
    from ledger.application import Ledger

CACHED_STREAMS = 20_000
BATCH_LINES = 4_096
MAX_REQUEST_LINES = 10_000
MAX_TRIES = 50

Receipt = Told
"""What the caller is told of a line: `stream, version, position, appended` (false: it was already so)."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one line of a file: a receipt or an error; `line` is unchanged."""

    number: int
    line: bytes
    receipt: Receipt | None
    error: LedgerError | None


class _Deciding(msgspec.Struct):
    """A line on its way."""

    number: int
    line: bytes
    said: Said | None = None
    receipt: Receipt | None = None
    error: LedgerError | None = None


class Appender:
    """Decides and stores for one ledger. Safe to share between threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._recorder = ledger.recorder
        self._cache = StreamCache(CACHED_STREAMS)
        self._references = References(ledger.recorder)
        self._secret: bytes | None = None

    # One request, all or nothing ----------------------------------------------------------------------------------

    def append(self, lines: Sequence[bytes], *, actor: str, history: bool, key: str | None) -> list[Receipt]:
        """See `Ledger.append`."""
        if not 1 <= len(lines) <= MAX_REQUEST_LINES:
            raise Refused("bad_request", f"a request holds 1 to {MAX_REQUEST_LINES} lines, not {len(lines)}")
        said: list[Said] = []
        for number, line in enumerate(lines, 1):
            with _naming(number, lines):
                said.append(read(line, history=history))
        if key is None and len(lines) == 1:
            key = said[0].key
        elif any(each.key for each in said):
            raise Refused("bad_request", "lines of one request share its key; leave out the lines' own")
        body = body_hmac(self._the_secret(), list(lines)) if key is not None else b""
        cached = True
        for _ in range(MAX_TRIES):
            if key is not None and (before := self._recorder.remembered(actor, [key]).get(key)):
                return _same_body(before, body)
            session = Session(self._recorder, self._references, self._cache if cached else None)
            try:
                receipts, rows = self._attempt(session, lines, said, actor, history=history, key=key, body=body)
            except (Conflict, Refused) as error:
                session.forget()
                if not cached and not isinstance(error, Moved):
                    raise
                cached = False
                continue
            if cached and not all(receipt.appended for receipt in receipts):
                session.forget()
                cached = False
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
        if opening is not None and said[0].stream != "book":
            _collect(session.decide(opening, now, history=False), entries, sealing)
        session.preload(each.stream for each in said)
        told: list[Told] = []
        for number, each in enumerate(said, 1):
            with _naming(number, lines):
                decided = session.decide(each, now, history=history)
            _collect(decided, entries, sealing)
            told.append(session.told(each.stream, appended=decided is not None))
        remembered = Remembered(key, body, told) if key is not None else None
        if not entries and remembered is None:
            return told, ()
        stored = self._recorder.append(Request(entries, actor, sealing.vault, sealing.subjects, remembered))
        return positioned(told, stored.rows), stored.rows

    # A long file ----------------------------------------------------------------------------------------------------

    def append_each(
        self, lines: Iterable[tuple[int, bytes]], *, actor: str, history: bool, dry_run: bool
    ) -> Iterator[Outcome]:
        """See `Ledger.append_each`."""
        session = Session(self._recorder, References(self._recorder), None if dry_run else StreamCache(CACHED_STREAMS))
        numbered = iter(lines)
        opened = False
        while batch := [_Deciding(number, line) for number, line in islice(numbered, BATCH_LINES)]:
            for deciding in batch:
                try:
                    deciding.said = read(deciding.line, history=history)
                except Refused as refused:
                    deciding.error = refused
            if not opened:
                opened = self._open(session, batch, actor, dry_run=dry_run)
            self._settle(session, batch, actor, history=history, dry_run=dry_run)
            for done in batch:
                yield Outcome(done.number, done.line, done.receipt, done.error)

    def _open(self, session: Session, batch: Sequence[_Deciding], actor: str, *, dry_run: bool) -> bool:
        """Open the book with the defaults, unless the first good line does. True when that is settled."""
        first = next((deciding.said for deciding in batch if deciding.said is not None), None)
        if first is None:
            return False
        opening = session.opening()
        if opening is not None and first.stream != "book":
            decided = session.decide(opening, self._recorder.now(), history=False)
            if decided is not None and not dry_run:
                self._recorder.append_many([Request([decided[0]], actor)])
                session.forget()
        return True

    def _settle(
        self, session: Session, batch: Sequence[_Deciding], actor: str, *, history: bool, dry_run: bool
    ) -> None:
        waiting = [deciding for deciding in batch if deciding.said is not None]
        for _ in range(MAX_TRIES):
            if not waiting:
                return
            waiting = self._store(session, waiting, actor, history=history, dry_run=dry_run)
        for deciding in waiting:
            deciding.error = Conflict("this stream is being appended to by many at once; append the line again")

    def _store(
        self, session: Session, batch: Sequence[_Deciding], actor: str, *, history: bool, dry_run: bool
    ) -> list[_Deciding]:
        """Decide and store a batch; returns the lines that must be decided again, in order."""
        now = self._recorder.now()
        again: list[_Deciding] = []
        requests: list[tuple[_Deciding, Request]] = []
        bodies = self._bodies(batch)
        before = self._recorder.remembered(actor, list(bodies)) if bodies else {}
        session.preload(deciding.said.stream for deciding in batch if deciding.said is not None)
        session.preload_subjects(deciding.said for deciding in batch if deciding.said is not None)
        seen: set[str] = set()
        for deciding in batch:
            said = deciding.said
            assert said is not None
            try:
                if said.key is not None:
                    if said.key in before:
                        deciding.receipt = _same_body(before[said.key], bodies[said.key][id(deciding)])[0]
                        continue
                    if said.key in seen:
                        again.append(deciding)
                        continue
                    seen.add(said.key)
                decided = session.decide(said, now, history=history)
            except LedgerError as error:
                deciding.error = error
                continue
            told = session.told(said.stream, appended=decided is not None)
            deciding.receipt = told
            if said.key is not None:
                remembered = Remembered(said.key, bodies[said.key][id(deciding)], [told])
            elif decided is None:
                continue
            else:
                remembered = None
            entries, sealing = ([decided[0]], decided[1]) if decided else ([], Sealing([], []))
            requests.append((deciding, Request(entries, actor, sealing.vault, sealing.subjects, remembered)))
        if dry_run:
            return again
        return sorted([*again, *self._store_requests(session, requests)], key=lambda deciding: deciding.number)

    def _store_requests(self, session: Session, requests: Sequence[tuple[_Deciding, Request]]) -> list[_Deciding]:
        outcomes = self._recorder.append_many([request for _, request in requests]) if requests else []
        again: list[_Deciding] = []
        rows: list[Row] = []
        refused = False
        for (deciding, _), outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, Stored):
                assert deciding.receipt is not None
                deciding.receipt = positioned([deciding.receipt], outcome.rows)[0]
                rows += outcome.rows
            elif isinstance(outcome, Conflict):
                again.append(deciding)
            else:
                refused = True
                deciding.receipt = None
                deciding.error = outcome if isinstance(outcome, LedgerError) else LedgerError(str(outcome))
        if again or refused:
            session.forget()
        else:
            session.keep(rows)
        return again

    def _bodies(self, batch: Sequence[_Deciding]) -> dict[str, dict[int, bytes]]:
        """The comparison values of lines with keys, by key and line."""
        bodies: dict[str, dict[int, bytes]] = {}
        for deciding in batch:
            if deciding.said is not None and deciding.said.key is not None:
                body = body_hmac(self._the_secret(), [deciding.line])
                bodies.setdefault(deciding.said.key, {})[id(deciding)] = body
        return bodies

    def _the_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._recorder.secret
        return self._secret


def _collect(decided: tuple[PendingEntry, Sealing] | None, entries: list[PendingEntry], sealing: Sealing) -> None:
    if decided is not None:
        entries.append(decided[0])
        sealing.vault += decided[1].vault
        sealing.subjects += decided[1].subjects


def _same_body(before: Remembered, body: bytes) -> list[Receipt]:
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
