"""Read the whole log back to typed events, in pages by position."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from benchmarks import story
from benchmarks.stock import Deals
from benchmarks.support import Place, chosen, parser, place, ratio, show
from ledger.application import Ledger

PAGE = 5_000


def fill(ledger: Ledger, app: Deals, deals: int) -> int:
    """Tell both the same deals; how many events each then has."""
    ledger.append([story.PIPELINE], actor=story.ACTOR)
    for outcome in ledger.append_each(enumerate(story.past_lines(range(deals)), 1), actor=story.ACTOR, history=True):
        assert outcome.error is None, outcome.error
    story.tell(app, deals)
    return deals * story.EVENTS_PER_DEAL


def read_ours(ledger: Ledger) -> int:
    """Typed events of our log."""
    after = read = 0
    while page := ledger.feed(after, PAGE):
        after = page[-1].position
        read += len(page)
    return read


def read_stock(app: Deals) -> int:
    """Domain events of the stock log."""
    start, read = 1, 0
    while page := app.recorder.select_notifications(start, PAGE):
        for notification in page:
            app.mapper.to_domain_event(notification)
        start = page[-1].id + 1
        read += len(page)
    return read


def measure(where: Place, deals: int, rounds: int) -> list[str]:
    """The row of one database."""
    with where.ledger() as ledger:
        app = Deals(env=where.stock_settings())
        events = fill(ledger, app, deals)
        theirs: list[float] = []
        mine: list[float] = []
        for _ in range(rounds):
            theirs.append(_rate(lambda: read_stock(app), events))
            mine.append(_rate(lambda: read_ours(ledger), events))
        app.close()
    return [where.database, f"{events:,}", f"{median(theirs):,.0f}", f"{median(mine):,.0f}", ratio(mine, theirs)]


def _rate(read: Callable[[], int], events: int) -> float:
    began = time.perf_counter()
    found = read()
    seconds = time.perf_counter() - began
    assert found >= events
    return found / seconds


def main() -> None:
    options = parser(__doc__, in_rounds=True)
    options.add_argument("--deals", type=int, default=2_000, help=f"of {story.EVENTS_PER_DEAL} events each")
    given = options.parse_args()
    rows = []
    for database in chosen(given):
        with place(database) as where:
            rows.append(measure(where, given.deals, given.rounds))
    columns = ["read to typed events", "events", "stock/s", "ours/s", "ratio"]
    show(f"Reading, medians of {given.rounds} rounds in turn", columns, rows)


if __name__ == "__main__":
    main()
