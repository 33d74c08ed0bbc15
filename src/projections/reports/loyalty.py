"""How each customer stands: what it buys, what passes between us, and whether it is about to leave."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from ledger.times import local_days
from projections.reports.active_customers import activity, since
from projections.reports.customers import CUSTOMER_DIMENSIONS, Of, bought_by_column
from projections.reports.customers_at import CustomersAt
from projections.reports.definition import Report, Text, known, told
from projections.reports.lifetime import years_before
from projections.reports.listed import Listed
from projections.reports.touches import COUNTS, WHOLE, behind_touched, ratings, touches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.cells import Cells
    from projections.reports.definition import Item
    from projections.reports.listed import Columns
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

QUIET = Fraction(3, 4)
"""The part of `lapse_after_days` after which a customer that has not bought is at risk."""

SUMS = ("wins", "wins_12m", "wins_24m", "regular", "revenue_minor", "margin_minor", *COUNTS)
FIGURES = (*SUMS, "first_win", "last_win", "answers", "points", "last_contact")


def tell(question: Question, view: View, rates: Rates, cells: Cells) -> None:
    """Each customer is a row: told without the lines that `items` makes of them."""
    found = _customers(question, view, rates)
    satisfaction = list(map(cache(_satisfaction), found.figures["points"], found.figures["answers"]))
    found.tell(cells, question, found.figures | {"satisfaction": satisfaction}, _totals(found.figures))


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each customer that has ever bought."""
    return _customers(question, view, rates).items()


def _customers(question: Question, view: View, rates: Rates) -> Listed:
    """Those that have ever bought and that the filters let pass."""
    at, zone = question.pair.happened.as_of, question.book.time_zone
    year, two_years = (years_before(question, number) + 1 for number in (1, 2))
    asked = {
        "first": Of("first", at),
        "last": Of("last", at),
        "wins": Of("count", at),
        "wins_12m": Of("count", at, year),
        "wins_24m": Of("count", at, two_years),
        "revenue": Of("amount", at),
        "margin": Of("margin", at),
    }
    its = bought_by_column(question, view, rates, asked)
    customers, last = its["customer"], its["last"]
    contacts, said = touches(question, view, at, customers), ratings(question, view, at)
    answers = [said.get(customer, ()) for customer in customers]
    points = list(map(sum, answers))
    unhappy = [
        complaints > 0 or 2 * reached < len(told) * WHOLE
        for complaints, reached, told in zip(contacts["open_complaints"], points, answers, strict=True)
    ]
    regular = [int(two > one > 0) for one, two in zip(its["wins_12m"], its["wins_24m"], strict=True)]
    [active] = activity(question, view, question.choice("rule"), [at])
    quiet_since = since(_sooner(question), at)
    health = [
        "lapsed" if not is_active else "at_risk" if is_unhappy or on < quiet_since else "loyal" if often else "active"
        for is_active, is_unhappy, on, often in zip(map(active, customers, last), unhappy, last, regular, strict=True)
    ]
    streams = [f"customer-{customer}" for customer in customers]
    return Listed(
        dimensions=CustomersAt(question, view, at).columns(streams) | {"customer": customers, "health": health},
        figures={
            "first_win": local_days(its["first"], zone),
            "last_win": local_days(last, zone),
            "wins": its["wins"],
            "wins_12m": its["wins_12m"],
            "wins_24m": its["wins_24m"],
            "regular": regular,
            "revenue_minor": its["revenue"],
            "margin_minor": its["margin"],
            **{name: contacts[name] for name in COUNTS},
            "answers": list(map(len, answers)),
            "points": points,
            "last_contact": local_days(contacts["last_at"], zone),
        },
        more={
            "stream": streams,
            "position": its["position"],
            "at": [at] * len(streams),
            "late": [appended_at > question.pair.known_at for appended_at in its["appended_at"]],
        },
    ).wanted(question)


def _sooner(question: Question) -> Question:
    days = int(question.book.lapse_after_days * QUIET)
    return replace(question, book=replace(question.book, lapse_after_days=days))


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """Counts and amounts add up; dates are the earliest and the latest, satisfaction the mean of all answers."""
    return _totals({name: [item.figures[name] for item in found] for name in FIGURES})


def _totals(figures: Columns) -> dict[str, Any]:
    return {
        **{name: known(figures[name]) for name in SUMS},
        "first_win": min(figures["first_win"], default=None),
        "last_win": max(figures["last_win"], default=None),
        "last_contact": max(filter(None, figures["last_contact"]), default=None),
        "satisfaction": _satisfaction(sum(figures["points"]), sum(figures["answers"])),
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
    completed=tell,
    evidence=items,
    summary=summary,
    behind=behind_touched,
    fixed=("customer", "health"),
    choices={"rule": ("both", "declared", "lapsed")},
    snapshot=True,
)
