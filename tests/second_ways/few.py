"""A few customers, told by hand: what becomes of the demo's too seldom, or never."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.support.book import GivenBook, eur, money

DAYS = (date(2024, 2, 28), date(2025, 3, 31), date(2026, 4, 1), date(2026, 4, 2), date(2026, 7, 1))
RESTATED = date(2026, 12, 31)


def few(url: str) -> GivenBook:
    """Lapse after 360 days, so that three quarters of it are whole days."""
    book = GivenBook(url)
    book.say("book", "book.settings_changed", "2020-01-01", lapse_after_days=360)
    book.rate("USD", "2020-01-01", "0.9").rate("USD", "2026-02-01", "0.85")
    book.person("ana", "2020-01-01", "north").person("bob", "2020-01-01", "south")
    _campaigns(book)
    _customers(book)
    _deals(book)
    _talks(book)
    book.folded()
    return book


def _campaigns(book: GivenBook) -> None:
    """One mailed without a count of what was delivered, one called without a count of who was reached, one unheard."""
    for campaign, channel in (("mail", "web"), ("calls", "phone"), ("quiet", "web")):
        named: dict[str, Any] = {"name": campaign.title(), "channel": channel, "starts_on": "2026-01-01"}
        book.say(f"campaign-{campaign}", "campaign.launched", "2026-01-02", **named)
    counted: list[tuple[str, str, dict[str, Any]]] = [
        ("mail", "2026-01-10", {"sent": 100, "opened": 20, "answered": 5}),
        ("mail", "2026-05-10", {"delivered": 0}),
        ("calls", "2026-01-10", {"called": 50, "answered": 3}),
        ("calls", "2026-04-01", {"reached": 30}),
    ]
    for campaign, at, counts in counted:
        book.say(f"campaign-{campaign}", "campaign.responses_counted", at, **counts)
    book.say("campaign-mail", "campaign.spent", "2026-01-11", value=money(10_001, "USD"))
    book.say("campaign-mail", "campaign.spent", "2026-02-11", value=money(333, "USD"))
    book.say("campaign-calls", "campaign.spent", "2026-02-11", recorded="2026-05-01", value=eur(777))
    book.say("channel-phone", "channel.spent", "2026-02-12", value=eur(5_000))
    book.retracted("channel-phone", 1, "2026-06-01")


def _customers(book: GivenBook) -> None:
    for customer, said in {
        "low": {"owner": "ana", "segment": "small"},
        "half": {"owner": "bob", "segment": "small"},
        "complains": {"owner": "ana"},
        "silent": {"owner": "bob", "segment": "large"},
        "regular": {"owner": "ana", "segment": "large"},
    }.items():
        book.customer(customer, "2022-01-01", **said)
    book.customer("lead", "2026-01-20", kind="lead", campaign="mail")
    book.customer("twin", "2026-01-21", kind="lead", campaign="mail").customer("called", "2026-01-22", kind="lead")
    book.say("customer-called", "customer.reclassified", "2026-02-20", campaign="calls")
    book.say("customer-twin", "customer.merged", "2026-06-01", into="lead")


def _deals(book: GivenBook) -> None:
    """Without a margin, without any amount, at a loss, in dollars; a sale undone, one learnt late, an order by quote."""
    for number, (customer, at, value, margin) in enumerate(
        (
            ("low", "2025-07-05", eur(1_000), eur(100)),
            ("low", "2025-11-05", eur(2_000), None),
            ("half", "2025-09-01", None, None),
            ("complains", "2023-02-28", eur(10), eur(1)),
            ("complains", "2025-12-01", money(999, "USD"), money(101, "USD")),
            ("silent", "2025-07-05", eur(500), eur(-50)),
            ("regular", "2023-03-01", eur(70), eur(7)),
            ("regular", "2024-05-01", eur(70), eur(7)),
            ("regular", "2025-05-01", eur(70), eur(7)),
            ("lead", "2026-02-01", eur(800), eur(-200)),
            ("twin", "2026-03-01", eur(600), None),
            ("called", "2026-03-02", None, None),
        )
    ):
        deal = f"d{number}"
        recorded = "2026-04-15" if at == "2025-05-01" else None
        book.deal(deal, at, value, recorded=recorded, customer=customer, margin=margin)
        book.won(deal, at, recorded=recorded)
    book.reopened("d3", "2024-03-10").lost("d3", "2024-04-10")
    book.quote("q1", "2026-03-20", eur(90), customer="regular", owner="bob").accepted("q1", "2026-03-25")


def _talks(book: GivenBook) -> None:
    for number, (customer, kind, at, satisfaction) in enumerate(
        (
            ("low", "survey", "2025-10-01", ("csat", 2)),
            ("low", "survey", "2026-03-31", ("nps", 7)),
            ("half", "survey", "2026-01-05", ("csat", 3)),
            ("half", "visit", "2026-02-05", ("ces", 4)),
            ("complains", "complaint", "2025-12-20", None),
            ("complains", "complaint", "2026-02-20", ("nps", 9)),
            ("complains", "complaint", "2026-02-21", ("nps", 6)),
            ("regular", "maintenance", "2026-02-20", ("csat", 4)),
            ("regular", "other", "2026-02-21", ("nps", 10)),
            ("twin", "cart", "2026-02-21", ("ces", 7)),
        )
    ):
        said = None if satisfaction is None else dict(zip(("scale", "score"), satisfaction, strict=True))
        about: dict[str, Any] = {
            "customer": customer,
            "direction": "in",
            "owner": ("ana", "bob")[number % 2],
            "satisfaction": said,
        }
        book.say(f"interaction-{number}", "interaction.logged", at, kind=kind, **about)
    book.say("interaction-4", "interaction.resolved", "2026-01-03")
    book.say("interaction-5", "interaction.resolved", "2026-03-02").retracted("interaction-5", 2, "2026-05-01")
    book.say("interaction-6", "interaction.resolved", "2026-03-01")
