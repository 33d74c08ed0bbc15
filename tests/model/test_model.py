"""The whole way, from event lines to the rows of five reports, against the naive model on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.model.comparing import Comparison
from tests.model.histories import books

if TYPE_CHECKING:
    from tests.model.histories import Case


def compare(comparison: Comparison, case: Case) -> None:
    found = comparison.differences(case)
    lines = "\n".join(map(str, case.lines))
    assert not found, f"{len(found)} answers differ\n{found[0]}\n\nthe history:\n{lines}"


def test_reports_say_what_plain_replay_says(explore, database_url):
    comparison = Comparison(database_url)
    explore(books(legal=True), lambda case: compare(comparison, case))
    assert comparison.seen.lines > 0


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_reports_of_many_histories_say_what_plain_replay_says(explore, database_url, capsys):
    comparison = Comparison(database_url)
    explore(books(legal=True), lambda case: compare(comparison, case))
    with capsys.disabled():
        print(f"\n{comparison.seen}, 0 mismatches")  # noqa: T201 (the soak's result)
