"""What each fold makes of its events."""

from __future__ import annotations

from itertools import permutations
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events import (
    EVENTS,
    CampaignClosed,
    CampaignLaunched,
    CampaignResponsesCounted,
    CampaignSpent,
    ChannelCounted,
    ChannelSpent,
    ContactAdded,
    ContactChanged,
    ContactRemoved,
    CustomerChurned,
    CustomerMerged,
    CustomerQualified,
    CustomerReactivated,
    CustomerRegistered,
    DealAbandoned,
    DealAssigned,
    DealCredited,
    DealDelivered,
    DealInvoiced,
    DealLost,
    DealMerged,
    DealReclassified,
    DealReopened,
    DealRevalued,
    DealStageChanged,
    DealWon,
    Event,
    ForecastSubmitted,
    ForecastWithdrawn,
    InteractionConverted,
    InteractionLogged,
    InteractionResolved,
    Line,
    Money,
    ObjectiveCancelled,
    ObjectiveRevised,
    ObjectiveSet,
    PersonJoined,
    PersonLeft,
    PipelineDefined,
    PipelineRedefined,
    ProductListed,
    ProductRetired,
    QuoteAccepted,
    QuoteIssued,
    Satisfaction,
    Scope,
    TaskAssigned,
    TaskCancelled,
    TaskDone,
    TaskPlanned,
    TaskRescheduled,
)
from ledger.kinds import KINDS
from ledger.times import parse_instant
from projections.facts import FOLDS, RESOLVED
from projections.facts.names import sealed, split
from projections.facts.worth import NOTHING, revalue
from projections.tables import INTERVAL_COLUMNS, PLANNED, TABLES
from tests.projections.histories import EVENTS_OF, LINES, MONEY, QUARTER, SEALED, euros, opened, stages


