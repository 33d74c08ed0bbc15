"""Saying again what is so appends nothing, and whatever is accepted leaves every stream's history legal."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.application import open_ledger
from ledger.errors import Refused
from ledger.events import EVENTS
from ledger.history import visible
from ledger.repeating import ADDS_UP
from ledger.stream import Stream, replay
from ledger.times import format_instant
from tests.support.lines import STAGES, Clock, check_log, corrected, eur, opened, pipeline, retracted, say, team

SETTINGS: dict[str, Any] = {
    "name": "b",
    "currency": "EUR",
    "time_zone": "Europe/Paris",
    "fiscal_year_start_month": 1,
    "locale": "fr",
}
QUOTE: dict[str, Any] = {"customer": "c", "number": "Q-1", "value": eur(100)}
LINES = [{"product": "p", "quantity": "2", "value": eur(100)}]
CALL: dict[str, Any] = {"scope": {"person": "ana"}, "period": {"from": "2026-07-01", "to": "2026-09-30"}}
TALK: dict[str, Any] = {"direction": "out", "customer": "c"}

COUNTED = {event.TYPE for event in ADDS_UP}

EVERY_DECISION = [
    say("book", "book.opened", **SETTINGS),
    say("book", "book.settings_changed", lapse_after_days=90, thresholds={"wins": 3}),
    pipeline(),
    say("pipeline-sales", "pipeline.redefined", stages=STAGES[:2]),
    team("a"),
    say("team-a", "team.moved", parent="b"),
    say("team-a", "team.renamed", name="x"),
    say("team-a", "team.closed"),
    say("person-ana", "person.joined", name="Ana", email="a@example.org", team="a", role="rep"),
    say("person-ana", "person.moved", team="b"),
    say("person-ana", "person.role_changed", role="manager"),
    say("person-ana", "person.left"),
    say("product-p", "product.listed", name="P", unit_price=eur(5), attributes={"size": 3}),
    say("product-p", "product.changed", unit_cost=eur(2)),
    say("product-p", "product.retired"),
    say("rate-USD", "rate.fixed", base="EUR", rate="0.92"),
    say("customer-c", "customer.registered", name="Acme", kind="lead"),
    say("customer-c", "customer.qualified", kind="customer"),
    say("customer-c", "customer.reclassified", region="south"),
    say("customer-c", "customer.assigned", owner="ana"),
    say("customer-c", "customer.renamed", name="Acme & Sons"),
    say("customer-c", "contact.added", contact="j", name="Jean", phone="1"),
    say("customer-c", "contact.added", contact="k", name="Kim"),
    say("customer-c", "contact.changed", contact="j", name="Jeanne"),
    say("customer-c", "contact.removed", contact="j"),
    say("customer-c", "customer.churned", reason="price"),
    say("customer-c", "customer.reactivated"),
    say("customer-c", "customer.merged", into="d"),
    say("customer-p", "customer.registered", name="Paul", person=True, kind="lead"),
    say("customer-p", "customer.renamed", name="Paula"),
    opened(value=eur(90), stage="offer", attributes={"b": 1, "a": True}),
    say("deal-d1", "deal.stage_changed", stage="lead"),
    say("deal-d1", "deal.revalued", lines=LINES, margin=eur(-5)),
    say("deal-d1", "deal.close_date_changed", expected_close_on="2026-09-30"),
    say("deal-d1", "deal.assigned", owner="bob"),
    {"stream": "deal-d1", "type": "deal.probability_set", "data": {"probability_bp": 100}},
    {"stream": "deal-d1", "type": "deal.probability_set", "data": {"probability_bp": None}},
    say("deal-d1", "deal.category_set", category="commit"),
    {"stream": "deal-d1", "type": "deal.category_set", "data": {"category": None}},
    say("deal-d1", "deal.reclassified", region="south", attributes={"b": 2}),
    say("deal-d1", "deal.retitled", title="Valves"),
    say("deal-d1", "deal.won", order="o1", value=eur(100)),
    say("deal-d1", "deal.invoiced", invoice="i1", value=eur(60)),
    say("deal-d1", "deal.delivered", quantity="1"),
    say("deal-d1", "deal.credited", value=eur(1), reason="broken"),
    say("deal-d1", "deal.reopened", stage="lead", reason="returned"),
    say("deal-d1", "deal.lost", reason="price", note="too dear"),
    corrected("deal-d1", 1, opened(title="Taps", stage="offer")["data"]),
    retracted("deal-d1", 4),
    retracted("deal-d1", 19),
    opened("d2"),
    say("deal-d2", "deal.abandoned", reason="x", note="y"),
    opened("d3"),
    say("deal-d3", "deal.merged", into="d2"),
    say("quote-q", "quote.issued", **QUOTE),
    say("quote-q", "quote.revised", value=eur(120), valid_until="2026-12-31"),
    say("quote-q", "quote.accepted"),
    say("quote-r", "quote.issued", **QUOTE),
    say("quote-r", "quote.declined", reason="price"),
    say("quote-s", "quote.issued", **QUOTE),
    say("quote-s", "quote.expired"),
    say("quote-t", "quote.issued", **QUOTE),
    say("quote-t", "quote.withdrawn"),
    say("interaction-i", "interaction.logged", **TALK, kind="complaint", contact="j", notes="Leaks"),
    say("interaction-i", "interaction.resolved"),
    say("interaction-j", "interaction.logged", **TALK, kind="cart", satisfaction={"scale": "nps", "score": 9}),
    say("interaction-j", "interaction.converted", deal="d1"),
    say("task-t", "task.planned", kind="call", due_at="2026-06-30", owner="ana", contact="j", subject="Ask again"),
    say("task-t", "task.rescheduled", due_at="2026-07-01T09:00:00+02:00"),
    say("task-t", "task.assigned", owner="bob"),
    say("task-t", "task.done"),
    say("task-u", "task.planned", kind="call", due_at="2026-06-30T12:00:00Z", owner="ana", customer="c"),
    say("task-u", "task.cancelled", reason="duplicate"),
    say("objective-o", "objective.set", **CALL, metric="amount", target=eur(5), statement="Ana at her best"),
    say("objective-o", "objective.revised", target=eur(6)),
    say("objective-o", "objective.cancelled", reason="x"),
    say("objective-p", "objective.set", "2027-01-01", **CALL, metric="interactions:visit", target="40"),
    say("call-k", "forecast.submitted", **CALL, category="commit", value=eur(5), note="Without d2"),
    say("call-k", "forecast.submitted", **CALL, category="best_case", value=eur(7)),
    say("call-k", "forecast.withdrawn"),
    say("campaign-s", "campaign.launched", name="Spring", channel="web", starts_on="2026-05-01", budget=eur(9)),
    say("campaign-s", "campaign.spent", value=eur(3), what="printing"),
    say("campaign-s", "campaign.responses_counted", sent=100, opened=0),
    say("campaign-s", "campaign.responses_counted", opened=10),
    say("campaign-s", "campaign.closed"),
    say("channel-web", "channel.spent", value=eur(3)),
    say("channel-web", "channel.counted", on="2026-05-31", visits=4, carts=1),
    say("channel-web", "channel.counted", on="2026-05-30", visits=3, orders=0),
    say("book", "book.history_closed"),
]


def decisions(clock):
    """Every decision, a second after the one before. What adds up says when it was, for only then can it be repeated."""
    for line in EVERY_DECISION:
        clock.instant += 1_000_000
        adds_up = line["type"] in COUNTED
        yield line | {"effective_at": format_instant(clock.instant)} if adds_up else line


def test_every_type_is_among_them():
    assert {line["type"] for line in EVERY_DECISION} == set(EVENTS) - {"subject.erased"}  # which no line can say


def test_repeating_any_decision_appends_nothing(ledger, clock):
    """Each decision of every kind, said twice: at once, and once more in the request that follows."""
    for line in decisions(clock):
        assert [receipt.appended for receipt in ledger.append([line, line], actor="ana")] == [True, False], line
        head = ledger.head()
        [receipt] = ledger.append([line], actor="bob")
        assert (receipt.appended, receipt.version) == (False, len(ledger.stream(line["stream"]))), line
        assert ledger.head() == head
    check_log(ledger)


DAYS = st.integers(1, 28).map(lambda day: f"2026-05-{day:02}")
AT = st.one_of(
    st.none(), DAYS, st.integers(0, 27 * 24).map(lambda hour: f"2026-05-{hour // 24 + 1:02}T{hour % 24:02}:30:00Z")
)
STAGE = st.sampled_from(["lead", "offer", "closing"])
MONEY = st.integers(0, 3).map(eur)
OPENING = st.builds(lambda stage, value: opened(stage=stage, value=value)["data"], STAGE, MONEY)
DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "deal.opened": OPENING,
    "deal.stage_changed": st.fixed_dictionaries({"stage": STAGE}),
    "deal.revalued": st.fixed_dictionaries({"value": MONEY}),
    "deal.assigned": st.fixed_dictionaries({"owner": st.sampled_from(["ana", "bob"])}),
    "deal.retitled": st.fixed_dictionaries({"title": st.sampled_from(["Pumps", "Taps"])}),
    "deal.won": st.fixed_dictionaries({}, optional={"value": MONEY}),
    "deal.lost": st.fixed_dictionaries({"reason": st.sampled_from(["price", "other"])}),
    "deal.reopened": st.fixed_dictionaries({"stage": STAGE, "reason": st.just("x")}),
    "deal.invoiced": st.fixed_dictionaries({"invoice": st.just("i"), "value": MONEY}),
    "deal.merged": st.just({"into": "d2"}),
    "event.retracted": st.fixed_dictionaries({"version": st.integers(1, 12), "reason": st.just("typo")}),
}
DATA["event.corrected"] = st.fixed_dictionaries(
    {"version": st.integers(1, 8), "reason": st.just("typo")},
    optional={"effective_at": DAYS, "data": st.one_of(OPENING, DATA["deal.stage_changed"], DATA["deal.won"])},
)
COMMON = ["deal.opened", "deal.stage_changed", "deal.won", "deal.reopened", "event.retracted", "event.corrected"]
KIND = st.sampled_from([*DATA, *COMMON])
SAID = KIND.flatmap(lambda type_: st.tuples(st.just(type_), AT, DATA[type_], st.booleans()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SAID, min_size=4, max_size=14), st.integers(0, 2**40))
def test_whatever_is_accepted_leaves_the_whole_history_legal(database_url, said, seed):
    """Back-dated, retracted, corrected: decided from a cache or not, what the log then holds replays from the start."""
    clock = Clock()
    ledger = open_ledger(database_url, f"legal{seed}", clock=clock)
    lines = [pipeline(), opened(at="2026-05-01T08:00:00Z")] if not ledger.head().position else []
    for line in lines:
        ledger.append([line], actor="ana")
    for type_, at, data, history in said:
        clock.instant += 1_000_000
        line = {"stream": "deal-d1", "type": type_, "data": data}
        with contextlib.suppress(Refused):
            ledger.append([line if at is None else line | {"effective_at": at}], actor="ana", history=history)
            events = ledger.stream("deal-d1")
            replay("deal", visible(events))
            assert all(event.effective_at <= event.recorded_at for event in events)
            if not history:
                assert not ledger.append([line | {"effective_at": at} if at else line], actor="ana")[0].appended or (
                    type_ == "deal.invoiced" and at is None
                )
    check_log(ledger)
    ledger.close()


def test_a_stream_kept_at_hand_is_the_stream_that_is_read(ledger, clock):
    """After every append, what the next decision starts from equals what the log holds."""
    for line in decisions(clock):
        ledger.append([line], actor="ana")
        name = line["stream"]
        kept = ledger._appender._session._streams.get(name)
        if kept is None:
            continue
        read = Stream(name, ledger.stream(name))
        assert (kept.version, kept.state, kept.last_effective_at) == (read.version, read.state, read.last_effective_at)
        assert [(each.effective_at, each.origin) for each in kept.shown] == [
            (each.effective_at, each.origin) for each in read.shown
        ]
