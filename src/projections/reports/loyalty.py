"""How each customer stands: what it buys, what passes between us, and whether it is about to leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from ledger.times import day_start, local_date
from projections.reports.active_customers import activity, since
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, bought, customer_item, places
from projections.reports.definition import Report, Text, known, told
from projections.reports.exact import wanted
from projections.reports.periods import add_months
from projections.reports.touches import NO_TOUCHES, WHOLE, behind_touched, ratings, touches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.definition import Item
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

QUIET = Fraction(3, 4)
"""The part of `lapse_after_days` after which a customer that has not bought is at risk."""

CONTACTS = (
    *("interactions", "calls", "emails", "meetings", "documents", "online", "support_requests", "complaints"),
    "open_complaints",
)
SUMS = ("wins", "wins_12m", "wins_24m", "regular", "revenue_minor", "margin_minor", *CONTACTS)


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that has ever bought."""
    at, zone = question.pair.happened.as_of, question.book.time_zone
    tomorrow = local_date(at, zone) + timedelta(days=1)
    year, two_years = (day_start(add_months(tomorrow, -months), zone) for months in (12, 24))
    asked = {
        "first": Of("first", at),
        "last": Of("last", at),
        "wins": Of("count", at),
        "wins_12m": Of("count", at, year),
        "wins_24m": Of("count", at, two_years),
        "revenue": Of("value", at),
        "margin": Of("margin", at),
    }
    [active] = activity(question, view, question.choice("rule"), [at])
    quiet_since = since(_sooner(question), at)
    place, contacts, said = places(question, view, at), touches(question, view, at), ratings(question, view, at)
    of_contacts = attrgetter(*CONTACTS)
    for customer, its in bought(question, view, rates, asked).items():
        met, answers = contacts.get(customer, NO_TOUCHES), said.get(customer, [])
        regular = its["wins_12m"] > 0 and its["wins_24m"] > its["wins_12m"]
        points = sum(answers)
        unhappy = met.open_complaints > 0 or 2 * points < len(answers) * WHOLE
        if not active(customer, its["last"]):
            health = "lapsed"
        elif unhappy or its["last"] < quiet_since:
            health = "at_risk"
        else:
            health = "loyal" if regular else "active"
        dimensions = place(customer) | {"health": health}
        if not wanted(question, dimensions):
            continue
        figures = {
            "first_win": local_date(its["first"], zone).isoformat(),
            "last_win": local_date(its["last"], zone).isoformat(),
            "wins": its["wins"],
            "wins_12m": its["wins_12m"],
            "wins_24m": its["wins_24m"],
            "regular": int(regular),
            "revenue_minor": its["revenue"],
            "margin_minor": its["margin"],
            **dict(zip(CONTACTS, of_contacts(met), strict=True)),
            "answers": len(answers),
            "points": points,
            "last_contact": local_date(met.last_at, zone).isoformat() if met.interactions else None,
        }
        yield customer_item(question, at, customer, its, dimensions=dimensions, figures=figures)


def _sooner(question: Question) -> Question:
    days = int(question.book.lapse_after_days * QUIET)
    return replace(question, book=replace(question.book, lapse_after_days=days))


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """Counts and amounts add up; dates are the earliest and the latest, satisfaction the mean of all answers."""
    if len(found) == 1:
        its = found[0].figures
        return {**its, "satisfaction": _satisfaction(its["points"], its["answers"])}
    figures = [item.figures for item in found]
    answers = sum(each["answers"] for each in figures)
    return {
        **{name: known(map(itemgetter(name), figures)) for name in SUMS},
        "first_win": min((each["first_win"] for each in figures), default=None),
        "last_win": max((each["last_win"] for each in figures), default=None),
        "last_contact": max((each["last_contact"] for each in figures if each["last_contact"]), default=None),
        "satisfaction": _satisfaction(sum(each["points"] for each in figures), answers),
    }


def _satisfaction(points: int, answers: int) -> Fraction | None:
    return Fraction(points, answers * WHOLE) if answers else None


LOYALTY = Report(
    name="loyalty",
    title=Text("Fidélité des clients", "Customer loyalty"),
    description=Text(
        "Une ligne par client : ses achats, les échanges avec lui, sa satisfaction, et s'il est fidèle (loyal), actif "
        "(active), en danger (at_risk) ou perdu (lapsed).",
        "One line per customer: what it bought, what passed between us, how satisfied it is, and whether it is loyal, "
        "active, at_risk or lapsed.",
    ),
    formula=Text(
        "régulier : une vente au moins dans chacune des deux dernières années (12 mois jusqu'à as_of et les 12 "
        "d'avant) ; satisfaction : moyenne des réponses, chacune ramenée entre 0 et 1 (NPS 0 à 10, CSAT 1 à 5, CES 1 à "
        "7) ; lapsed : inactif au sens de churn (rule) ; at_risk : actif avec une réclamation ouverte, une "
        "satisfaction sous 50 %, ou sans vente depuis les trois quarts de lapse_after_days ; loyal : les autres, "
        "réguliers ; active : les autres.",
        "regular: at least one win in each of the last two years (the 12 months up to as_of and the 12 before); "
        "satisfaction: mean of the answers, each brought between 0 and 1 (NPS 0 to 10, CSAT 1 to 5, CES 1 to 7); "
        "lapsed: not active as in churn (rule); at_risk: active with an open complaint, a satisfaction under 50 %, or "
        "without a win for three quarters of lapse_after_days; loyal: the others that are regular; active: the others.",
    ),
    source=Text(
        "Événements deal.won, deal.reopened, deal.invoiced, quote.accepted sans affaire, interaction.*, customer.*, "
        "person.*, rate.fixed, book.settings_changed",
        "Events deal.won, deal.reopened, deal.invoiced, quote.accepted without a deal, interaction.*, customer.*, "
        "person.*, rate.fixed, book.settings_changed",
    ),
    columns=(
        told("first_win", "date", Text("Première vente", "First win")),
        told("last_win", "date", Text("Dernière vente", "Last win")),
        told("wins", "count", Text("Ventes", "Wins")),
        told("wins_12m", "count", Text("Ventes sur 12 mois", "Wins in 12 months")),
        told("wins_24m", "count", Text("Ventes sur 24 mois", "Wins in 24 months")),
        told("regular", "count", Text("Régulier", "Regular")),
        told("revenue_minor", "money", Text("Chiffre d'affaires", "Revenue")),
        told("margin_minor", "money", Text("Marge", "Margin")),
        told("interactions", "count", Text("Échanges", "Interactions")),
        told("calls", "count", Text("Appels", "Calls")),
        told("emails", "count", Text("Courriels", "E-mails")),
        told("meetings", "count", Text("Visites et rendez-vous", "Visits and meetings")),
        told("documents", "count", Text("Propositions et documents", "Proposals and documents")),
        told("online", "count", Text("En ligne", "Online")),
        told("support_requests", "count", Text("Demandes d'assistance", "Support requests")),
        told("complaints", "count", Text("Réclamations", "Complaints")),
        told("open_complaints", "count", Text("Réclamations ouvertes", "Open complaints")),
        told("satisfaction", "ratio", Text("Satisfaction", "Satisfaction")),
        told("last_contact", "date", Text("Dernier échange", "Last contact")),
    ),
    parameters=("as_of", "known_at", "rule", "by", "where", "currency", "fx", "compare", "period", "every"),
    dimensions=("health", *CUSTOMER_DIMENSIONS),
    items=items,
    summary=summary,
    behind=behind_touched,
    fixed=("customer", "health"),
    choices={"rule": ("both", "declared", "lapsed")},
    snapshot=True,
)
