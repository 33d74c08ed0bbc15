"""What passes between the company and its customers: around deals, on the web, when something is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.demo import company
from ledger.demo.agenda import DATA, EFFECTIVE_AT, TYPE
from ledger.demo.calendar import MINUTE_US
from ledger.times import DAY_US

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Data
    from ledger.demo.calendar import Calendar, Chance
    from ledger.demo.customers import Customer
    from ledger.demo.deal import Deal

_OFTEN: Final = 0.38
"""How likely somebody notes what led to a deal's next stage."""

_KINDS: Final = {
    company.QUALIFICATION: ("call", "email", "prospecting_meeting", "call"),
    company.NEED: ("visit", "meeting", "demo", "visit"),
    company.PROPOSAL: ("proposal", "demo", "document", "visit"),
    company.NEGOTIATION: ("call", "meeting", "email", "call"),
    company.APPROVAL: ("document", "email", "call", "other"),
    company.AGREEMENT: ("call", "meeting", "visit", "call"),
    company.CONTACT: ("call", "email", "call", "email"),
    company.OFFER: ("proposal", "email", "call", "proposal"),
    company.SIGNATURE: ("call", "meeting", "email", "call"),
}
_MINUTES: Final = {
    "call": (4, 25),
    "visit": (45, 120),
    "meeting": (30, 75),
    "prospecting_meeting": (25, 45),
    "demo": (40, 60),
    "support_request": (5, 40),
    "complaint": (10, 40),
    "maintenance": (60, 240),
}
"""The least that an interaction of a kind takes, and how much more it may."""

_NOTES: Final = (
    "Intéressé, mais le budget n'est pas encore voté.",
    "Souhaite une référence dans son secteur avant d'aller plus loin.",
    "La direction technique est convaincue, reste l'acheteur.",
    "À rappeler après le comité de direction.",
    "Demande un chiffrage par site.",
    "Le contrat en cours avec un concurrent s'arrête en fin d'année.",
)


class Talks:
    """Every interaction, numbered in the order in which it was thought of."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance) -> None:
        self._agenda, self._calendar, self._chance = agenda, calendar, chance
        self._logged = 0

    def around(self, deal: Deal) -> None:
        """What was said and shown on a deal's way, shortly before each step."""
        chance, owner = self._chance, deal.events[0][DATA]["owner"]
        self._shopping(deal)
        for event in deal.events:
            if event[0] > self._calendar.until:
                return
            data = event[DATA]
            owner = data.get("owner", owner)
            if event[TYPE] in {"deal.opened", "deal.stage_changed"} and chance.random() < _OFTEN:
                kind = _KINDS[data["stage"]][chance.below(4)]
                more: Data = {"deal": str(deal.number), "owner": owner}
                if "campaign" in data:
                    more["campaign"] = data["campaign"]
                self._met(event[EFFECTIVE_AT] - (4 + chance.below(40)) * MINUTE_US, kind, deal, more)

    def log(self, at: int, kind: str, customer: Customer, more: Data, *, inbound: bool, lag_us: int = 0) -> str:
        """One interaction with a customer, and its stream."""
        chance = self._chance
        self._logged += 1
        stream = f"interaction-{self._logged}"
        data: Data = {"kind": kind, "direction": "in" if inbound else "out", "customer": customer.id} | more
        if customer.contacts:
            data["contact"] = f"{customer.id}-1"
        if kind in _MINUTES:
            least, most = _MINUTES[kind]
            data["duration_minutes"] = least + chance.below(most)
        self._agenda.put(stream, "interaction.logged", data, at, at + lag_us)
        return stream

    def then(self, stream: str, event: str, data: dict[str, Any], at: int) -> None:
        """What became of an interaction."""
        self._agenda.put(stream, event, data, at)

    def _met(self, at: int, kind: str, deal: Deal, more: Data) -> None:
        chance = self._chance
        draw = chance.random()
        if kind == "call":
            more["outcome"] = "reached" if draw < 0.7 else "not_reached"
        elif kind in {"visit", "meeting", "demo", "prospecting_meeting"}:
            hopeful = 0.6 if deal.outcome.ending == "won" else 0.35
            more["outcome"] = "positive" if draw < hopeful else "neutral" if draw < 0.85 else "negative"
        if chance.random() < 0.12:
            more["notes"] = _NOTES[chance.below(len(_NOTES))]
        lag_us = int(2 * chance.random() * DAY_US) if chance.random() < 0.1 else 0
        inbound = kind in {"call", "email"} and chance.random() < 0.3
        stream = self.log(at, kind, deal.customer, more, inbound=inbound, lag_us=lag_us)
        self._second_thoughts(stream, at + lag_us, kind, deal, more, inbound=inbound)

    def _second_thoughts(self, stream: str, at: int, kind: str, deal: Deal, more: Data, *, inbound: bool) -> None:
        """Few are noted with the wrong deal or as something else."""
        draw, later = self._chance.random(), at + int((0.1 + self._chance.random()) * DAY_US)
        if draw < 0.006:
            self.then(stream, "event.retracted", {"version": 1, "reason": "wrong_customer"}, later)
        elif draw < 0.014:
            right: Data = {"kind": "meeting" if kind == "visit" else "visit", "customer": deal.customer.id}
            right |= {"direction": "in" if inbound else "out"} | {name: more[name] for name in ("deal", "owner")}
            self.then(stream, "event.corrected", {"version": 1, "reason": "wrong_kind", "data": right}, later)

    def _shopping(self, deal: Deal) -> None:
        """Some who come by the web filled a cart before anybody called them."""
        opened = deal.events[0]
        if opened[DATA].get("channel") == "web" and self._chance.random() < 0.5:
            kind = "cart" if deal.kind != "new_business" else "web_visit"
            at = opened[EFFECTIVE_AT] - (5 + self._chance.below(20)) * MINUTE_US
            stream = self.log(at, kind, deal.customer, {}, inbound=True)
            if self._chance.random() < 0.8:
                self.then(stream, "interaction.converted", {"deal": str(deal.number)}, opened[EFFECTIVE_AT] + MINUTE_US)
