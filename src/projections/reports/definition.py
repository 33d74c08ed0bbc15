"""What a report is: a declared object from which command line, routes, catalogue and documentation all come."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import msgspec

from ledger.formats import whole_text
from ledger.money import half_even

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from projections.pairs import Pair
    from projections.reports.cells import Cells
    from projections.reports.exact import Line
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

Exact = int | Fraction | None
"""A figure before it is shown. Quantities are integer millionths, money integer minor units."""

Kind = Literal["id", "text", "date", "month", "count", "money", "quantity", "ratio"]
Base = Literal[
    "one", "value", "value_said", "margin", "margin_said", "quantity", "quantity_said", "weighted", "weighted_margin"
]

TIME = frozenset({"day", "week", "month", "quarter", "year"})
DAYS = frozenset({"day", "week"})
"""Those that a month does not tell."""
STATE = frozenset({"category", "outcome", "status"})
"""Names under which reports show a line's state."""
PRODUCT = frozenset({"product", "product_range"})

BASES: tuple[Base, ...] = get_args(Base)
"""What every line brings, each an integer: itself, its amounts, and its amounts times its probability."""

SAID: dict[Base, Base] = {
    "value": "value_said",
    "weighted": "value_said",
    "margin": "margin_said",
    "weighted_margin": "margin_said",
    "quantity": "quantity_said",
}
"""By what a line tells whether it says an amount, being 1 then: what none says is unknown, not nothing."""


class Text(NamedTuple):
    """A text for people, in both languages."""

    fr: str
    en: str

    def in_(self, lang: str) -> str:
        return self.fr if lang == "fr" else self.en

    def counting(self, **numbers: int) -> Text:
        """The text with its blanks filled, each number as the language writes it."""
        said = {lang: {name: whole_text(number, lang) for name, number in numbers.items()} for lang in ("fr", "en")}
        return Text(self.fr.format(**said["fr"]), self.en.format(**said["en"]))


class Sum(NamedTuple):
    """A figure that adds up over lines: `of` each line whose state is one of `states`, or none of `but`."""

    name: str
    of: Base
    states: frozenset[str] | None = None
    but: frozenset[str] = frozenset()

    def takes(self, state: str | None) -> bool:
        return state not in self.but if self.states is None else state in self.states


def counted(sums: Iterable[Sum]) -> tuple[Sum, ...]:
    """These sums, and beside those of amounts how many lines they are of, and how many of these say one."""
    found: list[Sum] = []
    for each in sums:
        found.append(each)
        if each.of in SAID:
            lines, said = lines_and_said(each)
            found += [each._replace(name=lines, of="one"), each._replace(name=said, of=SAID[each.of])]
    return tuple(found)


def lines_and_said(of: Sum) -> tuple[str, str]:
    """The names under which a cell counts the lines of a sum of amounts, and those that say one."""
    return f"{of.name} of", said_of(of.name)


def said_of(name: str) -> str:
    """The name under which a cell counts the lines that say what a sum of this name adds up."""
    return f"{name} said"


def says(bases: Mapping[str, int], of: Base) -> bool:
    """Whether a line that brings this says what a sum is of."""
    return of not in SAID or bases[SAID[of]] > 0


def known(amounts: Iterable[Any]) -> Any:
    """The sum of the amounts that are known; None of some of which none is."""
    found = list(amounts)
    told = [each for each in found if each is not None]
    return sum(told) if told or not found else None


Key = tuple[str | None, ...]

Sums = dict[str, Any]
"""The figures of a cell that its columns are worked out from: by the name of their `Sum`, or as the summary names them."""


@dataclass(frozen=True)
class Column:
    """A figure of the report, worked out from a cell's sums: from those named in `of` alone, if it says any."""

    name: str
    type: Kind
    label: Text
    value: Callable[[Sums], Exact]
    of: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, gc=False):
    """A line of a report whose figures do not add up: a median, a rate over customers, a score.

    `dimensions` tells every dimension that the question needs; `figures` what the summary is made of, integers and
    fractions as in `Exact`, or texts. `joined` are the dated streams that told something of it; `late`: it rests on an
    event appended after `known_at`. One that adds up several says how many `lines` they are, and how many `late`.
    """

    stream: str
    position: int
    at: int
    dimensions: Mapping[str, str | None]
    figures: Mapping[str, Any]
    state: str | None = None
    joined: tuple[str, ...] = ()
    late: int = 0
    lines: int = 1


