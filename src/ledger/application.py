"""The `eventsourcing` application over the log: `open_ledger` gives one, `append` decides and stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import (
    InfrastructureFactory,
    JSONTranscoder,
    Mapper,
    Recording,
    StoredEvent,
)
from eventsourcing.utils import Environment
from sqlalchemy import Engine

from ledger.appending import Appender, Receipt
from ledger.bulk import BulkAppender, Outcome
from ledger.checks import is_id
from ledger.codec import Recorded, encode, from_entry, from_rows
from ledger.errors import BadRequest, UnreadableEvent
from ledger.events import EVENTS, Sealed
from ledger.imports.appending import RowAppender, RowOutcome
from ledger.imports.rows import Produced, Rejected
from ledger.log.database import connect
from ledger.log.postgres import PostgresRecorder
from ledger.log.reader import StoredEntry
from ledger.log.recorder import Address, Clock, LogRecorder
from ledger.log.requests import PendingEntry
from ledger.log.sqlite import SQLiteRecorder
from ledger.privacy.key_file import KeyFile, KeyPlace, owner_of
from ledger.privacy.keyring import Keyring
from ledger.privacy.vault import Vault
from ledger.proof.signing import trust_directory
from ledger.said import Draft
from ledger.times import FOREVER, utc_now
from ledger.upcasters import schema_of

PAGE = 10_000


class Head(NamedTuple):
    """The end of the log: how many entries it has, and the stamp of the last."""

    position: int
    stamp: int


class EventMapper(Mapper[str]):
    """Drafts to pending entries, stored entries to `Recorded`."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: Any) -> Any:
        """A decided draft with its data as canonical bytes."""
        draft: Draft = domain_event
        return PendingEntry(
            draft.stream,
            draft.version,
            draft.event.TYPE,
            encode(draft.event),
            draft.effective_at,
            draft.recorded_at,
            draft.source,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The typed event of a stored entry. Raises `UnreadableEvent`."""
        assert isinstance(stored_event, StoredEntry)
        return from_rows([stored_event.row])[0]


class LogFactory(InfrastructureFactory[Any]):
    """Gives the application the recorder it was made with; a log has no other recorders."""

    recorder: LogRecorder

    def application_recorder(self) -> LogRecorder:
        return self.recorder

    def aggregate_recorder(self, purpose: str = "events") -> LogRecorder:  # noqa: ARG002
        return self.recorder

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> Any:
        raise NotImplementedError("positions are tracked by the read store, in its own transactions")

    def close(self) -> None:
        self.recorder.close()

    def process_recorder(self) -> Any:
        raise NotImplementedError("positions are tracked by the read store, in its own transactions")


class Ledger(Application[str]):
    """One book's ledger. Safe to share between threads."""

    name = "sales-ledger"
    recorder: LogRecorder

    def __init__(self, recorder: LogRecorder, url: str, keys: KeyPlace | None = None) -> None:
        self._recorder = recorder
        self.url = url
        self.keys = keys
        self.book = recorder.book
        self.engine: Engine = recorder.engine
        self.vault = Vault(recorder)
        super().__init__()
        self._appender = Appender(self)

    def construct_env(self, name: str, env: Any = None) -> Environment:
        """Nothing is read from the process's environment."""
        return Environment(name, env or {})

    def construct_factory(self, env: Environment) -> LogFactory:
        factory = LogFactory(env)
        factory.recorder = self._recorder
        return factory

    def construct_mapper(self) -> EventMapper:
        return EventMapper()

    def save(self, *objs: Any, **kwargs: Any) -> list[Recording[str]]:
        """Store decided drafts, all or none. The stock one spends more on protocol checks than this on storing."""
        return self.events.put(objs, **kwargs)

    # Appending ------------------------------------------------------------------------------------------------

    def append(
        self, lines: Sequence[bytes | dict[str, Any]], *, actor: str, history: bool = False, key: str | None = None
    ) -> list[Receipt]:
        """Decide these event lines in order and store all of them or none.

        `history` admits claimed recording times; `key` makes the whole request repeatable, a line's own `key` that
        line. Raises `Refused` (its message names the line), `Conflict` or `KeyReused`; nothing is stored then.
        """
        return self._appender.append([_bytes(line) for line in lines], actor=_actor(actor), history=history, key=key)

    def append_each(
        self, lines: Iterable[tuple[int, bytes]], *, actor: str, history: bool = False, dry_run: bool = False
    ) -> Iterator[Outcome]:
        """Decide numbered lines one by one and store the good ones in large batches; an outcome for each, in order."""
        appender = BulkAppender(
            self.recorder, self.url, self.keys, actor=_actor(actor), history=history, dry_run=dry_run
        )
        return appender.run(lines)

    def append_rows(
        self, rows: Iterable[Produced | Rejected], *, actor: str, dry_run: bool = False
    ) -> Iterator[RowOutcome]:
        """Import rows, each stored whole or not at all and its events only once; an outcome for each, in order."""
        return RowAppender(self.recorder, actor=_actor(actor), dry_run=dry_run).run(rows)

    def now(self) -> int:
        """The log's time: the clock, but never before the last stamp."""
        return max(self.recorder.clock(), self.recorder.head().stamp)

    # Reading --------------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """The end of the log as it is now."""
        head = self.recorder.head()
        return Head(head.position, head.stamp)

    def feed(self, after: int, limit: int, *, stream: str | None = None, type: str | None = None) -> list[Recorded]:  # noqa: A002 (the contract's word)
        """Events with a position above `after`, in order, at most `limit`. Raises `UnreadableEvent`."""
        condition, parameters = "position > ?", [after]
        for column, value in ("stream", stream), ("type", type):
            if value is not None:
                condition += f" AND {column} = ?"
                parameters.append(value)  # type: ignore[arg-type]
        if stream is None and type is None:
            return self._page(self.recorder.events, after, limit)
        return self.recorder.events(condition, parameters, "position", limit)

    def feed_rows(self, after: int, limit: int) -> list[Any]:
        """The log's rows with a position above `after`, in order, at most `limit`."""
        return self._page(self.recorder.rows, after, limit)

    @staticmethod
    def _page(read: Callable[..., list[Any]], after: int, limit: int) -> list[Any]:
        """Positions have no gaps, so a page is a range of them.

        PostgreSQL finds a range at once; for the first rows of an order it would sort all the others, until it has
        statistics. Where a range is empty the log ends, or has lost entries and goes on behind them.
        """
        upto = min(after + limit, FOREVER)
        return read("position > ? AND position <= ?", [after, upto], "position") or read(
            "position > ?", [after], "position", limit
        )

    def entries(self, upto: int | None = None) -> Iterator[Recorded]:
        """Every event read from its hashed bytes alone, in order, up to a position. Raises `UnreadableEvent`."""
        after = 0
        while upto is None or after < upto:
            rows = self.feed_rows(after, PAGE if upto is None else min(PAGE, upto - after))
            for row in rows:
                yield from_entry(row[0], bytes(row[7]))
            if not rows:
                return
            after = rows[-1][0]

    def stream(self, stream: str) -> list[Recorded]:
        """The events of one stream by version; empty if there is none."""
        return from_rows(self.recorder.stream_rows([stream]))

    def streams(self, streams: Sequence[str]) -> dict[str, list[Recorded]]:
        """The events of several streams, in one query; streams without events are missing."""
        found: dict[str, list[Recorded]] = {}
        for event in from_rows(self.recorder.stream_rows(streams)) if streams else ():
            found.setdefault(event.stream, []).append(event)
        return found

    def reveal(self, sealed: Iterable[Sealed]) -> dict[str, Any]:
        """The values behind commitments, by commitment, `Erased` where the subject is; see `Vault.reveal`."""
        return self.vault.reveal(sealed)


def open_ledger(
    url: str,
    book: str = "main",
    *,
    clock: Clock = utc_now,
    create: bool = True,
    keys: KeyPlace | None = None,
) -> Ledger:
    """The ledger of one book in the database at this address; its tables are made or migrated as needed.

    Without `create`, a database or a book that is not there is an error. `keys` says where the key store is, the trust directory of
    the address by default; it is opened when something is sealed or read. Raises `DatabaseUnusable`, `NotFound`,
    `UnreadableEvent` when the log holds event types this version does not know.
    """
    return Ledger(open_recorder(url, book, clock=clock, create=create, keys=keys), url, keys)


def open_recorder(
    url: str,
    book: str,
    *,
    clock: Clock = utc_now,
    create: bool = True,
    keys: KeyPlace | None = None,
) -> LogRecorder:
    """The log under a ledger; see `open_ledger`."""
    if not _is_book(book):
        raise BadRequest(f"{book[:40]!r} cannot name a book; use 1 to 32 of a-z 0-9 _")

    def keys_of(book: str, secret: bytes) -> Keyring:
        return Keyring(lambda: KeyFile(key_place(url, keys), book, owner_of(secret), create=True))

    engine = connect(url, keys_of, create=create)
    recorder = (PostgresRecorder if engine.dialect.name == "postgresql" else SQLiteRecorder)(engine, book, clock)
    recorder.address = Address(url, keys)
    recorder.keys = Keyring(
        lambda: KeyFile(key_place(url, keys), book, owner_of(recorder.secret), create=not recorder.has_subjects())
    )
    try:
        recorder.ensure_book(create=create)
        _check_types(recorder)
    except BaseException:
        recorder.close()
        raise
    return recorder


def key_place(url: str, chosen: KeyPlace | None) -> KeyPlace:
    """Where the keys of a database are: as chosen, else in its trust directory."""
    return chosen or KeyPlace(str(trust_directory(url, None)))


def _check_types(recorder: LogRecorder) -> None:
    for event_type, schema in recorder.types():
        if event_type not in EVENTS or schema > schema_of(event_type):
            raise UnreadableEvent(
                f"the log holds {event_type} in schema {schema}, which this version does not know; upgrade sales-ledger"
            )


def _is_book(name: str) -> bool:
    return 1 <= len(name) <= 32 and name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()


def _actor(actor: str) -> str:
    if not is_id(actor):
        raise BadRequest(f"{actor[:40]!r} cannot name an actor; use 1 to 64 of A-Z a-z 0-9 . _ : -")
    return actor


def _bytes(line: bytes | dict[str, Any]) -> bytes:
    return line if isinstance(line, bytes) else msgspec.json.encode(line)
