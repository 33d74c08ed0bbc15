"""Customers that look the same; nothing is merged by itself."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from ledger.money import half_even
from projections import intervals
from projections.reports.customers import CUSTOMER_DIMENSIONS, places
from projections.reports.definition import Item, Report, Text, told
from projections.reports.likeness import LARGEST_BLOCK, blocks, candidates, likeness, words
from projections.tables import contact_versions, customer_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

NAME, CONTACTS, COUNTRY = 70, 20, 10
"""What each likeness weighs, of 100 points in all."""
LISTED_FROM = 70

FIGURES = ("score", "name_likeness", "same_country", "shared_contacts")


class _Named(NamedTuple):
    """A customer with a name; `words` tell who it is."""

    stream: str
    customer: str
    words: tuple[str, ...]
    country: str | None
    position: int
    appended_at: int


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (nothing is worth money)
    """Each two customers alike enough, the one registered first, who tells the dimensions, as `customer`."""
    at, known_at = question.pair.happened.as_of, question.pair.known_at
    found, contacts, place = _named(question, view), _contacts(question, view), places(question, view, at)
    theirs: dict[str, set[str]] = {}
    for contact, streams in contacts.items():
        for stream in streams:
            theirs.setdefault(stream, set()).add(contact)
    for index, others in candidates(chain(blocks([each.words for each in found]), _met(found, contacts))):
        one = found[index]
        where, its_contacts = place(one.customer), theirs.get(one.stream)
        for other in map(found.__getitem__, others):
            shared = len(its_contacts & theirs.get(other.stream, set())) if its_contacts else 0
            figures = _figures(one.words, other.words, shared, _country_points(one.country, other.country))
            if figures is not None:
                yield Item(
                    stream=one.stream,
                    position=one.position,
                    at=at,
                    dimensions=where | {"other": other.customer},
                    figures=figures,
                    joined=(other.stream,),
                    late=one.appended_at > known_at or other.appended_at > known_at,
                )


def _named(question: Question, view: View) -> list[_Named]:
    """The customers that have a name, in the order of their registration."""
    c = customer_versions.c
    rows = intervals.at_pair(customer_versions, question.pair, view, c.merged_into.is_(None), c.name.is_not(None))
    columns = (rows.c.stream, rows.c.name, rows.c.country, rows.c.position, rows.c.appended_at)
    told: Sequence[Any] = view.rows(select(*columns).order_by(rows.c.registered_at, rows.c.stream))
    return [
        _Named(stream, stream.removeprefix("customer-"), words(name), country, position, appended_at)
        for stream, name, country, position, appended_at in told
    ]


def _contacts(question: Question, view: View) -> dict[str, list[str]]:
    """The streams of the customers at which each contact is that is at several."""
    rows = intervals.at_pair(contact_versions, question.pair, view)
    at_several = select(rows.c.contact).group_by(rows.c.contact).having(func.count() > 1)
    found: dict[str, list[str]] = {}
    told: Sequence[Any] = view.rows(select(rows.c.stream, rows.c.contact).where(rows.c.contact.in_(at_several)))
    for stream, contact in told:
        found.setdefault(contact, []).append(stream)
    return found


def _met(found: Sequence[_Named], contacts: Mapping[str, Sequence[str]]) -> Iterator[list[int]]:
    """The numbers of the customers that share a contact, unless that is at too many to tell anything."""
    number = {each.stream: index for index, each in enumerate(found)}
    for streams in contacts.values():
        if len(streams) <= LARGEST_BLOCK:
            yield sorted(number[stream] for stream in streams if stream in number)


def _country_points(one: str | None, other: str | None) -> int:
    """An unknown country counts half."""
    return COUNTRY // 2 if one is None or other is None else COUNTRY * (one == other)


@lru_cache(maxsize=100_000)
def _figures(
    one: tuple[str, ...], other: tuple[str, ...], shared: int, country_points: int
) -> Mapping[str, Any] | None:
    """The figures of two customers, from the words of their names, that are alike enough; those of many are the same."""
    alike = likeness(one, other)
    part, whole = alike.as_integer_ratio()
    score = half_even(NAME * part + (CONTACTS * (shared > 0) + country_points) * whole, whole)
    if score < LISTED_FROM:
        return None
    return {
        "score": score,
        "name_likeness": alike,
        "same_country": int(country_points == COUNTRY),
        "shared_contacts": shared,
    }


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """A pair's own figures; of several only how many they are."""
    own = found[0].figures if len(found) == 1 else dict.fromkeys(FIGURES)
    return {**own, "pairs": len(found)}


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
    items=items,
    summary=summary,
    fixed=("customer", "other"),
    snapshot=True,
)
