"""Whatever is said, of any kind and in any order: what is accepted is legal all along, and saying it again is no news."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.events import EVENTS
from ledger.examples import EXAMPLES
from ledger.history import visible
from ledger.kinds import KINDS, kind_of_event
from ledger.repeating import ADDS_UP
from ledger.stream import replay
from tests.support.given import Given
from tests.support.lines import Line, eur

COUNTED = {event_class.TYPE for event_class in ADDS_UP}
STREAMS = {kind: f"{kind}-x" for kind in KINDS} | {"book": "book", "rate": "rate-USD"}
TYPES = {kind: [type_ for type_ in EVENTS if kind_of_event(type_) == kind] for kind in KINDS}

STAGES = ["contact", "etude", "accord"]
VALUES = [None, eur(0), eur(100)]
VARIED: dict[str, dict[str, list[Any]]] = {
    "book.settings_changed": {"lapse_after_days": [None, 30, 60], "currency": [None, "USD"]},
    "team.moved": {"parent": ["b", "c"]},
    "team.renamed": {"name": ["A", "B"]},
    "person.joined": {"team": ["a", "b"]},
    "person.moved": {"team": ["a", "b"]},
    "person.role_changed": {"role": ["rep", "manager"]},
    "product.listed": {"name": ["P", "Q"], "unit_cost": VALUES},
    "product.changed": {"name": [None, "P", "Q"], "unit_cost": VALUES},
    "rate.fixed": {"rate": ["0.9", "0.8"]},
    "customer.qualified": {"kind": ["lead", "prospect", "customer"]},
    "customer.reclassified": {"region": [None, "north"], "segment": [None, "small"]},
    "customer.assigned": {"owner": ["ana", "bob"]},
    "contact.added": {"contact": ["j", "k"]},
    "contact.changed": {"contact": ["j", "k"], "role": [None, "buyer"]},
    "contact.removed": {"contact": ["j", "k"]},
    "deal.opened": {"stage": STAGES, "owner": ["ana", "bob"]},
    "deal.stage_changed": {"stage": STAGES},
    "deal.reopened": {"stage": STAGES},
    "deal.revalued": {"value": VALUES, "margin": [None]},
    "deal.assigned": {"owner": ["ana", "bob"]},
    "deal.won": {"value": [None], "lines": [None], "order": [None, "o1"]},
    "deal.lost": {"reason": ["price", "other"]},
    "quote.revised": {"value": VALUES, "valid_until": [None, "2026-06-30"]},
    "interaction.logged": {"kind": ["complaint", "support_request", "cart", "visit", "call"]},
    "interaction.converted": {"deal": ["d1", "d2"]},
    "task.rescheduled": {"due_at": ["2026-02-20", "2026-03-01T09:00:00Z"]},
    "task.assigned": {"owner": ["ana", "bob"]},
    "objective.set": {"metric": ["amount", "margin"]},
    "objective.revised": {"target": [eur(1), eur(2)]},
    "forecast.submitted": {"value": [eur(1), eur(2)], "category": ["commit", "best_case"]},
    "campaign.spent": {"value": [eur(1), eur(2)]},
    "campaign.responses_counted": {"sent": [None, 1, 2, 3], "opened": [None, 0, 1]}
    | {name: [None] for name in ("delivered", "answered")},
    "channel.spent": {"value": [eur(1), eur(2)]},
    "channel.counted": {"on": ["2025-12-30", "2025-12-31"], "visits": [0, 1]},
}
"""What of an example takes other values; None leaves it out."""


def data_of(type_: str) -> st.SearchStrategy[dict[str, Any]]:
    """Data for a type: its example, here and there otherwise."""
    varied = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VARIED.get(type_, {}).items()})
    return varied.map(
        lambda fields: {name: value for name, value in (EXAMPLES[type_]["data"] | fields).items() if value is not None}
    )


HOURS = st.integers(0, 4 * 24 - 1)
THEN = st.one_of(
    st.integers(27, 31).map(lambda day: f"2025-12-{day}"),
    HOURS.map(lambda hour: f"2025-12-{28 + hour // 24}T{hour % 24:02}:30:00Z"),
)
PAST = st.one_of(st.none(), st.none(), THEN)
AHEAD = st.one_of(PAST, PAST, st.sampled_from(["2027-01-01", "2027-01-02T08:00:00Z"]))


def steps_of(kind: str) -> st.SearchStrategy[tuple[str, str | None, dict[str, Any], bool]]:
    """A type, when it was, its data, and whether it is told as history."""
    at = AHEAD if KINDS[kind].planned else PAST
    said = st.sampled_from(TYPES[kind]).flatmap(lambda type_: st.tuples(st.just(type_), at, data_of(type_)))
    version = st.fixed_dictionaries({"version": st.integers(1, 8), "reason": st.just("typo")})
    other = st.sampled_from(TYPES[kind]).flatmap(data_of)
    corrected = st.builds(
        lambda data, fields: data | fields,
        version,
        st.fixed_dictionaries({}, optional={"effective_at": THEN, "data": other}),
    )
    amended = st.one_of(
        st.tuples(st.just("event.retracted"), st.none(), version),
        st.tuples(st.just("event.corrected"), st.none(), corrected),
    )
    step = st.one_of(said, said, said, amended)
    return st.tuples(step, st.sampled_from([False, False, False, True])).map(lambda drawn: (*drawn[0], drawn[1]))


def book_for(kind: str) -> Given:
    """What a stream of the kind needs to be there, and its beginning."""
    opening = EXAMPLES[TYPES[kind][0]] | {"stream": STREAMS[kind], "effective_at": "2025-12-28"}
    lines = [EXAMPLES["pipeline.defined"], opening] if kind == "deal" else [opening]
    return Given(lines)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "subject"])  # of which no line can speak
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_what_is_accepted_is_legal_and_no_news_when_said_again(kind, data):
    book, stream = book_for(kind), STREAMS[kind]
    accepted = 0
    for type_, at, fields, history in data.draw(st.lists(steps_of(kind), min_size=4, max_size=10)):
        line: Line = {"stream": stream, "type": type_, "data": fields}
        line |= {} if at is None else {"effective_at": at}
        with contextlib.suppress(Refused):
            accepted += book.say(line, history=history)
            events = book.stream(stream).events
            replay(kind, visible(events))
            assert KINDS[kind].planned or all(each.effective_at <= each.recorded_at for each in events)
            if not history:
                assert book.say(line) == (type_ in COUNTED and at is None), line
    event(f"{min(accepted, 4)} accepted")


def test_every_type_with_a_value_that_varies_is_one():
    assert VARIED.keys() <= EVENTS.keys()
    assert all(fields.keys() <= set(EVENTS[type_].__struct_fields__) for type_, fields in VARIED.items())
