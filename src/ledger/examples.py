"""One event line for each type, as a French maker of pumps might write it: for catalogue, schemas and tests.

Each is right as it stands; whether its stream allows it is another question (a deal must be open to be won).
"""

from __future__ import annotations

from typing import Any

Line = dict[str, Any]


def _line(stream: str, type_: str, at: str | None = None, /, **data: Any) -> Line:
    line: Line = {"stream": stream, "type": type_, "data": data}
    return line if at is None else line | {"effective_at": at}


def _eur(minor: int) -> Line:
    return {"minor": minor, "currency": "EUR"}


def _stage(stage: str, name: str, probability_bp: int, category: str) -> Line:
    return {"stage": stage, "name": name, "probability_bp": probability_bp, "category": category}


_STAGES = [
    _stage("contact", "Premier contact", 1_000, "pipeline"),
    _stage("etude", "Étude du besoin", 3_000, "best_case"),
    _stage("devis", "Devis remis", 6_000, "most_likely"),
    _stage("accord", "Accord oral", 9_000, "commit"),
]
_LINES = [
    {"product": "pompe-p40", "quantity": "4", "value": _eur(1_160_000), "margin": _eur(348_000)},
    {"product": "mise-en-service", "quantity": "1", "value": _eur(85_000), "margin": _eur(30_000)},
]
_SALE = {"value": _eur(1_245_000), "margin": _eur(378_000), "lines": _LINES}
_QUARTER = {"from": "2026-01-01", "to": "2026-03-31"}

