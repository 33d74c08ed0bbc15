"""Every report, registered once: command line, routes, catalogue and dashboard come from this tuple.

Adding a report is one file here and one line below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports import answer as _answer
from projections.reports import explain as _explain
from projections.reports.acquisition import ACQUISITION
from projections.reports.activity import ACTIVITY
from projections.reports.alerts import ALERTS
from projections.reports.answer import Answer, AnswerColumn
from projections.reports.bonus import BONUS
from projections.reports.buying_patterns import BUYING_PATTERNS
from projections.reports.campaigns import CAMPAIGNS
from projections.reports.churn import CHURN
from projections.reports.cohorts import COHORTS
from projections.reports.conversion import CONVERSION
from projections.reports.cycle import CYCLE
from projections.reports.dashboard import DASHBOARD
from projections.reports.definition import Column, Report, Text
from projections.reports.duplicates import DUPLICATES
from projections.reports.explain import Explained, Explanation
from projections.reports.forecast import FORECAST
from projections.reports.forecast_accuracy import FORECAST_ACCURACY
from projections.reports.forecast_history import FORECAST_HISTORY
from projections.reports.funnel import FUNNEL
from projections.reports.leaderboard import LEADERBOARD
from projections.reports.lifetime_value import LIFETIME_VALUE
from projections.reports.losses import LOSSES
from projections.reports.loyalty import LOYALTY
from projections.reports.new_revenue import NEW_REVENUE
from projections.reports.objectives import OBJECTIVES
from projections.reports.parameters import PARAMETERS, Parameter, choices
from projections.reports.pipeline import PIPELINE
from projections.reports.pipeline_changes import PIPELINE_CHANGES
from projections.reports.products import PRODUCTS
from projections.reports.question import variant
from projections.reports.rates import MissingRate
from projections.reports.required_sales import REQUIRED_SALES
from projections.reports.sales import SALES
from projections.reports.satisfaction import SATISFACTION
from projections.reports.scoring import SCORING
from projections.reports.slippage import SLIPPAGE
from projections.reports.team_review import TEAM_REVIEW
from projections.reports.trend import TREND
from projections.reports.upsell import UPSELL
from projections.reports.win_rate import WIN_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ledger.application import Ledger
    from projections.store import ReadStore

REPORTS: tuple[Report, ...] = (
    PIPELINE,
    FORECAST,
    FORECAST_HISTORY,
    FORECAST_ACCURACY,
    PIPELINE_CHANGES,
    SLIPPAGE,
    SALES,
    WIN_RATE,
    CONVERSION,
    FUNNEL,
    CYCLE,
    LOSSES,
    PRODUCTS,
    NEW_REVENUE,
    UPSELL,
    TREND,
    OBJECTIVES,
    REQUIRED_SALES,
    LEADERBOARD,
    BONUS,
    CHURN,
    COHORTS,
    LOYALTY,
    BUYING_PATTERNS,
    LIFETIME_VALUE,
    ACQUISITION,
    CAMPAIGNS,
    SCORING,
    SATISFACTION,
    DUPLICATES,
    ACTIVITY,
    ALERTS,
    TEAM_REVIEW,
    DASHBOARD,
)
"""In the order of REPORTS: what is coming, what was sold, objectives, customers, doing."""


def find(name: str) -> Report:
    """The report of that name. Raises `NotFound` with those there are."""
    return _answer.find(REPORTS, name)


def answer(
    store: ReadStore,
    name: str,
    params: Mapping[str, str],
    *,
    today: date,
    lang: str = "en",
    ledger: Ledger | None = None,
    head: int | None = None,
    now: int | None = None,
) -> Answer:
    """Answer a report by name; see `answer.answer_to`."""
    return _answer.answer_to(find(name), store, params, today=today, lang=lang, ledger=ledger, head=head, now=now)


def explain(
    store: ReadStore,
    ledger: Ledger,
    name: str,
    params: Mapping[str, str],
    cell: Mapping[str, str | None],
    *,
    today: date | None = None,
    lang: str = "en",
    now: int | None = None,
    limit: int | None = None,
) -> Explanation:
    """The lines behind a cell of a report and the events behind them; see `explain.explain_cell`."""
    return _explain.explain_cell(find(name), store, ledger, params, cell, today=today, lang=lang, now=now, limit=limit)


__all__ = [
    "PARAMETERS",
    "REPORTS",
    "Answer",
    "AnswerColumn",
    "Column",
    "Explained",
    "Explanation",
    "MissingRate",
    "Parameter",
    "Report",
    "Text",
    "answer",
    "choices",
    "explain",
    "find",
    "variant",
]
