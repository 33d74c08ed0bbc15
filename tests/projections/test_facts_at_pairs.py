"""What the newer tables say at a pair of dates, on both databases: as reported, restated, corrected and retracted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ledger.times import local_date, parse_instant
from projections import intervals
from projections.pairs import Pair
from projections.tables import TABLES
from tests.support.book import ZONE, GivenBook, eur

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def book(database_url: str) -> Iterator[GivenBook]:
    given = GivenBook(database_url)
    yield given
    given.close()


def at(book: GivenBook, table: str, as_of: str, known_at: str | None = None) -> list[dict[str, Any]]:
    """The rows of a table at noon of two days, in the order of their streams and keys."""
    pair = Pair(*(parse_instant(f"{day}T12:00:00Z") for day in (as_of, known_at or as_of)))
    with book.folded().view() as view:
        rows = intervals.at_pair(TABLES[table], pair, view)
        keys = [rows.c[column.name] for column in TABLES[table].primary_key.columns]
        return [dict(row._mapping) for row in view.rows(select(rows).order_by(*keys))]


def told(book: GivenBook, table: str, names: str, as_of: str, known_at: str | None = None) -> list[tuple[Any, ...]]:
    """These columns of those rows, instants as local dates."""
    wanted = names.split()
    return [
        tuple(
            local_date(row[name], ZONE).isoformat() if name.endswith("_at") and row[name] else row[name]
            for name in wanted
        )
        for row in at(book, table, as_of, known_at)
    ]


def test_invoices_and_a_credit_note_with_what_became_known_later(book):
    book.deal("d", "2026-01-05", eur(1_000), customer="c").won("d", "2026-01-10")
    book.say("deal-d", "deal.invoiced", "2026-01-20", invoice="i1", value=eur(600), margin=eur(200))
    book.say("deal-d", "deal.invoiced", "2026-01-25", recorded="2026-02-10", invoice="i2", value=eur(400))
    book.say("deal-d", "deal.credited", "2026-02-15", invoice="i1", value=eur(50), margin=eur(20), reason="damaged")
    book.say("deal-d", "deal.delivered", "2026-02-16", quantity="3")
    asked = book, "invoices", "entry invoice value_minor margin_minor quantity_e6 invoiced_at customer"
    first = ("invoice", "i1", 600, 200, None, "2026-01-20", "c")
    second = ("invoice", "i2", 400, None, None, "2026-01-25", "c")
    credit = ("credit", "i1", -50, -20, None, "2026-02-15", "c")
    delivery = ("delivery", None, None, None, 3_000_000, "2026-02-16", "c")
    assert told(*asked, "2026-01-19") == []
    assert told(*asked, "2026-01-31") == [first]
    assert told(*asked, "2026-01-31", "2026-02-28") == [first, second]
    assert told(*asked, "2026-02-28") == [first, second, credit, delivery]
    assert sum(row["value_minor"] or 0 for row in at(book, "invoices", "2026-02-28")) == 950


def test_an_invoice_corrected_and_one_retracted(book):
    book.deal("d", "2026-01-05", eur(1_000)).won("d", "2026-01-10")
    book.say("deal-d", "deal.invoiced", "2026-01-20", invoice="i1", value=eur(600))
    book.say("deal-d", "deal.invoiced", "2026-01-21", invoice="i2", value=eur(400))
    book.corrected("deal-d", 3, "2026-02-01", data={"invoice": "i1", "value": eur(500)})
    book.retracted("deal-d", 4, "2026-02-02")
    asked = book, "invoices", "invoice value_minor invoiced_at"
    before = [("i1", 600, "2026-01-20"), ("i2", 400, "2026-01-21")]
    assert told(*asked, "2026-01-31") == before
    assert told(*asked, "2026-01-31", "2026-02-28") == told(*asked, "2026-02-28") == [("i1", 500, "2026-01-20")]


def test_an_invoice_takes_the_owner_that_its_deal_had(book):
    book.deal("d", "2026-01-05", eur(1_000)).say("deal-d", "deal.assigned", "2026-01-08", owner="bob")
    book.won("d", "2026-01-10").say("deal-d", "deal.invoiced", "2026-01-20", invoice="i1", value=eur(600))
    book.reopened("d", "2026-02-01").say("deal-d", "deal.assigned", "2026-02-02", owner="cleo")
    assert told(book, "invoices", "owner", "2026-02-28") == [("bob",)]
    book.retracted("deal-d", 2, "2026-03-01")
    assert told(book, "invoices", "owner", "2026-02-28", "2026-03-01") == [("ana",)]


def test_a_customer_lost_and_won_back_and_its_contacts(book):
    book.customer("c", "2026-01-05", kind="lead")
    book.say("customer-c", "contact.added", "2026-01-06", contact="ida", name="Ida", role="buyer")
    book.say("customer-c", "customer.qualified", "2026-01-20", recorded="2026-02-10", kind="customer")
    book.say("customer-c", "customer.churned", "2026-03-01", reason="price")
    book.say("customer-c", "contact.removed", "2026-03-02", contact="ida")
    book.say("customer-c", "customer.reactivated", "2026-04-01")
    assert told(book, "churns", "reason churned_at", "2026-03-15") == [("price", "2026-03-01")]
    assert told(book, "churns", "reason", "2026-02-28") == told(book, "churns", "reason", "2026-04-01") == []
    asked = book, "customer_versions", "registered_kind kind registered_at kind_since_at"
    assert told(*asked, "2026-01-31") == [("lead", "lead", "2026-01-05", "2026-01-05")]
    assert told(*asked, "2026-01-31", "2026-02-10") == [("lead", "customer", "2026-01-05", "2026-01-20")]
    assert told(book, "contact_versions", "contact role added_at", "2026-02-01") == [("ida", "buyer", "2026-01-06")]
    assert told(book, "contact_versions", "contact", "2026-03-15") == []
    [contact] = at(book, "contact_versions", "2026-02-01")
    assert "Ida" not in repr(contact)
    assert contact["name_commitment"]


def test_an_interaction_logged_late_and_settled(book):
    logged = {"kind": "complaint", "direction": "in", "customer": "c", "owner": "ana", "duration_minutes": 25}
    book.say("interaction-i", "interaction.logged", "2026-01-10", recorded="2026-01-20", **logged)
    book.say("interaction-i", "interaction.resolved", "2026-02-01")
    asked = book, "interactions", "kind owner duration_minutes logged_at resolved_at"
    assert told(*asked, "2026-01-15") == []
    assert told(*asked, "2026-01-15", "2026-01-20") == [("complaint", "ana", 25, "2026-01-10", None)]
    assert told(*asked, "2026-02-01") == [("complaint", "ana", 25, "2026-01-10", "2026-02-01")]


def test_a_task_put_off(book):
    book.say("task-t", "task.planned", "2026-01-10", kind="call", owner="ana", due_at="2026-01-20")
    book.say("task-t", "task.rescheduled", "2026-01-21", due_at="2026-02-01").say("task-t", "task.done", "2026-01-30")
    asked = book, "task_versions", "status due_at ended_at"
    assert told(*asked, "2026-01-20") == [("planned", "2026-01-20", None)]
    assert told(*asked, "2026-01-25") == [("planned", "2026-02-01", None)]
    assert told(*asked, "2026-01-31") == [("done", "2026-02-01", "2026-01-30")]


def test_an_objective_planned_ahead(book):
    said = {"scope": {"person": "ana"}, "metric": "interactions:visit", "target": "40"}
    quarter = {"from": "2026-04-01", "to": "2026-06-30"}
    book.say("objective-o", "objective.set", "2026-04-01", recorded="2026-03-01", period=quarter, **said)
    asked = book, "objective_versions", "scope_kind scope metric target_e6 period_from period_to"
    expected = [("person", "ana", "interactions:visit", 40_000_000, "2026-04-01", "2026-06-30")]
    assert told(*asked, "2026-03-31") == []
    assert told(*asked, "2026-04-01") == told(*asked, "2026-04-30", "2026-03-02") == expected


def test_what_a_campaign_cost_and_what_came_back(book):
    launched = {"name": "Spring", "channel": "mail", "starts_on": "2026-03-01", "budget": eur(500)}
    book.say("campaign-spring", "campaign.launched", "2026-03-01", **launched)
    book.say("campaign-spring", "campaign.spent", "2026-03-02", value=eur(200), what="print")
    book.say("campaign-spring", "campaign.responses_counted", "2026-03-10", sent=1_000, opened=300)
    book.say("campaign-spring", "campaign.responses_counted", "2026-03-20", opened=400)
    book.say("campaign-spring", "campaign.spent", "2026-03-03", recorded="2026-04-02", value=eur(100))
    book.say("channel-mail", "channel.spent", "2026-03-05", value=eur(30))
    asked = book, "costs", "stream channel what value_minor spent_at"
    own = ("channel-mail", None, None, 30, "2026-03-05")
    printed = ("campaign-spring", "mail", "print", 200, "2026-03-02")
    late = ("campaign-spring", "mail", None, 100, "2026-03-03")
    assert told(*asked, "2026-03-31") == [printed, own]
    assert told(*asked, "2026-03-31", "2026-04-02") == [printed, late, own]
    counts = book, "campaign_versions", "name channel budget_minor sent_count opened_count clicked_count"
    assert told(*counts, "2026-03-15") == [("Spring", "mail", 500, 1_000, 300, None)]
    assert told(*counts, "2026-03-31") == [("Spring", "mail", 500, 1_000, 400, None)]


def test_the_latest_count_of_a_day_counts(book):
    book.say("channel-web", "channel.counted", "2026-03-02", on="2026-03-01", visits=100, carts=9)
    book.say("channel-web", "channel.counted", "2026-03-03", on="2026-03-02", visits=50)
    book.say("channel-web", "channel.counted", "2026-03-05", on="2026-03-01", visits=110)
    asked = book, "channel_counts", "day visits_count carts_count counted_at"
    second = ("2026-03-02", 50, None, "2026-03-03")
    assert told(*asked, "2026-03-04") == [("2026-03-01", 100, 9, "2026-03-02"), second]
    assert sorted(told(*asked, "2026-03-05")) == [("2026-03-01", 110, None, "2026-03-05"), second]
    book.retracted("channel-web", 3, "2026-03-09")
    assert sorted(told(*asked, "2026-03-05", "2026-03-09")) == [("2026-03-01", 100, 9, "2026-03-02"), second]
