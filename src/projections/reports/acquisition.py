"""What it costs to win customers, by channel and campaign, and what they bring."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ledger.money import convert
from projections import intervals
from projections.reports import exact
from projections.reports.active_customers import Span, span
from projections.reports.customers import Of, added, behind, bought, customer_item
from projections.reports.customers_alike import alike
from projections.reports.definition import Item, Report, Text, average, told
from projections.reports.dimensions import merged
from projections.reports.lifetime import days_since, margin_per_win, rounded, wins_per_year, years_before, years_left
from projections.reports.metrics import first_wins
from projections.tables import campaign_versions, costs, customer_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from projections.reports.customers_alike import Alike
    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

SUMS = ("spent_minor", "leads", "customers", "revenue_minor", "observed_minor")
MONTHS_A_YEAR = 12


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """What was spent in the period, each lead registered in it, and each customer whose first win lies in it."""
    between = span(question)
    if between is None:
        return
    campaigns = intervals.at_pair(campaign_versions, question.pair, view)
    channels = {
        row.stream.removeprefix("campaign-"): row.channel
        for row in view.rows(select(campaigns.c.stream, campaigns.c.channel))
    }
    yield from _spent(question, view, rates, between.closing)
    yield from _leads(question, view, between.closing, channels)
    yield from _customers(question, view, rates, channels)


def _spent(question: Question, view: View, rates: Rates, until: int) -> Iterator[Item]:
    in_force = intervals.holds(costs, until, question.pair, view)
    for row in view.rows(select(costs).where(in_force, costs.c.spent_at >= question.period_from)):
        kind, _, name = row.stream.partition("-")
        campaign = name if kind == "campaign" else None
        yield Item(
            stream=row.stream,
            position=row.position,
            at=row.spent_at,
            dimensions={"channel": row.channel if campaign else name, "campaign": campaign},
            figures={"spent_minor": convert(row.value_minor, rates.factor(row.currency, row.spent_at))},
            state="cost",
            joined=() if row.currency == question.currency else rates.streams(row.currency),
            late=row.appended_at > question.pair.known_at,
        )


def _leads(question: Question, view: View, until: int, channels: Mapping[str, str]) -> Iterator[Item]:
    """Leads as they were registered, duplicates merged since aside."""
    c = customer_versions.c
    first = intervals.holds(customer_versions, c.registered_at, question.pair, view)
    in_period = (c.registered_at >= question.period_from, c.registered_at <= until)
    gone = merged(question, view)
    for row in view.rows(select(customer_versions).where(c.registered_kind == "lead", first, *in_period)):
        if row.stream.removeprefix("customer-") not in gone:
            yield Item(
                stream=row.stream,
                position=row.position,
                at=row.registered_at,
                dimensions=_place(row.channel, row.campaign, channels),
                figures={"leads": 1},
                state="lead",
                late=row.appended_at > question.pair.known_at,
            )


def _customers(question: Question, view: View, rates: Rates, channels: Mapping[str, str]) -> Iterator[Item]:
    """Customers acquired, where their first win came from, with what they have brought up to the pair."""
    at, before = question.pair.happened.as_of, years_before(question)
    asked = {
        "first": Of("first", at),
        "wins": Of("count", at),
        "revenue_minor": Of("amount", at),
        "observed_minor": Of("margin", at),
        "margins": Of("margins", at),
    }
    told_apart = replace(question, by=("customer", "channel", "campaign"), where={})
    lines = exact.read(first_wins(question, view), told_apart, view, rates)
    found = {line.pieces[0].dimensions["customer"] or "": line.pieces[0].dimensions for line in lines}
    its_of = bought(question, view, rates, asked, set(found))
    there = [some for some in alike(question, view, rates, Span(before, at)) if some.was_active]
    years = years_left(_count(there), _count(some for some in there if not some.is_active))
    for customer, place in found.items():
        its = its_of[customer]
        figures = {"customers": 1, "days": days_since(question, its["first"]), "years_left": years}
        figures |= {name: its[name] for name in ("wins", "revenue_minor", "observed_minor", "margins")}
        where = _place(place["channel"], place["campaign"], channels)
        yield customer_item(question, at, customer, its, dimensions=where, figures=figures)


def _count(found: Iterable[Alike]) -> int:
    return sum([some.customers for some in found])


def _place(channel: str | None, campaign: str | None, channels: Mapping[str, str]) -> dict[str, str | None]:
    """Channel and campaign; who names only a campaign came through its channel."""
    return {"channel": channel or channels.get(campaign or ""), "campaign": campaign}


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """Costs and customers add up; what customers are worth is that of the cell's own."""
    sums: dict[str, Any] = {name: added(found, name) for name in SUMS}
    acquired = [item for item in found if "customers" in item.figures]
    spent, customers, observed = sums["spent_minor"], sums["customers"], sums["observed_minor"]
    cac = Fraction(spent, customers) if customers else None
    margin, yearly = margin_per_win(acquired), wins_per_year(acquired)
    value = payback = None
    if margin is not None and yearly is not None:
        years = acquired[0].figures["years_left"]
        value = None if years is None else Fraction(observed, customers) + margin * yearly * years
        payback = cac * MONTHS_A_YEAR / (margin * yearly) if cac is not None and margin > 0 else None
    return sums | {
        "margin_minor": observed,
        "cac_minor": None if cac is None else rounded(cac),
        "roi": None if spent <= 0 or observed is None else Fraction(observed - spent, spent),
        "ltv_to_cac": value / cac if value is not None and cac else None,
        "payback_months": payback,
    }


