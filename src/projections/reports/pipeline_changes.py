"""What became of the open deals between two dates: the waterfall from what was open to what is open."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, or_

from ledger.money import convert
from projections.pairs import Pair
from projections.reports import exact, open_states
from projections.reports.cells import work_out
from projections.reports.definition import PRODUCT, TIME, Item, Report, Sum, Text, known, told
from projections.reports.dimensions import DEAL_DIMENSIONS, OWN
from projections.reports.lines import asked
from projections.reports.rates import MissingRate, Rates
from projections.reports.sources import label, open_deals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from projections.reports.definition import Base
    from projections.reports.exact import Product
    from projections.reports.open_states import Products, Which
    from projections.reports.question import Question
    from projections.reports.sources import Source
    from projections.store import View

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


OF_ROW = OWN | TIME
"""Dimensions that a deal's own row tells: while it stands, the deal stays where it is."""

_TOLD = 4
"""Columns of a state that tell how it was read: its stream, position, appended_at and instant; and the last, `is_so`."""


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
    """What is known of a deal at the end: whether it was open at `from`, was opened since, and how it ended."""

    was_open: bool
    is_new: bool
    ending: str | None


def tell(rows: Rows, before: Part | None, after: Part | None, story: Story) -> None:
    """The lines of a part between what it was at `from`, as known now, and what it is, or last was while open.

    Its change of value counts where it was; then it leaves its row or enters another, or both, with its last value.
    """
    if before is not None and before.place.in_period:
        exit_ = _exit(before.place, after and after.place, story.ending)
        if before.place.counts:
            _leave(rows, before, after, exit_)
        if exit_ is not None and exit_ == story.ending:
            return
        if exit_ is None and after is not None:
            _close(rows, after)
            return
    if after is None or not after.place.counts:
        return
    entry = "reassigned_in"
    if not story.was_open:
        entry = "created" if story.is_new else "reopened"
    elif before is not None and before.place.due != after.place.due:
        entry = "pulled_in"
    _add(rows, after.place, entry, after.at_from, 1)
    if story.ending is not None:
        _add(rows, after.place, story.ending, _less(after.at_from), -1)
    else:
        _close(rows, after)


def _leave(rows: Rows, before: Part, after: Part | None, exit_: str | None) -> None:
    value = before.at_from if after is None else after.at_from
    change = (value or 0) - (before.at_from or 0)
    if change:
        _add(rows, before.place, "increased" if change > 0 else "decreased", change, 1)
    if exit_ is not None:
        _add(rows, before.place, exit_, _less(value), -1)


def _exit(before: Place, after: Place | None, ending: str | None) -> str | None:
    """How a part leaves its row, also one that a filter leaves out: the first that applies."""
    stays = after is not None and after.counts and before.counts and after.row == before.row
    if stays or ending == "merged":
        return ending
    if after is None or after.whose != before.whose:
        return "reassigned_out"
    return ending or "pushed_out"


def _close(rows: Rows, part: Part) -> None:
    if part.at_end is not None and part.at_from is not None and part.at_end != part.at_from:
        _add(rows, part.place, "fx", part.at_end - part.at_from, 1)
    _add(rows, part.place, "closing", part.at_end, 1)


def _less(minor: int | None) -> int | None:
    return None if minor is None else -minor


def _add(rows: Rows, place: Place, line: str, minor: int | None, deals: int) -> None:
    if place.row not in rows:
        rows[place.row] = place, {}
    figures = rows[place.row][1]
    for name, figure in zip(NAMES[line], (minor, deals), strict=True):
        figures[name] = known([figures[name], figure]) if name in figures else figure


