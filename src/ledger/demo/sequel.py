"""What a deal leads to, once its own story is told and before it is put down."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ledger.demo.agenda import TYPE

if TYPE_CHECKING:
    from ledger.demo.aftersale import AfterSale
    from ledger.demo.deal import Deal
    from ledger.demo.forecasts import Forecasts
    from ledger.demo.talks import Talks
    from ledger.demo.tasks import Tasks


class Sequel(NamedTuple):
    """Those who have something to tell about a deal."""

    talks: Talks
    tasks: Tasks
    after_sale: AfterSale
    forecasts: Forecasts

    def of(self, deal: Deal) -> None:
        """Talks and tasks on the deal's way; after a win, what people forecast of it and what follows it."""
        self.talks.around(deal)
        self.tasks.around(deal)
        if deal.events[-1][TYPE] == "deal.won":
            self.forecasts.won(deal.owner, deal.outcome.close_day, deal.amounts[1])
            self.after_sale.follow(deal)
