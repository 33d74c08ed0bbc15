"""How many random histories the model tests look at, and a way to run one check over that many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from tests.model.histories import Case

A_FEW = 60
MANY = 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--histories", type=int, default=MANY, help="how many histories the soak looks at")


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`explore(books, check, examples)` runs the check on the examples and on random books: a few, or as a soak many.

    `histories` is how many of them a book holds.
    """
    soak = request.node.get_closest_marker("soak") is not None
    count = request.config.getoption("--histories", MANY) if soak else A_FEW

    def run(
        books: SearchStrategy[Case],
        check: Callable[[Case], None],
        examples: Iterable[Case] = (),
        *,
        histories: int = 1,
    ) -> None:
        def sees(case: Case) -> None:
            check(case)

        for case in examples:
            sees = example(case)(sees)
        chosen = settings(
            max_examples=-(-count // histories),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # what fails is made small by `smallest`, by what it says
        )
        chosen(given(books)(sees))()

    return run
