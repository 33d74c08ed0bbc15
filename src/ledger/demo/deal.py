"""One deal's way through its pipeline: stages, values as they become clear, dates that slip, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.demo import amounts as amounts_of
from ledger.demo import basket, words
from ledger.demo.company import AGREEMENT, APPROVAL, NEGOTIATION
from ledger.demo.life import Life

if TYPE_CHECKING:
    from ledger.demo.agenda import Agenda, Event
    from ledger.demo.amounts import Amounts, Data
    from ledger.demo.basket import Basket
    from ledger.demo.calendar import Calendar, Chance
    from ledger.demo.company import Pipeline
    from ledger.demo.customers import Customer
    from ledger.demo.outcome import Outcome
    from ledger.demo.people import Rep

_LOSSES: Final = ("price", "price", "competitor", "competitor", "no_budget", "no_decision", "timing", "product_fit")
_COMPETITORS: Final = ("novatherm", "helioscope", "batisens", "ecomesure", "voltaris")
_GIVEN_UP: Final = ("no_response", "project_cancelled", "out_of_scope")
_NOTES: Final = (
    "Le budget a été reporté à l'exercice suivant.",
    "Le concurrent était déjà en place sur deux sites.",
    "Trop cher selon l'acheteur, qui souhaite nous revoir.",
    "Projet gelé après le départ du directeur technique.",
    "La direction préfère une solution du groupe.",
)
_MOST_PUSHES: Final = 6
_NEGLECTED: Final = 0.18
"""Share of deals whose date nobody keeps up."""


class Deal(Life):
    """The state of a deal that its own story needs."""

    __slots__ = (
        "amounts",
        "basket",
        "chance",
        "customer",
        "entry",
        "expected",
        "kind",
        "listed",
        "number",
        "outcome",
        "owner",
        "pipeline",
        "proposed",
        "pushes",
        "start",
        "steps",
        "until",
        "valued",
    )

    def __init__(
        self,
        number: int,
        agenda: Agenda,
        calendar: Calendar,
        chance: Chance,
        *,
        customer: Customer,
        owner: Rep,
        pipeline: Pipeline,
        kind: str,
        wanted: Basket,
        outcome: Outcome,
        start: int,
        head_start: float,
    ) -> None:
        super().__init__(f"deal-{number}", agenda, calendar, chance)
        self.number, self.chance, self.until = number, chance, calendar.until
        self.customer, self.owner, self.pipeline, self.kind = customer, owner, pipeline, kind
        self.basket, self.start = wanted, start
        self.listed = self._random() < 0.66
        self.proposed: int | None = None
        self.pushes = _MOST_PUSHES if self._random() < _NEGLECTED else 0
        ahead = [(step + 0.5 * (self._random() - 0.5)) / outcome.stages for step in range(outcome.stages)]
        left = 1 - head_start
        days = int((outcome.close_day - start) * left) + 1
        self.outcome = outcome if left == 1 else outcome._replace(close_day=start + days)
        self.entry = sum(at <= head_start for at in ahead[1:])
        self.steps = [start + int(days * (at - head_start) / left) for at in ahead]
        believed = days * (0.84 - 0.5 * owner.optimism) * (0.6 + 0.6 * self._random())
        if outcome.ending != "won":
            believed *= 0.8
        self.expected = self._promise(start + 8 + int(believed))
        overstated = basket.overstate(wanted, 1 + owner.optimism * (0.4 + 1.2 * self._random()))
        self.amounts = self._amounts(overstated, 0)

    def opening(self) -> tuple[Data, Amounts | None]:
        """The data of `deal.opened`."""
        chance, customer = self.chance, self.customer
        data: Data = {
            "pipeline": self.pipeline.name,
            "stage": self.pipeline.stages[self.entry],
            "customer": customer.id,
            "owner": self.owner.id,
            "title": words.title(chance, self.kind),
            "kind": self.kind,
        }
        draw = self._random()
        if draw > 0.04:
            data["expected_close_on"] = self._calendar.text[self.expected]
        self.valued = draw < 0.95
        return data, self.amounts if self.valued else None

    def walk(self) -> None:
        """From stage to stage until the end, or until the last day of the history."""
        stages, entered, entry = self.pipeline.stages, self.outcome.stages, self.entry
        for step in range(entry + 1, entered):
            if step + 1 < entered and self._random() < 0.06:
                continue
            day = self.steps[step]
            self.wait(day)
            if self.recorded_at > self.until:
                return
            stage = stages[step]
            if stage == AGREEMENT:
                self._approval(self.steps[step - 1], day)
            before = self.effective_at
            lag = 0.2 + 3 * self._random() if self._random() < 0.1 else 0
            self.say(day, "deal.stage_changed", {"stage": stage}, lag_days=lag)
            self._reconsider(step, day, before)
        self.wait(self.outcome.close_day)

    def wait(self, day: int) -> None:
        """What happens while nothing moves: promised dates pass and are moved, late by some; owners change."""
        owner = self.owner
        while self.expected < day and self.pushes < _MOST_PUSHES and self.recorded_at <= self.until:
            moved = max(self.expected + int(owner.delay_days + 5 * self.chance.normal()), self.start + 2)
            if moved >= day:
                break
            if moved >= owner.left:
                self._handed_over(owner.left)
                owner = self.owner
            self.push(moved, self._calendar.workday[moved] + 12 + int(48 * self._random()))
        if day >= owner.left:
            self._handed_over(owner.left)

    def push(self, day: int, expected: int) -> None:
        """Say that it will close at another date."""
        self.pushes += 1
        self.expected = self._promise(max(expected, day + 4))
        self.say(day, "deal.close_date_changed", {"expected_close_on": self._calendar.text[self.expected]})

    def revalue(self, day: int, discount_pc: int) -> None:
        """The amounts as they are now understood: what the customer wants, less a discount."""
        amounts = self._amounts(self.basket, discount_pc)
        if amounts[1] != self.amounts[1] or not self.valued:
            self.amounts, self.valued = amounts, True
            self.say(day, "deal.revalued", {}, amounts)

    def offered(self, discount_pc: int = 1) -> Amounts:
        """What a quote carries."""
        return amounts_of.for_quote(self._amounts(self.basket, discount_pc))

    def win(self, *, lag_days: float) -> Event:
        """Won, mostly at the amounts of the last offer."""
        amounts = None if self.valued else self.amounts
        draw = self._random()
        if draw < 0.42:
            amounts = self._amounts(self.basket, 3 + self.chance.below(9))
            if draw < 0.05:
                amounts = amounts_of.without_lines(amounts)
        data = {"order": f"BC-{self.number:06d}"} if self._random() < 0.7 else {}
        return self.say(self.outcome.close_day, "deal.won", data, amounts, lag_days=lag_days)

    def lose(self, day: int) -> Event:
        """Lost to somebody or to nobody."""
        chance = self.chance
        data: Data = {"reason": _LOSSES[chance.below(8)]}
        if data["reason"] in {"price", "competitor"} and self._random() < 0.75:
            data["competitor"] = _COMPETITORS[int(self._random() ** 1.5 * 5)]
        if self._random() < 0.15:
            data["note"] = _NOTES[chance.below(5)]
        lag = 1 + 6 * self._random() if self._random() < 0.08 else 0
        return self.say(day, "deal.lost", data, lag_days=lag)

    def abandon(self, day: int) -> None:
        self.say(day, "deal.abandoned", {"reason": _GIVEN_UP[self.chance.below(3)]})

    def _amounts(self, wanted: Basket, discount_pc: int) -> Amounts:
        amounts = basket.priced(wanted, self.customer.place.currency, discount_pc)
        return amounts if self.listed else amounts_of.rounded(amounts)

    def _promise(self, day: int) -> int:
        """People promise the end of a month more often than a day."""
        draw = self._random()
        if draw < 0.5:
            return self._calendar.month_end[day]
        return self._calendar.quarter_end[day] if draw < 0.58 else self._calendar.workday[day]

    def _approval(self, reached: int, day: int) -> None:
        begins, middle = self.pipeline.approval_from, (reached + day) // 2
        if begins is not None and middle > begins and self._random() < 0.75:
            self.say(max(middle, begins), "deal.stage_changed", {"stage": APPROVAL})

    def _reconsider(self, step: int, day: int, before: int) -> None:
        """At a new stage: a better idea of value and date, now and then an opinion of one's own."""
        draw = self._random()
        stage = self.pipeline.stages[step]
        if stage in {"proposition", "offre"}:
            self.proposed = day
            if draw < 0.8:
                self.revalue(day, self.chance.below(4))
        elif draw < 0.55:
            self.revalue(day, 2 + self.chance.below(7))
        if self._random() < 0.4 and self.pushes < _MOST_PUSHES:
            left = (self.outcome.close_day - day) * (1 - 0.3 * self.owner.optimism) * (0.8 + 0.4 * self._random())
            if abs(day + int(left) - self.expected) > 12:
                self.push(day, day + int(left))
        if stage == NEGOTIATION and self._random() < 0.45:
            self._opine(day)
        if self._random() < 0.05:
            self._remember(before)

    def _opine(self, day: int) -> None:
        draw = self._random()
        if draw < 0.5:
            chosen = round(13 + 8 * self.owner.optimism + 3 * self.chance.normal()) * 500
            self.say(day, "deal.probability_set", {"probability_bp": min(9_500, max(2_000, chosen))})
            if draw < 0.12:
                self.say(day + 10, "deal.probability_set", {"probability_bp": None})
        else:
            category = "commit" if self.owner.optimism > 0.2 else "best_case"
            self.say(day, "deal.category_set", {"category": category})
            if draw < 0.62:
                self.say(day + 12, "deal.category_set", {"category": None})

    def _remember(self, before: int) -> None:
        """A date that had changed between the last two events is only entered now."""
        changed = before + int((self.effective_at - before) * (0.2 + 0.6 * self._random()))
        if changed < self.effective_at and before:
            date = self._calendar.text[self._calendar.workday[self.expected + 7]]
            self.say_at(changed, self.recorded_at, "deal.close_date_changed", {"expected_close_on": date})

    def _handed_over(self, day: int) -> None:
        self.owner = self.owner.standing_in(day)
        self.say(day, "deal.assigned", {"owner": self.owner.id})
