"""Rows of another system: each stored whole or not at all, each event once however often its file is imported."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.application import open_ledger
from ledger.imports import appending
from ledger.imports.rows import Made, Produced, Rejected
from ledger.log import recorder as recorder_module
from ledger.session import Session
from tests.support.lines import check_log, entries, eur, opened, pipeline, say, team

FILE = Path("ventes.csv")
DAY = "2026-02-01"


def row(number, *made):
    """A row of the file, known by its number; `once` lines are given as a tuple."""
    lines = []
    for each in made:
        once, line = (True, each[0]) if isinstance(each, tuple) else (False, each)
        known_by = (line["stream"],) if once else ("row", str(number))
        lines.append(Made({"effective_at": DAY, **line}, ("crm", *known_by, line["type"]), once))
    return Produced(FILE, number, f"row {number}\n", lines)


def customer(name, **data):
    return (say(f"customer-{name}", "customer.registered", name=name, kind="customer", **data),)


def deal(number, *, won=True, **data):
    return [opened(f"d{number}", **data), *([say(f"deal-d{number}", "deal.won")] if won else [])]


def run(ledger, *rows, **options):
    return list(ledger.append_rows(rows, **({"actor": "ana"} | options)))


def counts(outcomes):
    """Stored, known before, twice in the file, refused."""
    figures = [sum(getattr(each, name) for each in outcomes) for name in ("appended", "known", "twice")]
    return (*figures, sum(each.error is not None for each in outcomes))


@pytest.fixture(params=[2, 1_000], ids=["small batches", "one batch"])
def batches(request, monkeypatch):
    monkeypatch.setattr(appending, "ROWS_AT_ONCE", request.param)


def test_rows_are_stored_with_their_place_in_the_log(ledger, batches):
    rejected = Rejected(FILE, 3, "no\n", "column montant is empty")
    outcomes = run(ledger, row(1, pipeline()), row(2, *deal(1)), rejected, row(4, *deal(2)))
    assert [(each.first_position, each.last_position) for each in outcomes] == [(2, 2), (3, 4), (None, None), (5, 6)]
    assert str(outcomes[2].error) == "column montant is empty"
    assert counts(outcomes) == (5, 0, 0, 1)
    assert check_log(ledger) == 6


def test_the_book_is_opened_by_the_first_good_row_or_with_the_defaults(ledger, database_url, book):
    run(ledger, row(1, say("team-a", "team.closed")), row(2, team("a")))
    assert [entry["type"] for entry in entries(ledger)] == ["book.opened", "team.created"]
    other = open_ledger(database_url, f"{book}_2")
    settings = {"name": "b", "currency": "CHF", "time_zone": "Europe/Zurich", "locale": "fr"}
    opening = say("book", "book.opened", **settings, fiscal_year_start_month=1)
    assert counts(run(other, row(1, opening), row(2, team("a")))) == (2, 0, 0, 0)
    assert entries(other)[0]["data"]["currency"] == "CHF"
    other.close()


def test_a_row_is_stored_whole_or_not_at_all(ledger, batches):
    """The second win is illegal: nothing of its row stays, and the next row is decided as if it had not been."""
    twice_won = [*deal(1), say("deal-d1", "deal.won")]
    outcomes = run(ledger, row(1, pipeline()), row(2, customer("a"), *twice_won), row(3, customer("a"), *deal(1)))
    assert [each.error and each.error.code for each in outcomes] == [None, "closed_deal", None]
    assert counts(outcomes) == (4, 0, 0, 1)
    assert [entry["type"] for entry in entries(ledger)][2:] == ["customer.registered", "deal.opened", "deal.won"]
    assert check_log(ledger) == 5


def test_names_sealed_for_a_row_that_was_refused_are_sealed_anew(ledger, batches):
    """A person named by the refused row only has no subject in the log; the next row must give one."""
    joined = (say("person-p1", "person.joined", team="a", role="rep", name="Zoé"),)
    bad = row(2, joined, say("team-x", "team.closed"))
    assert counts(run(ledger, row(1, team("a")), bad, row(3, joined, team("b")))) == (3, 0, 0, 1)
    [event] = ledger.stream("person-p1")
    assert list(ledger.reveal([event.data.name]).values()) == ["Zoé"]
    refs = ledger.recorder.subject_refs(["person-p1"])
    assert refs == {"person-p1": event.data.name.commitment.s}


def test_a_thing_named_in_many_rows_is_registered_once(ledger, batches):
    rows = [row(number, customer("elan", segment="pme"), *deal(number)) for number in range(2, 9)]
    outcomes = run(ledger, row(1, pipeline()), *rows)
    assert counts(outcomes) == (1 + 1 + 14, 0, 0, 0)
    assert [each.differs for each in outcomes] == [[]] * 8
    assert len(ledger.stream("customer-elan")) == 1


def test_a_thing_described_otherwise_by_a_later_row_is_noted_once_and_stays(ledger, batches):
    first, other = customer("elan", segment="pme"), customer("elan", segment="eti", region="Ouest")
    outcomes = run(ledger, *(row(n, each, team(f"t{n}")) for n, each in enumerate([first, other, other, first], 2)))
    assert [each.differs for each in outcomes] == [
        [],
        [
            "customer-elan: customer.registered says segment 'eti'; ventes.csv line 2 said 'pme', which stays",
            "customer-elan: customer.registered says region 'Ouest'; ventes.csv line 2 said nothing of it",
        ],
        [],
        [],
    ]
    assert ledger.stream("customer-elan")[0].data.segment == "pme"
    [again] = run(ledger, row(9, other, team("t9")))
    assert again.differs == ["customer-elan: customer.registered was imported before with other data, which stays"]
    assert (again.appended, again.known) == (1, 1)


def test_what_a_later_row_leaves_out_or_dates_otherwise_does_not_differ(ledger, batches):
    later = (say("customer-a", "customer.registered", name="a", kind="customer") | {"effective_at": "2026-03-01"},)
    outcomes = run(ledger, row(1, customer("a", segment="pme"), team("x")), row(2, later, team("y")))
    assert [each.differs for each in outcomes] == [[], []]


def test_importing_again_stores_nothing_and_a_grown_file_only_what_is_new(ledger, batches):
    rows = [row(1, pipeline()), *(row(n, customer(f"c{n % 2}"), *deal(n)) for n in range(2, 6))]
    assert counts(run(ledger, *rows)) == (11, 0, 0, 0)
    head = ledger.head()
    assert counts(run(ledger, *rows)) == (0, 11, 0, 0)
    assert ledger.head() == head
    grown = [*rows[:3], row(7, customer("c7"), *deal(7)), *rows[3:]]
    assert counts(run(ledger, *grown)) == (3, 11, 0, 0)
    assert check_log(ledger) == 15


def test_a_row_that_has_gained_an_event_stores_that_one(ledger, batches):
    run(ledger, row(1, pipeline()), row(2, *deal(1, won=False)))
    assert counts(run(ledger, row(1, pipeline()), row(2, *deal(1)))) == (1, 2, 0, 0)
    assert [event.type for event in ledger.stream("deal-d1")] == ["deal.opened", "deal.won"]


def test_a_row_that_says_something_else_now_is_refused_whole(ledger, batches):
    run(ledger, row(1, pipeline()), row(2, *deal(1, won=False)))
    [outcome] = run(ledger, row(2, *deal(1, value=eur(5))))
    assert outcome.error.code == "key_reused"
    assert "the deal.opened of this row was stored by an earlier import and says something else now" in str(
        outcome.error
    )
    assert counts([outcome]) == (0, 0, 0, 1)
    assert len(ledger.stream("deal-d1")) == 1


def test_a_row_that_stands_twice_is_stored_once_and_counted(ledger, batches):
    rows = [row(n, team(f"t{n}")) for n in (1, 2, 1, 3, 1, 2)]
    assert counts(run(ledger, *rows)) == (3, 0, 3, 0)
    changed = row(1, team("t1", "another name"))
    [*_, outcome] = run(ledger, row(4, team("t4")), changed)
    assert outcome.error.code == "key_reused"


def test_a_row_refused_the_first_time_can_be_mended_and_imported(ledger, batches):
    assert counts(run(ledger, row(1, pipeline()), row(2, *deal(1, stage="unknown")))) == (1, 0, 0, 1)
    assert counts(run(ledger, row(1, pipeline()), row(2, *deal(1)))) == (2, 1, 0, 0)


def test_a_dry_run_counts_what_an_import_would_and_stores_nothing(ledger, batches):
    rows = [
        row(1, pipeline()),
        *(row(n, customer(f"c{n % 2}", segment=str(n)), *deal(n)) for n in range(2, 6)),
        row(2, customer("c0"), *deal(2)),
        row(6, *deal(2)),
        row(3, *deal(9)),
    ]
    dry = run(ledger, *rows, dry_run=True)
    assert ledger.head().position == 0
    wet = run(ledger, *rows)
    assert counts(dry) == counts(wet) == (11, 0, 2, 2)
    assert [each.differs for each in dry] == [each.differs for each in wet]
    assert counts(run(ledger, *rows, dry_run=True)) == (0, 13, 0, 2)


def test_an_event_too_large_for_the_log_refuses_its_row_alone(ledger, batches, monkeypatch):
    """That shows only when the log completes the entry; what rests on it is decided again."""
    monkeypatch.setattr(recorder_module, "MAX_ENTRY_BYTES", 5_000)
    attributes = {f"{'a' * 60}{number}": "x" * 200 for number in range(32)}
    big = [customer("a"), *deal(1, attributes=attributes)]
    rows = [row(1, pipeline()), row(2, *big), row(3, customer("a"), *deal(1)), row(4, say("deal-d1", "deal.won"))]
    outcomes = run(ledger, *rows)
    assert [each.error and each.error.code for each in outcomes] == [None, "too_large", None, "closed_deal"]
    assert check_log(ledger) == 5


def test_what_another_writer_appends_meanwhile_is_decided_upon(ledger, database_url, book, clock, monkeypatch):
    """Between decision and storing somebody else closes the team: its row is refused then, the other rows stored."""
    run(ledger, row(1, team("a")))
    other = open_ledger(database_url, book, clock=clock)
    store = type(ledger.recorder)._store
    interfered: list[object] = []

    def interfere(self, requests, *arguments, **options):
        if self is ledger.recorder and not interfered:
            interfered.append(other.append([say("team-a", "team.closed")], actor="bob"))
        return store(self, requests, *arguments, **options)

    monkeypatch.setattr(type(ledger.recorder), "_store", interfere)
    rename = say("team-a", "team.renamed", name="x") | {"effective_at": "2026-06-02"}
    outcomes = run(ledger, row(2, team("b"), rename), row(3, team("b")), row(4, team("c")))
    assert [each.error and each.error.code for each in outcomes] == ["team_closed", None, None]
    assert check_log(ledger) == 5
    other.close()


def between_keys_and_streams(monkeypatch, ledger, interfere):
    """Run this once, after the session has looked up which keys are used and before it reads the streams."""
    preload = Session.preload
    interfered: list[bool] = []

    def interfering(self, names):
        if self._recorder is ledger.recorder and not interfered:
            interfered.append(True)
            interfere()
        preload(self, names)

    monkeypatch.setattr(Session, "preload", interfering)


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_another_import_stores_at_that_moment_is_known_and_not_refused(ledger, other, monkeypatch, dry_run):
    run(ledger, row(1, pipeline()))
    rows = [row(n, customer(f"c{n % 2}"), *deal(n)) for n in range(2, 6)]
    between_keys_and_streams(monkeypatch, ledger, lambda: run(other, *rows))
    assert counts(run(ledger, *rows, rows[0], dry_run=dry_run)) == (0, 12, 0, 0)
    assert check_log(ledger) == 12


def test_of_two_imports_at_once_each_row_is_stored_by_one_and_known_to_the_other(ledger, database_url, book, batches):
    """What each says of the other's rows: they were there already, they do not stand twice in the file."""
    ledger.append([pipeline()], actor="ana")
    rows = [row(n, customer(f"c{n}"), *deal(n)) for n in range(2, 32)]
    barrier = threading.Barrier(2)

    def work(_):
        own = open_ledger(database_url, book)
        barrier.wait(60)
        figures = counts(run(own, *rows, rows[0]))
        own.close()
        return figures

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(work, range(2)))
    stored = [appended for appended, *_ in told]
    assert sum(stored) == 3 * 30
    for appended, known, twice, refused in told:
        assert refused == 0
        assert appended + known + twice == 3 * 30 + 2
        assert twice == (2 if appended == 90 else twice)
        assert twice <= 2
    assert check_log(ledger) == 2 + 90


def test_keys_say_nothing_of_what_a_row_is_known_by(ledger):
    named = Produced(FILE, 2, "x", [Made(team("a") | {"effective_at": DAY}, ("crm", "zoe.elan@example.org", "x"))])
    run(ledger, named)
    [(key,)] = ledger.recorder.all("SELECT key FROM idempotency WHERE book = ?", [ledger.book])
    assert key.startswith("import ")
    assert len(key) == len("import ") + 40
    assert "zoe" not in key


def test_a_closed_history_takes_no_rows(ledger):
    ledger.append([team("a"), say("book", "book.history_closed")], actor="ana")
    [outcome] = run(ledger, row(1, team("b")))
    assert outcome.error.code == "history_closed"
