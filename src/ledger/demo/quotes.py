"""Quotes: issued when a deal reaches its offer, revised, and ended as the deal ends; and small sales without a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.demo import basket
from ledger.demo.amounts import for_quote
from ledger.demo.life import Life

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Amounts, Data
    from ledger.demo.calendar import Calendar, Chance
    from ledger.demo.catalogue import Catalogue
    from ledger.demo.customers import Customers
    from ledger.demo.deal import Deal

_VALID_DAYS = (30, 30, 45, 60)


class Quotes:
    """Every quote, numbered in the order in which it was thought of."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance) -> None:
        self._agenda, self._calendar, self._chance = agenda, calendar, chance
        self._issued = 0

    def for_deal(self, deal: Deal, ending: str) -> None:
        """The offer or two that a deal gave rise to; `ending` is how the deal went."""
        assert deal.proposed is not None
        calendar, chance = self._calendar, self._chance
        day = deal.proposed + 1 + chance.below(4)
        close = deal.outcome.close_day
        if day >= close or calendar.morning[day] > calendar.until:
            return
        amounts = deal.offered()
        if chance.random() < 0.12 and close - day > 20:
            first, _ = self._issue(day, deal.customer.id, deal.owner.id, amounts, deal.number)
            day += 6 + chance.below(12)
            first.say(day, "quote.withdrawn", {"reason": "replaced"})
            first.tell()
        quote, valid = self._issue(day, deal.customer.id, deal.owner.id, amounts, deal.number)
        valid = self._revise(quote, deal, day, valid)
        if ending == "won":
            quote.say(close, "quote.accepted", {})
        elif chance.random() < 0.3:
            quote.say(max(valid + 1, day + 2), "quote.expired", {})
        elif chance.random() < 0.2 or ending == "abandoned":
            quote.say(close + 1, "quote.withdrawn", {"reason": "deal_closed"})
        else:
            quote.say(close, "quote.declined", {"reason": "price" if chance.random() < 0.5 else "other_offer"})
        quote.tell()

    def alone(self, day: int, customers: Customers, catalogue: Catalogue) -> None:
        """A small order by a known customer, quoted and accepted without anybody opening a deal."""
        chance = self._chance
        customer = customers.pick(day, known=True)
        wanted = basket.fill(chance, catalogue, "extension", 0.3 * customer.size)
        owner = customer.owner.standing_in(day)
        amounts = for_quote(basket.priced(wanted, customer.place.currency, chance.below(6)))
        quote, valid = self._issue(day, customer.id, owner.id, amounts, None)
        answered, draw = day + 1 + chance.below(25), chance.random()
        if draw < 0.55:
            accepted = quote.say(answered, "quote.accepted", {}, lag_days=3 * chance.random() if draw < 0.05 else 0)
            customers.won(customer, quote.day_of_record(), accepted[0])
        elif draw < 0.75:
            quote.say(answered, "quote.declined", {})
        elif draw < 0.9:
            quote.say(valid + 1, "quote.expired", {})
        quote.tell()

    def _issue(self, day: int, customer: str, owner: str, amounts: Amounts, deal: int | None) -> tuple[Life, int]:
        self._issued += 1
        calendar, chance = self._calendar, self._chance
        valid = day + _VALID_DAYS[chance.below(4)]
        data: Data = {
            "customer": customer,
            "owner": owner,
            "number": f"D{calendar.dates[day].year}-{self._issued:05d}",
            "valid_until": calendar.text[valid],
        }
        if deal is not None:
            data["deal"] = str(deal)
        quote = Life(f"quote-{self._issued}", self._agenda, calendar, chance)
        quote.say(day, "quote.issued", data, amounts)
        return quote, valid

    def _revise(self, quote: Life, deal: Deal, day: int, valid: int) -> int:
        """A better price, or more time to answer when the deal drags on; returns the last day of validity."""
        chance, calendar, close = self._chance, self._calendar, deal.outcome.close_day
        if chance.random() < 0.4 and close - day > 8:
            quote.say((day + close) // 2, "quote.revised", {}, deal.offered(chance.below(6) + 2))
        while valid < close and chance.random() < 0.6:
            renewed = valid + 30
            quote.say(valid - 1, "quote.revised", {"valid_until": calendar.text[renewed]})
            valid = renewed
        return valid
