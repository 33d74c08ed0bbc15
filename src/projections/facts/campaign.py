"""Campaigns and channels: `campaign_versions`, what they cost, and the counts of each channel's days."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, assert_never

import msgspec

from ledger.events import (
    CampaignClosed,
    CampaignLaunched,
    CampaignResponsesCounted,
    CampaignSpent,
    ChannelCounted,
    ChannelSpent,
)
from projections.grown import Grown, replaced
from projections.rectangle import Payload, Payloads
from projections.timeline import Fold

if TYPE_CHECKING:
    from projections.grown import Shown

CampaignEvent = CampaignLaunched | CampaignSpent | CampaignResponsesCounted | CampaignClosed
ChannelEvent = ChannelSpent | ChannelCounted


class Campaign(msgspec.Struct, frozen=True, gc=False):
    """A campaign as it stands; `responses` holds the last of each of its running totals."""

    launched: CampaignLaunched
    launched_at: int
    closed_at: int | None = None
    responses: CampaignResponsesCounted = CampaignResponsesCounted()
    costs: Shown = ()


class Channel(msgspec.Struct, frozen=True, gc=False):
    """What a channel cost, and the counts of its days, of which `last_day` is the last."""

    costs: Shown = ()
    counts: Shown = ()
    last_day: str = ""


def step_campaign(state: Campaign | None, event: CampaignEvent, at: int, position: int) -> Campaign | None:
    """The campaign after an event; None before its launch. What comes after its close, or before, counts all the same.

    Of two closes the first counts.
    """
    if state is None:
        return Campaign(event, at) if isinstance(event, CampaignLaunched) else None
    replace = msgspec.structs.replace
    match event:
        case CampaignSpent():
            return replace(state, costs=Grown(state.costs, _cost(state.launched.channel, event, at, position)))
        case CampaignResponsesCounted():
            said = {name: count for name, count in msgspec.structs.asdict(event).items() if count is not None}
            return replace(state, responses=replace(state.responses, **said))
        case CampaignClosed():
            return state if state.closed_at is not None else replace(state, closed_at=at)
        case CampaignLaunched():
            return state  # a second launch, seen before the retraction of the first
        case _:
            assert_never(event)


def step_channel(state: Channel | None, event: ChannelEvent, at: int, position: int) -> Channel:
    """The channel after an event; it needs no opening. A day counted again has its new counts alone."""
    state = state or Channel()
    replace = msgspec.structs.replace
    match event:
        case ChannelSpent():
            return replace(state, costs=Grown(state.costs, _cost(None, event, at, position)))
        case ChannelCounted(on=day):
            counted = (day, event.visits, event.carts, event.orders, at)
            if day > state.last_day:
                return replace(state, counts=Grown(state.counts, counted), last_day=day)
            return replace(state, counts=_counted(state.counts, counted))
        case _:
            assert_never(event)


def _counted(counts: Shown, counted: Payload) -> Shown:
    if not any(each[0] == counted[0] for each in counts):
        return Grown(counts, counted)
    return replaced(counts, lambda each: each[0] == counted[0], lambda _: counted)


def _cost(channel: str | None, event: CampaignSpent | ChannelSpent, at: int, position: int) -> Payload:
    return (channel, event.what, event.value.minor, event.value.currency, at, position)


def _versions(state: Campaign) -> Payloads:
    said, counted = state.launched, state.responses
    return (
        (
            "launched" if state.closed_at is None else "closed",
            said.name,
            said.channel,
            said.starts_on,
            said.ends_on,
            None if said.budget is None else said.budget.minor,
            None if said.budget is None else said.budget.currency,
            counted.sent,
            counted.delivered,
            counted.opened,
            counted.clicked,
            counted.answered,
            counted.unsubscribed,
            counted.called,
            counted.reached,
            state.launched_at,
            state.closed_at,
        ),
    )


CAMPAIGN = Fold(
    step_campaign,
    (("campaign_versions", _versions), ("costs", attrgetter("costs"))),
    CampaignEvent.__args__,
)
CHANNEL = Fold(
    step_channel,
    (("costs", attrgetter("costs")), ("channel_counts", attrgetter("counts"))),
    ChannelEvent.__args__,
)
