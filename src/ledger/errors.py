"""What can go wrong, in the ledger's own words. Nothing here knows of HTTP or of a database."""

from __future__ import annotations


class LedgerError(Exception):
    """Anything the ledger says no to. The message is one line that says what to do."""

    code = "error"


def bare(error: LedgerError) -> LedgerError:
    """The error without the frames that it was raised in, which keep alive all that was at hand there."""
    error.__context__ = None
    return error.with_traceback(None)


class Refused(LedgerError):
    """A line that breaks a rule; the log stays as it was.

    `code` is stable and machine readable (`closed_deal`, `unknown_stage`); the message is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Conflict(LedgerError):
    """The stream has moved on since the caller read it."""

    code = "version_conflict"


class Moved(Conflict):
    """Another append came in between decision and storing; deciding again will tell."""


class KeyReused(LedgerError):
    """An idempotency key came back with another body."""

    code = "key_reused"


class UnreadableEvent(LedgerError):
    """Stored bytes that this version cannot turn into an event."""

    code = "unreadable_event"


class DatabaseUnusable(LedgerError):
    """The database cannot be reached, cannot be written, is not a ledger, or is newer than this program."""

    code = "database_unusable"


class DatabaseFailed(DatabaseUnusable):
    """What the driver says. The message names the database's address, and is for who runs it."""


class KeysUnusable(DatabaseUnusable):
    """The key store is missing, is another database's, or does not open with the wrapping key."""

    code = "keys_unusable"


class NotFound(LedgerError):
    """There is no such thing in the book."""

    code = "not_found"


class BadRequest(LedgerError):
    """A question that cannot be answered as asked: unknown report, parameter, date."""

    code = "bad_request"


class NotProven(LedgerError):
    """A proof, a signature or a log that does not hold what it should: altered, forked, or about something else."""

    code = "not_proven"
