"""The rectangles say what a plain replay of the visible history says, at every pair of dates."""

from __future__ import annotations

import random
import time
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import Recorded
from ledger.events import DealInvoiced, DealStageChanged, EventRetracted, RateFixed
from ledger.times import FOREVER
from projections import tables
from projections.any_order import in_any_order
from projections.facts import FOLDS
from projections.in_order import in_order
from projections.rectangle import Payload, Row, length_class
from projections.timeline import rectangles
from tests.projections.histories import EVENTS_OF, PLANNED, euros, opened, streams
from tests.projections.plain_replay import shown_at

KINDS = sorted(EVENTS_OF)
WIDTH = len(tables.INTERVAL_COLUMNS)


def holding(rows: list[Row], as_of: int, known_at: int) -> list[tuple[Payload, int]]:
    return [(row[WIDTH:], row[5]) for row in rows if row[1] <= as_of < row[2] and row[3] <= known_at < row[4]]


def check_every_pair(kind: str, events: list[Recorded]) -> None:
    fold = FOLDS[kind]
    written = rectangles(events, fold)
    latest = max(event.recorded_at for event in events) + 6
    for known_at, as_of in product(range(latest), range(latest)):
        if kind not in PLANNED and as_of > known_at:
            continue
        shown = shown_at(fold, events, as_of, known_at)
        for table, (name, _) in enumerate(fold.tables):
            found = holding(written[table], as_of, known_at)
            expected = shown[name]
            assert len(found) == len(expected), (name, as_of, known_at)
            assert dict(found) == expected, (name, as_of, known_at)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_rows_at_every_pair_are_what_a_plain_replay_says(kind, data):
    check_every_pair(kind, data.draw(streams(kind)))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_the_quick_way_through_events_in_order_gives_the_same_rows(kind, data):
    events = data.draw(streams(kind, in_order=True))
    quick = in_order(events, FOLDS[kind])
    if quick is not None:
        assert [sorted(rows, key=repr) for rows in quick] == [
            sorted(rows, key=repr) for rows in in_any_order(events, FOLDS[kind])
        ]
    check_every_pair(kind, events)


@settings(max_examples=40)
@given(events=streams("deal"))
def test_versions_of_a_deal_never_overlap(events):
    rows = rectangles(events, FOLDS["deal"])[0]
    for one, other in product(rows, rows):
        if one is not other:
            apart = one[2] <= other[1] or other[2] <= one[1] or one[4] <= other[3] or other[4] <= one[3]
            assert apart


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_no_row_is_empty_and_present_rows_are_maximal(kind, data):
    for rows in rectangles(data.draw(streams(kind)), FOLDS[kind]):
        assert all(row[1] < row[2] and row[3] < row[4] for row in rows)
        present = [(repr(row[WIDTH:]), row[1], row[2]) for row in rows if row[4] == FOREVER]
        for (payload, _, end), (following, start, _) in pairwise(sorted(present)):
            assert payload != following or end < start


@settings(max_examples=40)
@given(events=streams("deal"))
def test_the_diagonal_of_a_row_is_where_it_holds_as_reported(events):
    for row in rectangles(events, FOLDS["deal"])[0]:
        named = dict(zip(tables.INTERVAL_COLUMNS, row[:WIDTH], strict=True))
        start = max(named["effective_from"], named["known_from"])
        end = min(named["effective_to"], named["known_to"])
        assert (named["reported_from"], named["reported_to"]) == (start, end)
        assert named["reported_class"] == (length_class(start, end) if start < end else None)
        assert named["effective_class"] == length_class(named["effective_from"], named["effective_to"])


@given(start=st.integers(0, 2**52), length=st.integers(1, 2**52))
def test_a_length_class_is_the_least_power_of_two_that_holds_the_interval(start, length):
    found = length_class(start, start + length)
    assert length <= 2**found
    assert found == 0 or length > 2 ** (found - 1)


def test_an_event_in_order_costs_one_row():
    events = [
        Recorded(n + 1, "deal-1", n + 1, "deal.stage_changed", n, n, n, DealStageChanged(stage=f"s{n}"), "tester")
        for n in range(1, 10)
    ]
    events.insert(0, Recorded(1, "deal-1", 1, "deal.opened", 0, 0, 0, opened(), "tester"))
    assert len(rectangles(events, FOLDS["deal"])[0]) == len(events)


def test_a_plan_ahead_leaves_what_was_known_before_it():
    first = Recorded(1, "rate-USD", 1, "rate.fixed", 10, 10, 10, RateFixed(base="EUR", rate="0.9"), "tester")
    ahead = Recorded(2, "rate-USD", 2, "rate.fixed", 100, 20, 20, RateFixed(base="EUR", rate="0.8"), "tester")
    rows = rectangles([first, ahead], FOLDS["rate"])[0]
    assert holding(rows, 150, 15) == [(("EUR", "0.9"), 1)]
    assert holding(rows, 150, 25) == [(("EUR", "0.8"), 2)]
    assert holding(rows, 99, 25) == [(("EUR", "0.9"), 1)]


@pytest.mark.parametrize("out_of_order", [0, 100])
def test_a_stream_of_ten_thousand_events_folds_in_seconds(out_of_order):
    chance = random.Random(1)
    events = [Recorded(1, "deal-1", 1, "deal.opened", 0, 0, 0, opened(), "tester")]
    for version in range(2, 10_001):
        effective_at = version
        data: DealStageChanged | EventRetracted = DealStageChanged(stage=f"s{version % 7}")
        if out_of_order and version % (10_000 // out_of_order) == 0:
            if chance.random() < 0.5:
                effective_at = chance.randrange(version)
            else:
                data = EventRetracted(reason="wrong", version=chance.randrange(2, version))
        events.append(Recorded(version, "deal-1", version, data.TYPE, effective_at, version, version, data, "tester"))
    began = time.process_time()
    rectangles(events, FOLDS["deal"])
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("invoices", "at"),
    [
        (10_000, lambda number: number),
        (10_000, lambda _: 5),
        (3_000, lambda number: number // 2 if number % 30 == 0 else number),
    ],
    ids=["in order", "at one instant", "some late"],
)
def test_thousands_of_invoices_of_one_deal_fold_in_seconds(invoices, at):
    events = [Recorded(1, "deal-1", 1, "deal.opened", 0, 0, 0, opened(), "tester")]
    invoice = DealInvoiced(invoice="i", value=euros(100))
    for version in range(2, invoices + 2):
        known_at = max(at(version), at(version - 1))
        events.append(
            Recorded(version, "deal-1", version, invoice.TYPE, at(version), known_at, version, invoice, "tester")
        )
    began = time.process_time()
    rows = rectangles(events, FOLDS["deal"])[[name for name, _ in FOLDS["deal"].tables].index("invoices")]
    assert time.process_time() - began < 20
    assert len(rows) == invoices
