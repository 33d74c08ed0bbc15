"""Products and their prices."""

from __future__ import annotations

import msgspec

from ledger.errors import Refused
from ledger.events import Event, Money, ProductChanged, ProductListed, ProductRetired


class State(msgspec.Struct, frozen=True, gc=False):
    """A product as it stands."""

    name: str
    range: str | None = None
    unit_price: Money | None = None
    unit_cost: Money | None = None
    retired: bool = False


def evolve(state: State | None, event: Event) -> State:
    """The product after an event; a retired one may be listed again. Raises `Refused`."""
    match event:
        case ProductListed(name=name, range=range_, unit_price=unit_price, unit_cost=unit_cost):
            if state is not None and not state.retired:
                raise Refused("already_listed", "this product is listed; change it with product.changed")
            return State(name, range_, unit_price, unit_cost)
        case _ if state is None:
            raise Refused("unknown_product", f"{event.TYPE} needs a product; list it with product.listed first")
        case _ if state.retired:
            raise Refused("product_retired", "the product is retired; only product.listed can follow")
        case ProductChanged():
            said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
            return msgspec.structs.replace(state, **said)
        case ProductRetired():
            return msgspec.structs.replace(state, retired=True)
        case _:
            raise Refused("wrong_stream", f"{event.TYPE} does not belong to a product")
