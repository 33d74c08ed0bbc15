from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ledger.cli import main

COMMAND = str(Path(sys.executable).with_name("sales-ledger"))


@pytest.fixture
def served(database_url):
    """The demo served as a user would, and the address it says."""
    environment = os.environ | {"LEDGER_DATABASE_URL": database_url}
    command = [COMMAND, "demo", "--deals", "20", "--years", "1", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not (lines and lines[-1].startswith("Serving ")):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        yield process, re.findall(r"http://\S+", lines[-1])[0]
        process.kill()


@pytest.mark.slow
def test_the_demo_is_served_until_interrupted(served):
    process, address = served
    health = httpx.get(f"{address}health", timeout=30).json()
    assert health["status"] == "ok"
    assert health["head"] > 100
    assert httpx.get(address, timeout=30).status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_only_this_machine_is_served(capsys):
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert "only 127.0.0.1 is served" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line(sqlite_url, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--database", sqlite_url]) == 2
    assert f"cannot listen on port {port}: Address already in use" in capsys.readouterr().err


@pytest.mark.slow
def test_a_second_interruption_ends_it_without_a_word(tmp_path):
    command = [COMMAND, "serve", "--port", "0", "--database", f"sqlite:///{tmp_path}/x.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        httpx.get(f"{re.findall(r'http://[^/]+', process.stdout.readline())[0]}/health", timeout=30)
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[1] == ""
