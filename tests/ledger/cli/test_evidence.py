"""From a figure to its proof, in a file that is checked alone; and reports derived again from a bundle only."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

import pytest
from sqlalchemy import create_engine, text

from projections.reports import REPORTS
from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl

OPEN_DEAL = {**OPENED, "stream": "deal-2", "data": {**OPENED["data"], "owner": "bob"}}


@pytest.fixture
def told(sales_ledger):
    assert sales_ledger("append", "-", stdin=jsonl(PIPELINE, OPENED, OPEN_DEAL, WON)).code == 0
    return sales_ledger


@pytest.fixture
def proven(told, tmp_path):
    """A figure's evidence as a file, and the key to check it with."""
    path = tmp_path / "figure.json"
    ran = told("explain", "sales", "--period", "2026-Q1", "--by", "owner", "--cell", "owner=ana", "--proof", str(path))
    assert (ran.code, ran.out) == (0, "")
    assert "1 line and 2 events written" in ran.err
    return path, told("checkpoint").err.split()[-1]


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """From here on there is no database."""
    return lambda: monkeypatch.setenv("LEDGER_DATABASE_URL", f"sqlite:///{tmp_path}/gone/sales-ledger.db")


def test_a_figure_is_checked_by_its_file_and_the_key_alone(told, proven, nowhere):
    path, key = proven
    nowhere()
    ran = told("verify", str(path), "--key", key)
    assert ran.code == 0
    assert "amount_minor 125000\n" in ran.out
    assert "of sales (owner=ana): 1 line on 2 events, each among the 5 that sales-ledger.local/main signed" in ran.err
    assert "replay --bundle" in ran.err
    entries = [json.loads(b64decode(each["entry"])) for each in json.loads(path.read_text())["events"]]
    assert [entry["type"] for entry in entries] == ["deal.opened", "deal.won"]


def test_the_file_holds_no_personal_value_and_no_free_text(proven):
    path, _ = proven
    assert "Sensors" not in path.read_text()


def test_of_a_cell_that_is_not_there_nothing_is_proved(told, tmp_path):
    path = tmp_path / "nothing.json"
    ran = told("explain", "sales", "--by", "owner", "--cell", "owner=nobody", "--proof", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert "there is nothing to prove: no line stands behind that; sales-ledger report sales shows" in ran.err
    assert not path.exists()
    ran = told("explain", "sales", "--by", "owner", "--cell", "owner=nobody")
    assert ran.code == 0
    assert "no line stands behind that" in ran.err


def changes(told):
    """What somebody could do to the file."""
    line, event = told["explanation"]["lines"][0], told["events"][0]

    def entry(old, new):
        event["entry"] = b64encode(b64decode(event["entry"]).replace(old, new)).decode()

    yield "another figure", lambda: told["explanation"]["figures"].update(amount_minor=999)
    yield "half a cent more", lambda: told["explanation"]["figures"].update(amount_minor=125_000.5)
    yield "a line that brings a word", lambda: line["figures"].update(amount_minor="many")
    yield "another figure of a line", lambda: line["figures"].update(amount_minor=999)
    yield "a line that brings nothing", lambda: line["figures"].pop("amount_minor")
    yield (
        "nor does the figure",
        lambda: [line["figures"].pop("amount_minor"), told["explanation"]["figures"].update(amount_minor=1)],
    )
    yield "an altered event", lambda: entry(b"125000", b"925000")
    yield "an event that is no JSON", lambda: entry(b"{", b"[")
    yield "a missing event", told["events"].pop
    yield "an event twice", lambda: told["events"].append(event)
    yield "another position", lambda: event.update(position=event["position"] + 1)
    yield "another stream", lambda: line["events"].update({"deal-9": line["events"].pop("deal-1")})
    yield "a line without events", lambda: line.update(events={})
    yield "a line left out", told["explanation"]["lines"].clear
    yield "a hash flipped", lambda: event["hashes"].__setitem__(0, b64encode(bytes(32)).decode())
    yield "a hash too many", lambda: event["hashes"].append(b64encode(bytes(32)).decode())
    yield "another checkpoint", lambda: told.update(checkpoint=told["checkpoint"].replace("\n5\n", "\n6\n"))
    yield "another format", lambda: told.update(format="sales-ledger-evidence@v2")
    yield "no events", lambda: told.pop("events")
    yield "no lines", lambda: told["explanation"].pop("lines")
    yield "a position that is none", lambda: event.update(position=0)


def test_whatever_is_changed_in_the_file_is_found(told, proven):
    path, key = proven
    written = path.read_text()
    names = [name for name, _ in changes(json.loads(written))]
    for number, name in enumerate(names):
        content = json.loads(written)
        list(changes(content))[number][1]()
        path.write_text(json.dumps(content))
        assert path.read_text() != json.dumps(json.loads(written))
        ran = told("verify", str(path), "--key", key)
        assert (ran.code, ran.out) == (1, ""), name
        assert len(ran.err.splitlines()) == 1, name
        assert "a fault of this program" not in ran.err, name


def test_what_is_no_sum_of_lines_is_not_said_to_be_proved(told, proven):
    path, key = proven
    content = json.loads(path.read_text())
    content["explanation"]["figures"] |= {"average_minor": 999, "wom": 48}
    path.write_text(json.dumps(content))
    ran = told("verify", str(path), "--key", key)
    assert ran.code == 0
    assert "average_minor" not in ran.out
    assert "wom" not in ran.out
    assert "Not checked, being no sums of lines: " in ran.err
    assert "period 2026-01-01..2026-03-31" in ran.err


def test_a_log_that_was_altered_does_not_prove_a_figure(told, database_url, tmp_path):
    told("explain", "sales", "--proof", str(tmp_path / "before.json"))
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE events SET entry = (SELECT entry FROM events WHERE position = 4) WHERE position = 3")
        )
    engine.dispose()
    ran = told("explain", "sales", "--proof", str(tmp_path / "after.json"))
    assert ran.code == 1
    assert "run sales-ledger verify" in ran.err
    assert not (tmp_path / "after.json").exists()


