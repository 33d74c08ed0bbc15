"""A life in words: what changed from what to what, who and when and how late, what was retracted and corrected."""

from __future__ import annotations

from typing import get_type_hints

import msgspec
import pytest

from ledger.codec import Recorded
from ledger.events import EVENTS, Code, Event, EventCorrected, EventRetracted, Money
from ledger.examples import EXAMPLES
from ledger.lines import read
from ledger.story import locale_of, told
from ledger.story.life import Moment
from ledger.story.names import Names
from ledger.story.sentences import sentence
from ledger.story.values import Words
from ledger.times import parse_instant
from tests.ledger.story.telling import ZONE, Log, entry, hour, tell
from tests.support.lines import corrected, eur, opened, pipeline, retracted, say

ANA = say("person-ana", "person.joined", name="Ana Diallo", team="north", role="rep")
NBSP, NARROW = "\u00a0", "\u202f"


def plain(text):
    return text.replace(NARROW, " ").replace(NBSP, " ")


def deal(*lines, lang="en"):
    return entry("deal-d1", pipeline(), ANA, opened(value=eur(125_000)), *lines, lang=lang)


# Sentences -----------------------------------------------------------------------------------------------------------


def test_a_step_says_from_where_to_where_by_name():
    moved = deal(say("deal-d1", "deal.stage_changed", stage="offer"))
    assert moved.text == "Moved from Lead to Offer"
    assert moved.details == []


def test_an_opening_says_the_rest_below():
    shown = deal()
    assert shown.text == "Opened at Lead for €1,250.00, looked after by Ana Diallo"
    assert shown.details == ["pipeline: sales", "title: Pumps"]


def test_the_same_in_french():
    shown = deal(lang="fr")
    assert plain(shown.text) == "Ouverte à l’étape Lead pour 1 250,00 €, suivie par Ana Diallo"
    assert [plain(each) for each in shown.details] == ["pipeline : sales", "titre : Pumps"]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, "Won for €1,250.00"),
        ({"value": eur(120_000)}, "Won for €1,200.00, was €1,250.00"),
        ({"value": {"minor": 1_500, "currency": "JPY"}}, "Won for JP¥1,500, was €1,250.00"),
        ({"value": {"minor": 1_500, "currency": "TND"}}, "Won for TND\u00a01.500, was €1,250.00"),
    ],
)
def test_a_win_says_for_how_much_and_what_it_was_before(said, text):
    assert deal(say("deal-d1", "deal.won", **said)).text == text


def test_a_value_worked_out_from_lines_is_told_too():
    lines = [{"product": "p1", "quantity": "2", "value": eur(90_000)}]
    shown = deal(say("deal-d1", "deal.revalued", lines=lines))
    assert shown.text == "Revalued from €1,250.00 to €900.00"
    assert shown.details == ["lines: 2 × p1 €900.00"]


def test_of_lines_only_what_differs_is_told():
    def lines(*pairs):
        return [{"product": product, "quantity": "1", "value": eur(minor)} for product, minor in pairs]

    before = say("deal-d1", "deal.revalued", lines=lines(("p1", 100), ("p2", 200), ("p3", 300)))
    after = say("deal-d1", "deal.revalued", lines=lines(("p1", 100), ("p2", 250), ("p4", 50)))
    assert "lines: p2: 1 for €2.00 → 1 for €2.50; − p3 1 for €3.00; + p4 1 for €0.50" in deal(before, after).details


def test_an_invoice_changes_nothing_of_what_the_deal_is_worth():
    won, invoiced = say("deal-d1", "deal.won"), say("deal-d1", "deal.invoiced", invoice="F1", value=eur(5_000))
    shown = deal(won, invoiced)
    assert shown.text == "Invoice F1: €50.00"
    assert all(each.before is None for each in shown.changes)


def test_null_gives_the_stages_own_back():
    own = say("deal-d1", "deal.probability_set", probability_bp=6_550)
    back = {"stream": "deal-d1", "type": "deal.probability_set", "data": {"probability_bp": None}}
    assert deal(own).text == "Probability set to 65.5%"
    assert (deal(own, back).text, deal(own, back).details) == ("Probability of its stage again, was 65.5%", [])