def after(kind: str, *events: Event, at: tuple[int, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """The tables of a stream after these events, one instant apart."""
    fold, state = FOLDS[kind], None
    for number, event in enumerate(events):
        state = fold.step(state, event, at[number] if at else number, number + 1)
    return {
        name: [dict(zip(payload_columns(name), payload, strict=True)) for payload in (show(state) if state else ())]
        for name, show in fold.tables
    }


def payload_columns(table: str) -> list[str]:
    return [column.name for column in TABLES[table].columns][len(INTERVAL_COLUMNS) :]


def deal(*events: Event, **options) -> dict[str, list[dict[str, Any]]]:
    return after("deal", *events, **options)


def line(product: str | None, minor: int, margin: int | None = None, quantity: str = "1") -> Line:
    return Line(
        product=product, quantity=quantity, value=euros(minor), margin=None if margin is None else euros(margin)
    )


def test_every_event_type_is_folded_or_ignored_for_a_reason():
    folded = {event for fold in FOLDS.values() for event in fold.events}
    ignored = {event for fold in FOLDS.values() for event in fold.ignored}
    assert folded | ignored | set(RESOLVED) == set(EVENTS.values())
    assert not folded & ignored
    assert all(reason for fold in FOLDS.values() for reason in fold.ignored.values())


def test_kinds_and_what_may_be_planned_are_those_of_the_ledger():
    assert FOLDS.keys() == KINDS.keys()
    assert {kind: fold.planned for kind, fold in FOLDS.items()} == {
        kind: rules.planned for kind, rules in KINDS.items()
    }
    planned = {name for fold in FOLDS.values() if fold.planned for name, _ in fold.tables}
    assert planned == PLANNED


def test_every_table_is_written_by_some_fold():
    assert {name for fold in FOLDS.values() for name, _ in fold.tables} == TABLES.keys()


@pytest.mark.parametrize("kind", sorted(EVENTS_OF))
@given(data=st.data())
def test_folds_never_raise_and_fill_every_column_whatever_the_order(kind, data):
    after(kind, *data.draw(st.lists(EVENTS_OF[kind], max_size=8)))


def test_a_deal_that_was_never_opened_is_nothing():
    assert not any(deal(DealWon(), DealStageChanged(stage="b")).values())


def test_an_unknown_value_stays_unknown():
    (version,) = deal(opened())["deal_versions"]
    assert (version["value_minor"], version["margin_minor"], version["currency"]) == (None, None, None)
    assert deal(opened(), DealWon())["wins"][0]["value_minor"] is None


def test_winning_shows_the_deal_as_it_was_when_it_was_won():
    tables = deal(opened(value=euros(100), customer="c"), DealWon(), DealReclassified(customer="d"))
    assert tables["wins"][0]["customer"] == "c"
    assert tables["deal_versions"][0]["customer"] == "d"
    assert tables["wins"][0]["closed_at"] == 1


def test_what_happens_at_the_instant_of_winning_still_counts():
    tables = deal(opened(customer="c"), DealWon(), DealReclassified(customer="d"), at=(0, 5, 5))
    assert tables["wins"][0]["customer"] == "d"


def test_reopening_takes_the_win_back():
    tables = deal(opened(value=euros(100)), DealWon(value=euros(120)), DealReopened(reason="back", stage="b"))
    assert tables["wins"] == []
    version = tables["deal_versions"][0]
    assert (version["status"], version["stage"], version["value_minor"]) == ("open", "b", 120)


def test_won_reopened_and_lost_is_a_loss():
    tables = deal(
        opened(value=euros(100)),
        DealWon(),
        DealReopened(reason="back", stage="b"),
        DealLost(reason="price", competitor="x"),
    )
    assert (tables["wins"], tables["win_lines"]) == ([], [])
    assert tables["losses"][0] | {"outcome": "lost", "reason": "price", "competitor": "x"} == tables["losses"][0]


def test_of_two_closings_the_later_in_effect_counts():
    closings = [DealWon(), DealLost(reason="price"), DealAbandoned(reason="none")]
    for order in permutations(closings):
        tables = deal(opened(), *order)
        last = {DealWon: "won", DealLost: "lost", DealAbandoned: "abandoned"}[type(order[-1])]
        assert tables["deal_versions"][0]["status"] == last
        assert bool(tables["wins"]) == (last == "won")
        assert [loss["outcome"] for loss in tables["losses"]] == ([] if last == "won" else [last])


def test_a_merged_duplicate_is_no_longer_open_lost_or_won():
    tables = deal(opened(lines=[line("a", 100)]), DealLost(reason="price"), DealMerged(into="other"))
    assert tables["deal_versions"][0]["status"] == "merged"
    assert not any(rows for name, rows in tables.items() if name != "deal_versions")


def test_a_won_deal_cannot_be_merged_away():
    assert deal(opened(), DealWon(), DealMerged(into="other"))["wins"]


def test_a_closed_deal_is_not_moved():
    tables = deal(opened(), DealLost(reason="price"), DealStageChanged(stage="z"), DealAssigned(owner="z"))
    assert (tables["deal_versions"][0]["stage"], tables["deal_versions"][0]["owner"]) == ("a", "a")


def test_lines_are_shown_while_the_deal_is_open_and_with_its_win():
    tables = deal(opened(lines=[line("a", 100), line("b", 50)]), DealWon())
    assert tables["deal_lines"] == []
    assert [(row["product"], row["value_minor"]) for row in tables["win_lines"]] == [("a", 100), ("b", 50)]


def test_winning_with_a_new_value_puts_the_difference_on_no_product():
    tables = deal(opened(lines=[line("a", 100)]), DealWon(value=euros(90)))
    assert [(row["product"], row["value_minor"]) for row in tables["win_lines"]] == [("a", 100), (None, -10)]
    assert tables["wins"][0]["value_minor"] == 90


def test_revaluing_without_lines_drops_the_lines():
    assert deal(opened(lines=[line("a", 100)]), DealRevalued(value=euros(90)))["deal_lines"] == []


def test_a_margin_is_shared_over_lines_that_have_none():
    tables = deal(opened(lines=[line("a", 100), line("b", 100), line("c", 100)], margin=euros(100)))
    assert [row["margin_minor"] for row in tables["deal_lines"]] == [34, 33, 33]


def test_a_value_in_another_currency_leaves_the_margin_unknown():
    tables = deal(opened(value=euros(100), margin=euros(40)), DealRevalued(value=Money(currency="USD", minor=110)))
    version = tables["deal_versions"][0]
    assert (version["value_minor"], version["currency"], version["margin_minor"]) == (110, "USD", None)


@given(
    data=st.lists(
        st.tuples(st.none() | MONEY, st.none() | MONEY, st.none() | st.just("3"), LINES, st.booleans()),
        max_size=4,
    )
)
def test_lines_always_add_up_to_the_whole(data):
    worth = NOTHING
    for value, margin, quantity, lines, winning in data:
        worth = revalue(worth, value, margin, quantity, lines, keep_lines=winning)
        if worth.lines:
            assert sum(row[2] for row in worth.lines) == worth.value_minor
            assert sum(row[4] for row in worth.lines) == worth.quantity_e6
            assert [row[0] for row in worth.lines] == list(range(1, len(worth.lines) + 1))
            if worth.margin_minor is not None:
                assert sum(row[3] for row in worth.lines) == worth.margin_minor


def test_invoices_deliveries_and_credit_notes_add_up_on_the_deal_as_it_was():
    tables = deal(
        opened(value=euros(100), customer="c"),
        DealWon(),
        DealInvoiced(invoice="i1", value=euros(60), margin=euros(20)),
        DealReclassified(customer="d"),
        DealInvoiced(invoice="i2", value=euros(40)),
        DealDelivered(quantity="2.5"),
        DealCredited(invoice="i1", reason="damaged", value=euros(10), margin=euros(3)),
    )
    names = ("entry", "invoice", "customer", "value_minor", "margin_minor", "quantity_e6", "invoiced_at")
    assert [tuple(row[name] for name in names) for row in tables["invoices"]] == [
        ("invoice", "i1", "c", 60, 20, None, 2),
        ("invoice", "i2", "d", 40, None, None, 4),
        ("delivery", None, "d", None, None, 2_500_000, 5),
        ("credit", "i1", "d", -10, -3, None, 6),
    ]


def test_two_invoices_that_say_the_same_are_two():
    invoice = DealInvoiced(invoice="i1", value=euros(60))
    assert len(deal(opened(), DealWon(), invoice, invoice, at=(0, 1, 2, 2))["invoices"]) == 2


def test_what_happens_at_the_instant_of_an_invoice_still_counts_for_it():
    invoice = DealInvoiced(invoice="i1", value=euros(60))
    tables = deal(opened(customer="c"), DealWon(), invoice, invoice, DealReclassified(customer="d"), at=(0, 1, 2, 5, 5))
    assert [row["customer"] for row in tables["invoices"]] == ["c", "d"]


def test_an_invoice_of_the_instant_of_a_reopening_is_of_the_deal_after_it():
    invoice = DealInvoiced(invoice="i1", value=euros(60))
    again = [DealReopened(reason="back", stage="b"), DealAssigned(owner="z"), DealStageChanged(stage="c")]
    tables = deal(opened(), DealWon(), invoice, *again, at=(0, 1, 5, 5, 5, 5))
    assert [(row["owner"], row["stage"]) for row in tables["invoices"]] == [("z", "c")]
    tables = deal(opened(), DealWon(), invoice, *again, at=(0, 1, 5, 6, 6, 6))
    assert [(row["owner"], row["stage"]) for row in tables["invoices"]] == [("a", "a")]


def test_an_invoice_outlives_the_win_but_not_a_merger():
    before = [opened(), DealWon(), DealInvoiced(invoice="i1", value=euros(60)), DealReopened(reason="back", stage="a")]
    assert len(deal(*before)["invoices"]) == 1
    assert deal(*before, DealMerged(into="other"))["invoices"] == []


def test_a_margin_in_another_currency_than_its_invoice_is_unknown():
    invoice = DealInvoiced(invoice="i1", value=euros(60), margin=Money(currency="USD", minor=20))
    assert deal(opened(), DealWon(), invoice)["invoices"][0]["margin_minor"] is None


REGISTERED = CustomerRegistered(kind="lead", name="Acme")


def test_a_customer_tells_when_it_came_as_what_and_since_when_it_is_what_it_is():
    same = CustomerQualified(kind="customer")
    (version,) = after("customer", REGISTERED, same, same)["customer_versions"]
    names = ("registered_at", "registered_kind", "kind", "kind_since_at")
    assert [version[name] for name in names] == [0, "lead", "customer", 1]


def test_contacts_come_change_and_go():
    tables = after(
        "customer",
        REGISTERED,
        ContactAdded(contact="ida", name=SEALED, role="buyer"),
        ContactAdded(contact="jim", name=SEALED, phone=SEALED),
        ContactChanged(contact="ida", email=SEALED),
        ContactRemoved(contact="jim"),
        ContactRemoved(contact="nobody"),
    )
    (ida,) = tables["contact_versions"]
    assert (ida["contact"], ida["role"], ida["added_at"], ida["phone_commitment"]) == ("ida", "buyer", 1, None)
    assert ida["name_commitment"] == ida["email_commitment"] == "subject/" + "c" * 44


def test_a_customer_declared_lost_is_so_until_declared_back():
    churned = [REGISTERED, CustomerChurned(reason="price"), CustomerChurned(reason="again")]
    assert after("customer", *churned)["churns"] == [{"reason": "price", "churned_at": 1}]
    assert after("customer", *churned, CustomerReactivated())["churns"] == []


def test_nothing_happens_to_a_customer_merged_away():
    tables = after("customer", REGISTERED, CustomerMerged(into="b"), CustomerChurned(reason="price"))
    assert (tables["customer_versions"][0]["merged_into"], tables["churns"]) == ("b", [])


def test_a_quote_accepted_without_a_deal_is_a_win():
    issued = QuoteIssued(customer="c", number="Q1", value=euros(100), owner="ana", lines=[line("a", 100)])
    tables = after("quote", issued, QuoteAccepted())
    assert tables["quote_versions"][0]["status"] == "accepted"
    win = tables["wins"][0]
    assert (win["customer"], win["owner"], win["value_minor"], win["pipeline"]) == ("c", "ana", 100, None)
    assert tables["win_lines"][0]["product"] == "a"


def test_a_quote_accepted_with_a_deal_leaves_the_win_to_the_deal():
    issued = QuoteIssued(customer="c", number="Q1", value=euros(100), deal="d1")
    assert after("quote", issued, QuoteAccepted())["wins"] == []


def test_a_removed_stage_keeps_what_it_was_and_is_gone():
    tables = after(
        "pipeline", PipelineDefined(name="Std", stages=stages(["a", "b"])), PipelineRedefined(stages=stages(["b"]))
    )
    shown = {row["stage"]: (row["gone"], row["probability_bp"], row["stage_no"]) for row in tables["stage_versions"]}
    assert shown == {"a": (1, 200, 1), "b": (0, 100, 1)}


def test_a_stage_that_comes_back_is_no_longer_gone():
    tables = after(
        "pipeline",
        PipelineDefined(name="Std", stages=stages(["a", "b"])),
        PipelineRedefined(stages=stages(["b"])),
        PipelineRedefined(stages=stages(["a"])),
    )
    assert {row["stage"]: row["gone"] for row in tables["stage_versions"]} == {"a": 0, "b": 1}


def test_who_left_may_come_back():
    joined = PersonJoined(team="north", role="rep", name=SEALED)
    again = PersonJoined(team="south", role="manager", name=SEALED)
    (person,) = after("person", joined, PersonLeft(), again)["person_versions"]
    assert (person["team"], person["role"], person["active"]) == ("south", "manager", 1)


def test_a_retired_product_is_inactive():
    listed = ProductListed(name="P", range="r", unit_price=euros(100), unit_cost=Money(currency="USD", minor=3))
    (product,) = after("product", listed, ProductRetired())["product_versions"]
    assert (product["active"], product["unit_price_minor"], product["unit_cost_minor"]) == (0, 100, None)


def picked(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_an_interaction_is_one_row_with_when_it_was_settled_and_what_it_became():
    rating = Satisfaction(scale="csat", score=4)
    logged = InteractionLogged(kind="complaint", direction="in", customer="c", owner="ana", satisfaction=rating)
    (row,) = after("interaction", logged, InteractionResolved(), InteractionResolved())["interactions"]
    names = ("kind", "customer", "owner", "satisfaction_scale", "satisfaction_score", "logged_at", "resolved_at")
    assert picked(row, *names) == ("complaint", "c", "ana", "csat", 4, 0, 1)
    cart = InteractionLogged(kind="cart", direction="in", customer="c", duration_minutes=3)
    (row,) = after("interaction", cart, InteractionConverted(deal="d"), InteractionConverted(deal="e"))["interactions"]
    assert picked(row, "duration_minutes", "converted_deal", "converted_at", "resolved_at") == (3, "d", 1, None)
    assert after("interaction", InteractionResolved())["interactions"] == []


def test_a_task_is_put_off_and_handed_over_until_it_ends():
    first, second = "2026-01-05T22:59:59.999999Z", "2026-02-01T09:00:00.000000Z"
    before = [TaskPlanned(kind="call_back", owner="ana", due_at=first, deal="d"), TaskRescheduled(due_at=second)]
    (row,) = after("task", *before, TaskAssigned(owner="bob"))["task_versions"]
    names = ("status", "owner", "deal", "due_at", "planned_at", "ended_at")
    assert picked(row, *names) == ("planned", "bob", "d", parse_instant(second), 0, None)
    (row,) = after("task", *before, TaskDone(), TaskAssigned(owner="bob"))["task_versions"]
    assert picked(row, "status", "owner", "ended_at") == ("done", "ana", 2)
    (row,) = after("task", *before, TaskDone(), TaskCancelled())["task_versions"]
    assert picked(row, "status", "ended_at") == ("cancelled", 3)


def test_an_objective_has_the_target_revised_last_and_keeps_it_when_cancelled():
    said = ObjectiveSet(scope=Scope(team="north"), metric="amount", period=QUARTER, target=euros(900), kind="new")
    revised = ObjectiveRevised(target=euros(800))
    (row,) = after("objective", said, revised)["objective_versions"]
    names = ("scope_kind", "scope", "metric", "kind", "period_from", "period_to", "target_minor", "currency")
    expected = ("team", "north", "amount", "new", "2026-01-01", "2026-03-31", 800, "EUR")
    assert picked(row, *names, "cancelled") == (*expected, 0)
    (row,) = after("objective", said, ObjectiveCancelled(reason="moved"), revised)["objective_versions"]
    assert picked(row, "target_minor", "cancelled") == (900, 1)
    visits = ObjectiveSet(scope=Scope(person="ana"), metric="interactions:visit", period=QUARTER, target="12.5")
    (row,) = after("objective", visits)["objective_versions"]
    assert picked(row, "scope_kind", "target_minor", "target_e6", "currency") == ("person", None, 12_500_000, None)


def submitted(minor: int, category: Literal["commit", "best_case"] = "commit") -> ForecastSubmitted:
    return ForecastSubmitted(scope=Scope(company=True), period=QUARTER, category=category, value=euros(minor))


def test_of_forecasts_submitted_the_latest_of_each_category_stands_until_withdrawn():
    said = [submitted(100), submitted(150, "best_case"), submitted(90)]
    rows = {row["category"]: row for row in after("call", *said)["call_versions"]}
    assert picked(rows["commit"], "value_minor", "submitted_at", "scope_kind", "scope") == (90, 2, "company", None)
    assert picked(rows["best_case"], "value_minor", "submitted_at") == (150, 1)
    assert after("call", *said, ForecastWithdrawn())["call_versions"] == []
    (row,) = after("call", *said, ForecastWithdrawn(), submitted(80))["call_versions"]
    assert row["value_minor"] == 80


LAUNCHED = CampaignLaunched(name="Spring", channel="mail", starts_on="2026-03-01", budget=euros(500))


def test_a_campaign_has_its_last_totals_and_every_cost():
    tables = after(
        "campaign",
        LAUNCHED,
        CampaignSpent(value=euros(100), what="print"),
        CampaignSpent(value=euros(100), what="print"),
        CampaignResponsesCounted(sent=1_000, opened=200),
        CampaignResponsesCounted(opened=300, clicked=0),
        CampaignClosed(),
    )
    (row,) = tables["campaign_versions"]
    names = ("status", "channel", "budget_minor", "sent_count", "opened_count", "clicked_count", "called_count")
    assert picked(row, *names, "closed_at") == ("closed", "mail", 500, 1_000, 300, 0, None, 5)
    costs = [picked(each, "channel", "what", "value_minor", "spent_at") for each in tables["costs"]]
    assert costs == [("mail", "print", 100, 1), ("mail", "print", 100, 2)]
    assert not any(after("campaign", CampaignSpent(value=euros(1))).values())


def test_a_channel_needs_no_opening_and_a_day_counted_again_has_its_new_counts():
    tables = after(
        "channel",
        ChannelCounted(on="2026-01-02", visits=10, carts=3),
        ChannelSpent(value=euros(70)),
        ChannelCounted(on="2026-01-03", visits=20),
        ChannelCounted(on="2026-01-02", visits=11),
        ChannelCounted(on="2026-01-01", orders=1),
    )
    counts = [picked(each, "day", "visits_count", "carts_count", "orders_count") for each in tables["channel_counts"]]
    assert sorted(counts) == [
        ("2026-01-01", None, None, 1),
        ("2026-01-02", 11, None, None),
        ("2026-01-03", 20, None, None),
    ]
    assert [picked(each, "channel", "value_minor") for each in tables["costs"]] == [(None, 70)]


def test_a_persons_name_is_a_commitment_that_the_vault_can_open():
    clear, commitment = split(SEALED)
    assert clear is None
    assert commitment is not None
    assert sealed(commitment) == SEALED
    assert split("Acme") == ("Acme", None)
