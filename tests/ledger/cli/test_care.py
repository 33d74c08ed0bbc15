"""status, doctor, rebuild, demo: the commands of whoever looks after an installation."""

from __future__ import annotations

from contextlib import closing
from itertools import islice

import pytest
from sqlalchemy import create_engine, text

from ledger.application import open_ledger
from ledger.demo import history
from tests.ledger.cli.conftest import OPENED, PIPELINE, jsonl


@pytest.fixture
def filled(sales_ledger):
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED)).code == 0
    return sales_ledger


def test_status_says_what_is_there(filled):
    told = dict(line.split(maxsplit=1) for line in filled("status").out.splitlines())
    assert told["book"] == "main"
    assert told["events"] == "3"
    assert "3 events behind" in filled("status").out
    filled("report", "pipeline")
    assert "up to date" in filled("status").out


def test_a_ledger_that_does_not_exist_is_not_made_by_looking(sales_ledger, database_url):
    done = sales_ledger("status")
    assert done.code == 2
    assert "there is no ledger" in done.err
    assert sales_ledger("status").code == 2


def test_doctor_lists_references_that_lead_nowhere_and_is_content(filled):
    done = filled("doctor")
    assert done.code == 0
    assert "look  there is no person-ana, which deal-1 names" in done.out


def test_doctor_follows_what_every_kind_of_stream_names(sales_ledger):
    def said(stream: str, type_: str, **data) -> dict:
        return {"stream": stream, "type": type_, "effective_at": "2026-02-03", "data": data}

    amount = {"minor": 100, "currency": "EUR"}
    quarter = {"from": "2026-01-01", "to": "2026-03-31"}
    logged = {"kind": "cart", "direction": "in", "customer": "c1", "deal": "d1", "owner": "p1", "campaign": "k1"}
    due = {"kind": "call", "owner": "p2", "customer": "c2", "deal": "d2", "due_at": "2026-03-01"}
    aimed = {"scope": {"team": "t1"}, "metric": "amount", "period": quarter, "target": amount}
    called = {"scope": {"person": "p3"}, "category": "commit", "period": quarter, "value": amount}
    lines = (
        said("interaction-1", "interaction.logged", **logged),
        said("interaction-1", "interaction.converted", deal="d3"),
        said("task-1", "task.planned", **due),
        said("objective-1", "objective.set", **aimed),
        said("call-1", "forecast.submitted", **called),
        said("customer-c9", "customer.registered", name="Acme", kind="lead", campaign="k2"),
    )
    assert sales_ledger("append", "-", "--history", stdin=jsonl(*lines)).code == 0
    told = sales_ledger("doctor").out
    missing = {
        "interaction-1": ("customer-c1", "deal-d1", "person-p1", "campaign-k1", "deal-d3"),
        "task-1": ("person-p2", "customer-c2", "deal-d2"),
        "objective-1": ("team-t1",),
        "call-1": ("person-p3",),
        "customer-c9": ("campaign-k2",),
    }
    for stream, things in missing.items():
        for thing in things:
            assert f"there is no {thing}, which {stream} names" in told
    assert told.count("there is no") == 11


def test_doctor_finds_an_event_that_was_removed(filled, database_url):
    filled("report", "pipeline")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE position = 2"))
    engine.dispose()
    done = filled("doctor")
    assert done.code == 1
    assert "WRONG  1 of 3 events are missing from the log" in done.out


def test_rebuild_makes_a_new_generation_with_the_same_answers(filled):
    before = filled("report", "pipeline", "--format", "csv").out
    done = filled("rebuild", "--workers", "1")
    assert done.code == 0
    assert done.out.startswith("generation 2: 3 events to ")
    assert filled("report", "pipeline", "--format", "csv").out == before


def test_the_demo_is_written_once_and_leaves_a_history_of_ones_own_alone(sales_ledger, tmp_path):
    first = sales_ledger("demo", "--deals", "20", "--years", "1", "--no-serve")
    assert first.code == 0
    assert "refused" not in first.out
    second = sales_ledger("demo", "--no-serve")
    assert second.out.startswith("The demo is already here: ")
    assert sales_ledger("doctor").code == 0
    own = f"sqlite:///{tmp_path / 'own.db'}"
    sales_ledger("append", "-", "--database", own, stdin=jsonl(PIPELINE))
    refused = sales_ledger("demo", "--no-serve", "--database", own)
    assert refused.code == 2
    assert "not the demo's" in refused.err


def test_a_demo_that_was_interrupted_is_not_taken_for_the_whole(sales_ledger, tmp_path):
    partly = f"sqlite:///{tmp_path / 'partly.db'}"
    with closing(open_ledger(partly)) as ledger:
        story = history(deals=20, years=1, until=ledger.now())
        ledger.append(list(islice(story, 50)), actor="demo", history=True)
    refused = sales_ledger("demo", "--no-serve", "--database", partly)
    assert refused.code == 2
    assert "this demo was interrupted" in refused.err


def test_the_demo_of_one_seed_is_the_same_story(sales_ledger, tmp_path):
    urls = [f"sqlite:///{tmp_path / name}" for name in ("a.db", "b.db")]
    for url in urls:
        sales_ledger("demo", "--deals", "20", "--years", "1", "--seed", "3", "--no-serve", "--database", url)
    counts = [sales_ledger("status", "--database", url).out.splitlines()[2] for url in urls]
    assert counts[0] == counts[1]


def test_books_of_one_database_do_not_see_each_other(filled):
    filled("append", "-", "--book", "second", stdin=jsonl(PIPELINE))
    assert "events       2" in filled("status", "--book", "second").out
    assert "events       3" in filled("status").out


def test_doctor_shows_open_deals_whose_stage_is_gone(filled):
    stages = [stage for stage in PIPELINE["data"]["stages"] if stage["stage"] != "offer"]
    redefined = {"stream": "pipeline-main", "type": "pipeline.redefined", "data": {"stages": stages}}
    assert filled("append", "-", stdin=jsonl(redefined)).code == 0
    done = filled("doctor")
    assert done.code == 0
    assert "1 open deal in stage offer, which pipeline-main no longer has (as deal-1)" in done.out
