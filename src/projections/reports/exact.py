"""Lines read one by one: converted at their own rate, rounded once, and shared over their products."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Text, cast, null

from ledger import money
from ledger.money import BASIS_POINTS, half_even
from projections.reports import lines, product_lines
from projections.reports.definition import PRODUCT, SAID, STATE
from projections.reports.dimensions import OF_CUSTOMER, time_label

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from projections.reports.definition import Base
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.reports.sources import Source
    from projections.store import View

Bases = dict[str, int]


class Piece(NamedTuple):
    """A line, or its part of one product: the dimensions it counts under and what it brings."""

    dimensions: Mapping[str, str | None]
    bases: Bases


class Line(msgspec.Struct, frozen=True, gc=False):
    """One deal, closing or quote as the report counts it; amounts are in the reporting currency.

    `joined` are the dated streams that told something of it, when that was asked for.
    """

    stream: str
    position: int
    at: int
    state: str | None
    currency: str | None
    probability_bp: int | None
    late: bool
    pieces: tuple[Piece, ...]
    joined: tuple[str, ...] = ()


class Brief(NamedTuple):
    """Lines with parts in the same places, where nobody asks which they are.

    `parts` are the dimensions of each place, and what each of the lines brings there: the amounts that are `needed`, in
    that order, then its chance in basis points and whether it is late. `wholes` are the same of each line in all.
    """

    state: str | None
    needed: Sequence[Base]
    parts: Sequence[tuple[Mapping[str, str | None], Sequence[Sequence[int]]]]
    wholes: Sequence[Sequence[int]]


class Product(NamedTuple):
    product: str | None
    product_range: str | None
    value: int
    margin: int
    quantity: int


COUNTS: tuple[Base, ...] = ("one", *dict.fromkeys(SAID.values()))
"""What a line brings whole to each cell that it has a part in."""


def together(parts: Iterable[Bases]) -> Bases:
    """What parts of one line bring together."""
    first, *more = parts
    if not more:
        return first
    whole = dict(first)
    for bases in more:
        for base, amount in bases.items():
            whole[base] = amount if base in COUNTS else whole.get(base, 0) + amount
    return whole


NO_PRODUCTS = (Product(None, None, 1, 1, 1),)

_WEIGHED_BY: dict[Base, str] = {
    "value": "value",
    "weighted": "value",
    "margin": "margin",
    "weighted_margin": "margin",
    "quantity": "quantity",
}


def read(
    source: Source,
    question: Question,
    view: View,
    rates: Rates,
    *,
    merged: Mapping[str, str] | None = None,
) -> Iterator[Line]:
    """The lines of a source that have a part that passes the filters.

    Raises `MissingRate` when the amount of such a line cannot be converted. With `merged`, who became whom, each line tells the dated streams that it joined.
    """
    query = lines.query(source, question, view)
    if merged is not None:
        query = query.add_columns(*_its_own(source))
    worked_out = Alone(question, rates, lines.used(question, source))
    is_split, known_at = splits(question), question.pair.known_at
    rows: Sequence[Any] = view.rows(query, lines.values(source, question))
    products = products_of(source, question, view, [row.stream for row in rows]) if is_split else {}
    places_of = _Places(question)
    for row in rows:
        stream, position, appended_at, at, state, currency, value, margin, quantity, chance_bp = row[: lines.TOLD]
        parts = products.get(stream, NO_PRODUCTS) if is_split else ()
        places = places_of(row, parts)
        if question.where and not any(wanted(question, place) for place in places):
            continue
        bases = worked_out.named(Said(state, currency, at, chance_bp or 0, value, margin, quantity))
        yield Line(
            *(stream, position, at, state, currency, chance_bp, appended_at > known_at),
            (Piece(places[0], bases),) if len(places) == 1 else tuple(_split(places, bases, parts)),
            () if merged is None else _joined(row, question, rates, merged),
        )


def in_brief(source: Source, question: Question, view: View, rates: Rates) -> Iterator[Brief]:
    """The lines that `read` tells: those in the reporting currency by their key, the few others read. Raises `MissingRate`."""
    own, needed = lines.in_own_currency(source), lines.used(question, source)
    rows = view.tuples(lines.in_brief(own, question, view), lines.values(own, question))
    products = products_of(own, question, view, [row[0] for row in rows]) if splits(question) else {}
    labels = slice(int("product" not in question.dimensions), 1 + int("product_range" in question.dimensions))
    weighed = [index for index, base in enumerate(needed) if base in _WEIGHED_BY]
    told = cache(partial(keyed, question))
    found: dict[Any, _Alike] = {}
    for stream, key, *brings in rows:
        parts = products.get(stream, NO_PRODUCTS)
        same = key, *[each[labels] for each in parts]
        alike = found.get(same)
        if alike is None:
            alike = found[same] = _alike(question, *told(key), same[1:])
        alike.wholes.append(brings)
        if len(alike.parts) > 1 and alike.is_wanted:
            alike.add(shares(needed, brings[:-2], parts), weighed, brings[-2:])
    for alike in found.values():
        if alike.is_wanted:
            yield Brief(alike.state, needed, alike.parts, alike.wholes)
    for line in read(lines.in_others(source), question, view, rates):
        more = (line.probability_bp or 0, line.late)
        dimensions = [{name: piece.dimensions[name] for name in question.dimensions} for piece in line.pieces]
        brought = ([piece.bases[base] for base in needed] for piece in line.pieces)
        whole = together(piece.bases for piece in line.pieces)
        wholes = [[*(whole[base] for base in needed), *more]]
        yield Brief(line.state, needed, _by_place(dimensions, brought, weighed, more), wholes)


def _by_place(
    dimensions: Iterable[Mapping[str, str | None]],
    brought: Iterable[Sequence[int]],
    weighed: Iterable[int],
    more: Iterable[int],
) -> list[tuple[Mapping[str, str | None], list[list[int]]]]:
    """The parts of one line, those of the same place together, and `more` behind what each brings."""
    found: list[tuple[Mapping[str, str | None], list[list[int]]]] = []
    for place, brings in zip(dimensions, brought, strict=True):
        for other, [already] in found:
            if other == place:
                for index in weighed:
                    already[index] += brings[index]
                break
        else:
            found.append((place, [[*brings, *more]]))
    return found


def _its_own(source: Source) -> list[Any]:
    pipeline = source.columns["pipeline"] if source.probability_bp is not None else cast(null(), Text)
    names = {"owner": source.columns["owner"], "customer": source.columns["customer"], "pipeline": pipeline}
    return [column.label(f"own_{name}") for name, column in names.items()]


def _joined(row: Any, question: Question, rates: Rates, merged: Mapping[str, str]) -> tuple[str, ...]:
    streams = []
    if row.own_pipeline is not None:
        streams.append(f"pipeline-{row.own_pipeline}")
    if "team" in question.dimensions and row.own_owner is not None:
        streams.append(f"person-{row.own_owner}")
    if not question.dimensions.isdisjoint(OF_CUSTOMER) and row.own_customer is not None:
        customer: str | None = row.own_customer
        while customer is not None and f"customer-{customer}" not in streams:
            streams.append(f"customer-{customer}")
            customer = merged.get(customer)
    if row.currency not in {None, question.currency} and _counts_money(question, row.state):
        streams += rates.streams(row.currency)
    return tuple(streams)


def wanted(question: Question, dimensions: Mapping[str, str | None], *, but: Collection[str] = ()) -> bool:
    """Whether a piece passes the filters, `but` some; the query has applied its own already, to the same end."""
    if not question.where:
        return True
    return all(dimensions[name] in values for name, values in question.where.items() if name not in but)


def splits(question: Question) -> bool:
    """Whether lines are shared over products."""
    return not question.dimensions.isdisjoint(PRODUCT)


def adds_up(question: Question, source: Source) -> bool:
    """Whether its lines' parts are what their products say, so that the database may add them up.

    Product lines add up to what they are of; what is worked out of that amount is shared over them, and rounded.
    """
    return (
        source.product_lines is not None
        and PRODUCT.isdisjoint(question.where)
        and not {"weighted", "weighted_margin"}.intersection(lines.used(question, source))
    )


def told(question: Question, row: Any) -> dict[str, str | None]:
    """The dimensions of a row of the line query, those of products aside."""
    found = {name: getattr(row, name) for name in lines.asked(question)}
    return placed(question, row.state, row.due if question.needs_month else None, found)


def keyed(question: Question, key: str) -> tuple[str | None, dict[str, str | None]]:
    """The state of a line by its key, and its dimensions, those of products aside."""
    names = lines.asked(question)
    state, month, *told = lines.parts(key, len(names))
    return state, placed(question, state, month, dict(zip(names, told, strict=True)))


def placed(
    question: Question, state: str | None, month: str | None, found: dict[str, str | None]
) -> dict[str, str | None]:
    """The dimensions that the query told, and beside them those that state and month tell."""
    for name in question.told_late:
        found[name] = state if name in STATE else time_label(name, month)
    return found


class Said(NamedTuple):
    """What a line says of itself: amounts in its own currency, None being unknown."""

    state: str | None
    currency: str | None
    at: int
    chance_bp: int
    value: int | None = None
    margin: int | None = None
    quantity: int | None = None


class Alone:
    """What lines bring that stand alone in the sums: of each, the amounts that are `needed`, in that order."""

    def __init__(self, question: Question, rates: Rates, needed: Sequence[Base]) -> None:
        self._question = question
        self._rates = rates
        self._needed = needed
        self._worked_out = [_WORKED_OUT[base] for base in needed]
        self._factors: dict[Any, tuple[int, int]] = {}
        self._told = [
            (needed.index(base), needed.index(SAID[base])) if SAID[base] in needed else None for base in _AMOUNTS
        ]

    def __call__(self, said: Said) -> list[int]:
        """Raises `MissingRate`."""
        same = (said.state, said.currency, said.at)
        factor = self._factors.get(same)
        if factor is None:
            factor = self._factors[same] = self._factor(*same)
        return [work_out(said, *factor) for work_out in self._worked_out]

    def of(self, state: str | None, currency: str, at: int, chance_bp: int, amounts: Sequence[int]) -> list[int]:
        """The same of a line by itself, from the amounts that are `needed` in its own currency. Raises `MissingRate`."""
        told = [amounts[place[0]] if place and amounts[place[1]] else None for place in self._told]
        return self(Said(state, currency, at, chance_bp, *told))

    def named(self, said: Said) -> Bases:
        """The same by name. Raises `MissingRate`."""
        return dict(zip(self._needed, self(said), strict=True))

    def _factor(self, state: str | None, currency: str | None, at: int) -> tuple[int, int]:
        if currency in {None, self._question.currency} or not _counts_money(self._question, state):
            return 1, 1
        return self._rates.factor(currency, at).as_integer_ratio()


_AMOUNTS: tuple[Base, ...] = ("value", "margin", "quantity")
"""What a line may say of itself, in the order of `Said`."""


def _amount(minor: int | None, over: int, under: int) -> int:
    """Converted; nothing of what is unknown."""
    return minor or 0 if over == under else half_even((minor or 0) * over, under)


def _weighted(minor: int | None, said: Said, over: int, under: int) -> int:
    return half_even((minor or 0) * over * said.chance_bp, under * BASIS_POINTS)


_WORKED_OUT: dict[Base, Callable[[Said, int, int], int]] = {
    "one": lambda said, over, under: 1,  # noqa: ARG005
    "value": lambda said, over, under: _amount(said.value, over, under),
    "value_said": lambda said, over, under: int(said.value is not None),  # noqa: ARG005
    "margin": lambda said, over, under: _amount(said.margin, over, under),
    "margin_said": lambda said, over, under: int(said.margin is not None),  # noqa: ARG005
    "quantity": lambda said, over, under: said.quantity or 0,  # noqa: ARG005
    "quantity_said": lambda said, over, under: int(said.quantity is not None),  # noqa: ARG005
    "weighted": lambda said, over, under: _weighted(said.value, said, over, under),
    "weighted_margin": lambda said, over, under: _weighted(said.margin, said, over, under),
}


def _counts_money(question: Question, state: str | None) -> bool:
    return any(each.takes(state) and each.of in lines.MONEY for each in question.report.sums)


class _Places:
    """Where a line counts: once for each of its products, if these are told apart. What is alike is told once."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._telling = lines.telling(question)
        self._told: dict[Any, dict[str, str | None]] = {}

    def __call__(self, row: Any, products: Sequence[Product]) -> list[dict[str, str | None]]:
        key = row.state, row[self._telling]
        found = self._told.get(key)
        if found is None:
            found = self._told[key] = told(self._question, row)
        return [self._of(key, found, each) for each in products] or [found]

    def _of(self, key: tuple[Any, ...], dimensions: dict[str, str | None], of: Product) -> dict[str, str | None]:
        its_key = (key, of.product, of.product_range)
        found = self._told.get(its_key)
        if found is None:
            product = {"product": of.product, "product_range": of.product_range}
            found = self._told[its_key] = dimensions | product
        return found