ACQUISITION = Report(
    name="acquisition",
    title=Text("Coût d'acquisition", "Customer acquisition"),
    description=Text(
        "Par canal et campagne : ce qui a été dépensé dans la période, les leads et les clients qui en sont venus, et "
        "ce que ces clients ont rapporté jusqu'à as_of.",
        "By channel and campaign: what was spent in the period, the leads and customers that came of it, and what "
        "those customers have brought up to as_of.",
    ),
    formula=Text(
        "coût par lead = dépenses / leads enregistrés dans la période ; CAC = dépenses / clients dont la première "
        "vente est dans la période ; roi = (marge − dépenses) / dépenses ; valeur vie par client = marge à ce jour + "
        "marge par vente × ventes par an × années restantes (1 / attrition annuelle de tous les clients selon rule, au "
        "plus 5) ; marge par vente et ventes par an comme dans lifetime_value, de ces clients ; retour en mois = CAC / "
        "(marge par vente × ventes par an / 12). Un client vient du canal et de la campagne de sa première vente, "
        "sinon des siens ce jour-là, sinon du canal de sa campagne ; un lead des siens le jour de son enregistrement.",
        "cost per lead = spent / leads registered in the period; CAC = spent / customers whose first win lies in the "
        "period; roi = (margin − spent) / spent; lifetime value per customer = margin to date + margin per win × wins "
        "per year × years left (1 / yearly churn of all customers by rule, at most 5); margin per win and wins per "
        "year as in lifetime_value, of those customers; payback in months = CAC / (margin per win × wins per year / "
        "12). A customer comes from the channel and campaign of its first win, else its own on that day, else its "
        "campaign's channel; a lead from its own on the day of its registration.",
    ),
    source=Text(
        "Événements campaign.spent, channel.spent, campaign.launched, customer.*, deal.won, deal.reopened, "
        "deal.invoiced, quote.accepted sans affaire, rate.fixed, book.settings_changed",
        "Events campaign.spent, channel.spent, campaign.launched, customer.*, deal.won, deal.reopened, deal.invoiced, "
        "quote.accepted without a deal, rate.fixed, book.settings_changed",
    ),
    columns=(
        told("spent_minor", "money", Text("Dépenses", "Spent")),
        told("leads", "count", Text("Leads", "Leads")),
        told("customers", "count", Text("Nouveaux clients", "New customers")),
        average("cost_per_lead_minor", Text("Coût par lead", "Cost per lead"), "spent_minor", "leads"),
        told("cac_minor", "money", Text("Coût d'acquisition client", "Customer acquisition cost")),
        told("revenue_minor", "money", Text("Chiffre d'affaires", "Revenue")),
        told("margin_minor", "money", Text("Marge", "Margin")),
        told("roi", "ratio", Text("Retour sur dépenses", "Return on spending")),
        told("ltv_to_cac", "ratio", Text("Valeur vie / CAC", "Lifetime value to CAC")),
        told("payback_months", "ratio", Text("Retour en mois", "Payback in months")),
    ),
    parameters=(
        *("as_of", "known_at", "period", "rule", "by", "where", "currency", "fx", "compare", "years", "every"),
    ),
    dimensions=("channel", "campaign"),
    items=items,
    summary=summary,
    behind=behind,
    fixed=("channel",),
    choices={"rule": ("both", "declared", "lapsed")},
)
