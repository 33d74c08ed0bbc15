"""Deals: `deal_versions`, their product lines, and the facts of winning, losing, invoicing, delivering and crediting.

A fact keeps what the deal was when it happened, after all that happened at that same instant. A closing ends when the deal is
reopened; an invoice stays. All of a duplicate ends when it is merged. Out of place, an event changes nothing, except that of two closings the later in effect counts.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, assert_never

import msgspec

from ledger.events import (
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
)
from ledger.money import quantity_e6
from projections.facts.worth import NOTHING, Worth, revalue
from projections.grown import Grown
from projections.rectangle import Payload, Payloads
from projections.timeline import Fold

if TYPE_CHECKING:
    from projections.grown import Shown

Invoicing = DealInvoiced | DealDelivered | DealCredited

DealEvent = (
    DealOpened
    | DealStageChanged
    | DealRevalued
    | DealCloseDateChanged
    | DealWon
    | DealLost
    | DealAssigned
    | DealProbabilitySet
    | DealCategorySet
    | DealReclassified
    | DealAbandoned
    | DealReopened
    | DealMerged
    | DealInvoiced
    | DealDelivered
    | DealCredited
)
Ignored = DealRetitled


class State(msgspec.Struct, frozen=True, gc=False):
    """The columns of `deal_versions` in their order, then what the other tables show."""

    status: str
    pipeline: str
    stage: str
    owner: str
    customer: str | None
    kind: str | None
    region: str | None
    country: str | None
    channel: str | None
    campaign: str | None
    value_minor: int | None
    margin_minor: int | None
    quantity_e6: int | None
    currency: str | None
    expected_close_on: str | None
    probability_bp: int | None
    category: str | None
    opened_at: int
    opened_position: int
    worth: Worth
    lines: Payloads = ()
    closed_at: int | None = None
    closing: DealWon | DealLost | DealAbandoned | None = None
    win: Payloads = ()
    win_lines: Payloads = ()
    loss: Payloads = ()
    invoices: Shown = ()
    stage_since: int = 0
    stages: tuple[str, ...] = ()
    """Those it has been open in, but for the last one while it is open there; none that it left at the instant it came."""


_COLUMNS = State.__struct_fields__.index("worth")


def step(state: State | None, event: DealEvent | Ignored, at: int, position: int) -> State | None:
    """The deal after an event; None before its opening."""
    if state is None:
        return _opened(event, at, position) if isinstance(event, DealOpened) else None
    replace = msgspec.structs.replace
    is_open = state.status == "open"
    match event:
        case DealStageChanged(stage=stage):
            return _invoices_of(replace(_leaving(state, at), stage=stage), at) if is_open else state
        case DealRevalued(value=value, margin=margin, quantity=quantity, lines=lines):
            return _worth(state, revalue(state.worth, value, margin, quantity, lines)) if is_open else state
        case DealCloseDateChanged(expected_close_on=day):
            return replace(state, expected_close_on=day) if is_open else state
        case DealWon(value=value, margin=margin, quantity=quantity, lines=lines):
            if state.status == "merged":
                return state
            worth = revalue(state.worth, value, margin, quantity, lines, keep_lines=True)
            return _closed(_worth(state, worth), "won", event, at)
        case DealLost():
            return state if state.status == "merged" else _closed(state, "lost", event, at)
        case DealAbandoned():
            return state if state.status == "merged" else _closed(state, "abandoned", event, at)
        case DealAssigned(owner=owner):
            return _invoices_of(replace(state, owner=owner), at) if is_open else state
        case DealProbabilitySet(probability_bp=probability_bp):
            return replace(state, probability_bp=probability_bp) if is_open else state
        case DealCategorySet(category=category):
            return replace(state, category=category) if is_open else state
        case DealReclassified():
            return _reclassified(state, event, at)
        case DealReopened(stage=stage):
            if state.closing is None:
                return state
            return _invoices_of(_reopened(state, stage, at), at)
        case DealMerged():
            if state.status == "won":
                return state
            return replace(state, status="merged", lines=(), closed_at=None, closing=None, loss=(), invoices=())
        case DealOpened():
            return state  # a second opening, seen before the retraction of the first
        case DealInvoiced() | DealDelivered() | DealCredited():
            return state if state.status == "merged" else _invoiced(state, event, at, position)
        case DealRetitled():
            return state
        case _:
            assert_never(event)


def _opened(event: DealOpened, at: int, position: int) -> State:
    worth = revalue(NOTHING, event.value, event.margin, event.quantity, event.lines)
    return State(
        "open",
        event.pipeline,
        event.stage,
        event.owner,
        event.customer,
        event.kind,
        event.region,
        event.country,
        event.channel,
        event.campaign,
        worth.value_minor,
        worth.margin_minor,
        worth.quantity_e6,
        worth.currency,
        event.expected_close_on,
        None,
        None,
        at,
        position,
        worth,
        worth.lines,
        stage_since=at,
    )


def _leaving(state: State, at: int) -> State:
    """An open deal that is about to be elsewhere."""
    stages = state.stages
    if at > state.stage_since and state.stage not in stages:
        stages = (*stages, state.stage)
    return msgspec.structs.replace(state, stages=stages, stage_since=at)


def _worth(state: State, worth: Worth) -> State:
    return msgspec.structs.replace(
        state,
        value_minor=worth.value_minor,
        margin_minor=worth.margin_minor,
        quantity_e6=worth.quantity_e6,
        currency=worth.currency,
        worth=worth,
        lines=worth.lines,
    )


def _reclassified(state: State, event: DealReclassified, at: int) -> State:
    if state.status == "merged":
        return state
    reclassified = msgspec.structs.replace(
        state,
        customer=event.customer or state.customer,
        kind=event.kind or state.kind,
        region=event.region or state.region,
        country=event.country or state.country,
        channel=event.channel or state.channel,
        campaign=event.campaign or state.campaign,
    )
    changed = _invoices_of(reclassified, at)
    if state.closing is None or state.closed_at != at:
        return changed
    return _closed(changed, state.status, state.closing, at)


def _invoiced(state: State, event: Invoicing, at: int, position: int) -> State:
    invoice = reason = quantity = margin = None
    sign = 1
    match event:
        case DealInvoiced():
            entry, invoice, margin = "invoice", event.invoice, event.margin
        case DealDelivered():
            entry, quantity = "delivery", event.quantity
        case DealCredited():
            entry, invoice, reason, margin, sign = "credit", event.invoice, event.reason, event.margin, -1
    value = event.value
    currency = None if value is None else value.currency
    payload = (
        entry,
        invoice,
        reason,
        *_classified(state),
        None if value is None else sign * value.minor,
        None if margin is None or margin.currency != currency else sign * margin.minor,
        None if quantity is None else quantity_e6(quantity),
        currency,
        state.opened_at,
        at,
        position,
    )
    return msgspec.structs.replace(state, invoices=Grown(state.invoices, payload))


_SAID_BEFORE = 3
"""Columns of `invoices` before those of the deal."""


def _classified(state: State) -> Payload:
    return (
        state.pipeline,
        state.stage,
        state.owner,
        state.customer,
        state.kind,
        state.region,
        state.country,
        state.channel,
        state.campaign,
    )


def _invoices_of(state: State, at: int) -> State:
    """The state, its invoices of this same instant being of the deal as it is now; `invoiced_at` stands last but one."""
    invoices = state.invoices
    same: list[Payload] = []
    while isinstance(invoices, Grown) and invoices.last[-2] == at:
        same.append(invoices.last)
        invoices = invoices.rest
    if not same:
        return state
    now = _classified(state)
    for last in reversed(same):
        invoices = Grown(invoices, (*last[:_SAID_BEFORE], *now, *last[_SAID_BEFORE + len(now) :]))
    return msgspec.structs.replace(state, invoices=invoices)


def _closed(state: State, status: str, closing: DealWon | DealLost | DealAbandoned, at: int) -> State:
    if state.status == "open":
        state = _leaving(state, at)
    win: Payloads = ()
    win_lines: Payloads = ()
    loss: Payloads = ()
    what = (
        state.owner,
        state.customer,
        state.kind,
        state.region,
        state.country,
        state.channel,
        state.campaign,
        state.value_minor,
        state.margin_minor,
        state.quantity_e6,
        state.currency,
        state.opened_at,
        " ".join(state.stages),
    )
    if isinstance(closing, DealWon):
        win, win_lines = ((state.pipeline, *what, state.stage, at),), state.worth.lines
    else:
        competitor = closing.competitor if isinstance(closing, DealLost) else None
        loss = ((status, closing.reason, competitor, state.pipeline, state.stage, *what, at),)
    return msgspec.structs.replace(
        state, status=status, lines=(), closed_at=at, closing=closing, win=win, win_lines=win_lines, loss=loss
    )


def _reopened(state: State, stage: str, at: int) -> State:
    return msgspec.structs.replace(
        state,
        status="open",
        stage=stage,
        stage_since=at,
        lines=state.worth.lines,
        closed_at=None,
        closing=None,
        win=(),
        win_lines=(),
        loss=(),
    )


def _versions(state: State) -> Payloads:
    payload: Payload = msgspec.structs.astuple(state)[:_COLUMNS]
    return (payload,)


FOLD = Fold(
    step,
    (
        ("deal_versions", _versions),
        ("deal_lines", attrgetter("lines")),
        ("wins", attrgetter("win")),
        ("win_lines", attrgetter("win_lines")),
        ("losses", attrgetter("loss")),
        ("invoices", attrgetter("invoices")),
    ),
    DealEvent.__args__,
    ignored={DealRetitled: "free text never enters the read store"},
)
