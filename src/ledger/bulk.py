"""Appending a long file: lines are decided one by one and stored in large transactions, an outcome for each line.

Of a long file a batch is stored by a process beside us (`log.storing`) while the next one is decided, on the assumption
that it will be stored as decided; where it was not, both are decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from ledger.appending import MAX_TRIES, Receipt, same_body
from ledger.collecting import collected_seldom
from ledger.errors import Conflict, DatabaseUnusable, KeyReused, LedgerError, Refused, bare
from ledger.events import BookOpened
from ledger.kinds import OPENINGS
from ledger.lines import body_hmac, read
from ledger.log.recorder import LogRecorder
from ledger.log.requests import Remembered, Request, Stored
from ledger.log.storing import StoringProcess
from ledger.privacy.key_file import KeyPlace
from ledger.said import Said
from ledger.session import References, Session
from ledger.times import utc_now

BATCH_LINES = 4_096
KEPT_STREAMS = 50_000
"""Those looked at last, up to twice as many: a history of 100,000 deals comes back to most of its streams in that time.

A stream that was forgotten is read from the log again. Each takes some 4 kB.
"""
LONG_BATCHES = 3
"""From the how-manieth batch on a process beside us does the storing."""

Outcomes = list[Stored | BaseException]


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one line of a file: a receipt or an error; `line` is unchanged.

    `repeated`: its key was used before with the same body, and the receipt is the one given then.
    """

    number: int
    line: bytes
    receipt: Receipt | None
    error: LedgerError | None
    repeated: bool = False


class _Deciding(msgspec.Struct, gc=False):
    """A line on its way.

    `error` is bare: the frames it was raised in hold the batch, a cycle that the garbage collector does not look at.
    """

    number: int
    line: bytes
    said: Said | None = None
    receipt: Receipt | None = None
    error: LedgerError | None = None
    key: str = ""
    body: bytes = b""
    repeated: bool = False


class _Batch:
    """Lines that go together: their requests, being stored, and those that must wait for a further try.

    `keys`: the first line with each key. `repeats`: lines with the key of an earlier one, of this batch or of the one that
    was under way, which get its receipt once it is stored.
    `refused`: the log would not store one of them (it is too large), though the rules allowed it.
    """

    def __init__(self, lines: Sequence[_Deciding]) -> None:
        self.lines = lines
        self.requests: list[tuple[_Deciding, Request]] = []
        self.later: list[_Deciding] = []
        self.keys: dict[str, _Deciding] = {}
        self.repeats: list[tuple[_Deciding, _Deciding]] = []
        self.refused = False
        self.stored: Callable[[], Outcomes] | None = None


