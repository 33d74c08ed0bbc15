"""Campaigns and channels: fairs, mailings and telephone campaigns, what they cost and what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.demo.calendar import HOUR_US, MINUTE_US, quarters
from ledger.demo.life import Life
from ledger.times import DAY_US

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Data
    from ledger.demo.calendar import Calendar, Chance, Quarter

_FAIRS: Final = {"printemps": "Salon Énergie et bâtiment, Lyon", "automne": "Salon des collectivités, Rennes"}
_CHANNEL_COSTS: Final = {
    "web": ("search_ads", 240_000),
    "partenaire": ("commission", 180_000),
    "telephone": ("call_centre", 110_000),
}
"""What each channel costs in a usual month, in euro cents, and for what."""

_WEEK: Final = (1.1, 1.2, 1.15, 1.05, 0.9, 0.35, 0.3)
"""Visits to the web shop by day of the week."""


class Marketing:
    """Plans every campaign when the company is founded. A small company opens its web shop late."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance, total: int) -> None:
        self._agenda, self._calendar, self._chance = agenda, calendar, chance
        self._reach = max(40, total // 10)
        for quarter in quarters(calendar):
            if quarter.first > calendar.last:
                break
            self._fair(quarter)
            self._mailing(quarter)
            if quarter.name.endswith(("t2", "t4")):
                self._telephoning(quarter)
        self._count_visits(calendar.share(1 - 0.7 * min(1, total / 2_000)))
        self._pay_channels()

    def _fair(self, quarter: Quarter) -> None:
        """One in spring and one in autumn, known from the start of the half-year, which the history may cut short."""
        half, year = ("printemps" if quarter.name[-1] in "12" else "automne"), quarter.name[:4]
        if quarter.first and quarter.name[-1] in "24":
            return
        calendar = self._calendar
        held = calendar.workday[min(quarter.first + 40 + self._chance.below(30), quarter.last)]
        fair, budget = self._launch(
            f"salon-{year}-{half}", _FAIRS[half], "salon", quarter.first, days=(held, held + 2), usual=2_400_000
        )
        fair.say(max(quarter.first + 1, held - 20), "campaign.spent", _cost(budget, 55, "stand_hire"))
        fair.say(held - 3, "campaign.spent", _cost(budget, 14, "printing"))
        fair.say(held + 6, "campaign.spent", _cost(budget, 10 + self._chance.below(20), "travel"))
        self._answers(fair, held + 3, {"reached": 0.9, "answered": 0.25}, (0.7, 1.0))
        fair.say(held + 75, "campaign.closed", {})
        fair.tell()

    def _mailing(self, quarter: Quarter) -> None:
        """One each quarter; of the first, somebody typed in twice as many readers as there were."""
        day = self._calendar.workday[quarter.first + 8 + self._chance.below(12)]
        days = (day, min(day + 30, quarter.last))
        name = f"Lettre d'information {quarter.name[-1]}/{quarter.name[:4]}"
        mailing, budget = self._launch(f"lettre-{quarter.name}", name, "web", day, days=days, usual=180_000)
        mailing.say(day + 2, "campaign.spent", _cost(budget, 60 + self._chance.below(45), "agency"))
        if quarter.first == 0:
            sent = 2 * self._reach
            counted = mailing.say(day + 3, "campaign.responses_counted", {"sent": sent, "opened": sent})
            day += 7
            right = {"reason": "typing_error", "data": {"sent": sent, "opened": sent // 5}}
            mailing.fix(counted, counted[0] + DAY_US, "event.corrected", right)
        rates = {"sent": 6.0, "delivered": 5.7, "opened": 1.7, "clicked": 0.3, "unsubscribed": 0.05}
        self._answers(mailing, day + 5, rates, (0.8, 0.95, 1.0))
        mailing.say(quarter.last, "campaign.closed", {})
        mailing.tell()

    def _telephoning(self, quarter: Quarter) -> None:
        day = self._calendar.workday[quarter.first + 20]
        name = f"Relance téléphonique {quarter.name[:4]}"
        series, budget = self._launch(
            f"phoning-{quarter.name}", name, "telephone", day, days=(day, day + 25), usual=600_000
        )
        self._answers(series, day + 6, {"called": 1.2, "reached": 0.45, "answered": 0.12}, (0.3, 0.55, 0.8, 1.0))
        series.say(day + 30, "campaign.spent", _cost(budget, 70 + self._chance.below(40), "call_centre"))
        series.tell()

    def _launch(
        self, campaign: str, name: str, channel: str, day: int, *, days: tuple[int, int], usual: int
    ) -> tuple[Life, int]:
        calendar = self._calendar
        budget = round(usual * (0.8 + 0.4 * self._chance.random()) / 10_000) * 10_000
        starts_on, ends_on = (calendar.text[each] for each in days)
        data: Data = {"name": name, "channel": channel, "starts_on": starts_on, "ends_on": ends_on}
        data["budget"] = {"minor": budget, "currency": "EUR"}
        life = Life(f"campaign-{campaign}", self._agenda, calendar, self._chance)
        life.say(day, "campaign.launched", data)
        return life, budget

    def _answers(self, life: Life, day: int, rates: dict[str, float], steps: tuple[float, ...]) -> None:
        """Running totals as they come in: of `rates` times those we can reach, ever more of it."""
        chance = self._chance
        reached = self._reach * (0.85 + 0.3 * chance.random())
        totals = {name: rate * reached * (0.97 + 0.03 * chance.random()) for name, rate in rates.items()}
        for step in steps:
            life.say(day, "campaign.responses_counted", {name: int(total * step) for name, total in totals.items()})
            day += 5 + chance.below(6)

    def _count_visits(self, since: int) -> None:
        """The web shop's own counts, each on the next morning; some are counted again, two days later."""
        calendar, chance = self._calendar, self._chance
        for day in range(since, calendar.last):
            visits = round(self._reach * 0.6 * _WEEK[calendar.dates[day].weekday()] * (0.8 + 0.4 * chance.random()))
            carts = round(visits * 0.04 * (0.5 + chance.random()))
            data = {"on": calendar.text[day], "visits": visits, "carts": carts, "orders": round(carts * 0.2)}
            at = calendar.midnight[day + 1] + 6 * HOUR_US
            self._agenda.put("channel-web", "channel.counted", data, at)
            if chance.random() < 0.02:
                again = data | {"visits": visits - round(visits * 0.1)}
                self._agenda.put("channel-web", "channel.counted", again, at + 2 * DAY_US + 5 * MINUTE_US)

    def _pay_channels(self) -> None:
        calendar, chance = self._calendar, self._chance
        for channel, (what, usual) in _CHANNEL_COSTS.items():
            for day in sorted({*calendar.month_end[: calendar.last]}):
                minor = round(usual * (0.7 + 0.6 * chance.random()) / 100) * 100
                data = {"value": {"minor": minor, "currency": "EUR"}, "what": what}
                self._agenda.put(f"channel-{channel}", "channel.spent", data, calendar.morning[day] + 10 * HOUR_US)


def _cost(budget: int, percent: int, what: str) -> Data:
    return {"value": {"minor": budget * percent // 100, "currency": "EUR"}, "what": what}
