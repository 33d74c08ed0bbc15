"""The command `sales-ledger`: one file per group of commands, heavy packages imported when one runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAM = "sales-ledger"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 not so, 2 wrong use, 130 interrupted."""
    from ledger.cli.app import app
    from ledger.cli.failures import explain_failure, language_of

    given = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stderr is None:  # closed by whoever started us (2>&-)
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (for as long as the process lives)
    if sys.stdout is None:
        print(f"{PROGRAM}: standard output is closed, so there is nowhere to answer; leave it open", file=sys.stderr)
        return 2
    try:
        return app(args=given, prog_name=PROGRAM, standalone_mode=False) or 0
    except Exception as failure:
        if given[:1] == ["--trace"]:
            raise
        line, exit_code = explain_failure(failure, language_of(given))
        print(f"{PROGRAM}: {line}", file=sys.stderr)
        return exit_code
