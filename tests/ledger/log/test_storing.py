"""The pipe between the process that decides and the one that stores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from random import Random
from threading import Event, Thread

from ledger.log.storing import _read, _write

ECHO = """
import sys
from ledger.log.storing import _read, _write

while (message := _read(sys.stdin.buffer)) is not None:
    _write(sys.stdout.buffer, message[:80_000])
"""
"""More than a pipe holds, so that writing waits for the reader."""


def test_a_message_arrives_whole_though_its_writer_is_stopped_and_goes_on():
    rng, done = Random(1), Event()
    with subprocess.Popen([sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None

        def stop_now_and_then():
            while not done.is_set():
                for what in signal.SIGSTOP, signal.SIGCONT:
                    time.sleep(rng.uniform(0, 0.002))
                    os.kill(writer.pid, what)

        stopping = Thread(target=stop_now_and_then)
        stopping.start()
        try:
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                _write(writer.stdin, b"x" * 900_000)
                assert _read(writer.stdout) == b"x" * 80_000
        finally:
            done.set()
            stopping.join()
            writer.stdin.close()
