"""A small book behind the service: one pipeline, two owners, a win recorded late, a correction."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from fastapi.testclient import TestClient

from api import create_app
from ledger.application import open_ledger
from ledger.settings import Settings


def _eur(minor):
    return {"minor": minor, "currency": "EUR"}


def _stage(stage, name, probability_bp, category):
    return {"stage": stage, "name": name, "probability_bp": probability_bp, "category": category}


STAGES = [_stage("talk", "Échange", 2_000, "pipeline"), _stage("offer", "Offre", 6_000, "commit")]


def _deal(stage, value, close, owner="ana", title="Extension"):
    return {
        "pipeline": "main",
        "stage": stage,
        "owner": owner,
        "customer": "acme",
        "title": title,
        "value": _eur(value),
        "expected_close_on": close,
    }


def _line(stream, type_, at, data, recorded_at=None):
    line = {"stream": stream, "type": type_, "effective_at": at, "data": data}
    return line | ({"recorded_at": recorded_at} if recorded_at else {})


HISTORY = [
    _line(
        "book",
        "book.opened",
        "2026-01-01T08:00:00Z",
        {
            "name": "Maison Test",
            "currency": "EUR",
            "time_zone": "Europe/Paris",
            "fiscal_year_start_month": 1,
            "locale": "fr-FR",
        },
    ),
    _line("pipeline-main", "pipeline.defined", "2026-01-01T08:01:00Z", {"name": "Ventes", "stages": STAGES}),
    _line("team-north", "team.created", "2026-01-01T08:02:00Z", {"name": "Nord"}),
    _line(
        "person-ana", "person.joined", "2026-01-01T08:03:00Z", {"team": "north", "role": "rep", "name": "Ana Diallo"}
    ),
    _line("customer-acme", "customer.registered", "2026-01-01T08:04:00Z", {"name": "Acme SARL", "kind": "customer"}),
    _line("deal-small", "deal.opened", "2026-01-05T09:00:00Z", _deal("talk", 100_000, "2026-03-31")),
    _line("deal-large", "deal.opened", "2026-01-06T09:00:00Z", _deal("offer", 900_050, "2026-03-15", title="Usine")),
    _line("deal-late", "deal.opened", "2026-01-07T09:00:00Z", _deal("offer", 40_000, "2026-01-31")),
    _line("deal-late", "deal.won", "2026-01-20T09:00:00Z", {}, "2026-02-20T09:00:00Z"),
    _line("deal-small", "deal.revalued", "2026-02-01T09:00:00Z", {"value": _eur(120_000)}),
    _line(
        "deal-small",
        "event.corrected",
        "2026-02-25T09:00:00Z",
        {"version": 2, "reason": "typing_error", "data": {"value": _eur(210_000)}},
    ),
]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """The small book's database, written once and copied for each test."""
    path = tmp_path_factory.mktemp("book") / "sales-ledger.db"
    ledger = open_ledger(f"sqlite:///{path}")
    ledger.append(HISTORY, actor="tests", history=True)
    ledger.close()
    return path


@pytest.fixture
def empty(tmp_path):
    """Settings of a database that nobody has made yet."""
    return Settings(database_url=f"sqlite:///{tmp_path / 'sales-ledger.db'}", max_body_bytes=200_000)


@pytest.fixture
def settings(empty, written, tmp_path):
    """Settings of the small book, with its keys."""
    with closing(sqlite3.connect(written)) as source, closing(sqlite3.connect(tmp_path / written.name)) as copy:
        source.backup(copy)
    shutil.copytree(f"{written}.trust", tmp_path / f"{written.name}.trust")
    return empty


@pytest.fixture
def app(settings):
    return create_app(settings)


@pytest.fixture
def client(app):
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def empty_client(empty):
    with TestClient(create_app(empty), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client
