"""Deals that fared alike between two dates, added up: they stood in the same places, and their amounts went one way.

What the waterfall says of one of them it says of them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projections.reports import exact, told_states
from projections.reports.definition import Item
from projections.reports.standing import PartName, PartOf, Worth
from projections.reports.told_states import NOWHERE, Told
from projections.reports.waterfall import Part, Story, waterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.told_states import Products, State
    from projections.reports.waterfall import Parts
    from projections.store import View

Amounts = tuple[int, int, int, int]
"""As known then, as known now, and last, at the rates of `from` and of the end; nothing of what is unknown."""
Stood = tuple[str | None, str | None, str | None]
"""What tells where a deal stood as known then, as known now, and last; None where it was not open."""
Way = tuple[PartName, Stood, int, int, int]
"""How a part of a deal fared: where it stood, and the signs of what its amount changed by from one to the next."""


@dataclass(slots=True)
class Alike:
    """Deals whose parts fared the same ways: the amounts of each one's parts, how many they are, and how many late."""

    parts: list[Sequence[Amounts]] = field(default_factory=list)
    deals: int = 0
    late: int = 0


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """An item for each row that deals alike touch. Raises `MissingRate`."""
    told = Told(question)
    for number, (ways, alike) in enumerate(_alike(question, view, rates, told).items()):
        then: Parts = {}
        known: Parts = {}
        last: Parts = {}
        story = Story(was_open=False, is_new=False, ending=None, deals=alike.deals)
        for (part, (told_then, told_known, told_last), *_), amounts in zip(
            ways, zip(*alike.parts, strict=True), strict=True
        ):
            at_then, at_known, at_last, at_end = map(sum, zip(*amounts, strict=True))
            if told_then is not None:
                then[part] = _part(told, told_then, part, at_then, at_then)
            if told_known is not None:
                known[part] = _part(told, told_known, part, at_known, at_known)
                story = story._replace(was_open=True)
            if told_last is not None:
                last[part] = _part(told, told_last, part, at_last, at_end)
                story = story._replace(is_new=told.is_new(told_last), ending=told.ending(told_last))
        for place, figures in waterfall(then, known, last, story).values():
            yield Item(
                str(number), 0, question.pair.as_of, place.dimensions, figures, late=alike.late, lines=alike.deals
            )


def _part(told: Told, state: str, part: PartName, at_from: int, at_end: int) -> Part:
    place = told.place(state, part)
    return Part(place, at_from, at_end) if told.is_known(state) else Part(place, None, None)


def _alike(question: Question, view: View, rates: Rates, told: Told) -> dict[tuple[Way, ...], Alike]:
    then, known, last = told_states.moments(question, view)
    splits = exact.splits(question)
    part_of = PartOf(question)
    whole: Products = [(part_of((None,) * len(part_of.names)), 1)]
    convert = _Converted(Worth(question, view, rates), told)
    found: dict[tuple[Way, ...], Alike] = {}
    for stream in dict.fromkeys((*then.states, *known.states, *last.states)):
        at_then, at_known = then.states.get(stream, NOWHERE), known.states.get(stream, NOWHERE)
        at_last = last.states.get(stream, NOWHERE)
        _, told_then, minor_then, other_then, _, late, _, _ = at_then
        _, told_known, minor_known, other_known, _, late_known, _, deals = at_known
        _, told_last, minor_last, other_last, _, late_last, _, _ = at_last
        stood = told_then, told_known, told_last
        amounts = minor_then, minor_known, minor_last, minor_last
        if other_then or other_known or other_last:
            amounts = convert(at_then, at_known, at_last)
        if splits:
            ways, parts = _split(stood, amounts, [each.products.get(stream, whole) for each in (then, known, last)])
        else:
            ways, parts = (_way((), stood, amounts),), (amounts,)
        alike = found.get(ways)
        if alike is None:
            alike = found[ways] = Alike()
        alike.parts.append(parts)
        alike.deals += deals
        alike.late += late_last if told_last is not None else late_known if told_known is not None else late
    return found


class _Converted:
    """Tells the amounts of a deal that is in another currency."""

    def __init__(self, worth: Worth, told: Told) -> None:
        self._worth = worth
        self._told = told

    def __call__(self, then: State, known: State, last: State) -> Amounts:
        """Raises `MissingRate`."""
        worth = self._worth
        at_then, at_known = self._at(then, worth.then), self._at(known, worth.known)
        _, told, minor, currency, at, *_ = last
        if told is None or not currency:
            return at_then, at_known, minor, minor
        at_last = worth.last(minor, currency, at, was_open=known is not NOWHERE)
        return at_then, at_known, at_last, at_last if self._told.ending(told) else worth.end(minor, currency)

    def _at(self, state: State, convert: Callable[[int, str], int]) -> int:
        _, _, minor, currency, *_ = state
        return convert(minor, currency) if currency else minor


def _way(part: PartName, stood: Stood, amounts: Amounts) -> Way:
    then, known, last, end = amounts
    return part, stood, (known > then) - (known < then), (last > known) - (last < known), (end > last) - (end < last)


def _split(stood: Stood, amounts: Amounts, products: Sequence[Products]) -> tuple[tuple[Way, ...], Sequence[Amounts]]:
    """The ways of a deal's parts, and their amounts."""
    then, known, last, end = amounts
    of_then, of_known, of_last = products
    if None not in stood and then == known == last == end and of_then == of_known == of_last:
        same = _shared(then, of_then)
        return tuple([(part, stood, 0, 0, 0) for part in same]), [(minor,) * 4 for minor in same.values()]
    in_then = {} if stood[0] is None else _shared(then, of_then)
    in_known = {} if stood[1] is None else _shared(known, of_known)
    in_last = {} if stood[2] is None else _shared(last, of_last)
    in_end = in_last if last == end else _shared(end, of_last)
    ways, parts = [], []
    for part in in_then | in_known | in_last:
        its = in_then.get(part, 0), in_known.get(part, 0), in_last.get(part, 0), in_end.get(part, 0)
        places = (in_then, in_known, in_last)
        told_then, told_known, told_last = (
            told if part in each else None for told, each in zip(stood, places, strict=True)
        )
        ways.append(_way(part, (told_then, told_known, told_last), its))
        parts.append(its)
    return tuple(ways), parts


def _shared(total: int, products: Products) -> dict[PartName, int]:
    if len(products) == 1:
        return {products[0][0]: total}
    shares: dict[PartName, int] = {}
    for (part, _), share in zip(products, exact.shared(total, [weight for _, weight in products]), strict=True):
        shares[part] = shares.get(part, 0) + share
    return shares