def test_only_the_contact_spoken_of_is_compared():
    register = say("customer-c1", "customer.registered", name="Acme", kind="lead")
    add = [say("customer-c1", "contact.added", contact=each, name=each.title(), phone="1") for each in ("ida", "leo")]
    shown = entry("customer-c1", register, *add, say("customer-c1", "contact.changed", contact="ida", phone="2"))
    assert (shown.text, shown.details) == ("Contact Ida changed", ["contact: ida", "phone: 1 → 2"])
    renamed = entry("customer-c1", register, *add, say("customer-c1", "contact.changed", contact="ida", name="Ida B"))
    assert (renamed.text, renamed.details) == ("Contact Ida B changed", ["contact: ida", "name: Ida → Ida B"])
    gone = entry("customer-c1", register, *add, say("customer-c1", "contact.removed", contact="leo"))
    assert gone.text == "Contact Leo removed"


def test_a_thing_is_called_as_it_was_when_it_was_spoken_of():
    listed = say("product-p1", "product.listed", "2026-01-01T00:00:00Z", name="Pump")
    renamed = say("product-p1", "product.changed", "2026-01-01T04:30:00Z", name="Turbo pump")

    def revalued(quantity):
        return say("deal-d1", "deal.revalued", lines=[{"product": "p1", "quantity": quantity, "value": eur(100)}])

    life = tell("deal-d1", pipeline(), listed, opened(), revalued("1"), renamed, revalued("2")).life
    assert life[1].details == ["lines: 1 × Pump €1.00"]
    assert life[2].details[0] == "lines: Turbo pump: 1 for €1.00 → 2 for €1.00"


def test_what_is_not_known_to_the_ledger_keeps_its_id():
    shown = entry("team-b", say("team-b", "team.created", name="B", parent="nowhere"))
    assert shown.text == "Team B created, within nowhere"


# Every type ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("type_", sorted(EVENTS.keys() - {EventCorrected.TYPE, EventRetracted.TYPE}))
def test_every_event_says_all_it_holds(type_, language):
    said = read(msgspec.json.encode(EXAMPLES[type_]))
    at = parse_instant("2026-05-01T08:00:00Z")
    event = Recorded(1, said.stream, 1, type_, at, at, at, said.event, "ana")
    shown = told(Log(), [event], as_of=at, known_at=at, time_zone=ZONE, locale=locale_of(language)).life[0]
    held = {name for name in said.event.__struct_fields__ if getattr(said.event, name) is not None}
    assert held <= {each.field for each in shown.changes}
    for text in (shown.text, *shown.details):
        assert text.strip()
        assert not any(mark in text for mark in ("{", "[", "None", "Money(", "Sealed(")), text


def test_a_new_event_type_is_readable_without_a_word_of_its_own():
    class Blessed(Event, frozen=True, kw_only=True):
        TYPE = "deal.blessed"
        blessing_code: Code
        price: Money

    try:
        assert get_type_hints(Blessed)
        data = Blessed(blessing_code="by_hand", price=Money(currency="EUR", minor=150))
        event = Recorded(1, "deal-d1", 1, Blessed.TYPE, 0, 0, 0, data, "ana")
        shown = sentence(Moment(event, 0, data), Words(locale_of("en"), ZONE, Names({}, {})))
    finally:
        EVENTS.pop(Blessed.TYPE, None)
    assert shown.text == "deal.blessed"
    assert [each.text for each in shown.changes] == ["blessing code: by hand", "price: €1.50"]


# Times ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effective", "late"),
    [
        (None, None),
        ("2026-01-01T03:59:30Z", None),
        ("2026-01-01T03:15:00Z", "recorded 45 minutes later"),
        ("2026-01-01T02:00:00Z", "recorded 2 hours later"),
        ("2025-12-31T23:00:00Z", None),
        ("2025-12-30", "recorded 2 days later"),
        ("2025-12-31T12:00:00Z", "recorded 1 day later"),
    ],
)
def test_lateness_is_told_in_the_largest_unit_and_never_on_a_dates_own_day(effective, late):
    open_ = opened(at="2025-12-01T00:00:00Z")
    moved = say("deal-d1", "deal.stage_changed", effective, stage="offer")
    life = tell("deal-d1", pipeline(), ANA, open_, moved).life
    assert life[-1].late == late


def test_what_is_planned_is_recorded_ahead():
    created = say("team-n", "team.created", "2026-01-11", name="N")
    story = tell("team-n", created, as_of=hour(300), lang="fr")
    assert plain(story.life[0].late) == "enregistré 10 jours à l’avance"
    assert tell("team-n", created, as_of=hour(1)).life == ()


def test_a_late_event_stands_where_it_happened():
    life = tell("deal-d1", pipeline(), opened(at="2025-12-01"), say("deal-d1", "deal.stage_changed", stage="offer"),
                say("deal-d1", "deal.revalued", "2025-12-15", value=eur(100))).life  # fmt: skip
    assert [each.version for each in life] == [1, 3, 2]