# A bundle -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def company(sales_ledger):
    """A demo company's log, with everything that reports join."""
    assert sales_ledger("demo", "--deals", "40", "--years", "1", "--seed", "3", "--no-serve").code == 0
    return sales_ledger


@pytest.mark.slow
def test_every_report_from_the_bundle_alone_says_what_the_database_said(company, tmp_path, nowhere):
    """But for names, which are personal and so not in a bundle."""
    bundle, key = str(tmp_path / "bundle"), ""
    assert company("bundle", bundle).code == 0
    head = int(company("events", "--limit", "1", "--format", "jsonl").code == 0)
    assert head
    asked = {each.name: [each.name, "--format", "json", "--as-of", "2026-06-30"] for each in REPORTS}
    before = {name: json.loads(company("replay", *words).out) for name, words in asked.items()}
    proofs = {name: tmp_path / f"{name}.json" for name in asked}
    for name, words in asked.items():
        assert company("explain", name, *words[3:], "--proof", str(proofs[name])).code == 0
    key = company("checkpoint").err.split()[-1]
    nowhere()
    for name, words in asked.items():
        after = json.loads(company("replay", *words, "--bundle", bundle).out)
        assert after["totals"] == before[name]["totals"]
        assert _numbers(after["rows"]) == _numbers(before[name]["rows"])
        assert company("verify", str(proofs[name]), "--key", key).code == 0
    assert any(each["rows"] for each in before.values())


def _numbers(rows):
    return [{name: value for name, value in row.items() if not name.endswith("_name")} for row in rows]


def test_a_report_from_the_first_entries_of_a_bundle(told, tmp_path, nowhere):
    bundle = str(tmp_path / "bundle")
    told("bundle", bundle)
    nowhere()
    whole = json.loads(told("replay", "sales", "--format", "json", "--bundle", bundle).out)
    first = json.loads(told("replay", "sales", "--position", "4", "--format", "json", "--bundle", bundle).out)
    assert (whole["totals"]["amount_minor"], first["totals"]["amount_minor"]) == (125_000, 0)
    assert (whole["position"], first["position"]) == (5, 4)


def test_a_bundle_that_does_not_hold_is_not_replayed(told, tmp_path):
    bundle = tmp_path / "bundle"
    told("bundle", str(bundle))
    entries = bundle / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b"125000", b"925000"))
    ran = told("replay", "sales", "--bundle", str(bundle))
    assert (ran.code, ran.out) == (1, "")
    assert "the bundle does not hold" in ran.err


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["replay", "sales", "--bundle", "{folder}"], "there is no bundle in"),
        (["replay", "--check", "--bundle", "{folder}"], "--bundle takes a report's name"),
        (["replay", "sales", "--bundle", "{folder}", "--book", "other"], "--bundle takes a report's name"),
    ],
)
def test_wrong_use_of_a_bundle(told, tmp_path, arguments, match):
    ran = told(*(each.format(folder=tmp_path) for each in arguments))
    assert (ran.code, ran.out) == (2, "")
    assert match in ran.err


def test_figures_that_are_words_are_shown_as_they_are(told):
    ran = told("explain", "funnel", "--period", "2026-Q1")
    assert ran.code == 0, ran.err
