"""`/v1/events`: appending and reading the log over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

OPENED = {
    "stream": "deal-new",
    "type": "deal.opened",
    "data": {"pipeline": "main", "stage": "talk", "owner": "ana", "title": "Neuf"},
}
WON = {"stream": "deal-new", "type": "deal.won", "data": {"value": {"minor": 5_000, "currency": "EUR"}}}


def post(client, lines, **headers):
    body = lines if isinstance(lines, bytes) else json.dumps(lines).encode()
    return client.post("/v1/events", content=body, headers={"Content-Type": "application/json"} | headers)


def head(client):
    return client.get("/health").json()["head"]


def test_lines_are_appended_in_order_with_a_receipt_each(client):
    before = head(client)
    answer = post(client, [OPENED, WON])
    assert answer.status_code == 201
    assert answer.json()["receipts"] == [
        {"stream": "deal-new", "version": 1, "position": before + 1, "appended": True},
        {"stream": "deal-new", "version": 2, "position": before + 2, "appended": True},
    ]


def test_one_refused_line_stores_none_of_them(client):
    before = head(client)
    answer = post(client, [OPENED, WON, WON | {"type": "deal.lost", "data": {"reason": "price"}}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].startswith("urn:sales-ledger:problem:")
    assert head(client) == before


def test_the_same_key_and_body_give_the_first_answer_again(client):
    first = post(client, [OPENED], **{"Idempotency-Key": '"once"'})
    second = post(client, [OPENED], **{"Idempotency-Key": '"once"'})
    assert second.status_code == 201
    assert second.json()["receipts"][0]["position"] == first.json()["receipts"][0]["position"]


def test_the_same_key_with_another_body_is_refused(client):
    post(client, [OPENED], **{"Idempotency-Key": '"once"'})
    answer = post(client, [OPENED, WON], **{"Idempotency-Key": '"once"'})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:sales-ledger:problem:key_reused")


def test_a_stream_that_has_moved_on_is_a_conflict(client):
    answer = post(client, [{**WON, "stream": "deal-large", "expected_version": 9}])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:sales-ledger:problem:version_conflict")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"\xff\xfe", 400),
        (b"[" * 50_000, 400),
        (b"[1]", 422),
        (b'[{"stream":"deal-1","type":"deal.won","type":"deal.lost"}]', 422),
        (b'[{"stream":"deal-1","type":"deal.won","surprise":1}]', 422),
        (b'[{"stream":"deal-1","type":"no.such"}]', 422),
        (b'[{"stream":"deal 1","type":"deal.won"}]', 422),
    ],
)
def test_a_body_that_is_not_event_lines_is_refused_with_a_reason(client, body, status):
    answer = post(client, body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_only_json_is_taken(client):
    answer = client.post("/v1/events", content=b"[]", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_history_may_not_be_claimed_over_http(client):
    assert post(client, [OPENED | {"recorded_at": "2020-01-01T00:00:00Z"}]).status_code == 422


def test_the_log_is_read_page_by_page_to_its_end(client):
    page: dict[str, Any] = {"next": 0}
    positions: list[int] = []
    while page["next"] is not None:
        page = client.get("/v1/events", params={"after": page["next"], "limit": 4}).json()
        positions += [event["position"] for event in page["events"]]
    assert positions == list(range(1, page["head"] + 1))


def test_events_are_chosen_by_stream_and_type_with_sealed_values_put_back(client):
    (event,) = client.get("/v1/events", params={"stream": "deal-large", "type": "deal.opened"}).json()["events"]
    assert event["data"]["title"] == "Usine"
    assert event["effective_at"] == "2026-01-06T09:00:00.000000Z"


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "after=x", f"after={2**70}"])
def test_a_page_has_limits(client, query):
    assert client.get(f"/v1/events?{query}").status_code == 400
