"""What came back from each campaign."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ledger.money import convert
from projections import intervals
from projections.reports import exact
from projections.reports.customers import added
from projections.reports.definition import Item, Report, Sum, Text, average, told
from projections.reports.dimensions import merged
from projections.reports.sources import closed
from projections.tables import campaign_versions, costs, customer_versions, wins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.reports.question import Question
    from projections.reports.rates import Rates
    from projections.store import View

COUNTS = ("sent", "delivered", "opened", "clicked", "answered", "unsubscribed", "called", "reached")
SUMS = ("leads", "wins", "won_minor", "spent_minor")
MAILED = ("delivered", "sent")
RATES = {
    "delivery_rate": ("delivered", ("sent",)),
    "open_rate": ("opened", MAILED),
    "click_rate": ("clicked", MAILED),
    "answer_rate": ("answered", (*MAILED, "reached", "called")),
    "unsubscribe_rate": ("unsubscribed", MAILED),
    "reached_rate": ("reached", ("called",)),
}
"""Each rate's numerator, and its denominator: the first of these that was counted."""


def items(question: Question, view: View, rates: Rates) -> Iterator[Item]:
    """Each campaign launched in the period as it stands, and its costs, leads and wins up to the pair."""
    rows = intervals.at_pair(campaign_versions, question.pair, view)
    launched = (rows.c.launched_at >= question.period_from, rows.c.launched_at < question.period_to)
    channels: dict[str, str] = {}
    for row in view.rows(select(rows).where(*launched)):
        campaign = row.stream.removeprefix("campaign-")
        channels[campaign] = row.channel
        counted = {name: getattr(row, f"{name}_count") for name in COUNTS}
        yield _item(question, row, row.launched_at, (campaign, row.channel), state="campaign", figures=counted)
    spent = intervals.at_pair(costs, question.pair, view)
    for row in view.rows(select(spent)):
        campaign = row.stream.removeprefix("campaign-")
        if row.stream.startswith("campaign-") and campaign in channels:
            figures = {"spent_minor": convert(row.value_minor, rates.factor(row.currency, row.spent_at))}
            yield _item(question, row, row.spent_at, (campaign, channels[campaign]), state="cost", figures=figures)
    yield from _leads(question, view, channels)
    yield from _wins(question, view, rates, channels)


def _item(
    question: Question, row: Any, at: int, place: tuple[str, str], *, state: str, figures: Mapping[str, Any]
) -> Item:
    return Item(
        stream=row.stream,
        position=row.position,
        at=at,
        dimensions=dict(zip(("campaign", "channel"), place, strict=True)),
        figures=figures,
        state=state,
        late=row.appended_at > question.pair.known_at,
    )


def _leads(question: Question, view: View, channels: Mapping[str, str]) -> Iterator[Item]:
    """Leads by the campaign they were registered with, duplicates merged since aside."""
    c = customer_versions.c
    first = intervals.holds(customer_versions, c.registered_at, question.pair, view)
    until = c.registered_at <= question.pair.happened.as_of
    gone = merged(question, view)
    query = select(customer_versions).where(c.registered_kind == "lead", c.campaign.is_not(None), first, until)
    for row in view.rows(query):
        if row.campaign in channels and row.stream.removeprefix("customer-") not in gone:
            place = row.campaign, channels[row.campaign]
            yield _item(question, row, row.registered_at, place, state="lead", figures={"leads": 1})


def _wins(question: Question, view: View, rates: Rates, channels: Mapping[str, str]) -> Iterator[Item]:
    """Wins of a campaign: the deal's own, else its customer's when it was won."""
    if not channels:
        return
    report = replace(question.report, sums=(Sum("won", "value"),))
    asked = replace(question, report=report, by=(), where={"campaign": frozenset(channels)}, period=None)
    for line in exact.read(closed(asked, view, wins), asked, view, rates):
        campaign, bases = line.pieces[0].dimensions["campaign"], line.pieces[0].bases
        assert campaign is not None
        yield Item(
            stream=line.stream,
            position=line.position,
            at=line.at,
            dimensions={"campaign": campaign, "channel": channels[campaign]},
            figures={"wins": 1, "won_minor": bases["value"] if bases["value_said"] else None},
            state="won",
            late=line.late,
        )