@dataclass(frozen=True)
class Report:
    """A named, documented question over the read store.

    Where figures add up over lines, `lines` and `sums` say of what; else `items` are the lines, and `summary` works out
    the figures of a cell, or of all, from those in it (which may be none).

    `fixed` dimensions head every row, `dimensions` may be asked for with `by` and `where`. `lines` gives the
    sources whose rows are the report's lines: their sums are its cells, and `explain` lists them; `more_lines` those
    that no query tells, such as the months of an objective. `choices` narrows
    what a parameter may be here, its first entry being the default; `sums_of` gives other sums for a `measure`.
    A `snapshot` speaks of an instant: its period only spans the dates of `every`. `completed` tells the cells what does
    not add up over lines. `variants` are the report under some values of its parameters, each as `name=value`.
    `behind` tells, by the stream of an item, the others that `explain` lists with it. `default_period` is that of a
    report that cannot do without one; `first_day` is that from which a report that takes `from` tells by default: it
    begins at the end of the day before. A `series` has its dates as rows of its own, by `every`.

    `evidence` are the lines that `explain` lists where `items` adds some of them up beforehand, the summary of both being
    the same, or where `completed` tells the cells without making them; `read_at` are the pairs at which one of them was
    read, where these are not the question's own alone. `across` tells the cells, by their keys, and the
    totals what they need of each other, such as a share or a rank; it may add rows, and returns what must be noted.
    Rows that are `ranked` stand in the order of the rank they were told, those without any last. `among_all` are told so
    those, too, that are rows of nothing beside what they are compared with.
    """

    name: str
    title: Text
    description: Text
    formula: Text
    source: Text
    columns: tuple[Column, ...]
    parameters: tuple[str, ...]
    dimensions: tuple[str, ...]
    sums: tuple[Sum, ...] = ()
    lines: Callable[[Question, View], Sequence[Source]] | None = None
    items: Callable[[Question, View, Rates], Iterable[Item]] | None = None
    summary: Callable[[Question, Sequence[Item]], Mapping[str, Any]] | None = None
    fixed: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sums_of: Mapping[str, tuple[Sum, ...]] = field(default_factory=dict)
    snapshot: bool = False
    more_lines: Callable[[Question, View, Rates], Iterable[Line]] | None = None
    default_period: str | None = None
    completed: Callable[[Question, View, Rates, Cells], None] | None = None
    first_day: Callable[[Question], date] | None = None
    series: bool = False
    variants: Mapping[str, Report] = field(default_factory=dict)
    behind: Callable[[Question, View, Rates, Sequence[Item]], Mapping[str, tuple[str, ...]]] | None = None
    evidence: Callable[[Question, View, Rates], Iterable[Item]] | None = None
    read_at: Callable[[Question, Item], tuple[Pair, ...]] | None = None
    across: Callable[[Question, dict[Key, Sums], Sums], Sequence[Text]] | None = None
    ranked: bool = False
    among_all: bool = False


def figure(name: str, kind: Kind, label: Text, of: str | None = None) -> Column:
    """A column that shows a sum as it is."""
    wanted = of or name.removesuffix("_minor")
    return Column(name, kind, label, itemgetter(wanted), (wanted,))


def told(name: str, kind: Kind, label: Text) -> Column:
    """A column that a summary has worked out under the column's own name."""
    return Column(name, kind, label, itemgetter(name))


def across(name: str, kind: Kind, label: Text) -> Column:
    """A column that `Report.across` has told; null in cells that it was not told of."""
    return Column(name, kind, label, lambda sums: sums.get(name))


def ratio(name: str, label: Text, over: str, *under: str) -> Column:
    """A column `over / Σ under`; null where that is zero or negative, or one of them unknown."""

    def value(sums: Sums) -> Exact:
        if None in {sums[each] for each in (over, *under)}:
            return None
        denominator = sum(sums[each] for each in under)
        return Fraction(sums[over], denominator) if denominator > 0 else None

    return Column(name, "ratio", label, value, (over, *under))


def average(name: str, label: Text, over: str, under: str) -> Column:
    """A column of money `over / under`, rounded half to even; null without a denominator, or of what is unknown."""

    def value(sums: Sums) -> Exact:
        return half_even(sums[over], sums[under]) if sums[over] is not None and sums[under] > 0 else None

    return Column(name, "money", label, value, (over, under))


def mean(name: str, label: Text, of: str) -> Column:
    """A column of money: a sum over the lines that say what it adds up, rounded half to even; null of none."""

    def value(sums: Sums) -> Exact:
        said = sums[said_of(of)]
        return half_even(sums[of], said) if said else None

    return Column(name, "money", label, value, (of,))
