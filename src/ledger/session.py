"""The streams that a series of decisions looks at, each read once, and what was decided for them but not yet stored."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from ledger import book as book_rules
from ledger.checks import sealable
from ledger.codec import MAX_ENTRY_BYTES, Recorded, encode, from_rows
from ledger.decision import decide
from ledger.errors import Refused
from ledger.events import EVENTS, CustomerMerged, DealMerged, EventCorrected, EventRetracted, Sealed
from ledger.kinds import KINDS, fields_to_seal
from ledger.log.recorder import LogRecorder
from ledger.log.requests import PendingEntry, Request, Stored, Told
from ledger.privacy.sealing import Sealer, VaultRow, seal, subject_of
from ledger.privacy.vault import Vault
from ledger.said import Draft, Said
from ledger.stream import Stream

MAX_AGE_S = 1.0

SERIAL = (CustomerMerged, DealMerged, EventCorrected, EventRetracted)
"""What is stored only while all that it was decided by is as it was: else two merges at once could close a circle.

So is history, which a book may have closed since. A new version of a pipeline or of the book's settings may be a second
late for the rest.
"""

PROVISIONAL = 2**61
"""Positions of events that are decided and not yet stored start here: after all stored ones, in order."""


Value = TypeVar("Value")


class Sealing(msgspec.Struct, gc=False):
    """What must be stored beside an entry: values for the vault, and subjects named for the first time."""

    vault: list[VaultRow]
    subjects: list[tuple[str, str]]


NOTHING_SEALED = Sealing([], [])


class Recent(Generic[Value]):
    """A dictionary that forgets: once `most` new keys have come, those not asked for meanwhile go."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}

    def get(self, key: str) -> Value | None:
        found = self._young.get(key)
        if found is None and (found := self._old.pop(key, None)) is not None:
            self._young[key] = found
        return found

    def put(self, key: str, value: Value) -> None:
        if self._most is not None and len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def drop(self, key: str) -> None:
        self._young.pop(key, None)
        self._old.pop(key, None)


class References:
    """Streams that decisions only look at (book, pipelines, merge targets), shared between threads.

    Another process may have changed them up to `MAX_AGE_S` ago; what is missing is looked for again each time.
    """

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder
        self._streams: dict[str, tuple[float, Stream]] = {}

    def get(self, name: str) -> Stream:
        read_at, stream = self._streams.get(name, (0.0, None))
        if stream is None or time.monotonic() - read_at > MAX_AGE_S:
            stream = Stream(name, from_rows(self._recorder.stream_rows([name])))
            if stream.events:
                self._streams[name] = (time.monotonic(), stream)
        return stream

    def drop(self, name: str) -> None:
        """This one has just been appended to."""
        self._streams.pop(name, None)

    def clear(self) -> None:
        """Look everything up again."""
        self._streams = {}