def summary(question: Question, found: Sequence[Item]) -> Mapping[str, Any]:  # noqa: ARG001 (a cell is its items)
    """Counts add up over the campaigns that were counted; a rate is of those for which both its counts are known."""
    campaigns = [item.figures for item in found if item.state == "campaign"]
    figures: dict[str, Any] = {name: added(found, name) for name in SUMS}
    for name in COUNTS:
        counted = [each[name] for each in campaigns if each[name] is not None]
        figures[name] = sum(counted) if counted else None
    for name, (over, bases) in RATES.items():
        parts = [
            (each[over], next((each[base] for base in bases if each[base] is not None), None)) for each in campaigns
        ]
        known = [(part, whole) for part, whole in parts if part is not None and whole is not None]
        whole = sum(whole for _, whole in known)
        figures[name] = Fraction(sum(part for part, _ in known), whole) if whole else None
    figures["answers"] = figures["answered"] or 0
    return figures


CAMPAIGNS = Report(
    name="campaigns",
    title=Text("Retours des campagnes", "Campaign responses"),
    description=Text(
        "Par campagne lancée dans la période : ce qui a été envoyé et ce qui est revenu jusqu'à as_of, les leads et "
        "les ventes qui en viennent, son coût.",
        "By campaign launched in the period: what was sent and what came back up to as_of, the leads and wins that "
        "came of it, its cost.",
    ),
    formula=Text(
        "taux de remise = remis / envoyés ; ouverture, clic, désabonnement = … / remis (envoyés, si les remis n'ont "
        "pas été comptés) ; réponse = réponses / remis, sinon envoyés, sinon joints, sinon appelés ; joints = joints / "
        "appelés ; sur plusieurs campagnes, de celles qui ont compté les deux ; coût par réponse = dépenses / "
        "réponses. Ventes : la campagne de l'affaire, sinon celle de son client ce jour-là.",
        "delivery rate = delivered / sent; open, click, unsubscribe rates = … / delivered (sent, where delivered was "
        "not counted); answer rate = answered / delivered, else sent, else reached, else called; reached rate = "
        "reached / called; over several campaigns, of those that counted both; cost per answer = spent / "
        "answered. Wins: the deal's own campaign, else its customer's on that day.",
    ),
    source=Text(
        "Événements campaign.*, customer.*, deal.won, deal.reopened, quote.accepted sans affaire, rate.fixed",
        "Events campaign.*, customer.*, deal.won, deal.reopened, quote.accepted without a deal, rate.fixed",
    ),
    columns=(
        told("sent", "count", Text("Envoyés", "Sent")),
        told("delivered", "count", Text("Remis", "Delivered")),
        told("opened", "count", Text("Ouverts", "Opened")),
        told("clicked", "count", Text("Cliqués", "Clicked")),
        told("answered", "count", Text("Réponses", "Answered")),
        told("unsubscribed", "count", Text("Désabonnements", "Unsubscribed")),
        told("called", "count", Text("Appelés", "Called")),
        told("reached", "count", Text("Joints", "Reached")),
        told("delivery_rate", "ratio", Text("Taux de remise", "Delivery rate")),
        told("open_rate", "ratio", Text("Taux d'ouverture", "Open rate")),
        told("click_rate", "ratio", Text("Taux de clic", "Click rate")),
        told("answer_rate", "ratio", Text("Taux de réponse", "Answer rate")),
        told("unsubscribe_rate", "ratio", Text("Taux de désabonnement", "Unsubscribe rate")),
        told("reached_rate", "ratio", Text("Taux de joints", "Reached rate")),
        told("leads", "count", Text("Leads", "Leads")),
        told("wins", "count", Text("Ventes", "Wins")),
        told("won_minor", "money", Text("Montant des ventes", "Amount won")),
        told("spent_minor", "money", Text("Dépenses", "Spent")),
        average("cost_per_answer_minor", Text("Coût par réponse", "Cost per answer"), "spent_minor", "answers"),
    ),
    parameters=("as_of", "known_at", "period", "by", "where", "currency", "fx", "compare", "years", "every"),
    dimensions=("campaign", "channel"),
    items=items,
    summary=summary,
    fixed=("campaign",),
)
