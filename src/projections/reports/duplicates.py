"""Customers that look the same; nothing is merged by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import chain, compress, repeat
from operator import attrgetter, itemgetter, or_
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import func, select

from ledger.money import half_even
from projections import intervals
from projections.reports.customers import CUSTOMER_DIMENSIONS
from projections.reports.customers_at import places
from projections.reports.definition import Item, Report, Sums, Text, told
from projections.reports.exact import wanted
from projections.reports.likeness import LARGEST_BLOCK, blocks, candidates, likeness, words
from projections.tables import contact_versions, customer_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from projections.reports.cells import Cells
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

NAME, CONTACTS, COUNTRY = 70, 20, 10
"""What each likeness weighs, of 100 points in all."""
LISTED_FROM = 70

_BETWEEN = "\x1f"

FIGURES = ("score", "name_likeness", "same_country", "shared_contacts")


class _Look(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The words that tell who a customer is, and its country; the same for all of one name and country."""

    words: str
    country: str | None


class _Named(NamedTuple):
    """A customer with a name; `contacts` are those that others have too.

    `late`: it rests on an event appended after `known_at`.
    """

    customer: str
    look: _Look
    contacts: frozenset[str]
    position: int
    late: bool


_customer, _look, _late = (attrgetter(name) for name in ("customer", "look", "late"))


def tell(question: Question, view: View, rates: Rates, cells: Cells) -> None:  # noqa: ARG001 (nothing is worth money)
    """Each two customers alike enough are a row: told without the lines that `items` makes of them."""
    place = cache(places(question, view, question.pair.happened.as_of))
    ones, others, figures = _alike(question, view, place)
    customers = list(map(_customer, ones))
    by = [[place(customer)[name] for customer in customers] for name in question.by]
    cells.rows = dict(zip(zip(customers, map(_customer, others), *by, strict=True), figures, strict=True))
    cells.lines, cells.late = len(figures), sum(map(or_, map(_late, ones), map(_late, others)))
    cells.totals = figures[0] if len(figures) == 1 else _several(len(figures))


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (nothing is worth money)
    """Each two customers alike enough; the one registered first, as `customer`, tells the dimensions."""
    at = question.pair.happened.as_of
    place = places(question, view, at)
    for one, other, figures in zip(*_alike(question, view, place), strict=True):
        yield Item(
            stream=f"customer-{one.customer}",
            position=one.position,
            at=at,
            dimensions=place(one.customer) | {"other": other.customer},
            figures={name: figures[name] for name in FIGURES},
            joined=(f"customer-{other.customer}",),
            late=one.late or other.late,
        )


def _alike(
    question: Question, view: View, place: Callable[[str], dict[str, str | None]]
) -> tuple[list[_Named], list[_Named], list[Sums]]:
    """All that the filters let pass: of each two the one registered first, the other, and their figures."""
    contacts = _contacts(question, view)
    found = _named(question, view, contacts)
    met = candidates(chain(blocks([each.look.words for each in found]), _met(found, contacts)))
    pairs = [(found[one], list(map(found.__getitem__, later))) for one, later in met]
    if question.where:
        pairs = list(_wanted(question, place, pairs))
    ones, others = [one for one, later in pairs for _ in later], [other for _, later in pairs for other in later]
    shared = map(_shared, ones, others) if contacts else repeat(0)
    figures = list(map(cache(_figures), map(_look, ones), map(_look, others), shared))
    return list(compress(ones, figures)), list(compress(others, figures)), list(filter(None, figures))


def _wanted(
    question: Question, place: Callable[[str], dict[str, str | None]], pairs: Iterable[tuple[_Named, list[_Named]]]
) -> Iterator[tuple[_Named, list[_Named]]]:
    """Those that the filters let pass."""
    its_own = replace(question, where={name: values for name, values in question.where.items() if name != "other"})
    others = question.where.get("other")
    for one, later in pairs:
        if wanted(its_own, place(one.customer)):
            yield one, later if others is None else [other for other in later if other.customer in others]


def _named(question: Question, view: View, contacts: Mapping[str, Sequence[str]]) -> list[_Named]:
    """The customers that have a name, in the order of their registration."""
    theirs: dict[str, frozenset[str]] = {}
    for contact, customers in contacts.items():
        for customer in customers:
            theirs[customer] = theirs.get(customer, frozenset()) | {contact}
    c, known_at, none = customer_versions.c, question.pair.known_at, frozenset[str]()
    rows = intervals.at_pair(customer_versions, question.pair, view, c.merged_into.is_(None), c.name.is_not(None))
    columns = (rows.c.registered_at, rows.c.stream, rows.c.name, rows.c.country, rows.c.position, rows.c.appended_at)
    told: Sequence[Any] = view.rows(select(*columns).order_by(rows.c.stream))

    @cache
    def look(name: str, country: str | None) -> _Look:
        return _Look(words(name), country)

    found = []
    for _, stream, name, country, position, appended_at in sorted(told, key=itemgetter(0)):
        customer = stream.removeprefix("customer-")
        its_own = (look(name, country), theirs.get(customer, none), position, appended_at > known_at)
        found.append(_Named(customer, *its_own))
    return found


def _contacts(question: Question, view: View) -> dict[str, list[str]]:
    """The customers at which each contact is that is at several."""
    rows = intervals.at_pair(contact_versions, question.pair, view)
    streams = func.aggregate_strings(rows.c.stream, _BETWEEN)
    query = select(rows.c.contact, streams).group_by(rows.c.contact).having(func.count() > 1)
    told: Sequence[Any] = view.rows(query)
    return {
        contact: [stream.removeprefix("customer-") for stream in at_these.split(_BETWEEN)] for contact, at_these in told
    }


def _met(found: Sequence[_Named], contacts: Mapping[str, Sequence[str]]) -> Iterator[list[int]]:
    """The numbers of the customers that share a contact, unless that is at too many to tell anything."""
    number = {each.customer: index for index, each in enumerate(found)} if contacts else {}
    for customers in contacts.values():
        if len(customers) <= LARGEST_BLOCK:
            yield sorted(number[customer] for customer in customers if customer in number)


def _shared(one: _Named, other: _Named) -> int:
    return len(one.contacts & other.contacts)


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
