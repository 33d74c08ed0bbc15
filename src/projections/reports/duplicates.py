"""Customers that look the same; nothing is merged by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import chain, compress, repeat
from operator import and_, or_
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import func, select

from ledger.money import half_even
from projections import intervals
from projections.reports.customers import CUSTOMER_DIMENSIONS
from projections.reports.customers_at import columns_of_places, names_of_places, told_of_places
from projections.reports.definition import Item, Report, Sums, Text, told
from projections.reports.exact import wanted
from projections.reports.likeness import LARGEST_BLOCK, blocks, candidates, likeness, words
from projections.reports.listed import ByColumn
from projections.tables import contact_versions, customer_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from projections.reports.cells import Cells
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

NAME, CONTACTS, COUNTRY = 70, 20, 10
"""What each likeness weighs, of 100 points in all."""
LISTED_FROM = 70

_BETWEEN = "\x1f"
_T = TypeVar("_T")

FIGURES = ("score", "name_likeness", "same_country", "shared_contacts")


class _Look(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The words that tell who a customer is, and its country; the same for all of one name and country."""

    words: str
    country: str | None


class _Named(NamedTuple):
    """The customers that have a name, by column, numbered in the order of their ids.

    `registered` are their numbers in the order of their registration. `contacts` are those that others have too; `late`:
    it rests on an event appended after `known_at`; `places` tell the dimensions that the question needs, `customer` aside.
    """

    ids: Sequence[str]
    names: Sequence[str]
    looks: Sequence[_Look]
    contacts: Sequence[frozenset[str]]
    positions: Sequence[int]
    late: Sequence[bool]
    places: Sequence[Mapping[str, str | None]]
    registered: Sequence[int]


class _Alike(NamedTuple):
    """Customers alike enough, by column: of each two the number of the one registered first, the other's, their figures."""

    ones: list[int]
    others: list[int]
    figures: list[Sums]


def tell(question: Question, view: View, rates: Rates, cells: Cells) -> None:  # noqa: ARG001 (nothing is worth money)
    """Each two customers alike enough are a row: told by column, without the lines that `items` makes of them."""
    found, alike = _alike(question, view)
    heads: dict[str, Sequence[str | None]] = {
        "customer": _of(found.ids, alike.ones),
        "other": _of(found.ids, alike.others),
        **{name: _of([place[name] for place in found.places], alike.ones) for name in question.by},
    }
    figures = {column.name: [column.value(sums) for sums in alike.figures] for column in question.report.columns}
    names = {"customer": _of(found.names, alike.ones), "other": _of(found.names, alike.others)}
    late = sum(map(or_, _of(found.late, alike.ones), _of(found.late, alike.others)))
    totals = alike.figures[0] if len(alike.figures) == 1 else _several(len(alike.figures))
    cells.tell(ByColumn(heads, figures, names, in_order=True), totals, late=late)


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (nothing is worth money)
    """Each two customers alike enough; the one registered first, as `customer`, tells the dimensions."""
    found, alike = _alike(question, view)
    turn = _turns(found)
    for one, other, figures in sorted(zip(*alike, strict=True), key=lambda pair: turn[pair[1]]):
        yield Item(
            stream=f"customer-{found.ids[one]}",
            position=found.positions[one],
            at=question.pair.happened.as_of,
            dimensions={**found.places[one], "customer": found.ids[one], "other": found.ids[other]},
            figures={name: figures[name] for name in FIGURES},
            joined=(f"customer-{found.ids[other]}",),
            late=found.late[one] or found.late[other],
        )


def _of(values: Sequence[_T], numbers: Iterable[int]) -> list[_T]:
    """What customers with these numbers have."""
    return list(map(values.__getitem__, numbers))


def _turns(found: _Named) -> dict[int, int]:
    """When it was the turn of each customer, by its number, to be registered."""
    return {number: turn for turn, number in enumerate(found.registered)}


def _alike(question: Question, view: View) -> tuple[_Named, _Alike]:
    """The customers, and which of them are alike, in the order of their ids: all that the filters let pass."""
    contacts = _contacts(question, view)
    found = _named(question, view, contacts)
    names = {number: found.looks[number].words for number in found.registered}
    met = candidates(chain(blocks(names), _met(found, contacts)))
    pairs = list(_wanted(question, found, met) if question.where else met)
    ones, others = [one for one, later in pairs for _ in later], [other for _, later in pairs for other in later]
    shared: Iterable[int] = repeat(0)
    if contacts:
        shared = map(len, map(and_, _of(found.contacts, ones), _of(found.contacts, others)))
    figures = list(map(cache(_figures), _of(found.looks, ones), _of(found.looks, others), shared))
    alike = _Alike(list(compress(ones, figures)), list(compress(others, figures)), list(filter(None, figures)))
    return found, alike


def _wanted(
    question: Question, found: _Named, met: Iterable[tuple[int, Sequence[int]]]
) -> Iterator[tuple[int, Sequence[int]]]:
    """Those that the filters let pass."""
    its_own = replace(question, where={name: values for name, values in question.where.items() if name != "other"})
    others = question.where.get("other")
    for one, later in met:
        if wanted(its_own, {**found.places[one], "customer": found.ids[one]}):
            yield one, later if others is None else [other for other in later if found.ids[other] in others]


