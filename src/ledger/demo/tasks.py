"""What people have to do for a deal: planned, put off, handed over, done or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.demo.agenda import EFFECTIVE_AT
from ledger.demo.calendar import HOUR_US
from ledger.demo.life import Life
from ledger.times import DAY_US

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda
    from ledger.demo.amounts import Data
    from ledger.demo.calendar import Calendar, Chance
    from ledger.demo.deal import Deal
    from ledger.demo.people import People, Rep

_PLANNED: Final = 0.28
"""How many tasks a deal has."""

_KINDS: Final = {
    "follow_up": "Relancer sur la proposition",
    "call_back": "Rappeler l'acheteur",
    "prepare_visit": "Préparer la visite du site",
    "send_document": "Envoyer la documentation technique",
    "check_credit": "Vérifier l'encours du client",
}
_CHOICE: Final = ("follow_up", "follow_up", "call_back", "call_back", "prepare_visit", "send_document", "check_credit")


class Tasks:
    """Every task, numbered in the order in which it was thought of."""

    def __init__(self, agenda: Agenda, calendar: Calendar, chance: Chance, people: People) -> None:
        self._agenda, self._calendar, self._chance, self._people = agenda, calendar, chance, people
        self._planned = 0

    def around(self, deal: Deal) -> None:
        """A task that somebody sets themselves after one of the deal's steps."""
        chance, calendar = self._chance, self._calendar
        if chance.random() >= _PLANNED:
            return
        step = deal.events[chance.below(len(deal.events))]
        day = step[EFFECTIVE_AT] // DAY_US - calendar.epoch_day
        if day >= calendar.last or day > deal.outcome.close_day:
            return
        self._planned += 1
        task = Life(f"task-{self._planned}", self._agenda, calendar, chance)
        kind = _CHOICE[chance.below(len(_CHOICE))]
        due = calendar.workday[day + 2 + chance.below(12)]
        owner = deal.owner.standing_in(day)
        data: Data = {"kind": kind, "due_at": self._until(due), "owner": owner.id, "customer": deal.customer.id}
        data["deal"] = str(deal.number)
        if deal.customer.contacts:
            data["contact"] = f"{deal.customer.id}-1"
        if chance.random() < 0.3:
            data["subject"] = _KINDS[kind]
        task.say(day, "task.planned", data)
        self._end(task, owner, due)
        task.tell()

    def _end(self, task: Life, owner: Rep, due: int) -> None:
        chance, calendar = self._chance, self._calendar
        if chance.random() < 0.18:
            later = calendar.workday[due + 3 + chance.below(10)]
            task.say(due - 1, "task.rescheduled", {"due_at": self._until(later)})
            due = later
        if owner.left <= due:
            task.say(owner.left, "task.assigned", {"owner": owner.standing_in(owner.left).id})
        elif chance.random() < 0.04:
            near = [rep for rep in self._people.reps if rep.joined < due < rep.left and rep is not owner]
            task.say(due - 1, "task.assigned", {"owner": near[chance.below(len(near))].id})
        draw = chance.random()
        if draw < 0.82:
            late = chance.below(9) if draw < 0.2 + 0.3 * max(0.0, owner.optimism) else -chance.below(3)
            task.say(due + late, "task.done", {})
        elif draw < 0.92:
            task.say(due, "task.cancelled", {"reason": "no_longer_needed"} if draw < 0.88 else {})

    def _until(self, day: int) -> str:
        """The end of a day, or an hour of it."""
        calendar, chance = self._calendar, self._chance
        if chance.random() < 0.7:
            return calendar.instant_text(calendar.midnight[day + 1] - 1)
        return calendar.instant_text(calendar.morning[day] + (1 + chance.below(9)) * HOUR_US)
