"""What the forecast of past quarters was worth, on the demo's company: with the stages' own probabilities, and calibrated.

The figures are those that this history gives; a change of them is a change of the forecast, to be understood.
"""

from __future__ import annotations

import pytest

from tests.support.book import eur
from tests.support.company import company

QUARTERS = {"as_of": "2026-06-30", "periods": "6"}


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    given = company(f"sqlite:///{tmp_path_factory.mktemp('back') / 'sales-ledger.db'}", deals=300, years=3)
    yield given
    given.close()


def told(history, probabilities):
    answer = history.report("forecast_accuracy", probabilities=probabilities, **QUARTERS)
    assert len(answer.rows) == 6
    return {name: round(answer.totals[name], 4) for name in ("wape", "bias", "brier")}


def test_closed_deals_alone_favour_quick_outcomes_and_this_is_by_how_much(history):
    assert told(history, "stage") == {"wape": 1.1482, "bias": 1.1482, "brier": 0.2435}
    assert told(history, "calibrated") == {"wape": 1.3793, "bias": 1.3626, "brier": 0.2636}


def test_a_later_fact_moves_no_earlier_forecast(history):
    """Ten deals won in the last quarter that nobody had heard of before the last day."""

    def forecasts(name):
        return [history.rows("forecast_accuracy", "period", name, probabilities=each, **QUARTERS)
                for each in ("stage", "calibrated")]  # fmt: skip

    before, actual = forecasts("forecast_minor"), forecasts("actual_minor")
    for number in range(10):
        of_sales = {"pipeline": "affaires", "stage": "qualification", "owner": "p001"}
        history.deal(f"planted{number}", "2025-10-05", eur(100_000_00), recorded="2026-06-29", **of_sales)
        history.won(f"planted{number}", "2026-03-05", recorded="2026-06-29")
    assert forecasts("forecast_minor") == before
    assert forecasts("actual_minor") != actual
