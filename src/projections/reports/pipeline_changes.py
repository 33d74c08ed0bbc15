"""What became of the open deals between two dates: the waterfall from what was open to what is open."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from projections.reports import exact, fared_alike, open_states
from projections.reports.definition import PRODUCT, Item, Report, Text, known, told
from projections.reports.dimensions import DEAL_DIMENSIONS
from projections.reports.lines import asked
from projections.reports.standing import PartOf, Places, Worth, pairs
from projections.reports.waterfall import DEALS, LINES, NAMES, Part, Story, waterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from projections.reports.exact import Product
    from projections.reports.open_states import Products
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.waterfall import Parts, Place
    from projections.store import View


def evidence(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """An item for each row that a deal touches, with what it brings to its lines. Raises `MissingRate`."""
    reader = Reader(question, view, rates)
    then, known, end = pairs(question)
    opening, opening_products = open_states.open_at(question.seen(then.as_of, then.known_at), view)
    learnt, learnt_products = opening, opening_products
    if known != then:
        learnt, learnt_products = open_states.open_at(question.seen(known.as_of, known.known_at), view)
    last, last_products = open_states.last_of(then.as_of, question, view)
    joined = open_states.Joined(question, view, rates)
    for stream in dict.fromkeys((*opening, *learnt, *last)):
        at_then, at_known, at_last = opening.get(stream), learnt.get(stream), last.get(stream)
        row: Any = at_last or at_known or at_then
        before = reader.then(at_then, opening_products)
        known_before = before if at_known is at_then else reader.known(at_known, learnt_products)
        after = reader.last(at_last, last_products, was_open=at_known is not None)
        is_new, ending = (at_last.opened_at > then.as_of, at_last.ending) if at_last else (False, None)
        story = Story(at_known is not None, is_new, ending)
        for place, figures in waterfall(before, known_before, after, story).values():
            late = row.appended_at > end.known_at
            yield Item(stream, row.position, row.at, place.dimensions, figures, None, joined(row), late)


class Reader:
    """Tells the parts of a deal, each where it stands and what it is worth; none of a deal that is not there."""

    def __init__(self, question: Question, view: View, rates: Rates) -> None:
        self._question = question
        self._worth = Worth(question, view, rates)
        self._places = Places(question)
        self._amount = "margin" if question.given.get("measure") == "margin" else "value"
        self._part_of = PartOf(question)
        self._split = self._part_of.names
        due = ["due"] if question.needs_month else []
        self._told_by = attrgetter("state", "expected_close_on", *due, *asked(question))
        self._told: dict[object, Place] = {}

    def then(self, row: Any, products: Products) -> Parts:
        """As it was at `from`, as known then."""
        return self._at_from(row, products, self._worth.then)

    def known(self, row: Any, products: Products) -> Parts:
        """As it was at `from`, as known now."""
        return self._at_from(row, products, self._worth.known)

    def last(self, row: Any, products: Products, *, was_open: bool) -> Parts:
        """As it is, or last was while open."""
        if row is None:
            return {}
        minor = self._minor(row)
        at_from = minor and self._worth.last(minor, row.currency, row.at, was_open=was_open)
        at_end = at_from if row.ending else minor and self._worth.end(minor, row.currency)
        return self._parts(row, products, at_from, at_end)

    def _at_from(self, row: Any, products: Products, worth: Callable[[int, str], int]) -> Parts:
        if row is None:
            return {}
        minor = self._minor(row)
        at_from = minor and worth(minor, row.currency)
        return self._parts(row, products, at_from, at_from)

    def _minor(self, row: Any) -> int | None:
        minor: int | None = getattr(row, f"{self._amount}_minor")
        return minor

    def _parts(self, row: Any, products: Products, at_from: int | None, at_end: int | None) -> Parts:
        if not self._split:
            return {(): Part(self._placed(row, None), at_from, at_end)}
        parts: Parts = {}
        pieces = products.get(row.stream, exact.NO_PRODUCTS)
        weights = [getattr(each, self._amount) for each in pieces]
        ends = [[None] * len(pieces) if end is None else exact.shared(end, weights) for end in (at_from, at_end)]
        for piece, first, last in zip(pieces, *ends, strict=True):
            product = self._part_of(tuple([getattr(piece, name) for name in self._split]))
            if product in parts:
                first, last = known([parts[product].at_from, first]), known([parts[product].at_end, last])  # noqa: PLW2901 (the whole part)
            parts[product] = Part(self._placed(row, piece), first, last)
        return parts

    def _placed(self, row: Any, product: Product | None) -> Place:
        told_by = (self._told_by(row), product and product[:2])
        found = self._told.get(told_by)
        if found is None:
            dimensions = exact.told(self._question, row)
            if product is not None:
                dimensions |= {"product": product.product, "product_range": product.product_range}
            found = self._told[told_by] = self._places.of(dimensions, in_period=self._is_due(row.expected_close_on))
        return found

    def _is_due(self, day: str | None) -> bool:
        days = self._question.period
        return days is None or (day is not None and days.first.isoformat() <= day <= days.last.isoformat())


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
    items=fared_alike.items,
    evidence=evidence,
    read_at=lambda question, item: pairs(question),  # noqa: ARG005 (as reports call it)
    summary=summary,
    first_day=lambda question: question.today.replace(day=1),
)
