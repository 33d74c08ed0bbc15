"""Random streams for property tests, in any order of effect, with retractions and corrections."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from ledger.codec import Recorded
from ledger.events import (
    CampaignClosed,
    CampaignLaunched,
    CampaignResponsesCounted,
    CampaignSpent,
    ChannelCounted,
    ChannelSpent,
    Commitment,
    ContactAdded,
    ContactChanged,
    ContactRemoved,
    CustomerChurned,
    CustomerMerged,
    CustomerQualified,
    CustomerReactivated,
    CustomerReclassified,
    CustomerRegistered,
    DealAbandoned,
    DealAssigned,
    DealCredited,
    DealDelivered,
    DealInvoiced,
    DealLost,
    DealMerged,
    DealOpened,
    DealReclassified,
    DealReopened,
    DealRevalued,
    DealStageChanged,
    DealWon,
    Event,
    EventCorrected,
    EventRetracted,
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
    Period,
    PersonJoined,
    PersonLeft,
    PersonMoved,
    PipelineDefined,
    PipelineRedefined,
    QuoteAccepted,
    QuoteDeclined,
    QuoteIssued,
    QuoteRevised,
    RateFixed,
    Satisfaction,
    Scope,
    Sealed,
    Stage,
    TaskAssigned,
    TaskCancelled,
    TaskDone,
    TaskPlanned,
    TaskRescheduled,
)
from ledger.times import format_instant

SEALED = Sealed(commitment=Commitment(c="c" * 44, s="subject"))
TEXT = st.sampled_from(["a", "b", "c"])
PLANNED = {"objective", "person", "pipeline", "rate"}


def euros(minor: int) -> Money:
    return Money(currency="EUR", minor=minor)


def opened(**fields) -> DealOpened:
    """An opening of which only what matters needs saying."""
    said: dict[str, Any] = {"pipeline": "std", "stage": "a", "owner": "a", "title": SEALED} | fields
    return DealOpened(**said)


MONEY = st.integers(0, 3).map(lambda units: euros(units * 100))
LINE = st.builds(Line, product=TEXT, quantity=st.sampled_from(["1", "2.5"]), value=MONEY, margin=st.none() | MONEY)
LINES = st.none() | st.lists(LINE, min_size=1, max_size=2)


def stages(names: list[str]) -> list[Stage]:
    return [Stage(category="pipeline", name=name, probability_bp=100 * len(names), stage=name) for name in names]


QUARTER = Period(first="2026-01-01", last="2026-03-31")
SCOPES = st.sampled_from([Scope(company=True), Scope(team="a"), Scope(person="a")])
DUE = st.sampled_from(["2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"])
DAYS = st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"])
COUNTS = st.none() | st.integers(0, 3)

STAGES = st.lists(TEXT, min_size=1, max_size=3, unique=True).map(stages)

EVENTS_OF: dict[str, st.SearchStrategy[Event]] = {
    "deal": st.one_of(
        st.builds(opened, value=st.none() | MONEY, lines=LINES),
        st.builds(DealStageChanged, stage=TEXT),
        st.builds(DealRevalued, value=st.none() | MONEY, margin=st.none() | MONEY, lines=LINES),
        st.builds(DealAssigned, owner=TEXT),
        st.builds(DealReclassified, customer=TEXT),
        st.builds(DealWon, value=st.none() | MONEY, quantity=st.none() | st.just("4")),
        st.builds(DealLost, reason=st.just("price"), competitor=st.none() | TEXT),
        st.builds(DealAbandoned, reason=st.just("none")),
        st.builds(DealReopened, reason=st.just("back"), stage=TEXT),
        st.builds(DealMerged, into=TEXT),
        st.builds(DealInvoiced, invoice=TEXT, value=MONEY),
        st.builds(DealDelivered, quantity=st.none() | st.just("2")),
        st.builds(DealCredited, reason=TEXT, value=MONEY, margin=st.none() | MONEY),
    ),
    "quote": st.one_of(
        st.builds(QuoteIssued, customer=TEXT, number=TEXT, value=MONEY, deal=st.none() | TEXT, lines=LINES),
        st.builds(QuoteRevised, value=st.none() | MONEY),
        st.just(QuoteAccepted()),
        st.just(QuoteDeclined()),
    ),
    "customer": st.one_of(
        st.builds(CustomerRegistered, kind=st.just("lead"), name=TEXT),
        st.builds(CustomerQualified, kind=st.sampled_from(["lead", "customer"])),
        st.builds(CustomerReclassified, region=TEXT),
        st.builds(CustomerMerged, into=TEXT),
        st.builds(ContactAdded, contact=TEXT, name=st.just(SEALED)),
        st.builds(ContactChanged, contact=TEXT, role=TEXT),
        st.builds(ContactRemoved, contact=TEXT),
        st.builds(CustomerChurned, reason=TEXT),
        st.just(CustomerReactivated()),
    ),
    "person": st.one_of(
        st.builds(PersonJoined, team=TEXT, role=st.just("rep"), name=st.just(SEALED)),
        st.builds(PersonMoved, team=TEXT),
        st.just(PersonLeft()),
    ),
    "pipeline": st.one_of(
        st.builds(PipelineDefined, name=TEXT, stages=STAGES), st.builds(PipelineRedefined, stages=STAGES)
    ),
    "interaction": st.one_of(
        st.builds(
            InteractionLogged,
            kind=st.sampled_from(["visit", "complaint"]),
            direction=st.just("in"),
            customer=TEXT,
            owner=st.none() | TEXT,
            duration_minutes=COUNTS,
            satisfaction=st.none() | st.just(Satisfaction(scale="nps", score=9)),
        ),
        st.just(InteractionResolved()),
        st.builds(InteractionConverted, deal=TEXT),
    ),
    "task": st.one_of(
        st.builds(TaskPlanned, kind=TEXT, owner=TEXT, due_at=DUE),
        st.builds(TaskRescheduled, due_at=DUE),
        st.builds(TaskAssigned, owner=TEXT),
        st.just(TaskDone()),
        st.builds(TaskCancelled, reason=st.none() | TEXT),
    ),
    "objective": st.one_of(
        st.builds(ObjectiveSet, scope=SCOPES, metric=st.just("amount"), period=st.just(QUARTER), target=MONEY),
        st.builds(ObjectiveRevised, target=MONEY | st.just("4")),
        st.builds(ObjectiveCancelled, reason=TEXT),
    ),
    "call": st.one_of(
        st.builds(
            ForecastSubmitted,
            scope=SCOPES,
            period=st.just(QUARTER),
            category=st.sampled_from(["commit", "best_case"]),
            value=MONEY,
        ),
        st.just(ForecastWithdrawn()),
    ),
    "campaign": st.one_of(
        st.builds(CampaignLaunched, name=TEXT, channel=TEXT, starts_on=DAYS, budget=st.none() | MONEY),
        st.builds(CampaignSpent, value=MONEY, what=st.none() | TEXT),
        st.builds(CampaignResponsesCounted, sent=COUNTS, opened=COUNTS),
        st.just(CampaignClosed()),
    ),
    "channel": st.one_of(
        st.builds(ChannelSpent, value=MONEY),
        st.builds(ChannelCounted, on=DAYS, visits=COUNTS, orders=COUNTS),
    ),
    "rate": st.builds(RateFixed, base=st.just("EUR"), rate=st.sampled_from(["1", "2"])),
}


@st.composite
def streams(draw, kind: str, *, in_order: bool = False, most: int = 10) -> list[Recorded]:
    """A stream of one kind over a few instants, so that much falls together."""
    events: list[Recorded] = []
    position, recorded_at, effective_at = 0, 0, 0
    first_is_opening = draw(st.booleans())
    for version in range(1, draw(st.integers(1, most)) + 1):
        recorded_at += draw(st.sampled_from([0, 1, 2]))
        position += draw(st.integers(1, 3))
        latest = recorded_at + 4 if kind in PLANNED else recorded_at
        if in_order:
            effective_at = draw(st.integers(min(effective_at, latest), latest))
        else:
            effective_at = draw(st.integers(0, latest) | st.just(recorded_at))
        data = draw(EVENTS_OF[kind])
        if version == 1 and first_is_opening and kind == "deal":
            data = opened(value=euros(100))
        targets = [event for event in events if not isinstance(event.data, EventCorrected | EventRetracted)]
        how = draw(st.sampled_from(["say", "say", "say", "retract", "correct"]))
        if not in_order and events and how == "retract":
            data = EventRetracted(reason="wrong", version=draw(st.sampled_from(events)).version)
        elif not in_order and targets and how == "correct":
            target = draw(st.sampled_from(targets))
            other = draw(_like(kind, target.data))
            data = EventCorrected(
                reason="wrong",
                version=target.version,
                effective_at=draw(st.none() | st.integers(0, latest).map(format_instant)),
                data=draw(st.none() | st.just(_plain(other))),
            )
        events.append(
            Recorded(
                position,
                f"{kind}-1",
                version,
                data.TYPE,
                effective_at,
                recorded_at,
                recorded_at + position,
                data,
                "tester",
            )
        )
    return events


def _like(kind: str, data: Event) -> st.SearchStrategy[Event]:
    return EVENTS_OF[kind].filter(lambda event: type(event) is type(data))


def _plain(event: Event) -> dict[str, object]:
    plain: dict[str, object] = msgspec.json.decode(msgspec.json.encode(event))
    return plain
