"""Customers that look the same; nothing is merged by itself."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ledger.money import half_even
from projections import intervals
from projections.reports.customers import CUSTOMER_DIMENSIONS, places
from projections.reports.definition import Item, Report, Text, told
from projections.reports.likeness import candidates, likeness, pairs, words
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


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:  # noqa: ARG001 (nothing is worth money)
    """Each two customers alike enough, the one registered first, who tells the dimensions, as `customer`."""
    rows = intervals.at_pair(customer_versions, question.pair, view, customer_versions.c.merged_into.is_(None))
    columns = (rows.c.stream, rows.c.position, rows.c.appended_at, rows.c.name, rows.c.country, rows.c.registered_at)
    found = {row.stream.removeprefix("customer-"): row for row in view.rows(select(*columns))}
    names = {customer: words(row.name) for customer, row in found.items() if row.name is not None}
    contacts, place = _contacts(question, view), places(question, view, question.pair.happened.as_of)
    theirs: dict[str, set[str]] = {}
    for contact, customers in contacts.items():
        for customer in customers:
            theirs.setdefault(customer, set()).add(contact)
    met: set[tuple[str, str]] = set()
    for pair in chain(candidates(names), pairs(contacts.values())):
        if pair in met or not all(each in names for each in pair):
            continue
        met.add(pair)
        one, other = sorted(pair, key=lambda each: (found[each].registered_at, each))
        alike = likeness(names[one], names[other])
        shared = len(theirs.get(one, set()) & theirs.get(other, set()))
        score = _score(alike, shared, found[one].country, found[other].country)
        if score < LISTED_FROM:
            continue
        yield Item(
            stream=f"customer-{one}",
            position=found[one].position,
            at=question.pair.happened.as_of,
            dimensions=place(one) | {"other": other},
            figures={
                "score": score,
                "name_likeness": alike,
                "same_country": int(found[one].country is not None and found[one].country == found[other].country),
                "shared_contacts": shared,
            },
            joined=(f"customer-{other}",),
            late=max(found[one].appended_at, found[other].appended_at) > question.pair.known_at,
        )


def _contacts(question: Question, view: View) -> dict[str, list[str]]:
    """The customers at which each contact is."""
    rows = intervals.at_pair(contact_versions, question.pair, view)
    found: dict[str, list[str]] = {}
    for row in view.rows(select(rows.c.stream, rows.c.contact).order_by(rows.c.stream)):
        found.setdefault(row.contact, []).append(row.stream.removeprefix("customer-"))
    return found


def _score(alike: Fraction, shared: int, *countries: str | None) -> int:
    """Of 100: the names' likeness, a contact in common, the same country (an unknown one counts half)."""
    one, other = countries
    halves = 2 * CONTACTS * (shared > 0) + COUNTRY * (1 if one is None or other is None else 2 * (one == other))
    part, whole = alike.as_integer_ratio()
    return half_even(2 * NAME * part + halves * whole, 2 * whole)


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
