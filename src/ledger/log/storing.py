"""A process beside ours that stores what we decide: stamps, hashes and writes one batch while we decide the next.

Long files only: starting it takes as long as storing some ten thousand lines. It is told everything over a pipe, ends
when the pipe does, and writes through a recorder of its own, so that whatever holds for many processes holds for it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Any

import msgspec

from ledger.collecting import collect_seldom
from ledger.errors import DatabaseUnusable, LedgerError, Moved, Refused
from ledger.log.recorder import LogRecorder
from ledger.log.requests import Request, Stored
from ledger.privacy.key_file import KeyPlace

_LENGTH_BYTES = 4


class _Hello(msgspec.Struct):
    url: str
    book: str
    keys: KeyPlace | None


class _NotStored(msgspec.Struct, array_like=True, tag=True, gc=False):
    """Why one request was not stored: a stream has moved on, or the code of its refusal."""

    moved: bool
    code: str
    message: str


class _Replies(msgspec.Struct):
    """Of one batch, what became of each request; `failure` when nothing of it was stored."""

    replies: list[Stored | _NotStored] = []
    failure: str = ""


class StoringProcess:
    """The near end. One batch is under way at a time: `send`, then `receive`."""

    def __init__(self, url: str, book: str, keys: KeyPlace | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ledger.log.storing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        # It looks at fences only, and needs no wrapping key for that.
        self._send(_Hello(url, book, keys and msgspec.structs.replace(keys, wrapping_key=None)))

    def send(self, requests: Sequence[Request]) -> None:
        """Begin storing requests in one transaction."""
        self._send(requests)

    def receive(self) -> list[Stored | BaseException]:
        """How it went, a result for each request. Raises `DatabaseUnusable` if nothing could be stored."""
        assert self._process.stdout is not None
        told = _read(self._process.stdout)
        if told is None:
            raise LedgerError("the process that stores has ended; see which lines are stored and append the others")
        replies = msgspec.msgpack.decode(told, type=_Replies)
        if replies.failure:
            raise DatabaseUnusable(replies.failure)
        return [reply if isinstance(reply, Stored) else _error(reply) for reply in replies.replies]

    def close(self) -> None:
        """Let it finish what it was sent, and end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _send(self, message: Any) -> None:
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin, msgspec.msgpack.encode(message))
        except BrokenPipeError:
            raise LedgerError("the process that stores has ended; append what is not stored again") from None


def _error(reply: _NotStored) -> LedgerError:
    return Moved(reply.message) if reply.moved else Refused(reply.code, reply.message)


def _read(pipe: IO[bytes]) -> bytes | None:
    size = pipe.read(_LENGTH_BYTES)
    if len(size) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(size)
    message = pipe.read(length)
    return message if len(message) == length else None


def _write(pipe: IO[bytes], message: bytes) -> None:
    # Not through the pipe's buffer: where the process was stopped in the middle (Ctrl-Z) and went on, the buffer was
    # seen to lose the rest of a message.
    left = memoryview(len(message).to_bytes(_LENGTH_BYTES) + message)
    while left:
        left = left[os.write(pipe.fileno(), left) :]


# The far end --------------------------------------------------------------------------------------------------------


def _serve(ours: IO[bytes], theirs: IO[bytes]) -> None:
    from ledger.application import open_recorder  # noqa: PLC0415 (the near end is imported by the application)

    hello = _read(ours)
    if hello is None:
        return
    said = msgspec.msgpack.decode(hello, type=_Hello)
    recorder: LogRecorder | None = None
    decode = msgspec.msgpack.Decoder(list[Request]).decode
    try:
        while (message := _read(ours)) is not None:
            try:
                if recorder is None:
                    recorder = open_recorder(said.url, said.book, create=False, keys=said.keys)
                outcomes = recorder.append_many(decode(message))
                replies = _Replies([each if isinstance(each, Stored) else _not_stored(each) for each in outcomes])
            except LedgerError as error:
                replies = _Replies(failure=str(error))
            _write(theirs, msgspec.msgpack.encode(replies))
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        if recorder is not None:
            recorder.close()


def _not_stored(error: BaseException) -> _NotStored:
    match error:
        case LedgerError():
            return _NotStored(isinstance(error, Moved), error.code, str(error))
        case _:
            raise error


if __name__ == "__main__":
    collect_seldom()
    _serve(sys.stdin.buffer, sys.stdout.buffer)
