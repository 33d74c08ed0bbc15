"""Deals: opened, moved through the stages of a pipeline, closed, sometimes reopened, invoiced after winning."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import (
    Category,
    DealAbandoned,
    DealAssigned,
    DealCategorySet,
    DealCloseDateChanged,
    DealCredited,
    DealDelivered,
    DealInvoiced,
    DealLost,
    DealMerged,
    DealOpened,
    DealProbabilitySet,
    DealReclassified,
    DealReopened,
    DealRetitled,
    DealRevalued,
    DealStageChanged,
    DealWon,
    Event,
)
from ledger.values import Worth, revalue


class State(msgspec.Struct, frozen=True, gc=False):
    """A deal as it stands; `opening` keeps title and classification up to date."""

    opening: DealOpened
    stage: str
    owner: str
    worth: Worth
    expected_close_on: str | None = None
    probability_bp: int | None = None
    category: Category | None = None
    closing: DealWon | DealLost | DealAbandoned | DealMerged | None = None
    invoices: tuple[DealInvoiced | DealDelivered | DealCredited, ...] = ()


def stage_named(event: Event, state: State | None) -> tuple[str, str] | None:
    """The pipeline and stage that an event names and that must exist at its time."""
    match event:
        case DealOpened(pipeline=pipeline, stage=stage):
            return pipeline, stage
        case DealStageChanged(stage=stage) | DealReopened(stage=stage) if state is not None:
            return state.opening.pipeline, stage
        case _:
            return None


def evolve(state: State | None, event: Event) -> State:
    """The deal after an event. Raises `Refused`."""
    match event:
        case DealOpened():
            if state is not None:
                raise Refused("already_opened", "this deal is open; a deal has one opening")
            worth = revalue(Worth(), value=event.value, margin=event.margin, quantity=event.quantity, lines=event.lines)
            return State(event, event.stage, event.owner, worth, event.expected_close_on)
        case _ if state is None:
            raise Refused("not_opened", f"{event.TYPE} comes before the deal's opening; open it with deal.opened first")
        case _ if state.closing is None:
            return _evolve_open(state, event)
        case _:
            return _evolve_closed(state, event, state.closing)


def _evolve_open(state: State, event: Event) -> State:
    replace = msgspec.structs.replace
    match event:
        case DealStageChanged(stage=stage):
            return replace(state, stage=stage)
        case DealRevalued(value=value, margin=margin, quantity=quantity, lines=lines):
            return replace(
                state, worth=revalue(state.worth, value=value, margin=margin, quantity=quantity, lines=lines)
            )
        case DealCloseDateChanged(expected_close_on=day):
            return replace(state, expected_close_on=day)
        case DealAssigned(owner=owner):
            return replace(state, owner=owner)
        case DealProbabilitySet(probability_bp=probability_bp):
            return replace(state, probability_bp=probability_bp)
        case DealCategorySet(category=category):
            return replace(state, category=category)
        case DealReclassified():
            return _reclassified(state, event)
        case DealRetitled(title=title):
            return replace(state, opening=replace(state.opening, title=title))
        case DealWon(value=value, margin=margin, quantity=quantity, lines=lines):
            worth = revalue(state.worth, value=value, margin=margin, quantity=quantity, lines=lines)
            return replace(state, worth=worth, closing=event)
        case DealLost() | DealAbandoned() | DealMerged():
            return replace(state, closing=event)
        case DealReopened():
            raise Refused("not_closed", "this deal is open; only a closed deal can be reopened")
        case DealInvoiced() | DealDelivered() | DealCredited():
            raise Refused("not_won", f"{event.TYPE} needs a won deal; win it first")
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a deal")


def _evolve_closed(state: State, event: Event, closing: DealWon | DealLost | DealAbandoned | DealMerged) -> State:
    replace = msgspec.structs.replace
    if isinstance(closing, DealMerged):
        raise Refused("deal_merged", f"this deal was merged into {closing.into}; use that one")
    match event:
        case DealReopened(stage=stage):
            return replace(state, closing=None, stage=stage)
        case DealReclassified():
            return _reclassified(state, event)
        case DealInvoiced() | DealDelivered() | DealCredited() if isinstance(closing, DealWon):
            return replace(state, invoices=(*state.invoices, event))
        case DealMerged() if not isinstance(closing, DealWon):
            return replace(state, closing=event)
        case _:
            how = closing.TYPE.removeprefix("deal.")
            raise Refused(
                "closed_deal", f"{event.TYPE} refused: this deal is {how}; reopen it with deal.reopened first"
            )


def _reclassified(state: State, event: DealReclassified) -> State:
    said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
    return msgspec.structs.replace(state, opening=msgspec.structs.replace(state.opening, **said))