class Reader:
    """Tells the parts of deals, each where it stands and what it is worth."""

    def __init__(self, question: Question, view: View, rates: Rates) -> None:
        self._question = question
        self._rates = rates
        assert question.since is not None
        self.since = question.since
        then = question.seen(self.since, self.since)
        self._rates_then = rates if question.choice("fx") == "constant" else Rates(then, view)
        self._measure = question.given.get("measure", "amount")
        self.split = sorted(question.dimensions & PRODUCT)
        self._told_by = attrgetter(
            "state", "expected_close_on", *(["due"] if question.needs_month else []), *asked(question)
        )
        self._places: dict[object, Place] = {}
        days = question.period
        self._days = (days.first.isoformat(), days.last.isoformat()) if days else None

    def then(self, row: Any, products: Products) -> Parts:
        """As it was at `from`, as known then."""
        return self._parts(row, products, self._worth(row, self._rates_then, self.since), None)

    def known(self, row: Any, products: Products) -> Parts:
        """As it was at `from`, as known now."""
        return self._parts(row, products, self._worth(row, self._rates, self.since), None)

    def last(self, row: Any, products: Products, *, was_open: bool) -> Parts:
        """As it is, or last was while open. What was not open at `from` may be in a currency that had no rate then."""
        end = None if row.ending else self._worth(row, self._rates, self._question.pair.as_of)
        try:
            at_from = self._worth(row, self._rates, self.since)
        except MissingRate:
            if was_open:
                raise
            at_from = self._worth(row, self._rates, row.at)
        return self._parts(row, products, at_from, end)

    def same(self, *rows: Any) -> bool:
        """Whether these tell the same of a deal, which is worth the same at any rate."""
        first, *others = rows
        if first is None or first.currency not in {None, self._question.currency}:
            return False
        return all(row is first or (row is not None and row[_TOLD:-1] == first[_TOLD:-1]) for row in others)

    def _worth(self, row: Any, rates: Rates, at: int) -> int | None:
        minor: int | None = row.margin_minor if self._measure == "margin" else row.value_minor
        if not minor or row.currency == self._question.currency:
            return minor
        return convert(minor, rates.factor(row.currency, at))

    def _parts(self, row: Any, products: Products, at_from: int | None, at_end: int | None) -> Parts:
        at_end = at_from if at_end is None else at_end
        if not self.split:
            return {(): Part(self._placed(row, None), at_from, at_end)}
        parts: Parts = {}
        pieces = products.get(row.stream, exact.NO_PRODUCTS)
        weights = [each.margin if self._measure == "margin" else each.value for each in pieces]
        ends = [[None] * len(pieces) if end is None else exact.shared(end, weights) for end in (at_from, at_end)]
        for piece, first, last in zip(pieces, *ends, strict=True):
            place = self._placed(row, piece)
            product = tuple(place.dimensions[name] for name in self.split)
            part = Part(place, first, last)
            if product in parts:
                part = Part(place, known([parts[product].at_from, first]), known([parts[product].at_end, last]))
            parts[product] = part
        return parts

    def _placed(self, row: Any, product: Product | None) -> Place:
        told_by = (self._told_by(row), product and product[:2])
        found = self._places.get(told_by)
        if found is None:
            found = self._places[told_by] = self._place(row, product)
        return found

    def _place(self, row: Any, product: Product | None) -> Place:
        question = self._question
        dimensions = exact.told(question, row)
        if product is not None:
            dimensions |= {"product": product.product, "product_range": product.product_range}
        passes = {name: dimensions[name] in values for name, values in question.where.items()}
        due = row.expected_close_on
        in_period = self._days is None or (due is not None and self._days[0] <= due <= self._days[1])
        told_by: list[tuple[bool, object]] = [(name in TIME, dimensions[name]) for name in question.heads]
        told_by += [(name in TIME, passed) for name, passed in passes.items()]
        return Place(
            dimensions,
            tuple(dimensions[name] for name in question.heads),
            tuple(value for of_time, value in told_by if not of_time),
            (in_period, *(value for of_time, value in told_by if of_time)),
            in_period,
            in_period and all(passes.values()),
        )


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """The deals that nothing happened to added up, the others each as in `evidence`. Raises `MissingRate`."""
    if not OF_ROW.issuperset(question.dimensions):
        yield from evidence(question, view, rates)
        return
    yield from _stayed(question, view, _unmoved(question, *_pairs(question)))
    yield from _told(question, view, rates, is_told_by_row=True)


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """An item for each row that a deal touches, with what it brings to its lines. Raises `MissingRate`."""
    return _told(question, view, rates, is_told_by_row=False)


def _pairs(question: Question) -> tuple[Pair, Pair, Pair]:
    """At which deals are read: `from` as known then and as known now, and the question's own."""
    assert question.since is not None
    known_at = question.pair.known_at
    return Pair(question.since, question.since), Pair(question.since, known_at), question.pair


