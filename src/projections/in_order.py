"""The common case of the bitemporal fold, in one pass: events in order, none corrected or retracted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.events import EventCorrected, EventRetracted
from ledger.times import FOREVER
from projections.grown import Shown, changes, makers_of
from projections.rectangle import Payload, Row, new_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.codec import Recorded
    from projections.timeline import Fold


def in_order(events: Sequence[Recorded], fold: Fold) -> list[list[Row]] | None:
    """As `rectangles`, or None when something is out of order, corrected or retracted."""
    step, planned = fold.step, fold.planned
    shows = [show for _, show in fold.tables]
    stream = events[0].stream
    written: list[list[Row]] = [[] for _ in shows]
    shown: list[Shown] = [() for _ in shows]
    running: list[dict[Payload, tuple[int, int, int, int]]] = [{} for _ in shows]
    group: list[tuple[Recorded, list[Shown]]] = []
    state = None
    effective_at = recorded_at = -FOREVER
    last = len(events) - 1
    for number, event in enumerate(events):
        at, known_at, data = event.effective_at, event.recorded_at, event.data
        if (
            at < effective_at
            or known_at < recorded_at
            or (at == effective_at and known_at != recorded_at)
            or type(data) is EventRetracted
            or type(data) is EventCorrected
        ):
            return None
        effective_at, recorded_at = at, known_at
        state = step(state, data, at, event.position)
        if state is None:
            continue
        if number < last and events[number + 1].effective_at == at:
            group.append((event, [show(state) for show in shows]))
            continue
        for table, show in enumerate(shows):
            now, before = show(state), shown[table]
            if now is before or now == before:
                continue
            shown[table] = now
            runs, rows = running[table], written[table]
            makers = makers_of([*group, (event, {table: now})], table, before) if group else {}
            gone, come = (before, now) if len(before) <= 1 >= len(now) else changes(before, now)
            for payload in gone:
                start, known_from, position, appended_at = runs.pop(payload)
                if known_from == known_at or (at >= known_at and not planned):
                    rows.append(new_row(stream, start, at, known_from, FOREVER, position, appended_at, payload))
                    continue
                rows.append(new_row(stream, start, FOREVER, known_from, known_at, position, appended_at, payload))
                rows.append(new_row(stream, start, at, known_at, FOREVER, position, appended_at, payload))
            for payload in come:
                maker = makers[payload] if group else event
                runs[payload] = (at, known_at, maker.position, maker.appended_at)
        if group:
            group = []
    for table, runs in enumerate(running):
        for payload, (start, known_from, position, appended_at) in runs.items():
            row = new_row(stream, start, FOREVER, known_from, FOREVER, position, appended_at, payload)
            written[table].append(row)
    return written
