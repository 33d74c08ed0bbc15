"""Campaigns and channels: what they cost and what came back."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import (
    CampaignClosed,
    CampaignLaunched,
    CampaignResponsesCounted,
    CampaignSpent,
    ChannelCounted,
    ChannelSpent,
    Event,
)


class Campaign(msgspec.Struct, frozen=True, gc=False):
    """A campaign as it stands; `responses` holds the totals of all its counts."""

    launched: CampaignLaunched
    spent: tuple[CampaignSpent, ...] = ()
    responses: CampaignResponsesCounted = CampaignResponsesCounted()
    closed: bool = False


class Channel(msgspec.Struct, frozen=True, gc=False):
    """What a channel cost without a campaign, and the counts of each day."""

    spent: tuple[ChannelSpent, ...] = ()
    days: dict[str, ChannelCounted] = {}


def evolve_campaign(state: Campaign | None, event: Event) -> Campaign:
    """The campaign after an event. Raises `Refused`."""
    replace = msgspec.structs.replace
    match event:
        case CampaignLaunched(starts_on=starts_on, ends_on=ends_on):
            if state is not None:
                raise Refused("already_launched", "this campaign is launched; correct it with event.corrected")
            if ends_on is not None and ends_on < starts_on:
                raise Refused("bad_value", f"ends_on {ends_on} is before starts_on {starts_on}")
            return Campaign(event)
        case _ if state is None:
            raise Refused("not_launched", f"{event.TYPE} needs a campaign; use campaign.launched first")
        case _ if state.closed:
            raise Refused(
                "campaign_closed",
                f"{event.TYPE} refused: the campaign is closed; for what came before that, give its effective_at",
            )
        case CampaignSpent():
            return replace(state, spent=(*state.spent, event))
        case CampaignResponsesCounted():
            return replace(state, responses=_counted(state.responses, event))
        case CampaignClosed():
            return replace(state, closed=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a campaign")


def _counted(before: CampaignResponsesCounted, event: CampaignResponsesCounted) -> CampaignResponsesCounted:
    said = {name: count for name, count in msgspec.structs.asdict(event).items() if count is not None}
    for name, count in said.items():
        total = getattr(before, name) or 0
        if count < total:
            raise Refused(
                "count_goes_down",
                f"{name} is a running total and was {total} already; correct that count with event.corrected",
            )
    return msgspec.structs.replace(before, **said)


def evolve_channel(state: Channel | None, event: Event) -> Channel:
    """The channel after an event; it needs no opening. Raises `Refused`."""
    state = state or Channel()
    match event:
        case ChannelSpent():
            return msgspec.structs.replace(state, spent=(*state.spent, event))
        case ChannelCounted(on=day):
            return msgspec.structs.replace(state, days=state.days | {day: event})
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a channel")
