"""The whole way, from event lines to the rows of five reports, against the naive model on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.model.comparing import Comparison, smallest
from tests.model.examples import EXAMPLES
from tests.model.histories import books

if TYPE_CHECKING:
    from tests.model.histories import Case

TOGETHER = 20
"""Histories that share a book: a question about twenty costs hardly more than one about one."""


def compare(comparison: Comparison, case: Case) -> None:
    found = comparison.differences(case)
    if found:
        asked, said = found[0]
        lines = "\n".join(json.dumps(line) for line in smallest(comparison, case, asked).lines)
        pytest.fail(f"{len(found)} answers differ, the first of them:\n{asked}\n{said}\n\nso do they after\n{lines}")


def test_reports_say_what_plain_replay_says(explore, database_url):
    comparison = Comparison(database_url)
    random = books(legal=True, histories=TOGETHER)
    explore(random, lambda case: compare(comparison, case), EXAMPLES, histories=TOGETHER)
    assert comparison.seen.lines > 0


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_reports_of_many_histories_say_what_plain_replay_says(explore, database_url, capsys):
    comparison = Comparison(database_url)
    random = books(legal=True, histories=TOGETHER)
    explore(random, lambda case: compare(comparison, case), histories=TOGETHER)
    with capsys.disabled():
        print(f"\n{comparison.seen.books * TOGETHER} histories, 0 mismatches: {comparison.seen}")  # noqa: T201
