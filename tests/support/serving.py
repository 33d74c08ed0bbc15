"""The service as it is run: `sales-ledger serve` in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent


@contextmanager
def served(url: str, log: Path) -> Iterator[str]:
    """The address of a server over a database; what it complains of, and what it signs, goes beside a file."""
    environment = os.environ | {"LEDGER_TRUST_DIR": str(log.with_name("trust"))}
    command = [str(BIN / "sales-ledger"), "serve", "--port", "0", "--database", url]
    with (
        log.open("w") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        try:
            (address,) = re.findall(r"http://[^/]+", process.stdout.readline()) or [""]
            assert address, log.read_text()
            yield address
        finally:
            process.kill()