class _Alike(NamedTuple):
    """Lines with parts in the same places: which of the `places` each part lies in, and what they bring to each.

    Of lines that lie in one place alone that is their `wholes`.
    """

    state: str | None
    places: Sequence[int]
    is_wanted: bool
    parts: list[tuple[Mapping[str, str | None], list[Sequence[int]]]]
    wholes: list[Sequence[int]]

    def add(self, shares: Iterable[Sequence[int]], weighed: Iterable[int], more: Iterable[int]) -> None:
        """Add a line by what its parts bring, those of the same place together, and `more` behind that."""
        brought: dict[int, list[int]] = {}
        for place, brings in zip(self.places, shares, strict=True):
            already = brought.get(place)
            if already is None:
                brought[place] = [*brings, *more]
            else:
                for index in weighed:
                    already[index] += brings[index]
        for place, its in brought.items():
            self.parts[place][1].append(its)


def _alike(
    question: Question, state: str | None, of_line: Mapping[str, str | None], labels: Sequence[Sequence[str | None]]
) -> _Alike:
    """The lines of a state that have parts of such products: each part comes with its product, its range, or both."""
    places = list(dict.fromkeys(labels))
    dimensions = [{**of_line, **dict(zip(question.told_by_products, each, strict=True))} for each in places]
    is_wanted = any(wanted(question, each) for each in dimensions)
    alike = _Alike(state, [places.index(each) for each in labels], is_wanted, [], [])
    alike.parts.extend((each, alike.wholes if len(places) == 1 else []) for each in dimensions)
    return alike


