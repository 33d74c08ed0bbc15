"""Every way a command can fail, as one line for stderr and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from itertools import pairwise

import typer

from ledger.errors import LedgerError

NOT_SO = 1
WRONG_USE = 2

_WRONG_USE_CODES = frozenset({"bad_request", "cannot_import", "database_unusable", "keys_unusable", "not_found"})


class WrongUse(LedgerError):
    """The command cannot be carried out as it was given."""

    code = "bad_request"


def explain_failure(failure: Exception, lang: str = "en") -> tuple[str, int]:
    """The line that says what went wrong and what to do, in a language, and the exit code."""
    from ledger.in_french import in_language

    line, code = _in_english(failure)
    hint = " " + in_language("See --help.", lang) if isinstance(failure, typer.TyperException) else ""
    return in_language(line, lang) + hint, code


def language_of(arguments: Sequence[str]) -> str:
    """The language of a command that has failed: the one asked for with `--lang`, else the environment's."""
    from ledger.settings import LANGUAGES, Speech

    words = [word for option, word in pairwise(arguments) if option == "--lang"]
    words += [word.removeprefix("--lang=") for word in arguments if word.startswith("--lang=")]
    asked = (language for word in words for language in LANGUAGES if word.lower().startswith(language))
    return next(asked, None) or Speech().lang


def _in_english(failure: Exception) -> tuple[str, int]:
    match failure:
        case LedgerError():
            code = WRONG_USE if failure.code in _WRONG_USE_CODES else NOT_SO
            return _one_line(str(failure)), code
        case typer.TyperException():
            return _one_line(failure.format_message()), WRONG_USE
        case OSError(filename=str() | bytes() as name, strerror=str() as reason):
            return _one_line(f"{_text(name)}: {reason}"), WRONG_USE
        case OSError(
            errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EIO | errno.EBADF, strerror=str() as reason
        ):
            return f"the output cannot be written: {reason}; what was confirmed is stored", WRONG_USE
        case _ if said := _database_said(failure):
            return f"the database failed: {said}; what was not confirmed was not stored", WRONG_USE
        case _:
            fault = _one_line(f"{type(failure).__name__}: {failure}")
            return f"a fault of this program: {fault}; `sales-ledger --trace …` shows where", NOT_SO


def _database_said(failure: Exception) -> str | None:
    """Only a command that loaded SQLAlchemy can have met one of its errors."""
    errors = sys.modules.get("sqlalchemy.exc")
    if errors is None or not isinstance(failure, errors.DBAPIError):
        return None
    return _one_line(str(failure.orig))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode(errors="replace")
