"""What follows a win: deliveries, invoices, now and then a credit note, and how the customer finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.demo.agenda import AMOUNTS, EFFECTIVE_AT
from ledger.demo.calendar import HOUR_US, MINUTE_US
from ledger.times import DAY_US

if TYPE_CHECKING:
    from ledger.demo.amounts import Amounts, Data
    from ledger.demo.calendar import Calendar, Chance
    from ledger.demo.deal import Deal
    from ledger.demo.talks import Talks

_SCALES: Final = (("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7))
_CREDITED: Final = ("damaged", "delay", "billing_error", "goodwill")
_COMPLAINTS: Final = (
    "Deux capteurs livrés hors service.",
    "Intervention reportée deux fois sans prévenir.",
    "Facture ne correspondant pas au bon de commande.",
)


class AfterSale:
    """Invoices, numbered in the order in which they were thought of, and what else a sale leads to."""

    def __init__(self, calendar: Calendar, chance: Chance, talks: Talks) -> None:
        self._calendar, self._chance, self._talks = calendar, chance, talks
        self._invoices = 0

    def follow(self, deal: Deal) -> None:
        """Everything that comes after a deal's win, which is its last event."""
        chance, won = self._chance, deal.events[-1]
        amounts = won[AMOUNTS] or deal.amounts
        day = won[EFFECTIVE_AT] // DAY_US - self._calendar.epoch_day
        delivered = day + (6 if deal.kind == "renewal" else 12 + chance.below(50))
        rest = 100
        if deal.kind != "renewal" and chance.random() < 0.25:
            self._invoice(deal, day + 2 + chance.below(5), amounts, 30)
            rest = 70
        if deal.kind != "renewal" and chance.random() < 0.1:
            self._deliver(deal, delivered - 5, amounts, 40)
            self._deliver(deal, delivered + 6, amounts, 60)
        else:
            self._deliver(deal, delivered, amounts, 100)
        invoice = self._invoice(deal, delivered + 1 + chance.below(4), amounts, rest)
        if chance.random() < 0.04:
            data = {"invoice": invoice, "reason": _CREDITED[chance.below(4)]}
            self._say(
                deal, delivered + 12 + chance.below(30), "deal.credited", data | _part(amounts, 3 + chance.below(8))
            )
        self._hear(deal, delivered)

    def _deliver(self, deal: Deal, day: int, amounts: Amounts, percent: int) -> None:
        data = {"value": _part(amounts, percent)["value"]}
        if amounts[3] and percent == 100:
            data["quantity"] = str(amounts[3])
        self._say(deal, day, "deal.delivered", data)

    def _invoice(self, deal: Deal, day: int, amounts: Amounts, percent: int) -> str:
        self._invoices += 1
        invoice = f"F{self._calendar.dates[day].year}-{self._invoices:06d}"
        self._say(deal, day, "deal.invoiced", {"invoice": invoice} | _part(amounts, percent))
        return invoice

    def _say(self, deal: Deal, day: int, event: str, data: Data) -> None:
        at = max(self._moment(day), deal.recorded_at + MINUTE_US)
        deal.say_at(at, at, event, data)

    def _moment(self, day: int) -> int:
        return self._calendar.morning[self._calendar.workday[day]] + int(9 * HOUR_US * self._chance.random())

    def _hear(self, deal: Deal, day: int) -> None:
        """Questions, complaints, upkeep, and an answer to a survey."""
        chance, talks, customer = self._chance, self._talks, deal.customer
        more: Data = {"deal": str(deal.number)}
        content = 0.0
        if chance.random() < 0.2:
            content = 0.5
            at = self._moment(day + 3 + chance.below(60))
            stream = talks.log(at, "support_request", customer, more, inbound=True)
            if chance.random() < 0.9:
                talks.then(stream, "interaction.resolved", {}, at + int((0.05 + 6 * chance.random() ** 3) * DAY_US))
        if chance.random() < 0.05:
            content = 2.0
            at = self._moment(day + 1 + chance.below(40))
            notes = {"notes": _COMPLAINTS[chance.below(3)], "outcome": "negative"}
            stream = talks.log(at, "complaint", customer, more | notes, inbound=True)
            if chance.random() < 0.8:
                talks.then(stream, "interaction.resolved", {}, at + int((1 + 30 * chance.random() ** 2) * DAY_US))
        if deal.kind == "renewal" and chance.random() < 0.3:
            talks.log(self._moment(day + 60 + chance.below(90)), "maintenance", customer, more, inbound=False)
        if chance.random() < 0.2:
            scale, low, high = _SCALES[min(2, int(4 * chance.random() ** 2))]
            told = low + (high - low) * (0.82 - 0.2 * content + 0.18 * chance.normal())
            answer = {"scale": scale, "score": max(low, min(high, round(told)))}
            talks.log(self._moment(day + 25), "survey", customer, more | {"satisfaction": answer}, inbound=True)


def _part(amounts: Amounts, percent: int) -> Data:
    currency, value, margin, *_ = amounts
    return {
        "value": {"minor": value * percent // 100, "currency": currency},
        "margin": {"minor": margin * percent // 100, "currency": currency},
    }