def _named(question: Question, view: View, contacts: Mapping[str, Sequence[str]]) -> _Named:
    """The customers that have a name, read with all that is told of them."""
    theirs: dict[str, frozenset[str]] = {}
    for contact, customers in contacts.items():
        for customer in customers:
            theirs[customer] = theirs.get(customer, frozenset()) | {contact}
    c, dimensions = customer_versions.c, names_of_places(question)
    its_own = (c.stream, c.name, c.country, c.position, c.appended_at, c.registered_at)
    in_force = intervals.in_force(customer_versions, question.pair, view)
    query = select(*its_own, *columns_of_places(dimensions)).order_by(c.stream)
    rows = view.rows(query.where(in_force, c.merged_into.is_(None), c.name.is_not(None)))
    columns: Sequence[Any] = list(zip(*rows, strict=True))
    streams, names, countries, positions, appended_at, registered_at, *places = columns or [()] * len(its_own)
    ids = [stream.removeprefix("customer-") for stream in streams]
    place = told_of_places(dimensions, question, view, question.pair.happened.as_of)

    @cache
    def look(name: str, country: str | None) -> _Look:
        return _Look(words(name), country)

    return _Named(
        ids=ids,
        names=names,
        looks=list(map(look, names, countries)),
        contacts=[theirs.get(customer, frozenset()) for customer in ids],
        positions=positions,
        late=[at > question.pair.known_at for at in appended_at],
        places=list(map(place, zip(*places, strict=True))) if places else [{}] * len(ids),
        registered=sorted(range(len(ids)), key=registered_at.__getitem__),
    )


def _contacts(question: Question, view: View) -> dict[str, list[str]]:
    """The customers at which each contact is that is at several."""
    rows = intervals.at_pair(contact_versions, question.pair, view)
    streams = func.aggregate_strings(rows.c.stream, _BETWEEN)
    query = select(rows.c.contact, streams).group_by(rows.c.contact).having(func.count() > 1)
    told: Sequence[Any] = view.rows(query)
    return {
        contact: [stream.removeprefix("customer-") for stream in at_these.split(_BETWEEN)] for contact, at_these in told
    }


def _met(found: _Named, contacts: Mapping[str, Sequence[str]]) -> Iterator[list[int]]:
    """The numbers of the customers that share a contact, unless that is at too many to tell anything."""
    numbers = {customer: number for number, customer in enumerate(found.ids)} if contacts else {}
    turn = _turns(found) if contacts else {}
    for customers in contacts.values():
        if len(customers) <= LARGEST_BLOCK:
            yield sorted((numbers[each] for each in customers if each in numbers), key=turn.__getitem__)


def _country_points(one: str | None, other: str | None) -> int:
    """An unknown country counts half."""
    return COUNTRY // 2 if one is None or other is None else COUNTRY * (one == other)


def _figures(one: _Look, other: _Look, shared: int) -> Sums | None:
    """The figures of two customers that are alike enough; those of many are the same."""
    alike, country_points = likeness(one.words, other.words), _country_points(one.country, other.country)
    part, whole = alike.as_integer_ratio()
    score = half_even(NAME * part + (CONTACTS * (shared > 0) + country_points) * whole, whole)
    if score < LISTED_FROM:
        return None
    return {
        "pairs": 1,
        "score": score,
        "name_likeness": alike,
        "same_country": int(country_points == COUNTRY),
        "shared_contacts": shared,
    }


def summary(question: Question, found: Sequence[Item]) -> Sums:  # noqa: ARG001 (a cell is its items)
    """A pair's own figures; of several only how many they are."""
    return {"pairs": 1, **found[0].figures} if len(found) == 1 else _several(len(found))


def _several(pairs: int) -> Sums:
    return {"pairs": pairs, **dict.fromkeys(FIGURES)}


DUPLICATES = Report(
    name="duplicates",
    title=Text("Doublons possibles", "Possible duplicates"),
    description=Text(
        "Les clients qui se ressemblent, deux à deux, avec une note ; rien n'est fusionné de soi-même : c'est à "
        "customer.merged de le dire. Les noms de personnes, scellés, ne sont pas comparés.",
        "Customers that look the same, two by two, with a score; nothing is merged by itself: customer.merged says so. "
        "Names of persons, which are sealed, are not compared.",
    ),
    formula=Text(
        "note = 70 × ressemblance des noms (groupes de trois lettres en commun, sans accents, casse ni forme "
        "juridique) + 20 s'ils ont un contact en commun + 10 si le pays est le même (5 si l'un est inconnu) ; à partir "
        "de 70. Sont comparés les noms qui ont un mot rare ou leur début en commun, et les clients qui partagent un "
        "contact.",
        "score = 70 × likeness of the names (three-letter pieces in common, without accents, case and legal form) + 20 "
        "if they share a contact + 10 if the country is the same (5 where one is unknown); from 70 on. Names that share "
        "a rare word or their beginning are compared, and customers that share a contact.",
    ),
    source=Text("Événements customer.*, contact.*", "Events customer.*, contact.*"),
    columns=(
        told("pairs", "count", Text("Paires", "Pairs")),
        told("score", "count", Text("Note", "Score")),
        told("name_likeness", "ratio", Text("Ressemblance des noms", "Likeness of names")),
        told("same_country", "count", Text("Même pays", "Same country")),
        told("shared_contacts", "count", Text("Contacts en commun", "Shared contacts")),
    ),
    parameters=("as_of", "known_at", "by", "where", "compare", "period", "every"),
    dimensions=("other", *CUSTOMER_DIMENSIONS),
    evidence=items,
    completed=tell,
    summary=summary,
    fixed=("customer", "other"),
    snapshot=True,
)
