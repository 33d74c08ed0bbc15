"""What was done, and how much of it a win takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, and_, cast, exists, func, literal, null

from ledger.money import E6
from projections import intervals
from projections.reports.definition import Column, Report, Sum, figure, ratio
from projections.reports.definition import Text as Label
from projections.reports.metrics import talks
from projections.reports.sources import Source, between, closed, label, month_of, quotes
from projections.tables import contact_versions, customer_versions, deal_versions, wins

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from projections.reports.definition import Exact, Sums
    from projections.reports.question import Question
    from projections.store import View

TALKS = {
    "call": ("calls", Label("Appels", "Calls")),
    "email": ("emails", Label("Courriels", "E-mails")),
    "visit": ("visits", Label("Visites", "Visits")),
    "meeting": ("meetings", Label("Réunions", "Meetings")),
    "prospecting_meeting": ("prospecting_meetings", Label("Rendez-vous de prospection", "Prospecting meetings")),
    "demo": ("demos", Label("Démonstrations", "Demos")),
    "proposal": ("proposals", Label("Propositions", "Proposals")),
}
"""The interactions that are a rep's effort, by kind: their column and its label."""

DONE = {
    "new_lead": ("new_leads", Label("Nouvelles pistes", "New leads")),
    "new_contact": ("new_contacts", Label("Nouveaux contacts", "New contacts")),
    "opened": ("deals_opened", Label("Affaires ouvertes", "Deals opened")),
    "quoted": ("quotes_issued", Label("Devis émis", "Quotes issued")),
    "won": ("deals_won", Label("Ventes", "Deals won")),
}
EFFORT = frozenset(TALKS)


def lines(question: Question, view: View) -> list[Source]:
    """Each interaction, new lead, new contact, deal opened, quote issued and win of the period.

    Of interactions those that are counted: where one figure is asked for, it may be none.
    """
    kinds = [kind for kind in TALKS if any(each.takes(kind) for each in question.report.sums)]
    return [
        *([talks(question, view, kinds)] if kinds else []),
        _leads(question, view),
        _contacts(question, view),
        opened(question, view),
        quotes(question, view).in_state(label("quoted")),
        closed(question, view, wins),
    ]


def opened(question: Question, view: View) -> Source:
    """Deals opened in the period, as they were opened; one merged since is none."""
    now, then = deal_versions.alias("now"), deal_versions.alias("as_opened")
    still = (now.c.stream == then.c.stream, now.c.opened_at == then.c.opened_at, now.c.status != "merged")
    at = then.c.opened_at
    return Source(
        frm=then,
        columns=dict(then.c.items()),
        state=label("opened"),
        at=at,
        happened_at=at,
        month=month_of(at, deal_versions.c.opened_at, question, view),
        where=(
            *between(at, question),
            intervals.holds(then, at, question.pair, view),
            exists().where(*still, intervals.in_force(now, question.pair, view)),
        ),
    )


def _leads(question: Question, view: View) -> Source:
    c = customer_versions.c
    since = (*between(c.registered_at, question), c.registered_kind == "lead", c.merged_into.is_(None))
    now = intervals.at_pair(customer_versions, question.pair, view, *since)
    return _at_customer(question, view, now, at=now.c.registered_at, stored=c.registered_at, state="new_lead")


def _contacts(question: Question, view: View) -> Source:
    k = contact_versions.c
    now = intervals.at_pair(contact_versions, question.pair, view, *between(k.added_at, question))
    return _at_customer(question, view, now, at=now.c.added_at, stored=k.added_at, state="new_contact")


def _at_customer(
    question: Question, view: View, now: Any, *, at: ColumnElement[int], stored: ColumnElement[int], state: str
) -> Source:
    """Something of a customer's stream, which is its owner's and otherwise the customer's of then."""
    then = customer_versions.alias("of_customer")
    of_customer = and_(then.c.stream == now.c.stream, intervals.holds(then, at, question.pair, view))
    text, number = cast(null(), Text), cast(null(), BigInteger)
    told = {name: then.c[name] for name in ("owner", "region", "country", "channel", "campaign")}
    return Source(
        frm=now.outerjoin(then, of_customer),
        columns={
            **told,
            "stream": now.c.stream,
            "position": now.c.position,
            "appended_at": now.c.appended_at,
            "customer": func.substr(now.c.stream, literal(len("customer-") + 1)),
            "alone": text,
            "currency": text.label("currency"),
            "value_minor": number.label("value_minor"),
            "margin_minor": number.label("margin_minor"),
        },
        state=label(state),
        at=at,
        happened_at=at,
        month=month_of(at, stored, question, view),
    )


def _minutes(sums: Sums) -> Exact:
    return None if sums["minutes"] is None else sums["minutes"] // E6


ACTIVITY = Report(
    name="activity",
    title=Label("Activité", "Activity"),
    description=Label(
        "Ce qui a été fait dans la période : contacts par genre, pistes, contacts et affaires nouvelles, devis, "
        "ventes, et les minutes passées.",
        "What was done in the period: contacts by kind, new leads, contacts and deals, quotes, wins, and the minutes "
        "spent.",
    ),
    formula=Label(
        "effort par vente = (appels + courriels + visites + réunions + rendez-vous + démonstrations + propositions) / "
        "ventes. Chaque fait compte au commercial, à l'équipe et au client de sa date ; pistes et contacts, au "
        "commercial de leur client.",
        "effort per win = (calls + e-mails + visits + meetings + prospecting meetings + demos + proposals) / wins. "
        "Each counts for the owner, team and customer of its date; leads and contacts for their customer's owner.",
    ),
    source=Label(
        "Événements interaction.logged, customer.registered, contact.added, deal.opened, quote.issued, deal.won, "
        "person.*",
        "Events interaction.logged, customer.registered, contact.added, deal.opened, quote.issued, deal.won, person.*",
    ),
    sums=(
        *(Sum(name, "one", frozenset({state})) for state, (name, _) in (TALKS | DONE).items()),
        Sum("efforts", "one", EFFORT),
        Sum("minutes", "quantity", EFFORT),
    ),
    columns=(
        *(figure(name, "count", text) for name, text in (TALKS | DONE).values()),
        Column("minutes", "count", Label("Minutes", "Minutes"), _minutes),
        ratio("effort_per_win", Label("Effort par vente", "Effort per win"), "efforts", "deals_won"),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "compare", "years", "every"),
    dimensions=(
        *("day", "week", "month", "quarter", "year"),
        *("owner", "team", "customer", "region", "country", "channel", "campaign", "segment"),
    ),
    lines=lines,
)