class BulkAppender:
    """Appends one file. Belongs to one thread."""

    def __init__(
        self, recorder: LogRecorder, url: str, keys: KeyPlace | None, *, actor: str, history: bool, dry_run: bool
    ) -> None:
        self._recorder = recorder
        self._url = url
        self._place = keys
        self._storer: StoringProcess | None = None
        self._actor = actor
        self._history = history
        self._dry_run = dry_run
        self._secret = recorder.secret
        # What a dry run decides is nowhere but here, so it may forget nothing.
        most = None if dry_run else KEPT_STREAMS
        self._session = Session(recorder, References(recorder), most=most, trying=dry_run)
        self._opened = False
        self._is_new = recorder.head().position == 0
        self._tried: dict[str, Remembered] = {}
        self._under_way: dict[str, _Deciding] = {}

    def run(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[Outcome]:
        """Outcomes in the order of the lines."""
        with collected_seldom():
            yield from self._run(iter(lines))

    def _run(self, numbered: Iterator[tuple[int, bytes]]) -> Iterator[Outcome]:
        under_way: _Batch | None = None
        count = 0
        try:
            while some := [_Deciding(number, line) for number, line in islice(numbered, BATCH_LINES)]:
                count += 1
                self._read(some)
                batch = self._decide(some)
                if under_way is not None:
                    if not self._settle(under_way):
                        batch = self._decide(some)
                    yield from self._outcomes(under_way)
                if count == LONG_BATCHES and not self._dry_run and self._recorder.clock is utc_now:
                    self._storer = StoringProcess(self._url, self._recorder.book, self._place)
                self._store(batch)
                under_way, self._under_way = batch, batch.keys
            if under_way is not None:
                self._settle(under_way)
                yield from self._outcomes(under_way)
        finally:
            if self._storer is not None:
                self._storer.close()

    def _read(self, lines: Sequence[_Deciding]) -> None:
        for deciding in lines:
            try:
                deciding.said = read(deciding.line, history=self._history)
            except Refused as refused:
                deciding.error = bare(refused)
        if not self._opened:
            self._open(lines)

    def _open(self, lines: Sequence[_Deciding]) -> None:
        """Open the book with the defaults, unless the first good line does."""
        first = next((deciding.said for deciding in lines if deciding.said is not None), None)
        if first is None:
            return
        self._opened = True
        opening = self._session.opening()
        if opening is not None and not isinstance(first.event, BookOpened):
            decided = self._session.decide(opening, self._recorder.now(), history=False)
            if decided is not None and not self._dry_run:
                self._recorder.append_many([Request([decided[0]], self._actor)])
                self._session.forget()

    def _decide(self, lines: Sequence[_Deciding]) -> _Batch:
        """Decide what can be read; leaves `receipt`, `error` or a request for each."""
        batch = _Batch(lines)
        readable = [(deciding, said) for deciding in lines if (said := deciding.said) is not None]
        session, now, history = self._session, self._recorder.now(), self._history
        before = self._before(readable)
        if self._is_new:  # no need to ask the log for streams that begin here
            session.begin([said.stream for _, said in readable if isinstance(said.event, OPENINGS)])
        session.preload([said.stream for _, said in readable])
        session.preload_subjects([said for _, said in readable])
        for deciding, said in readable:
            deciding.receipt = deciding.error = None
            deciding.repeated = False
            try:
                if said.key is not None:
                    if said.key in before:
                        deciding.receipt = same_body(before[said.key], deciding.body)[0]
                        deciding.repeated = True
                        continue
                    first = batch.keys.get(said.key) or self._under_way.get(said.key)
                    if first is not None and first.error is None:
                        batch.repeats.append((deciding, first))
                        continue
                    batch.keys[said.key] = deciding
                decided = session.decide(said, now, history=history)
            except DatabaseUnusable:
                raise  # no line's own fault
            except LedgerError as error:
                deciding.error = bare(error)
                continue
            deciding.receipt = told = session.told(said.stream, decided)
            remembered = () if said.key is None else (Remembered(said.key, deciding.body, [told]),)
            if self._dry_run:
                before |= {each.key: each for each in remembered}
            elif decided is not None:
                entry, sealing = decided
                request = Request([entry], self._actor, sealing.vault, sealing.subjects, remembered)
                batch.requests.append((deciding, request))
            elif remembered:
                batch.requests.append((deciding, Request([], self._actor, remembered=remembered)))
        self._take_overtaken([deciding for deciding, _ in readable if deciding.error is not None and deciding.key])
        return batch

    def _take_overtaken(self, refused: Sequence[_Deciding]) -> None:
        """What another writer has stored since the keys were looked up may be refused for that; it is a repetition."""
        keys = {deciding.key for deciding in refused if not isinstance(deciding.error, KeyReused)}
        since = self._recorder.remembered(self._actor, sorted(keys)) if keys else {}
        for deciding in refused:
            if deciding.key in since:
                try:
                    deciding.receipt = same_body(since[deciding.key], deciding.body)[0]
                    deciding.error, deciding.repeated = None, True
                except KeyReused as reused:
                    deciding.error = bare(reused)

    def _before(self, lines: Sequence[tuple[_Deciding, Said]]) -> dict[str, Remembered]:
        """What is remembered of the keys that these lines have."""
        keys = set()
        for deciding, said in lines:
            if said.key is not None:
                deciding.body = deciding.body or body_hmac(self._secret, [deciding.line])
                deciding.key = said.key
                keys.add(said.key)
        found = self._recorder.remembered(self._actor, sorted(keys)) if keys else {}
        if self._dry_run:
            self._tried |= found
            return self._tried
        return found

    def _store(self, batch: _Batch) -> None:
        """Begin storing; without a process beside us it is done when this returns."""
        if self._dry_run or not batch.requests:
            return
        requests = [request for _, request in batch.requests]
        if self._storer is not None:
            self._storer.send(requests)
            batch.stored = self._storer.receive
        else:
            outcomes = self._recorder.append_many(requests)
            batch.stored = lambda: outcomes

    def _settle(self, batch: _Batch) -> bool:
        """Wait until a batch is stored, deciding again what was not. False if that undoes what was decided since."""
        self._take_outcomes(batch)
        if not batch.later and not batch.refused:
            return True
        waiting = _unsettled(batch)
        self._under_way = {}
        self._is_new = False
        for _ in range(MAX_TRIES):
            self._session.forget()
            if not waiting:
                return False
            again = self._decide(waiting)
            self._store(again)
            self._take_outcomes(again)
            waiting = _unsettled(again)
        for deciding in waiting:
            deciding.error = Conflict("this stream is being appended to by many at once; append the line again")
        return False

    def _take_outcomes(self, batch: _Batch) -> None:
        """Note how storing went."""
        stored: list[tuple[Request, Stored]] = []
        outcomes = [] if batch.stored is None else batch.stored()
        for (deciding, request), outcome in zip(batch.requests, outcomes, strict=True):
            if isinstance(outcome, Stored):
                stored.append((request, outcome))
                if request.entries:
                    assert deciding.receipt is not None
                    deciding.receipt = deciding.receipt.at(outcome.position)
            elif isinstance(outcome, Conflict):
                batch.later.append(deciding)
            else:
                batch.refused = True
                deciding.receipt = None
                deciding.error = outcome if isinstance(outcome, LedgerError) else LedgerError(str(outcome))
        if batch.repeats:
            self._take_repeats(batch)
        self._session.keep(stored)

    @staticmethod
    def _take_repeats(batch: _Batch) -> None:
        waiting = {id(deciding) for deciding in batch.later}
        for deciding, first in batch.repeats:
            if first.receipt is None or id(first) in waiting:
                batch.later.append(deciding)
                continue
            try:
                deciding.receipt = same_body(Remembered(first.key, first.body, [first.receipt]), deciding.body)[0]
                deciding.repeated = True
            except KeyReused as reused:
                deciding.error = bare(reused)

    def _outcomes(self, batch: _Batch) -> Iterator[Outcome]:
        for done in batch.lines:
            if done.receipt is not None and not self._dry_run:
                done.receipt = self._session.placed(done.receipt)
            yield Outcome(done.number, done.line, done.receipt, done.error, done.repeated)


def _unsettled(batch: _Batch) -> list[_Deciding]:
    """The lines to decide again: those not stored, and those whose answer rests on one that was not."""
    asked = {id(deciding) for deciding, _ in batch.requests}
    later = {id(deciding) for deciding in batch.later}
    shaken: set[str] = set()
    again = []
    for deciding in batch.lines if later or batch.refused else ():
        if deciding.said is None:
            continue
        waits = id(deciding) in later
        if waits or (id(deciding) in asked and deciding.error is not None):
            shaken.add(deciding.said.stream)
        if waits or (id(deciding) not in asked and deciding.said.stream in shaken):
            again.append(deciding)
    return again
