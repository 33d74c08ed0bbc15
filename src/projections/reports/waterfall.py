"""The lines of a waterfall, and what a deal brings to them between what it was and what it is: rules alone, no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.reports.definition import Text, known

if TYPE_CHECKING:
    from collections.abc import Mapping

LINES: dict[str, Text] = {
    "opening": Text("Au départ", "Opening"),
    "corrected": Text("Corrigé", "Corrected"),
    "increased": Text("En hausse", "Increased"),
    "decreased": Text("En baisse", "Decreased"),
    "fx": Text("Change", "Exchange"),
    "created": Text("Créé", "Created"),
    "reopened": Text("Rouvert", "Reopened"),
    "pulled_in": Text("Avancé dans la période", "Pulled in"),
    "pushed_out": Text("Sorti de la période", "Pushed out"),
    "reassigned_in": Text("Réaffecté, reçu", "Reassigned in"),
    "reassigned_out": Text("Réaffecté, cédé", "Reassigned out"),
    "merged": Text("Fusionné", "Merged"),
    "abandoned": Text("Abandonné", "Abandoned"),
    "lost": Text("Perdu", "Lost"),
    "won": Text("Gagné", "Won"),
    "closing": Text("À l'arrivée", "Closing"),
}
"""The lines of the waterfall in their order."""

DEALS = frozenset(f"{line}_deals" for line in LINES)
ENDS = ("opening", "closing")
NAMES = {line: (f"{line}_minor", f"{line}_deals") for line in LINES}


class Place(NamedTuple):
    """Where a deal, or its part of one product, stands: its row, what tells it apart beside when it is due, and when.

    `counts` if it is due in the period, if there is one, and the filters let it pass.
    """

    dimensions: Mapping[str, str | None]
    row: tuple[str | None, ...]
    whose: tuple[object, ...]
    due: tuple[object, ...]
    in_period: bool
    counts: bool


class Part(NamedTuple):
    """A deal, or its part of one product: where it stands and its value, if known, at the rates of `from` and of the end."""

    place: Place
    at_from: int | None
    at_end: int | None


Parts = dict[tuple[str | None, ...], Part]
"""By the product they are of, where products are told apart."""

Figures = dict[str, int | None]
Rows = dict[tuple[str | None, ...], tuple[Place, Figures]]


class Story(NamedTuple):
    """What is known of a deal at the end: whether it was open at `from`, was opened since, and how it ended.

    Or of so many `deals` alike: in all of them every amount is known or not, is more, less or the same as before.
    """

    was_open: bool
    is_new: bool
    ending: str | None
    deals: int = 1


def waterfall(then: Parts, learnt: Parts, last: Parts, story: Story) -> Rows:
    """What a deal brings, by rows: as it was at `from` as known then, and as known now, and as it is or last was open."""
    rows: Rows = {}
    _open(rows, then, learnt, story.deals)
    for product in (*learnt, *(each for each in last if each not in learnt)):
        _tell(rows, learnt.get(product), last.get(product), story)
    return rows


def _open(rows: Rows, then: Parts, learnt: Parts, deals: int) -> None:
    for part in then.values():
        if part.place.counts:
            _add(rows, part.place, "opening", part.at_from, deals)
    if _stood(then) == _stood(learnt):
        return
    corrected = [(part, _less(part.at_from), -deals) for part in then.values()]
    corrected += [(part, part.at_from, deals) for part in learnt.values()]
    for part, minor, count in corrected:
        if part.place.counts:
            _add(rows, part.place, "corrected", minor, count)


def _stood(parts: Parts) -> dict[tuple[str | None, ...], tuple[object, ...]]:
    """What the rows show of a deal's parts: a filter that takes what they were and what they are sees no difference."""
    return {product: (part.place.row, part.place.counts, part.at_from) for product, part in parts.items()}


def _tell(rows: Rows, before: Part | None, after: Part | None, story: Story) -> None:
    """The lines of a part between what it was at `from`, as known now, and what it is, or last was while open.

    Its change of value counts where it was; then it leaves its row or enters another, or both, with its last value.
    """
    if before is not None and before.place.in_period:
        exit_ = _exit(before.place, after and after.place, story.ending)
        if before.place.counts:
            _leave(rows, before, after, exit_, story.deals)
        if exit_ is not None and exit_ == story.ending:
            return
        if exit_ is None and after is not None:
            _close(rows, after, story.deals)
            return
    if after is None or not after.place.counts:
        return
    entry = "reassigned_in"
    if not story.was_open:
        entry = "created" if story.is_new else "reopened"
    elif before is not None and before.place.due != after.place.due:
        entry = "pulled_in"
    _add(rows, after.place, entry, after.at_from, story.deals)
    if story.ending is not None:
        _add(rows, after.place, story.ending, _less(after.at_from), -story.deals)
    else:
        _close(rows, after, story.deals)


def _leave(rows: Rows, before: Part, after: Part | None, exit_: str | None, deals: int) -> None:
    value = before.at_from if after is None else after.at_from
    change = (value or 0) - (before.at_from or 0)
    if change:
        _add(rows, before.place, "increased" if change > 0 else "decreased", change, deals)
    if exit_ is not None:
        _add(rows, before.place, exit_, _less(value), -deals)


def _exit(before: Place, after: Place | None, ending: str | None) -> str | None:
    """How a part leaves its row, also one that a filter leaves out: the first that applies."""
    stays = after is not None and after.counts and before.counts and after.row == before.row
    if stays or ending == "merged":
        return ending
    if after is None or after.whose != before.whose:
        return "reassigned_out"
    return ending or "pushed_out"


def _close(rows: Rows, part: Part, deals: int) -> None:
    if part.at_end is not None and part.at_from is not None and part.at_end != part.at_from:
        _add(rows, part.place, "fx", part.at_end - part.at_from, deals)
    _add(rows, part.place, "closing", part.at_end, deals)


def _less(minor: int | None) -> int | None:
    return None if minor is None else -minor


def _add(rows: Rows, place: Place, line: str, minor: int | None, deals: int) -> None:
    if place.row not in rows:
        rows[place.row] = place, {}
    figures = rows[place.row][1]
    for name, figure in zip(NAMES[line], (minor, deals), strict=True):
        figures[name] = known([figures[name], figure]) if name in figures else figure
