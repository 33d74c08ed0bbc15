"""The columns of every report are those that its users were promised, in order: what heads its rows, then its figures.

Taken from the specification of the reports, not from the code; whoever changes one here changes the contract.
"""

from __future__ import annotations

import pytest

from projections.reports import REPORTS, find

COLUMNS = {
    "pipeline": "stage | deals amount_minor margin_minor quantity weighted_minor average_minor",
    "forecast": (
        "month | deals amount_minor margin_minor quantity weighted_minor weighted_margin_minor commit_minor "
        "best_case_minor most_likely_minor pipeline_minor cum_commit_minor cum_most_likely_minor "
        "cum_best_case_minor cum_open_minor won_minor call_minor objective_minor shortfall_minor coverage"
    ),
    "forecast_history": (
        "date | won_minor weighted_minor open_minor commit_minor call_minor objective_minor actual_minor"
    ),
    "forecast_accuracy": "period | forecast_minor actual_minor error_minor wape bias brier",
    "pipeline_changes": (
        "| opening_minor opening_deals corrected_minor corrected_deals increased_minor increased_deals "
        "decreased_minor decreased_deals fx_minor fx_deals created_minor created_deals reopened_minor "
        "reopened_deals pulled_in_minor pulled_in_deals pushed_out_minor pushed_out_deals reassigned_in_minor "
        "reassigned_in_deals reassigned_out_minor reassigned_out_deals merged_minor merged_deals "
        "abandoned_minor abandoned_deals lost_minor lost_deals won_minor won_deals closing_minor "
        "closing_deals"
    ),
    "slippage": "| deals_due pushed push_rate pushed_minor mean_push_days",
    "sales": "| won amount_minor margin_minor margin_rate quantity average_minor",
    "win_rate": (
        "| won lost abandoned win_rate win_rate_narrow win_rate_amount average_won_minor average_lost_minor "
        "average_won_margin_minor average_lost_margin_minor in_progress close_rate"
    ),
    "conversion": "| quotes accepted declined expired withdrawn open conversion quotes_per_order",
    "funnel": "stage | entered advanced lost_here still_here conversion median_days p90_days",
    "cycle": "| won lost median_days mean_days p90_days mean_won_days open_deals velocity_minor_per_day",
    "losses": "reason competitor | lost amount_minor share",
    "products": (
        "product_range product | won amount_minor margin_minor margin_rate quantity share rank "
        "previous_period_minor previous_period_change_minor previous_period_growth previous_year_minor "
        "previous_year_change_minor previous_year_growth"
    ),
    "new_revenue": "| new_customers new_minor existing_minor new_share",
    "upsell": "| customers buyers repeat_buyers upsell_rate repeat_purchase_rate repeat_minor",
    "trend": "month | value_minor trend_minor season_minor remainder_minor",
    "objectives": (
        "objective scope owner team metric | kind product_range unit period_from period_to target achieved progress elapsed pace "
        "projected remaining forecast covered objective_probability status target_minor achieved_minor "
        "projected_minor remaining_minor forecast_minor"
    ),
    "required_sales": (
        "| objective_minor achieved_minor remaining_minor average_minor conversion quotes_per_visit sales quotes visits"
    ),
    "leaderboard": "owner | rank achieved_minor achieved share",
    "bonus": "owner | sales gross_minor credits credited_minor base_minor base_quantity",
    "churn": (
        "| start new lost lost_new reactivated end churn_rate net_churn_rate retention_rate "
        "revenue_start_minor churned_minor contraction_minor expansion_minor grr nrr"
    ),
    "cohorts": (
        "cohort after | customers active retention_rate revenue_minor revenue_retention leads converted lead_conversion"
    ),
    "loyalty": (
        "customer health | first_win last_win wins wins_12m wins_24m regular revenue_minor margin_minor "
        "interactions calls emails meetings documents online support_requests complaints open_complaints "
        "satisfaction last_contact"
    ),
    "buying_patterns": (
        "customer pattern | customers wins last_win silent_days usual_interval_days recent_interval_days "
        "interval_z usual_value_minor recent_value_minor value_z silence_z"
    ),
    "lifetime_value": (
        "| customers active wins observed_minor margin_per_win_minor wins_per_year yearly_churn years_left "
        "expected_minor lifetime_minor average_minor"
    ),
    "acquisition": (
        "channel | spent_minor leads customers cost_per_lead_minor cac_minor revenue_minor margin_minor roi "
        "ltv_to_cac payback_months"
    ),
    "campaigns": (
        "campaign | sent delivered opened clicked answered unsubscribed called reached delivery_rate "
        "open_rate click_rate answer_rate unsubscribe_rate reached_rate leads wins won_minor spent_minor "
        "cost_per_answer_minor"
    ),
    "scoring": (
        "stream customer | scored score path_points recency_points frequency_points value_points "
        "interactions_points fit_points last_at wins_24m revenue_24m_minor interactions_90d"
    ),
    "satisfaction": (
        "| answers nps_answers promoters detractors nps csat_answers csat ces_answers ces complaints "
        "open_complaints median_days_to_resolve mean_days_to_resolve"
    ),
    "duplicates": "customer other | pairs score name_likeness same_country shared_contacts",
    "activity": (
        "| calls emails visits meetings prospecting_meetings demos proposals new_leads new_contacts "
        "deals_opened quotes_issued deals_won minutes effort_per_win"
    ),
    "alerts": "severity what who since stream | alerts",
    "team_review": (
        "team owner | interactions deals_opened quotes_issued won amount_minor win_rate median_interactions "
        "median_deals_opened median_quotes_issued median_won median_amount_minor median_win_rate below_median "
        "reps"
    ),
    "dashboard": "indicator | place report column value value_minor previous previous_minor change change_minor",
}

OF_VARIANTS = {
    ("forecast", "distribution=yes"): "p10_minor p50_minor p90_minor objective_probability",
    ("conversion", "of=leads"): "leads customers conversion",
    ("conversion", "of=carts"): "carts orders conversion",
    ("conversion", "of=interactions:visit"): "contacts orders",
    ("cycle", "of=stages"): "median_days mean_days p90_days",
}
"""What some parameters add, or tell instead."""


def names(report):
    return [column.name for column in report.columns]


def test_every_report_is_promised():
    assert list(COLUMNS) == [report.name for report in REPORTS]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_the_columns_are_those_promised(report):
    heads, _, figures = COLUMNS[report.name].partition("|")
    assert list(report.fixed) == heads.split()
    assert names(report) == figures.split()
    for column in report.columns:
        assert column.name.endswith("_minor") == (column.type == "money") or column.name == "velocity_minor_per_day"


@pytest.mark.parametrize(("name", "variant"), OF_VARIANTS)
def test_variants_tell_what_was_promised_of_them(name, variant):
    promised = OF_VARIANTS[name, variant].split()
    assert [column for column in names(find(name).variants[variant]) if column in promised] == promised
