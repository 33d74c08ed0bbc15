"""The figures that everything else is held against, found in the CSV itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.real import second_way
from tests.real.second_way import Figures

FIRST, LAST = date(2016, 10, 1), date(2017, 12, 31)


@pytest.fixture(scope="module")
def deals(real_data):
    return second_way.deals(real_data)


def test_the_file_has_8300_dated_deals_and_500_without_a_date(deals, real_data):
    assert (len(deals), len(second_way.undated(real_data))) == (8_300, 500)
    assert len({deal.id for deal in deals}) == 8_300


def test_4238_deals_worth_10005534_dollars_were_won_and_2473_lost(deals):
    assert second_way.closed(deals, FIRST, LAST) == Figures(4_238, 1_000_553_400, 2_473)


def test_1686_deals_were_open_on_30_june_2017(deals):
    assert second_way.open_deals(deals, date(2017, 6, 30)) == 1_686


def test_the_second_quarter_of_2017_won_1254_worth_3086111_dollars_and_lost_778(deals):
    quarter = second_way.closed(deals, date(2017, 4, 1), date(2017, 6, 30))
    assert quarter == Figures(1_254, 308_611_100, 778)


def test_1425_rows_have_no_account_and_1088_of_them_a_date(deals):
    assert sum(deal.account is None for deal in deals) == 1_088


def test_nothing_is_open_before_the_first_day_and_1589_after_the_last(deals):
    assert second_way.open_deals(deals, FIRST) == 0
    assert second_way.open_deals(deals, LAST) == 1_589


def test_every_days_open_deals_are_the_day_befores_plus_opened_minus_closed(deals):
    day, before = FIRST, 0
    while day <= LAST:
        day += timedelta(days=1)
        after = second_way.closed(deals, day, day)
        opened = sum(deal.opened == day for deal in deals)
        now = second_way.open_deals(deals, day)
        assert now == before + opened - after.won - after.lost
        before = now


@pytest.mark.parametrize("attribute", ["agent", "product", "account"])
def test_what_the_parts_won_and_lost_is_what_the_whole_did(deals, attribute):
    parts = second_way.closed_by(deals, FIRST, LAST, attribute).values()
    total = Figures(*(sum(getattr(part, name) for part in parts) for name in ("won", "won_minor", "lost")))
    assert total == second_way.closed(deals, FIRST, LAST)