# Retractions and corrections -----------------------------------------------------------------------------------------

LIFE = (
    pipeline(),
    opened(value=eur(100)),
    say("deal-d1", "deal.revalued", value=eur(200)),
    retracted("deal-d1", 2),
    say("deal-d1", "deal.revalued", value=eur(300)),
    corrected("deal-d1", 3 + 1, {"value": eur(400)}, "2026-01-01T03:30:00Z"),
)
"""Version 2 is retracted by 3; version 4 corrected by 5. Each is said in the hour of its place here."""


def test_a_retraction_says_who_when_and_why_and_leaves_the_rest_without_it():
    opening, revalued, correction, retraction, _ = _by_version(tell("deal-d1", *LIFE))
    assert opening.retracted is None
    assert revalued.text == "Revalued from €1.00 to €2.00"
    assert revalued.retracted is not None
    assert revalued.retracted.text == "retracted on 1 January 2026 05:00 by test: typo"
    assert (revalued.retracted.version, revalued.retracted.actor, revalued.retracted.reason) == (3, "test", "typo")
    assert correction.amends == 2
    assert retraction.text == "Revalued from €1.00 to €4.00", "the retracted value never was"


def _by_version(story):
    return sorted(story.life, key=lambda each: each.version)


def test_a_correction_is_told_as_before_and_after():
    revalued, amending = _by_version(tell("deal-d1", *LIFE))[3:]
    assert amending.text == "Corrects event 4 (Revalued): typo"
    (made,) = revalued.corrections
    assert made.text == "corrected on 1 January 2026 07:00 by test: typo"
    assert [each.text for each in made.changes] == [
        "when it happened: 1 January 2026 06:00 → 1 January 2026 04:30",
        "value: €3.00 → €4.00",
    ]
    assert revalued.effective_at == "2026-01-01T03:30:00.000000Z"


def test_before_a_correction_was_known_it_is_not_told():
    story = tell("deal-d1", *LIFE, as_of=hour(5), known_at=hour(5))
    assert [each.version for each in story.life] == [1, 2, 3, 4]
    assert story.life[-1].text == "Revalued from €1.00 to €3.00"
    assert story.life[-1].corrections == ()


def test_before_a_retraction_was_known_the_event_stood():
    story = tell("deal-d1", *LIFE, as_of=hour(3), known_at=hour(3))
    assert [(each.version, each.retracted) for each in story.life] == [(1, None), (2, None)]


def test_an_amendment_is_told_where_what_it_speaks_of_is():
    restated = tell("deal-d1", *LIFE, as_of=hour(3), known_at=hour(6))
    assert [each.version for each in restated.life] == [1, 2, 3]
    assert restated.life[1].retracted is not None


def test_a_retracted_retraction_is_struck_itself_and_strikes_no_more():
    opening, retraction, undoing = _by_version(
        tell("deal-d1", pipeline(), opened(), retracted("deal-d1", 1), retracted("deal-d1", 2))
    )
    assert opening.retracted is None
    assert retraction.retracted is not None
    assert undoing.text == "Retracts event 2 (Retraction): typo"


def test_a_retracted_correction_leaves_the_event_as_it_was():
    lines = (pipeline(), opened(value=eur(100)), corrected("deal-d1", 1, {**opened()["data"], "value": eur(900)}))
    opening = tell("deal-d1", *lines, retracted("deal-d1", 2)).life[0]
    assert (opening.text, opening.corrections) == ("Opened at Lead for €1.00, looked after by ana", ())


def test_a_life_that_an_early_knowledge_leaves_odd_is_told_all_the_same():
    at = [hour(number) for number in range(4)]
    lines = [opened(value=eur(100)), say("deal-d1", "deal.won")]
    events = [
        Recorded(number, "deal-d1", number, said.event.TYPE, at[number], at[number], at[number], said.event, "ana")
        for number, said in enumerate((read(msgspec.json.encode(line)) for line in reversed(lines)), start=1)
    ]
    story = told(Log(), events, as_of=at[3], known_at=at[1], time_zone=ZONE, locale=locale_of("en"))
    assert [each.text for each in story.life] == ["Won"]


def test_a_thing_is_called_as_at_the_end_and_not_at_all_when_all_is_retracted():
    lines = (pipeline(), opened(), say("deal-d1", "deal.retitled", title="Pipes"))
    assert tell("deal-d1", *lines).name == "Pipes"
    assert tell("deal-d1", *lines, as_of=hour(2)).name == "Pumps"
    assert tell("deal-d1", pipeline(), opened(), retracted("deal-d1", 1)).name is None
