"""Products: `product_versions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from ledger.events import ProductChanged, ProductListed, ProductRetired
from projections.rectangle import Payloads
from projections.timeline import Fold

if TYPE_CHECKING:
    from ledger.events import Money

ProductEvent = ProductListed | ProductChanged | ProductRetired


class State(msgspec.Struct, frozen=True, gc=False):
    """A product as it stands."""

    name: str
    product_range: str | None
    unit_price: Money | None
    unit_cost: Money | None
    active: int = 1


def step(state: State | None, event: ProductEvent, at: int, position: int) -> State | None:  # noqa: ARG001
    """The product after an event; None before its listing. A retired one may be listed anew."""
    if state is None or not state.active:
        if not isinstance(event, ProductListed):
            return state
        return State(event.name, event.range, event.unit_price, event.unit_cost)
    match event:
        case ProductChanged():
            return msgspec.structs.replace(
                state,
                name=event.name or state.name,
                product_range=event.range or state.product_range,
                unit_price=event.unit_price or state.unit_price,
                unit_cost=event.unit_cost or state.unit_cost,
            )
        case ProductRetired():
            return msgspec.structs.replace(state, active=0)
        case ProductListed():
            return state  # a second listing, seen before the retraction of the first
        case _:
            assert_never(event)


def _versions(state: State) -> Payloads:
    """The cost is left out where it is in another currency than the price: one row has one currency."""
    price, cost = state.unit_price, state.unit_cost
    currency = price.currency if price is not None else cost.currency if cost is not None else None
    return (
        (
            state.name,
            state.product_range,
            None if price is None else price.minor,
            None if cost is None or cost.currency != currency else cost.minor,
            currency,
            state.active,
        ),
    )


FOLD = Fold(step, (("product_versions", _versions),), ProductEvent.__args__, planned=True)