_BOOK = [
    _line(
        "book",
        "book.opened",
        "2023-01-01",
        name="Pompes Morel SAS",
        currency="EUR",
        time_zone="Europe/Paris",
        fiscal_year_start_month=1,
        locale="fr",
        lapse_after_days=365,
        stalled_after_days=30,
    ),
    _line(
        "book",
        "book.settings_changed",
        "2026-01-01",
        lapse_after_days=540,
        stalled_after_days=21,
        thresholds={"win_rate": "0.25", "overdue_tasks": 5},
        score_weights={"recency": 30, "frequency": 20, "value": 30, "interactions": 20},
        dashboard={"rep": ["objectives", "alerts", "pipeline"], "manager": ["forecast", "team_review"]},
    ),
    _line("book", "book.history_closed"),
]
_ORGANISATION = [
    _line("pipeline-ventes", "pipeline.defined", "2023-01-01", name="Ventes directes", stages=_STAGES),
    _line("pipeline-ventes", "pipeline.redefined", "2026-01-01", stages=_STAGES[:2] + _STAGES[3:]),
    _line("team-ouest", "team.created", "2023-01-01", name="Agence Ouest", parent="france"),
    _line("team-ouest", "team.moved", "2026-01-01", parent="export"),
    _line("team-ouest", "team.renamed", "2026-01-01", name="Agence Nantes"),
    _line("team-ouest", "team.closed", "2026-03-31"),
    _line(
        "person-r12",
        "person.joined",
        "2024-09-02",
        team="ouest",
        role="rep",
        name="Clémence Le Goff",
        email="c.legoff@pompes-morel.example",
    ),
    _line("person-r12", "person.moved", "2026-01-05", team="nord"),
    _line("person-r12", "person.role_changed", "2026-01-05", role="manager"),
    _line("person-r12", "person.left", "2026-03-31"),
    _line(
        "product-pompe-p40",
        "product.listed",
        "2023-01-01",
        name="Pompe immergée P40",
        range="pompes",
        unit_price=_eur(290_000),
        unit_cost=_eur(203_000),
        attributes={"power_w": 4_000, "stainless": True},
    ),
    _line("product-pompe-p40", "product.changed", "2026-01-01", unit_price=_eur(298_000)),
    _line("product-pompe-p40", "product.retired", "2026-12-31"),
    _line("rate-USD", "rate.fixed", "2026-01-02", base="EUR", rate="0.8532"),
]
_CUSTOMERS = [
    _line(
        "customer-2048",
        "customer.registered",
        "2025-11-12",
        name="Laiterie du Val de Loire",
        kind="lead",
        country="FR",
        region="pays-de-la-loire",
        segment="eti",
        industry="agroalimentaire",
        channel="salon",
        campaign="salon-2025",
        owner="r12",
    ),
    _line("customer-2048", "customer.qualified", kind="prospect"),
    _line("customer-2048", "customer.reclassified", segment="grand-compte", attributes={"sites": 3}),
    _line("customer-2048", "customer.assigned", owner="r07"),
    _line("customer-2048", "customer.renamed", name="Laiteries du Val de Loire"),
    _line(
        "customer-2048",
        "contact.added",
        contact="k1",
        name="Yann Perrin",
        email="y.perrin@laiterie.example",
        phone="+33 2 40 00 00 00",
        role="buyer",
    ),
    _line("customer-2048", "contact.changed", contact="k1", phone="+33 6 00 00 00 00", role="head_of_purchasing"),
    _line("customer-2048", "contact.removed", contact="k1"),
    _line("customer-2048", "customer.churned", reason="competitor"),
    _line("customer-2048", "customer.reactivated"),
    _line("customer-2049", "customer.merged", into="2048"),
]
_DEALS = [
    _line(
        "deal-1042",
        "deal.opened",
        "2026-01-14T09:30:00Z",
        pipeline="ventes",
        stage="contact",
        customer="2048",
        owner="r12",
        title="Renouvellement des pompes – Ancenis",
        kind="renewal",
        expected_close_on="2026-03-31",
        region="pays-de-la-loire",
        country="FR",
        channel="salon",
        campaign="salon-2025",
        **_SALE,
    ),
    _line("deal-1042", "deal.stage_changed", stage="etude"),
    _line("deal-1042", "deal.revalued", value=_eur(1_190_000), margin=_eur(340_000)),
    _line("deal-1042", "deal.close_date_changed", expected_close_on="2026-04-30"),
    _line("deal-1042", "deal.assigned", owner="r07"),
    _line("deal-1042", "deal.probability_set", probability_bp=7_500),
    _line("deal-1042", "deal.category_set", category="commit"),
    _line("deal-1042", "deal.reclassified", kind="new", region="bretagne"),
    _line("deal-1042", "deal.retitled", title="Pompes et mise en service – Ancenis"),
    _line("deal-1042", "deal.won", "2026-03-31T16:00:00Z", order="BC-2026-118", **_SALE),
    _line("deal-1043", "deal.lost", reason="price", competitor="hydrotec", note="Écart de 8 % sur la fourniture"),
    _line("deal-1044", "deal.abandoned", reason="no_budget", note="Projet gelé jusqu'en 2027"),
    _line("deal-1043", "deal.reopened", stage="devis", reason="competitor_failed"),
    _line("deal-1045", "deal.merged", into="1042"),
    _line("deal-1042", "deal.invoiced", invoice="F-2026-0312", value=_eur(1_160_000), margin=_eur(348_000)),
    _line("deal-1042", "deal.delivered", value=_eur(1_160_000), quantity="4"),
    _line("deal-1042", "deal.credited", invoice="F-2026-0312", value=_eur(29_000), reason="damaged"),
]
_QUOTES = [
    _line(
        "quote-771",
        "quote.issued",
        "2026-02-10",
        deal="1042",
        customer="2048",
        number="D-2026-0771",
        valid_until="2026-03-12",
        owner="r12",
        **_SALE,
    ),
    _line("quote-771", "quote.revised", value=_eur(1_190_000), margin=_eur(340_000), valid_until="2026-04-12"),
    _line("quote-771", "quote.accepted"),
    _line("quote-772", "quote.declined", reason="price"),
    _line("quote-773", "quote.expired"),
    _line("quote-774", "quote.withdrawn", reason="product_retired"),
]
_DOING = [
    _line(
        "interaction-9001",
        "interaction.logged",
        "2026-01-20T13:00:00Z",
        kind="visit",
        direction="out",
        customer="2048",
        contact="k1",
        deal="1042",
        owner="r12",
        duration_minutes=90,
        outcome="positive",
        satisfaction={"scale": "nps", "score": 9},
        notes="Visite du site : quatre pompes à remplacer avant l'été",
    ),
    _line("interaction-9002", "interaction.resolved"),
    _line("interaction-9003", "interaction.converted", deal="1042"),
    _line(
        "task-5001",
        "task.planned",
        kind="follow_up",
        due_at="2026-02-17",
        owner="r12",
        customer="2048",
        contact="k1",
        deal="1042",
        subject="Relancer M. Perrin sur le devis",
    ),
    _line("task-5001", "task.rescheduled", due_at="2026-02-20T09:00:00+01:00"),
    _line("task-5001", "task.assigned", owner="r07"),
    _line("task-5001", "task.done"),
    _line("task-5002", "task.cancelled", reason="duplicate"),
]
_OBJECTIVES = [
    _line(
        "objective-2026-q1-ouest",
        "objective.set",
        "2026-01-01",
        scope={"team": "ouest"},
        metric="amount",
        period=_QUARTER,
        target=_eur(45_000_000),
        product_range="pompes",
        statement="Porter la gamme pompes à 450 k€ au premier trimestre",
    ),
    _line("objective-2026-q1-ouest", "objective.revised", "2026-02-01", target=_eur(42_000_000)),
    _line("objective-2026-q1-ouest", "objective.cancelled", "2026-03-01", reason="reorganisation"),
    _line(
        "call-2026-q1-r12-commit",
        "forecast.submitted",
        "2026-02-02T08:00:00Z",
        scope={"person": "r12"},
        period=_QUARTER,
        category="commit",
        value=_eur(12_500_000),
        note="Sans l'affaire d'Ancenis",
    ),
    _line("call-2026-q1-r12-commit", "forecast.withdrawn"),
]
_MARKETING = [
    _line(
        "campaign-salon-2025",
        "campaign.launched",
        "2025-10-01",
        name="Salon de l'eau, Rennes",
        channel="salon",
        starts_on="2025-11-04",
        ends_on="2025-11-06",
        budget=_eur(1_800_000),
    ),
    _line("campaign-salon-2025", "campaign.spent", "2025-11-06", value=_eur(1_240_000), what="stand_hire"),
    _line("campaign-salon-2025", "campaign.responses_counted", sent=2_400, delivered=2_310, opened=960, answered=85),
    _line("campaign-salon-2025", "campaign.closed"),
    _line("channel-web", "channel.spent", "2026-01-31", value=_eur(95_000), what="search_ads"),
    _line("channel-web", "channel.counted", "2026-02-01", on="2026-01-31", visits=412, carts=19, orders=4),
]
_SECOND_THOUGHTS = [
    _line("deal-1042", "event.retracted", version=5, reason="wrong_deal", note="Saisie sur la mauvaise affaire"),
    _line(
        "deal-1042",
        "event.corrected",
        version=10,
        reason="typing_error",
        note="La commande est du 30 mars",
        effective_at="2026-03-30T16:00:00Z",
        data={"order": "BC-2026-117", **_SALE},
    ),
]

_PRIVACY = [_line("subject-x3Jq0vTt8hWm2bLk9cYd", "subject.erased")]

EXAMPLES: dict[str, Line] = {
    line["type"]: line
    for line in (
        *_BOOK,
        *_ORGANISATION,
        *_CUSTOMERS,
        *_DEALS,
        *_QUOTES,
        *_DOING,
        *_OBJECTIVES,
        *_MARKETING,
        *_SECOND_THOUGHTS,
        *_PRIVACY,
    )
}
"""An event line by its type: stream, type, data and, where it lies in the past or ahead, effective_at."""