class Session:
    """The world of some decisions (`decision.World`). Belongs to one thread at a time.

    Streams are read once, so they may be older than the log: what is decided from them is safe to store (the log checks
    versions), but a refusal or an "already so" is the log's only if they were read just before. `most` bounds how many
    are kept at hand; `positions`: of what was stored, keep where; `trying`: nothing will be stored, nor keys for it.
    """

    def __init__(
        self,
        recorder: LogRecorder,
        references: References,
        *,
        most: int | None = None,
        positions: bool = False,
        trying: bool = False,
    ) -> None:
        self._most = most
        self._positions = positions
        self._recorder = recorder
        self._references = references
        self._vault = Vault(recorder)
        self._keys = recorder.keys.apart() if trying else recorder.keys
        self._provisional = PROVISIONAL
        self._looked_at: dict[str, int] = {}
        self._streams: Recent[Stream] = Recent(most)
        self._pending: dict[str, Stream] = {}
        self._refs: Recent[str] = Recent(most)
        self._unnamed: set[str] = set()
        self._sealed_here: Recent[VaultRow] = Recent(most)

    # What decisions ask -----------------------------------------------------------------------------------------

    def stream(self, name: str) -> Stream:
        found = self._pending.get(name) or self._references.get(name)
        self._looked_at[name] = found.version
        return found

    def time_zone(self) -> str:
        opened = self.stream("book").state
        return (opened.settings if opened else book_rules.DEFAULT_OPENING).time_zone

    def reveal(self, sealed: Iterable[Sealed]) -> dict[str, Any]:
        found, elsewhere = {}, []
        for each in sealed:
            row = self._sealed_here.get(each.commitment.c)
            if row is None:
                elsewhere.append(each)
            elif (sealer := self._sealer(row.subject_ref)) is not None:
                found[row.commitment] = msgspec.json.decode(sealer.open(row))
        return found | self._vault.reveal(elsewhere)

    def begin(self, names: Iterable[str]) -> None:
        """Take these streams for new where none is at hand: the log knows better, and refuses a wrong guess."""
        for name in names:
            if self._streams.get(name) is None:
                self._streams.put(name, Stream(name))

    def preload(self, names: Iterable[str]) -> None:
        """Read the streams that are not here yet in one query."""
        missing = [name for name in dict.fromkeys(names) if self._streams.get(name) is None]
        if not missing:
            return
        events: dict[str, list[Recorded]] = {name: [] for name in missing}
        for event in from_rows(self._recorder.stream_rows(missing)):
            events[event.stream].append(event)
        for name in missing:
            self._streams.put(name, Stream(name, events[name]))

    # Deciding ---------------------------------------------------------------------------------------------------

    def opening(self) -> Said | None:
        """The book's default opening, where nobody has opened it yet."""
        return None if self.stream("book").events else Said("book", book_rules.DEFAULT_OPENING)

    def decide(self, said: Said, now: int, *, history: bool) -> tuple[PendingEntry, Sealing] | None:
        """The entry to store for what was said, or None where it is already so. Raises `Refused` or `Conflict`."""
        stream = self._own(said.stream)
        self._looked_at = {}
        if history and self._history_closed():
            raise Refused("history_closed", "this book's history is closed; append without --history, as of now")
        draft = decide(stream, said, self, now, history=history)
        if draft is None:
            return None
        draft, sealing = self._sealed(stream, draft) if sealable(type(draft.event)) else (draft, NOTHING_SEALED)
        data = said.data if said.data is not None and draft.event is said.event else encode(draft.event)
        if len(data) > MAX_ENTRY_BYTES:
            raise Refused(
                "too_large", f"the entry's data alone takes {len(data)} bytes; the most is {MAX_ENTRY_BYTES}, split it"
            )
        self._provisional += 1
        self._pending[stream.name] = stream
        recorded_at = now if draft.recorded_at is None else draft.recorded_at
        effective_at = now if draft.effective_at is None else draft.effective_at
        event_type = draft.event.TYPE
        stream.add(
            Recorded(
                self._provisional,
                stream.name,
                draft.version,
                event_type,
                effective_at,
                recorded_at,
                now,
                draft.event,
                "",
            ),
            in_order=draft.in_order,
            state=draft.state,
        )
        rests_on = tuple(self._looked_at.items()) if history or isinstance(said.event, SERIAL) else ()
        times = (draft.effective_at, draft.recorded_at)
        entry = PendingEntry(stream.name, draft.version, event_type, data, *times, draft.source, rests_on)
        return entry, sealing

    def undo(self, decided: Sequence[tuple[PendingEntry, Sealing]]) -> None:
        """Take back what was decided last, in this order, and will not be stored."""
        versions: dict[str, int] = {}
        for entry, sealing in decided:
            versions.setdefault(entry.originator_id, entry.originator_version - 1)
            for subject, _ in sealing.subjects:
                self._refs.drop(subject)
        for name, version in versions.items():
            self._own(name).cut(version)

    def _own(self, name: str) -> Stream:
        found = self._streams.get(name)
        if found is None:
            self.preload([name])
            found = self._streams.get(name)
            assert found is not None
        return found

    def told(self, stream: str, decided: tuple[PendingEntry, Sealing] | None) -> Told:
        """What to tell of the line decided last on a stream; its position only if it has one already."""
        if decided is not None:
            return Told(stream, decided[0].originator_version, None, appended=True)
        last = self._own(stream).events[-1]
        return Told(stream, last.version, last.position if last.position < PROVISIONAL else None, appended=False)

    def placed(self, told: Told) -> Told:
        """The same with its position, once all that was decided is stored."""
        if told.position is not None:
            return told
        position = self._own(told.stream).events[told.version - 1].position
        return msgspec.structs.replace(told, position=position if position < PROVISIONAL else None)

    def _history_closed(self) -> bool:
        opened = self.stream("book").state
        return opened is not None and opened.history_closed

    def _sealed(self, stream: Stream, draft: Draft) -> tuple[Draft, Sealing]:
        fields = fields_to_seal(stream.kind, stream.state, draft.event)
        if not fields and not isinstance(draft.event, EventCorrected):
            return draft, NOTHING_SEALED
        sealing = Sealing([], [])
        try:
            return self._sealed_into(sealing, stream, draft, fields)
        except Refused:
            for subject, _ in sealing.subjects:
                self._refs.drop(subject)
            raise

    def _sealed_into(
        self, sealing: Sealing, stream: Stream, draft: Draft, fields: tuple[str, ...]
    ) -> tuple[Draft, Sealing]:
        event = draft.event
        if fields:
            sealer = self._sealer_of(subject_of(stream.name, event), stream, sealing, fields)
            event, rows = seal(event, fields, sealer, stream.name, draft.version)
            sealing.vault += rows
        if isinstance(event, EventCorrected) and event.data is not None:
            corrected = msgspec.convert(event.data, EVENTS[stream.events[event.version - 1].type])
            inner = fields_to_seal(stream.kind, stream.state, corrected)
            if inner:
                sealer = self._sealer_of(subject_of(stream.name, corrected), stream, sealing, inner)
                corrected, rows = seal(corrected, inner, sealer, stream.name, draft.version)
                sealing.vault += rows
                event = msgspec.structs.replace(event, data=msgspec.to_builtins(corrected))
        if event is draft.event:
            return draft, NOTHING_SEALED
        for row in sealing.vault:
            self._sealed_here.put(row.commitment, row)
        state = KINDS[stream.kind].evolve(stream.state, event) if draft.in_order else None
        return msgspec.structs.replace(draft, event=event, state=state), sealing

    def preload_subjects(self, said: Iterable[Said]) -> None:
        """Read the names of all subjects that these lines will seal values of in one query."""
        wanted = {
            subject
            for each in said
            if sealable(type(each.event))
            and self._refs.get(subject := subject_of(each.stream, each.event)) is None
            and _may_be_named(subject, self._own(each.stream))
        }
        named = self._recorder.subject_refs(sorted(wanted)) if wanted else {}
        for subject, ref in named.items():
            self._refs.put(subject, ref)
        if named:
            self._keys.preload(list(named.values()))
        self._unnamed |= wanted - named.keys()

    def _sealer_of(self, subject: str, stream: Stream, sealing: Sealing, fields: tuple[str, ...]) -> Sealer:
        """What seals values about a subject. Raises `Refused` if it is erased."""
        sealer = self._sealer(self._ref(subject, stream, sealing))
        if sealer is None:
            raise Refused(
                "subject_erased",
                f"what was personal about {subject} has been erased, and nothing more can be sealed about it: leave out"
                f" {', '.join(fields)}, or speak of it under a new id",
            )
        return sealer

    def _sealer(self, ref: str) -> Sealer | None:
        key = self._keys.key(ref)
        return None if key is None else Sealer(self._keys.origin, ref, key)

    def _ref(self, subject: str, stream: Stream, sealing: Sealing) -> str:
        ref = self._refs.get(subject)
        if ref is None and subject not in self._unnamed and _may_be_named(subject, stream):
            ref = self._recorder.subject_refs([subject]).get(subject)
        if ref is None:
            ref = self._keys.new()
            sealing.subjects.append((subject, ref))
        self._refs.put(subject, ref)
        return ref

    # Afterwards -------------------------------------------------------------------------------------------------

    def keep(self, stored: Iterable[tuple[Request, Stored]]) -> None:
        """What was decided for these requests is stored: there, and at that stamp."""
        settled: dict[str, list[Recorded]] = {}
        for request, where in stored:
            for position, entry in enumerate(request.entries, where.position):
                name, version = entry.originator_id, entry.originator_version
                self._references.drop(name)
                pending = self._pending.get(name)
                if pending is not None and pending.version == version:
                    del self._pending[name]
                if not self._positions and entry.effective_at is not None and entry.recorded_at is not None:
                    continue
                stream = self._streams.get(name)
                if stream is not None and stream.version >= version:
                    event = stream.events[version - 1]
                    settled.setdefault(name, []).append(_settled(event, entry, position, where.appended_at))
        for name, events in settled.items():
            self._own(name).settle(events)

    def drop(self, names: Iterable[str]) -> None:
        """What we think of these streams is worth nothing."""
        for name in names:
            self._streams.drop(name)
            self._pending.pop(name, None)

    def look_again(self) -> None:
        """Read what decisions only refer to once more."""
        self._references.clear()

    def rest(self) -> None:
        """Nothing is under way: keep streams and the names of subjects, no texts."""
        self._pending = {}
        self._unnamed = set()
        self._sealed_here = Recent(self._most)

    def forget(self) -> None:
        """Something decided was not stored: all that we think is worth nothing."""
        self.look_again()
        self.rest()
        self._streams = Recent(self._most)
        self._refs = Recent(self._most)


def _settled(event: Recorded, entry: PendingEntry, position: int, stamp: int) -> Recorded:
    effective_at = stamp if entry.effective_at is None else entry.effective_at
    recorded_at = stamp if entry.recorded_at is None else entry.recorded_at
    where = (position, event.stream, event.version, event.type)
    return Recorded(*where, effective_at, recorded_at, stamp, event.data, event.actor)


def _may_be_named(subject: str, stream: Stream) -> bool:
    """Whether the log may know the subject. A stream not yet begun is none, but of people others may have spoken."""
    return bool(stream.events) or subject != stream.name or stream.kind == "person"
