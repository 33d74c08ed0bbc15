"""What goes wrong in a real ledger, and is put right: typing errors, wins too soon, second thoughts, duplicates."""

from __future__ import annotations

from typing import Final

from ledger.demo.agenda import DATA, EFFECTIVE_AT, TYPE, Event
from ledger.demo.amounts import Data, as_data, scaled, without_lines
from ledger.demo.calendar import MINUTE_US, Calendar, Chance
from ledger.demo.deal import Deal
from ledger.times import DAY_US

_EARLY_WIN: Final = 0.012
_TYPING_ERROR: Final = 0.012
_WRONG_WIN: Final = 0.016
_WRONG_DATE: Final = 0.012
_UNDONE: Final = 0.08
"""Share of corrections that were themselves wrong."""


def open_deal(deal: Deal) -> Event:
    """Open it; now and then with a nought too many, corrected within days."""
    data, amounts = deal.opening()
    if amounts is not None and deal.chance.random() < _TYPING_ERROR:
        currency, value, *_ = amounts
        wrong = data | {"value": {"minor": value * 10, "currency": currency}}
        opened = deal.say(deal.start, "deal.opened", wrong)
        right = {"reason": "typing_error", "data": data | as_data(amounts)}
        _correct(deal, opened, 0.1 + 12 * deal.chance.random(), right)
        return opened
    return deal.say(deal.start, "deal.opened", data, amounts)


def win_too_soon(deal: Deal) -> None:
    """Marked as won by mistake, taken back a few days later; nothing else is recorded in between."""
    if deal.chance.random() < _EARLY_WIN:
        won = deal.say(deal.outcome.close_day - 6, "deal.won", {})
        undone_at = won[0] + DAY_US // 24 + int(deal.chance.random() * 5 * DAY_US)
        deal.fix(won, undone_at, "event.retracted", {"reason": "entered_by_mistake"})
        deal.recorded_at = undone_at + 1


def win_lag_days(calendar: Calendar, chance: Chance, close_day: int) -> float:
    """Most wins are recorded at once; some later, and some of the end of a quarter in the next one."""
    ends = calendar.quarter_end[close_day] - close_day < 8
    draw = chance.random()
    if draw < (0.2 if ends else 0.1):
        return 2 + 26 * chance.random() ** 2
    return chance.random() if draw < 0.3 else 0


def win(deal: Deal, calendar: Calendar) -> Event:
    """Win it; now and then with a wrong amount or date, corrected later."""
    chance, before = deal.chance, deal.effective_at
    lag_days = win_lag_days(calendar, chance, deal.outcome.close_day)
    won = deal.win(lag_days=lag_days)
    draw = chance.random()
    if draw < _WRONG_WIN:
        value = deal.amounts[1]
        right = won[DATA] | as_data(scaled(deal.amounts, value - value * (2 + chance.below(9)) // 100))
        _correct(deal, won, 1 + 40 * chance.random(), {"reason": "wrong_amount", "data": right})
    elif draw < _WRONG_WIN + _WRONG_DATE:
        earlier = won[EFFECTIVE_AT] - int((1 + 9 * chance.random()) * DAY_US)
        right_at = min(won[EFFECTIVE_AT], max(before + MINUTE_US, earlier))
        data = {"reason": "wrong_date", "effective_at": calendar.instant_text(right_at)}
        _correct(deal, won, 1 + 20 * chance.random(), data)
    return won


def reopen(deal: Deal, closed: Event, calendar: Calendar) -> bool:
    """Some lost deals come back, fewer won ones fall through; returns whether it ends won."""
    chance, lost = deal.chance, closed[TYPE] == "deal.lost"
    if chance.random() >= (0.045 if lost else 0.009):
        return not lost
    day = deal.day_of_record() + 4 + chance.below(60)
    stage = deal.pipeline.stages[-2]
    reason = "customer_returned" if lost else "order_cancelled"
    deal.say(day, "deal.reopened", {"stage": stage, "reason": reason})
    deal.pushes = 0
    deal.push(day, day + 20 + chance.below(40))
    day += 15 + chance.below(60)
    deal.wait(day)
    if lost and chance.random() < 0.5:
        deal.outcome = deal.outcome._replace(close_day=day)
        deal.win(lag_days=win_lag_days(calendar, chance, day))
        return True
    deal.lose(day)
    return False


def small_changes(deal: Deal, colleague: str, title: str) -> None:
    """Soon after opening: another title, a better classification, a colleague who takes over, lines that are dropped."""
    draw, day = deal.chance.random(), deal.start + 3
    if draw < 0.25:
        deal.say(day, "deal.retitled", {"title": title})
    elif draw < 0.5:
        deal.say(day, "deal.reclassified", {"channel": "partenaire", "region": deal.customer.place.region or "LU"})
    elif draw < 0.7 and colleague != deal.owner.id:
        deal.say(day, "deal.assigned", {"owner": colleague})
    elif draw >= 0.7 and deal.listed:
        deal.listed = False
        deal.amounts, deal.valued = without_lines(deal.amounts), True
        deal.say(day, "deal.revalued", {}, deal.amounts)


def _correct(deal: Deal, target: Event, after_days: float, data: Data) -> None:
    corrected = deal.fix(target, target[0] + int(after_days * DAY_US), "event.corrected", data)
    if deal.chance.random() < _UNDONE:
        undone_at = corrected[0] + int(5 * deal.chance.random() * DAY_US) + MINUTE_US
        deal.fix(corrected, undone_at, "event.retracted", {"reason": "was_right"})