def _unmoved(question: Question, *pairs: Pair) -> Which:
    """Whether a deal has the same row at all these pairs, and is worth the same at any rate."""
    held = open_states.held_at(*pairs)

    def unmoved(columns: Mapping[str, Any]) -> ColumnElement[bool]:
        currency = columns["currency"]
        return and_(held(columns), or_(currency.is_(None), currency == label(question.currency)))

    return unmoved


def _stayed(question: Question, view: View, stayed: Which) -> Iterator[Item]:
    """What is as it was at `from`, then as now, by what the question tells it apart: it is in no line but the ends."""
    days = question.period

    def lines(asked: Question, view: View) -> list[Source]:
        found = [each.narrowed(stayed(each.columns)) for each in open_deals(asked, view)]
        if days is None:
            return found
        first, last = label(days.first.isoformat()), label(days.last.isoformat())
        due = [each.columns["expected_close_on"] for each in found]
        return [each.narrowed(on >= first, on <= last) for each, on in zip(found, due, strict=True)]

    base: Base = "margin" if question.given.get("measure") == "margin" else "value"
    sums = (Sum("minor", base), Sum("deals", "one"))
    report = replace(question.report, sums=sums, lines=lines, items=None, evidence=None, summary=None)
    added_up = replace(question, report=report, by=tuple(sorted(question.dimensions)))
    cells = work_out(added_up, view)
    late = cells.late
    for key, its in cells.rows.items():
        figures: Figures = {}
        for line in ENDS:
            figures |= zip(NAMES[line], (its["minor"], its["deals"]), strict=True)
        place = dict(zip(added_up.heads, key, strict=True))
        yield Item("pipeline", 0, question.pair.as_of, place, figures, late=late, lines=its["deals"])
        late = 0  # said once, of them all


def _told(question: Question, view: View, rates: Rates, *, is_told_by_row: bool) -> Iterator[Item]:
    """Each deal; where its row tells it apart, without those that stay, and what has not been learnt anew read once."""
    reader = Reader(question, view, rates)
    since, known_at = reader.since, question.pair.known_at
    then, now_known, end = _pairs(question)
    at_then, at_known = question.seen(since, since), question.seen(since, known_at)
    if is_told_by_row:
        stayed, understood = _unmoved(question, then, now_known, end), _unmoved(question, then, now_known)
        opening, opening_products = open_states.open_at(at_then, view, stayed, asked=understood)
        learnt, known_products = open_states.open_at(at_known, view, understood)
        at_from = {stream: row for stream, row in opening.items() if row.is_so} | learnt
        last, last_products = open_states.last_of(since, question, view, stayed)
    else:
        opening, opening_products = open_states.open_at(at_then, view)
        at_from, known_products = opening, opening_products
        if known_at != since:
            at_from, known_products = open_states.open_at(at_known, view)
        last, last_products = open_states.last_of(since, question, view)
    joined = open_states.Joined(question, view, rates)
    for stream in dict.fromkeys((*opening, *at_from, *last)):
        at_start, was, now = opening.get(stream), at_from.get(stream), last.get(stream)
        row: Any = now or was or at_start
        rows: Rows = {}
        before = reader.then(at_start, opening_products) if at_start else {}
        if reader.same(at_start, was, now) and _alike(stream, opening_products, known_products, last_products):
            for part in before.values():
                _stay(rows, part)
        else:
            same = was is at_start or (not reader.split and reader.same(at_start, was))
            known_before = before if same else reader.known(was, known_products) if was else {}
            after = reader.last(now, last_products, was_open=was is not None) if now else {}
            _open(rows, before, known_before)
            story = Story(was is not None, now is not None and now.opened_at > since, now.ending if now else None)
            for product in (*known_before, *(each for each in after if each not in known_before)):
                tell(rows, known_before.get(product), after.get(product), story)
        for place, figures in rows.values():
            late = row.appended_at > known_at
            yield Item(stream, row.position, row.at, place.dimensions, figures, None, joined(row), late)


def _alike(stream: str, first: Products, *others: Products) -> bool:
    return all(first.get(stream) == each.get(stream) for each in others)


def _stay(rows: Rows, part: Part) -> None:
    if part.place.counts:
        for line in ENDS:
            _add(rows, part.place, line, part.at_from, 1)


