"""The example of a French company's exports: what docs/import-csv.md says of it is what happens, on both databases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ledger.application import open_ledger
from ledger.imports.csv import load, read
from ledger.kinds import OPENINGS
from tests.support.lines import check_log

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "gescom"
MANUAL = EXAMPLE.parents[1] / "import-csv.md"


def imported(ledger):
    return list(ledger.append_rows(read([EXAMPLE], load(EXAMPLE / "mapping.toml")), actor="ana"))


@pytest.fixture
def ledger(database_url):
    ledger = open_ledger(database_url)
    yield ledger
    ledger.close()


def test_a_row_fills_all_kinds_and_bad_rows_are_named(ledger):
    outcomes = imported(ledger)
    refused = {each.row.place: str(each.error) for each in outcomes if each.error}
    assert list(refused) == ["affaires.csv line 8", "commandes.csv line 6"]
    assert "31/02/2026" in refused["affaires.csv line 8"]
    assert refused["commandes.csv line 6"] == "column Commande is empty"
    assert sum(each.appended for each in outcomes) == 43 == check_log(ledger)
    assert sum(each.twice for each in outcomes) == 1
    [note] = [note for each in outcomes for note in each.differs]
    assert note == (
        "customer-C0101: customer.registered says segment 'eti'; affaires.csv line 2 said 'pme', which stays"
    )
    text = " ".join(MANUAL.read_text(encoding="utf-8").split())
    assert note in text
    kinds = Counter(event.stream.partition("-")[0] for event in ledger.feed(0, 100) if isinstance(event.data, OPENINGS))
    assert kinds == {
        "book": 1, "pipeline": 1, "team": 2, "person": 2, "product": 4, "customer": 3,
        "deal": 5, "quote": 4, "interaction": 3, "task": 2, "objective": 4,
    }  # fmt: skip


def test_every_value_is_where_it_belongs(ledger):
    imported(ledger)
    said = {name: [event.data for event in ledger.stream(f"deal-{name}")] for name in ("A-2601", "A-2602", "A-2603")}
    opened = said["A-2601"][0]
    assert [(line.product, line.quantity, line.value.minor) for line in opened.lines] == [
        ("sonde-s2", "12", 456_000),
        ("pose", "1", 85_000),
    ]
    assert (opened.value.minor, opened.margin.minor, opened.expected_close_on) == (541_000, 162_300, "2026-03-31")
    won = said["A-2602"][-1]
    assert (won.order, won.value.minor, len(won.lines)) == ("BC-7001", 887_300, 3)
    assert said["A-2603"][-1].reason == "price"
    title = ledger.stream("deal-A-2603")[0].data.title
    assert list(ledger.reveal([title]).values()) == ["Comptage vapeur,\r\nchaufferie 2"]
    [visit] = ledger.stream("interaction-A-2601-rdv")
    assert (visit.data.kind, visit.data.satisfaction.score, visit.data.contact) == ("visit", 9, "contact-1")
    assert ledger.stream("interaction-A-2602-rdv")[0].data.satisfaction is None
    contacts = [event.data.contact for event in ledger.stream("customer-C0101") if event.type == "contact.added"]
    assert contacts == ["contact-1", "contact-3"]
    [person, visits] = (ledger.stream(f"objective-O-26-{number}")[0].data for number in (3, 4))
    assert (person.scope.person, person.target.minor, person.period.last) == ("M07", 2_500_000, "2026-06-30")
    assert (visits.metric, visits.target) == ("interactions:visit", "30")


def test_importing_it_again_stores_nothing(ledger):
    imported(ledger)
    head = ledger.head()
    again = imported(ledger)
    assert ledger.head() == head
    assert sum(each.appended for each in again) == 0
    assert {each.row.place for each in again if each.error} == {"affaires.csv line 8", "commandes.csv line 6"}
