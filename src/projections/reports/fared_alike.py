"""Deals that fared alike between two dates, added up: they stood in the same places, and their amounts went one way.

What the waterfall says of one of them it says of them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.reports import exact, told_states
from projections.reports.definition import PRODUCT, Item
from projections.reports.standing import Worth
from projections.reports.told_states import NOWHERE, Told
from projections.reports.waterfall import Part, Story, waterfall

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.reports import waterfall as of_deals
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.told_states import State
    from projections.store import View

Amounts = tuple[int, int, int, int]
"""As known then, as known now, and last, at the rates of `from` and of the end; nothing of what is unknown."""
Stood = tuple[str | None, str | None, str | None]
"""What tells where a deal stood as known then, as known now, and last; None where it was not open."""
Way = tuple[told_states.Part, str | None, str | None, str | None, int, int, int]
"""How a part of a deal fared: where it stood, and the signs of what its amount changed by from one to the next."""


class Alike:
    """Deals whose parts fared the same ways: how many they are, how many of them late, and what their parts add up to."""

    def __init__(self, parts: int) -> None:
        self.deals = self.late = 0
        self.sums = [[0, 0, 0, 0] for _ in range(parts)]

    def add(self, parts: Sequence[Amounts], late: int) -> None:
        self.deals += 1
        self.late += late
        for sums, (then, known, last, end) in zip(self.sums, parts, strict=True):
            sums[0] += then
            sums[1] += known
            sums[2] += last
            sums[3] += end


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """An item for each row that deals alike touch. Raises `MissingRate`."""
    told = Told(question)
    for number, (ways, alike) in enumerate(_alike(question, view, rates, told).items()):
        then: of_deals.Parts = {}
        learnt: of_deals.Parts = {}
        last: of_deals.Parts = {}
        story = Story(was_open=False, is_new=False, ending=None, deals=alike.deals)
        for (part, told_then, told_known, told_last, *_), sums in zip(ways, alike.sums, strict=True):
            if told_then is not None:
                then[part] = _part(told, told_then, part, sums[0], sums[0])
            if told_known is not None:
                learnt[part] = _part(told, told_known, part, sums[1], sums[1])
                story = story._replace(was_open=True)
            if told_last is not None:
                last[part] = _part(told, told_last, part, sums[2], sums[3])
                story = story._replace(is_new=told.is_new(told_last), ending=told.ending(told_last))
        for place, figures in waterfall(then, learnt, last, story).values():
            at, dimensions = question.pair.as_of, place.dimensions
            yield Item(str(number), 0, at, dimensions, figures, late=alike.late, lines=alike.deals)


def _part(told: Told, state: str, part: told_states.Part, at_from: int, at_end: int) -> Part:
    place = told.place(state, part)
    return Part(place, at_from, at_end) if told.is_known(state) else Part(place, None, None)


def _alike(question: Question, view: View, rates: Rates, told: Told) -> dict[tuple[Way, ...], Alike]:
    then, known, last = told_states.moments(question, view)
    worth = Worth(question, view, rates)
    splits, whole = exact.splits(question), [((None,) * len(question.dimensions & PRODUCT), 1)]
    found: dict[tuple[Way, ...], Alike] = {}
    for stream in dict.fromkeys((*then.states, *known.states, *last.states)):
        at_then, at_known = then.states.get(stream, NOWHERE), known.states.get(stream, NOWHERE)
        at_last = last.states.get(stream, NOWHERE)
        stood, amounts, late = _fared(at_then, at_known, at_last, worth, told)
        if splits:
            products = [each.products.get(stream, whole) for each in (then, known, last)]
            ways, parts = _split(stood, amounts, products)
        else:
            ways, parts = (_way((), stood, amounts),), (amounts,)
        alike = found.get(ways)
        if alike is None:
            alike = found[ways] = Alike(len(parts))
        alike.add(parts, late)
    return found


def _fared(then: State, known: State, last: State, worth: Worth, told: Told) -> tuple[Stood, Amounts, int]:
    _, told_then, at_then, currency, _, late, _ = then
    if currency:
        at_then = worth.then(at_then, currency)
    _, told_known, at_known, currency, _, its_late, _ = known
    if currency:
        at_known = worth.known(at_known, currency)
    if told_known is not None:
        late = its_late
    _, told_last, at_last, currency, at, its_late, _ = last
    at_end = at_last
    if told_last is not None:
        late = its_late
        if currency:
            at_from = worth.last(at_last, currency, at, was_open=told_known is not None)
            at_end = at_from if told.ending(told_last) else worth.end(at_last, currency)
            at_last = at_from
    return (told_then, told_known, told_last), (at_then, at_known, at_last, at_end), late


def _way(part: told_states.Part, stood: Stood, amounts: Amounts) -> Way:
    then, known, last, end = amounts
    return (
        *(part, *stood),
        *((known > then) - (known < then), (last > known) - (last < known), (end > last) - (end < last)),
    )


def _split(
    stood: Stood, amounts: Amounts, products: Sequence[Sequence[tuple[told_states.Part, int]]]
) -> tuple[tuple[Way, ...], Sequence[Amounts]]:
    """The same of each part of a deal."""
    of_then, of_known, of_last = products
    then = _shared(amounts[0], of_then) if stood[0] is not None else {}
    known = _shared(amounts[1], of_known) if stood[1] is not None else {}
    last = _shared(amounts[2], of_last) if stood[2] is not None else {}
    end = last if amounts[3] == amounts[2] else _shared(amounts[3], of_last)
    fared: list[tuple[Way, Amounts]] = []
    for part in dict.fromkeys((*then, *known, *last)):
        its_stood = (
            stood[0] if part in then else None,
            stood[1] if part in known else None,
            stood[2] if part in last else None,
        )
        its = (then.get(part, 0), known.get(part, 0), last.get(part, 0), end.get(part, 0))
        fared.append((_way(part, its_stood, its), its))
    ways, parts = zip(*fared, strict=True)
    return ways, parts


def _shared(total: int, products: Sequence[tuple[told_states.Part, int]]) -> dict[told_states.Part, int]:
    if len(products) == 1:
        return {products[0][0]: total}
    shares: dict[told_states.Part, int] = {}
    for (part, _), share in zip(products, exact.shared(total, [weight for _, weight in products]), strict=True):
        shares[part] = shares.get(part, 0) + share
    return shares
