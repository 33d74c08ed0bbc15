"""What stands before the routes: loopback only, limits, headers, and errors as problem documents."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from api import create_app
from api.guard import check_host
from api.problems import STATUS
from ledger import errors
from ledger.errors import BadRequest, LedgerError
from ledger.log.database import unusable


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])
def test_no_address_that_others_reach_is_listened_on(settings, host):
    with pytest.raises(BadRequest, match="no access control"):
        create_app(settings.model_copy(update={"host": host}))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is(host):
    check_host(host)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_requests_addressed_to_this_machine_are_answered(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::1", "a@b"])
def test_a_name_that_somebody_points_at_loopback_is_turned_away(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Origin": "http://localhost/a/path"},
        {"Origin": "http://localhost/" + "a" * 300},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_cannot_write(client, headers):
    answer = client.post("/v1/events", json=[], headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("address", ["/v1/reports/sales?where=owner=a%00", "/v1/events?type=a%00b"])
def test_a_query_with_a_nul_is_refused(client, address):
    """PostgreSQL takes none in a text."""
    answer = client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_our_own_page_can(client):
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/v1/events", json=[], headers=headers).status_code == 400


def test_a_large_body_is_refused_by_its_length_and_without_one(client):
    large = b"[" + b" " * 300_000 + b"]"
    headers = {"Content-Type": "application/json"}
    assert client.post("/v1/events", content=large, headers=headers).status_code == 413
    parts = (large[start : start + 50_000] for start in range(0, len(large), 50_000))
    assert client.post("/v1/events", content=parts, headers=headers).status_code == 413


@pytest.mark.parametrize("path", ["/", "/health", "/v1/reports/nope", "/nowhere"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"


def test_every_refusal_of_the_ledger_has_its_status():
    children = {each for each in vars(errors).values() if isinstance(each, type) and LedgerError in each.__bases__}
    assert children == set(STATUS)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/v1/events", 405)])
def test_what_has_no_route_is_a_problem_document_too(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}


@pytest.mark.parametrize(
    "path", ["/", "/health", "/events.md", "/v1/reports", "/v1/streams/deal-small?as_of=2026-02-01", "/nowhere"]
)
def test_head_answers_with_the_headers_of_get_and_no_body(client, path):
    full, head = client.get(path), client.head(path)
    assert (head.status_code, head.headers, head.content) == (full.status_code, full.headers, b"")


def test_head_of_what_only_takes_post_is_refused(client):
    answer = client.head("/v1/deals/small/win")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/v1/events", "after, limit, stream, type"),
        ("/v1/reports", "lang"),
        ("/v1/streams/deal-small", "as_of, known_at, lang"),
    ],
)
def test_an_unknown_parameter_is_refused_and_told_which_there_are(client, path, known):
    answer = client.get(path, params={"asof": "2026-01-01"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:sales-ledger:problem:bad_request")
    assert f"does not take 'asof'; it takes {known}" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/v1/reports", "/v1/reports/sales", "/v1/reports/sales/explain", "/v1/streams/deal-small"]
)
def test_a_language_that_is_not_spoken_is_refused_where_it_is_asked_for_and_not_where_it_is_liked(client, path):
    answer = client.get(path, params={"lang": "de"})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "unknown language 'de'; write fr or en"
    assert client.get(path, params={"lang": "fr-CA"}).status_code == 200
    assert client.get(path, headers={"Accept-Language": "de"}).status_code == 200


def test_a_fault_says_nothing_of_the_inside(app, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(app.state.service.ledger), "head", fail)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/v1/events")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_database_that_is_gone_is_told_without_its_address_and_when_to_try_again(app, monkeypatch):
    def fail(*_, **__):
        error = RuntimeError('connection to server at "10.0.0.7", port 5432 failed')
        raise unusable(DBAPIError("x", None, error), make_url("postgresql+psycopg://me@10.0.0.7/sales"))

    monkeypatch.setattr(type(app.state.service.ledger.recorder), "head", fail)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/v1/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["type"] == "urn:sales-ledger:problem:database_unusable"
    assert "10.0.0.7" not in answer.text


def test_health_counts_what_is_not_in_the_reports_yet(client):
    client.get("/v1/reports/pipeline")
    health = client.get("/health").json()
    assert (health["status"], health["behind"], health["quarantined"]) == ("ok", 0, 0)


def test_the_description_of_the_service_fetches_nothing_from_elsewhere(client):
    assert client.get("/docs").status_code == 404
    document = client.get("/v1/openapi.json").json()
    assert {"/v1/events", "/v1/reports/{name}", "/v1/streams/{stream}", "/health"} <= set(document["paths"])
