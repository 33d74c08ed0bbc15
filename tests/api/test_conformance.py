"""Requests made up from the service's own description, by schemathesis, against the service as it is run.

No answer may be a 5xx, and every answer must be one that the description has: status, headers, media type, body. What
the description forbids must be refused, what it allows must not be refused for its form.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from ledger.examples import EXAMPLES
from tests.support.serving import BIN, served

CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = 20_260_331
SHORT = ["--phases", "examples,fuzzing", "--max-examples", "4"]
LONG = ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "40", "--continue-on-failure"]


@pytest.fixture
def address(database_url, tmp_path):
    """A book with a thing of every kind, served."""
    lines = list({line["stream"].partition("-")[0]: line for line in reversed(EXAMPLES.values())}.values())
    lines = [line for line in lines if line["type"] != "subject.erased"]  # which no line can say
    with served(database_url, tmp_path / "server.log") as address:
        answer = httpx.post(f"{address}/v1/events", json=lines[::-1], timeout=60)
        assert answer.status_code == 201, answer.text
        yield address


def statuses(report):
    """How many requests were answered with which status."""
    finished = (json.loads(line).get("ScenarioFinished") for line in report.read_text().splitlines())
    exchanges = (each for event in finished if event for each in event["recorder"].get("interactions", {}).values())
    return Counter(each["response"]["status_code"] for each in exchanges if each["response"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "least"),
    [
        pytest.param(SHORT, 300, id="short", marks=pytest.mark.timeout(900)),
        pytest.param(LONG, 10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(7_200)]),
    ],
)
def test_every_answer_is_as_described(address, tmp_path, capsys, size, least):
    report = tmp_path / "report.ndjson"
    command = [
        *(str(BIN / "schemathesis"), "--config-file", str(CONFIG), "run", f"{address}/v1/openapi.json", *size),
        *("--seed", str(SEED), "--no-color", "--report", "ndjson", "--report-ndjson-path", str(report)),
    ]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    answered = statuses(report)
    with capsys.disabled():
        sys.stdout.write(f"\n{answered.total()} requests, answered {dict(sorted(answered.items()))}\n")
    assert answered.total() >= least
    assert answered[201] > 0
    assert max(answered) < 500