def _open(rows: Rows, then: Parts, learnt: Parts) -> None:
    for part in then.values():
        if part.place.counts:
            _add(rows, part.place, "opening", part.at_from, 1)
    if then == learnt:
        return
    corrected = [(part, _less(part.at_from), -1) for part in then.values()]
    corrected += [(part, part.at_from, 1) for part in learnt.values()]
    for part, minor, deals in corrected:
        if part.place.counts:
            _add(rows, part.place, "corrected", minor, deals)


def summary(question: Question, found: Sequence[Item]) -> dict[str, int | None]:
    """The sums of amounts, and of deals: one that has parts in several rows counts once in the totals of a line."""
    brought: dict[str, list[int | None]] = {name: [] for names in NAMES.values() for name in names}
    whole = question.dimensions.isdisjoint(PRODUCT)
    counted: set[tuple[str, str, int]] = set()
    for item in found:
        for name, figure in item.figures.items():
            if whole or name not in DEALS:
                brought[name].append(figure)
            elif (item.stream, name, figure) not in counted:
                counted.add((item.stream, name, figure))
                brought[name].append(figure)
    return {name: known(figures) for name, figures in brought.items()}


PIPELINE_CHANGES = Report(
    name="pipeline_changes",
    title=Text("Évolution des affaires en cours", "Pipeline changes"),
    description=Text(
        "Ce que sont devenues les affaires ouvertes entre deux dates : ce qui était ouvert à la première, tel que connu "
        "alors, ce qu'on a appris depuis (corrigé), ce qui est entré, sorti ou a changé de valeur, et ce qui est ouvert "
        "à la seconde. Avec une période : les affaires dont la date de conclusion prévue y tombe. Par commercial, étape "
        "ou autre axe, ce qui passe d'une ligne à l'autre est réaffecté.",
        "What became of open deals between two dates: what was open at the first, as known then, what was learnt since "
        "(corrected), what entered, left or changed value, and what is open at the second. With a period: the deals "
        "whose expected close date lies in it. By owner, stage or another dimension, what goes from one row to another "
        "is reassigned.",
    ),
    formula=Text(
        "arrivée = départ + corrigé + hausses + baisses + change + entrées + sorties, au centime, les sorties étant "
        "négatives. Départ : à (from, from) ; corrigé : (from, known_at) moins (from, from). Tout mouvement est au cours "
        "de from, la différence jusqu'au cours de to étant du change ; une affaire absente au départ, dans une monnaie "
        "sans cours à from, est au cours de to. Une affaire sort avec sa dernière valeur avant sa conclusion, par la "
        "première raison qui vaut : fusionnée, réaffectée, gagnée, perdue, abandonnée, sortie de la période ; elle entre "
        "créée, rouverte, avancée dans la période ou réaffectée. Affaires : de même, mais hausses, baisses et change "
        "comptent celles qu'ils touchent.",
        "closing = opening + corrected + increased + decreased + fx + entries + exits, to the cent, exits being "
        "negative. Opening: at (from, from); corrected: (from, known_at) less (from, from). All movements are at the "
        "rate of from, the difference to the rate of to being fx; a deal absent at the opening, in a currency without a "
        "rate at from, is at the rate of to. A deal leaves with its last value before it closed, for the first reason "
        "that applies: merged, reassigned, won, lost, abandoned, pushed out of the period; it enters created, reopened, "
        "pulled into the period or reassigned. Deals: likewise, but increased, decreased and fx count those they touch.",
    ),
    source=Text(
        "Événements deal.*, pipeline.*, rate.fixed, person.*, customer.*, product.*",
        "Events deal.*, pipeline.*, rate.fixed, person.*, customer.*, product.*",
    ),
    columns=tuple(
        column
        for line, label in LINES.items()
        for column in (
            told(f"{line}_minor", "money", label),
            told(f"{line}_deals", "count", Text(f"{label.fr} (affaires)", f"{label.en} (deals)")),
        )
    ),
    parameters=("from", "to", "as_of", "known_at", "period", "by", "where", "measure", "currency", "fx"),
    dimensions=(*DEAL_DIMENSIONS, "category", "month", "quarter", "year"),
    items=items,
    evidence=evidence,
    summary=summary,
    first_day=lambda question: question.today.replace(day=1),
)