def _split(places: Sequence[dict[str, str | None]], bases: Bases, products: Sequence[Product]) -> Iterator[Piece]:
    for place, amounts in zip(places, shares(tuple(bases), tuple(bases.values()), products), strict=True):
        yield Piece(place, dict(zip(bases, amounts, strict=True)))


def shares(needed: Sequence[str], amounts: Sequence[int], products: Sequence[Product]) -> Iterator[tuple[int, ...]]:
    """What each product brings of a line's amounts."""
    weights = dict(zip(Product._fields, zip(*products, strict=True), strict=True))
    shares = [
        shared(amount, weights[_WEIGHED_BY[base]]) if base in _WEIGHED_BY else [amount] * len(products)
        for base, amount in zip(needed, amounts, strict=True)
    ]
    return zip(*shares, strict=True)


def shared(total: int, weights: Sequence[int]) -> Sequence[int]:
    """A line's amount over its products, also where the products' own amounts add up to less than nothing."""
    whole = sum(weights)
    if whole == total and whole:
        return weights
    return money.share(total, weights if whole > 0 else [-weight for weight in weights])


def products_of(
    source: Source, question: Question, view: View, streams: Sequence[str] | None = None
) -> dict[str, list[Product]]:
    """The product lines of every stream that has any, each with its product's range at the line's own date.

    Of its lines of these `streams` alone, if they are given.
    """
    if source.product_lines is None:
        return {}
    ranges = product_lines.ranges(source, question, view)
    query = product_lines.query(source, question, view, streams, with_range=ranges is None)
    found: dict[str, list[Product]] = {}
    told = view.tuples(query.order_by(*list(query.selected_columns)[:2]), lines.values(source, question))
    for stream, _, product, range_, *amounts in told:
        its_range = range_ if ranges is None else ranges.get(product)
        found.setdefault(stream, []).append(Product(product, its_range, *amounts))
    return found
