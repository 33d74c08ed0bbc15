"""Appending long files: an outcome for each line, in order; the good ones stored, the others left as they were."""

from __future__ import annotations

import threading
import tracemalloc

import msgspec
import pytest

from ledger import bulk
from ledger.application import open_ledger
from ledger.errors import KeyReused, Refused
from ledger.log import recorder as recorder_module
from ledger.session import Session
from tests.support.lines import check_log, entries, eur, opened, pipeline, say, team

CLOSED = say("team-a", "team.closed")
LINE = {"product": "p" * 64, "quantity": "123456789012.123456", "value": eur(10**9), "margin": eur(10**9)}
HUGE = opened("big", attributes={f"{'a' * 60}{number}": "\x01" * 200 for number in range(32)}, lines=[LINE] * 200)
"""70 kB in which every value is fine."""


def raw(*lines):
    return [(n, line if isinstance(line, bytes) else msgspec.json.encode(line)) for n, line in enumerate(lines, 1)]


def run(ledger, *lines, **options):
    return list(ledger.append_each(raw(*lines), **({"actor": "ana"} | options)))


@pytest.fixture(params=[3, 4_096], ids=["small batches", "one batch"])
def batches(request, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH_LINES", request.param)


def test_outcomes_come_in_the_order_of_the_lines_and_refused_lines_unchanged(ledger, batches):
    bad = b'  {"stream": "team-b",  "type":"team.renamed","data":{"name":"x"}} '
    lines = [
        team("a"),
        bad,
        CLOSED,
        b"not json",
        b"\xff\xfe",
        b"",
        CLOSED,
        say("team-a", "team.moved", parent="p"),
        team("c"),
    ]
    outcomes = run(ledger, *lines)
    assert [(each.number, each.line) for each in outcomes] == raw(*lines)
    codes = [each.error and each.error.code for each in outcomes]
    wanted = [None, "unknown_team", None, "bad_line", "not_utf8", "empty_line", None, "team_closed", None]
    assert codes == wanted
    assert [each.receipt and each.receipt.appended for each in outcomes if each.error is None] == [
        True,
        True,
        False,
        True,
    ]
    assert check_log(ledger) == 4


def test_receipts_say_where_each_event_stands_also_of_what_was_so_already(ledger, batches):
    outcomes = run(ledger, team("a"), team("a"), team("b"), CLOSED, CLOSED, team("c"))
    stored = {(event.stream, event.version): event.position for event in ledger.feed(0, 100)}
    for outcome in outcomes:
        assert stored[outcome.receipt.stream, outcome.receipt.version] == outcome.receipt.position
    assert [each.receipt.appended for each in outcomes] == [True, False, True, True, False, True]


def test_a_stream_may_come_many_times_in_a_file(ledger, batches):
    renames = [say("team-a", "team.renamed", name=f"n{number}") for number in range(20)]
    deal = [opened(), say("deal-d1", "deal.stage_changed", stage="offer"), say("deal-d1", "deal.won")]
    again = [say("deal-d1", "deal.reopened", stage="lead", reason="x"), say("deal-d1", "deal.lost", reason="x")]
    outcomes = run(ledger, pipeline(), team("a"), *renames, *deal, *again)
    assert [each.error for each in outcomes] == [None] * 27
    assert check_log(ledger) == 28


def test_times_left_to_the_log_and_back_dated_ones_agree_across_batches(ledger, batches):
    """What is decided while the batch before is being stored counts as later than it, and may be back-dated before."""
    ticks = iter(range(ledger.now(), ledger.now() + 1_000_000, 7))
    ledger.recorder.clock = ticks.__next__
    run(ledger, pipeline())
    lines = []
    for number in range(6):
        deal = f"deal-d{number}"
        lines += [opened(f"d{number}"), say(deal, "deal.assigned", owner="bob")]
        lines += [say(deal, "deal.won"), say(deal, "deal.invoiced", invoice="i", value=eur(1))]
        lines += [say(deal, "deal.reopened", stage="offer", reason="x"), say(deal, "deal.revalued", value=eur(1))]
    # Deals take turns, so that each one's events spread over all batches.
    lines = [lines[number * 6 + step] for step in range(6) for number in range(6)]
    assert [each.error for each in run(ledger, *lines)] == [None] * 36
    assert check_log(ledger) == 38


def test_the_book_is_opened_by_a_first_good_line_or_with_the_defaults(ledger, database_url, book, batches):
    run(ledger, b"junk", team("a"))
    assert [entry["type"] for entry in entries(ledger)] == ["book.opened", "team.created"]
    other = open_ledger(database_url, f"{book}_2")
    opening = say(
        "book",
        "book.opened",
        name="b",
        currency="CHF",
        time_zone="Europe/Zurich",
        locale="fr",
        fiscal_year_start_month=1,
    )
    run(other, b"junk", opening, team("a"))
    assert [entry["type"] for entry in entries(other)] == ["book.opened", "team.created"]
    assert entries(other)[0]["data"]["currency"] == "CHF"
    other.close()


def test_a_line_for_the_book_that_does_not_open_it_leaves_the_opening_to_the_defaults(ledger, batches):
    outcomes = run(ledger, say("book", "book.settings_changed", lapse_after_days=90), team("a"), team("b"))
    assert [each.error for each in outcomes] == [None] * 3
    assert entries(ledger)[0]["type"] == "book.opened"


def test_a_dry_run_decides_as_if_it_stored_and_stores_nothing(ledger, batches):
    deal = [opened(), say("deal-d1", "deal.won"), say("deal-d1", "deal.won"), say("deal-d1", "deal.lost", reason="x")]
    lines = [pipeline(), *deal, *(team(f"t{number}") for number in range(9)), say("team-t0", "team.closed")]
    keyed = [team("k") | {"key": "k"}, team("k") | {"key": "k"}, team("l") | {"key": "k"}, say("team-k", "team.closed")]
    dry = run(ledger, *lines, *keyed, dry_run=True)
    assert ledger.head().position == 0
    assert ledger.recorder.all("SELECT count(*) FROM vault WHERE book = ?", [ledger.book])[0][0] == 0
    wet = run(ledger, *lines, *keyed)
    for before, after in zip(dry, wet, strict=True):
        assert (before.error and before.error.code) == (after.error and after.error.code), before.line
        assert (before.receipt and before.receipt.appended) == (after.receipt and after.receipt.appended), before.line


def test_the_same_key_twice_in_a_file_is_stored_once(ledger, batches):
    first = team("a") | {"key": "k"}
    other = team("b") | {"key": "k"}
    outcomes = run(ledger, first, team("x"), first, team("y"), other, first)
    assert [each.receipt and each.receipt.version for each in outcomes] == [1, 1, 1, 1, None, 1]
    assert outcomes[0].receipt == outcomes[2].receipt == outcomes[5].receipt
    assert isinstance(outcomes[4].error, KeyReused)
    assert check_log(ledger) == 4


def test_a_file_appended_again_with_its_keys_changes_nothing(ledger, batches):
    lines = [pipeline() | {"key": "p"}]
    for number in range(5):
        lines += [
            opened(f"d{number}") | {"key": f"o{number}"},
            say(f"deal-d{number}", "deal.won") | {"key": f"w{number}"},
        ]
    first = run(ledger, *lines)
    head = ledger.head()
    again = run(ledger, *lines)
    assert [each.receipt for each in again] == [each.receipt for each in first]
    assert ledger.head() == head


def test_a_repeated_line_is_told_from_one_that_is_news(ledger, batches):
    keyed = team("a") | {"key": "k"}
    outcomes = run(ledger, keyed, team("x"), keyed, team("x"), keyed)
    assert [each.repeated for each in outcomes] == [False, False, True, False, True]
    assert [each.receipt.appended for each in outcomes] == [True, True, True, False, True]
    assert [each.repeated for each in run(ledger, keyed, team("x"))] == [True, False]


def test_a_key_whose_first_line_was_refused_is_free_for_the_next(ledger, batches):
    """In a dry run too, which must not forget what it has decided when a key comes twice."""
    lines = [team("a"), CLOSED | {"stream": "team-b", "key": "k"}, team("b"), CLOSED | {"stream": "team-b", "key": "k"}]
    for dry_run in (True, False):
        outcomes = run(ledger, *lines, say("team-a", "team.renamed", name="A"), dry_run=dry_run)
        assert [each.error and each.error.code for each in outcomes] == [None, "unknown_team", None, None, None]
        assert not any(each.repeated for each in outcomes)
    assert check_log(ledger) == 5


def test_a_repetition_of_a_line_that_the_log_would_not_store_is_refused_as_well(ledger, batches, monkeypatch):
    """Its data fits, the whole entry does not: that shows only when the log completes it."""
    attributes = {f"{'a' * 60}{number}": "\x01" * 150 for number in range(32)}
    line = say("team-big", "team.created", name="b", attributes=attributes, parent="p" * 64) | {"key": "k"}
    ledger.append([team("a")], actor="ana")
    monkeypatch.setattr(recorder_module, "MAX_ENTRY_BYTES", 20_000)
    outcomes = run(ledger, line, team("c"), line)
    assert [each.error and each.error.code for each in outcomes] == ["too_large", None, "too_large"]
    assert check_log(ledger) == 3


def test_lines_that_share_a_number_have_bodies_of_their_own(ledger):
    """An importer numbers lines by row; one row may make several."""
    lines = [team("a") | {"key": "a"}, team("b") | {"key": "b"}]
    numbered = [(1, msgspec.json.encode(line)) for line in lines]
    assert [each.error for each in ledger.append_each(numbered, actor="ana")] == [None, None]
    numbered[0] = (1, msgspec.json.encode(team("changed") | {"key": "a"}))
    errors = [each.error for each in ledger.append_each(numbered, actor="ana")]
    assert isinstance(errors[0], KeyReused)
    assert errors[1] is None


def test_an_entry_that_is_too_large_is_refused_and_the_rest_stored(ledger, batches):
    outcomes = run(ledger, pipeline(), team("a"), HUGE, opened("big"), say("deal-big", "deal.won"), team("b"))
    assert [each.error and each.error.code for each in outcomes] == [None, None, "too_large", None, None, None]
    assert check_log(ledger) == 6


def test_what_another_writer_appends_meanwhile_is_not_lost(ledger, database_url, book, clock, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH_LINES", 16)
    ledger.append([team("a")], actor="ana")
    other = open_ledger(database_url, book, clock=clock)
    stop = threading.Event()
    written: list[object] = []

    def write():
        while not stop.is_set():
            written.append(other.append([say("team-a", "team.renamed", name=f"other {len(written)}")], actor="bob"))
            stop.wait(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    lines = [say("team-a", "team.renamed", name=f"file {number}") for number in range(150)]
    outcomes = run(ledger, *lines)
    stop.set()
    writer.join()
    assert [each.error for each in outcomes] == [None] * 150
    assert check_log(ledger) == 2 + 150 + len(written)
    versions = [each.receipt.version for each in outcomes]
    assert versions == sorted(set(versions))
    other.close()


def test_a_refusal_that_rests_on_a_line_that_was_not_stored_is_decided_again(
    ledger, database_url, book, clock, monkeypatch
):
    """The file closes a team and renames it; meanwhile somebody else makes the closing wait. Both outcomes must agree."""
    other = open_ledger(database_url, book, clock=clock)
    ledger.append([team("a")], actor="ana")
    store = type(ledger.recorder)._store
    interfered: list[bool] = []

    def interfere(self, requests, *arguments, **options):
        if self is ledger.recorder and not interfered:
            interfered.append(True)
            other.append([say("team-a", "team.closed")], actor="bob")
        return store(self, requests, *arguments, **options)

    monkeypatch.setattr(type(ledger.recorder), "_store", interfere)
    outcomes = run(ledger, say("team-a", "team.renamed", name="x"), say("team-a", "team.renamed", name="x"), CLOSED)
    assert [each.error and each.error.code for each in outcomes] == ["team_closed", "team_closed", None]
    assert outcomes[2].receipt.appended is False
    other.close()
    check_log(ledger)


def test_what_a_new_book_is_thought_not_to_have_may_be_begun_by_somebody_else(
    ledger, database_url, book, clock, monkeypatch
):
    other = open_ledger(database_url, book, clock=clock)
    store = type(ledger.recorder)._store
    interfered: list[bool] = []

    def interfere(self, requests, *arguments, **options):
        if self is ledger.recorder and len(requests) > 1 and not interfered:
            interfered.append(True)
            other.append([team("a")], actor="bob")
        return store(self, requests, *arguments, **options)

    monkeypatch.setattr(type(ledger.recorder), "_store", interfere)
    outcomes = run(ledger, team("a"), team("b"), say("team-a", "team.renamed", name="x"))
    assert interfered
    assert [each.error for each in outcomes] == [None] * 3
    assert [(each.receipt.version, each.receipt.appended) for each in outcomes] == [(1, False), (1, True), (2, True)]
    other.close()
    assert check_log(ledger) == 4


@pytest.mark.parametrize("contact", [None, "j"])
def test_a_text_is_never_sealed_under_a_name_that_was_not_stored(ledger, database_url, clock, monkeypatch, contact):
    """The file's first line names the contact for the second too; meanwhile somebody else takes that line's stream."""
    other = open_ledger(database_url, ledger.book, clock=clock)
    ledger.append([team("a")], actor="ana")
    talk = {"kind": "call", "direction": "in", "customer": "c", "notes": "Leaks"}
    store = type(ledger.recorder)._store
    interfered: list[bool] = []

    def interfere(self, requests, *arguments, **options):
        if self is ledger.recorder and not interfered:
            interfered.append(True)
            other.append([say("interaction-1", "interaction.logged", **talk, contact=contact)], actor="bob")
        return store(self, requests, *arguments, **options)

    monkeypatch.setattr(type(ledger.recorder), "_store", interfere)
    lines = [say(f"interaction-{number}", "interaction.logged", **talk, contact="j", owner="ana") for number in (1, 2)]
    outcomes = run(ledger, *lines)
    assert [each.error and each.error.code for each in outcomes] == ["already_logged", None]
    [name] = ledger.recorder.subject_refs(["customer-c/j"]).values()
    [event] = ledger.stream("interaction-2")
    assert event.data.notes.commitment.s == name
    other.close()
    check_log(ledger)


@pytest.mark.slow
def test_a_long_file_needs_little_memory(ledger, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH_LINES", 300)
    monkeypatch.setattr(bulk, "KEPT_STREAMS", 200)
    peaks = []
    for size in (600, 2_400):
        lines = ((number, msgspec.json.encode(team(f"t{size}-{number}"))) for number in range(size))
        tracemalloc.start()
        assert all(outcome.error is None for outcome in ledger.append_each(lines, actor="ana"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


@pytest.mark.slow
def test_refused_lines_do_not_keep_their_batch_in_memory(ledger, monkeypatch):
    """An error remembers where it was raised, and so all that was at hand there."""
    monkeypatch.setattr(bulk, "BATCH_LINES", 100)
    monkeypatch.setattr(bulk, "KEPT_STREAMS", 100)
    peaks = []
    for size in (800, 4_000):
        good = (msgspec.json.encode(team(f"r{size}-{number}", "x" * 200)) for number in range(size))
        bad = (b'{"stream":"team-x","type":"team.closed"}', b'{"stream":"team-x"')
        lines = (bad[number // 10 % 2] if number % 10 == 0 else line for number, line in enumerate(good))
        tracemalloc.start()
        refused = sum(outcome.error is not None for outcome in ledger.append_each(enumerate(lines), actor="ana"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert refused == size // 10
    assert peaks[1] < peaks[0] * 2


def test_history_of_a_closed_book_is_refused_line_by_line(ledger):
    run(ledger, team("a"), say("book", "book.history_closed"))
    [outcome] = run(ledger, say("team-b", "team.created", "2020-01-01", name="b"), history=True)
    assert isinstance(outcome.error, Refused)
    assert outcome.error.code == "history_closed"


def test_a_text_said_twice_in_a_file_is_said_once(ledger, batches):
    """Its seal is not in the vault yet when it comes again."""
    retitled = say("deal-d1", "deal.retitled", title="Valves")
    outcomes = run(ledger, pipeline(), opened(), opened(), retitled, retitled)
    assert [each.receipt.appended for each in outcomes] == [True, True, False, True, False]


@pytest.mark.slow
def test_a_key_repeated_while_its_first_line_is_being_stored_is_recognised(database_url, book, monkeypatch):
    """Decided anew it would be refused, since its stream, as decided meanwhile, has it already."""
    monkeypatch.setattr(bulk, "BATCH_LINES", 4)
    monkeypatch.setattr(bulk, "LONG_BATCHES", 1)
    ledger = open_ledger(database_url, book)
    keyed = [team(f"k{number}") | {"key": f"k{number}"} for number in range(40)]
    lines = [
        line for first in keyed for line in (first, team(first["key"] + "x"), first, team("other") | {"key": "k0"})
    ]
    outcomes = run(ledger, *[team("a"), team("b"), *lines], history=True)[2:]
    assert [each.error for each in outcomes[0::4] + outcomes[1::4] + outcomes[2::4]] == [None] * 120
    assert [each.receipt for each in outcomes[2::4]] == [each.receipt for each in outcomes[0::4]]
    assert all(isinstance(each.error, KeyReused) for each in outcomes[3::4])
    assert check_log(ledger) == 3 + 80
    ledger.close()


@pytest.mark.slow
def test_a_long_file_goes_through_a_process_of_its_own(database_url, book, monkeypatch):
    """Batches overlap then: what the log stamps while the next lines are decided must not turn their order round."""
    monkeypatch.setattr(bulk, "BATCH_LINES", 40)
    monkeypatch.setattr(bulk, "LONG_BATCHES", 1)
    ledger = open_ledger(database_url, book)
    deals = [f"deal-d{number}" for number in range(30)]
    steps = [
        [opened(deal.removeprefix("deal-")) | {"key": f"open {deal}"} for deal in deals],
        [say(deal, "deal.retitled", title="Valves") for deal in deals],
        [say(deal, "deal.retitled", title="Valves") for deal in deals],
        [say(deal, "deal.won") for deal in deals],
        [say(deal, "deal.invoiced", invoice="i", value=eur(1)) for deal in deals],
        [opened(deal.removeprefix("deal-")) | {"key": f"open {deal}"} for deal in deals],
        [say(deal, "deal.lost", reason="x") for deal in deals],
        [say(deal, "deal.reopened", stage="offer", reason="x") for deal in deals],
    ]
    outcomes = run(ledger, pipeline(), *(line for step in steps for line in step))[1:]
    by_step = [outcomes[start : start + 30] for start in range(0, 240, 30)]
    assert [{each.error and each.error.code for each in step} for step in by_step] == [{None}] * 6 + [
        {"closed_deal"},
        {None},
    ]
    appended = [{each.receipt.appended for each in step} for step in by_step[:6]]
    assert appended == [{True}, {True}, {False}, {True}, {True}, {True}]
    assert [each.receipt for each in by_step[5]] == [each.receipt for each in by_step[0]]
    assert check_log(ledger) == 2 + 30 * 5
    stored = {(event.stream, event.version): event.position for event in ledger.feed(0, 1_000)}
    answered = [each.receipt for each in outcomes if each.receipt]
    assert all(stored[receipt.stream, receipt.version] == receipt.position for receipt in answered)
    ledger.close()


@pytest.mark.parametrize("dry_run", [False, True])
def test_lines_that_another_writer_stores_at_that_moment_are_repeated_and_not_refused(
    ledger, other, monkeypatch, dry_run
):
    """The other one stores them after we have looked up the keys and before we read the streams."""
    run(ledger, pipeline())
    lines = [opened("d1") | {"key": "k1"}, say("deal-d1", "deal.won") | {"key": "k2"}]
    preload = Session.preload
    interfered: list[bool] = []

    def interfering(self, names):
        if self._recorder is ledger.recorder and not interfered:
            interfered.append(True)
            run(other, *lines)
        preload(self, names)

    monkeypatch.setattr(Session, "preload", interfering)
    outcomes = run(ledger, *lines, opened("d1", value=eur(7)) | {"key": "k1"}, dry_run=dry_run)
    assert [(each.error and each.error.code, each.repeated) for each in outcomes] == [
        (None, True),
        (None, True),
        ("key_reused", False),
    ]
    assert check_log(ledger) == 4
