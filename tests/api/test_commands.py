"""One command per decision: each stored with its receipt, repeated without effect, refused with a reason."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema_rs import Draft202012Validator

from api import create_app
from api.commands import COMMANDS, body_example
from ledger.events import EVENTS, MODIFIERS
from ledger.examples import EXAMPLES
from ledger.kinds import kind_of_event
from ledger.settings import Settings

PROBLEM = "urn:sales-ledger:problem:"
DEAL = ["deal.opened"]
WON = [*DEAL, "deal.won"]
LOGGED = EXAMPLES["interaction.logged"]
BEFORE: dict[str, list[Any]] = {
    "event.retracted": WON,
    "event.corrected": WON,
    "contact.changed": ["customer.registered", "contact.added"],
    "contact.removed": ["customer.registered", "contact.added"],
    "customer.reactivated": ["customer.registered", "customer.churned"],
    "deal.reopened": [*DEAL, "deal.lost"],
    "deal.invoiced": WON,
    "deal.delivered": WON,
    "deal.credited": WON,
    "interaction.resolved": [LOGGED | {"data": LOGGED["data"] | {"kind": "complaint"}}],
    "interaction.converted": [LOGGED | {"data": LOGGED["data"] | {"kind": "cart"}}],
}
"""What has to be said of a thing first, where that is more than its opening."""

WRITTEN = {
    "event.corrected": {"effective_at": "2026-03-30T16:00:00.000000Z"},
    "task.planned": {"due_at": "2026-02-17T22:59:59.999999Z"},
    "task.rescheduled": {"due_at": "2026-02-20T08:00:00.000000Z"},
}
"""Instants that the ledger writes its own way."""

OPENINGS = {kind_of_event(each): each for each in reversed(COMMANDS) if kind_of_event(each)}
NEED_NOTHING = {*OPENINGS.values(), "channel.counted"}


def before(event_type):
    """The lines that come first, as the examples have them."""
    opening = [] if event_type in NEED_NOTHING else [OPENINGS.get(kind_of_event(event_type), "")]
    needed = BEFORE.get(event_type, opening)
    return [EXAMPLES[each] if isinstance(each, str) else each for each in needed]


def thing(event_type):
    """The stream of a test's own that a command is about, and the path of its command."""
    kind = kind_of_event(event_type)
    name = "USD" if kind == "rate" else event_type.replace(".", "-")
    stream = "book" if kind == "book" else f"{kind or 'deal'}-{name}"
    return stream, "/v1" + COMMANDS[event_type].format(id=name, stream=stream, version=2)


def send(client, path, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content, headers={"Content-Type": "application/json"} | headers)


def say(client, event_type, body=None, **headers):
    """The command of an event type about its own thing, with the example's body."""
    return send(client, thing(event_type)[1], body_example(EVENTS[event_type]) if body is None else body, **headers)


def prepare(client, event_type):
    """Say what comes first; the version of the thing then."""
    lines = [each | {"stream": thing(event_type)[0]} for each in before(event_type)]
    if lines:
        assert send(client, "/v1/events", lines).status_code == 201
    return len(lines)


def head(client):
    return client.get("/health").json()["head"]


@contextmanager
def served(url):
    with TestClient(
        create_app(Settings(database_url=url)), base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        yield client


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_client(request, tmp_path_factory):
    """A service on each database that the module's tests share, each with things of its own."""
    if request.param == "sqlite":
        url, drop = f"sqlite:///{tmp_path_factory.mktemp('commands') / 'x.db'}", lambda: None
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create_database()
        url, drop = server.url(name), lambda: server.drop_database(name)
    with served(url) as client:
        lines = [EXAMPLES["book.opened"], EXAMPLES["pipeline.defined"]]
        assert send(client, "/v1/events", lines).status_code == 201
        yield client
    drop()


@pytest.fixture(scope="module")
def empty_service(tmp_path_factory):
    """One whose book stays as it is: nobody opens it."""
    with served(f"sqlite:///{tmp_path_factory.mktemp('described') / 'x.db'}") as client:
        yield client


@pytest.fixture(scope="module")
def described(empty_service):
    return empty_service.get("/v1/openapi.json").json()


@pytest.fixture
def fresh_client(database_url):
    """A service whose book nobody has opened."""
    with served(database_url) as client:
        yield client


each_type = pytest.mark.parametrize("event_type", COMMANDS)


def test_every_event_type_has_its_command():
    """An event type without one gets it by a line in `api.commands.COMMANDS`; erasing is `sales-ledger erase` only."""
    assert set(COMMANDS) == set(EVENTS) - {"subject.erased"}
    assert len(set(COMMANDS.values())) == len(COMMANDS)


def test_every_address_names_things_a_thing_and_an_order():
    for event_type, path in COMMANDS.items():
        kind = kind_of_event(event_type)
        things = {None: "streams/{stream}/events/{version}", "book": "book"}.get(kind, f"{kind}s/{{id}}")
        assert re.fullmatch(re.escape(f"/{things}/") + "[a-z]+(-[a-z]+)*", path), path


@each_type
def test_the_example_fits_the_schema_in_the_service_description(event_type, described):
    operation = described["paths"]["/v1" + COMMANDS[event_type]]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    schema = body["schema"] | {"components": described["components"]}
    Draft202012Validator(schema).validate(body["example"])
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def check_stored_and_repeatable(client, event_type):
    stream, path = thing(event_type)
    version = prepare(client, event_type)
    condition = {"If-Match": f'"{version}"'} if version else {"If-None-Match": "*"}
    stored = say(client, event_type, **condition)
    assert (stored.status_code, stored.headers["etag"]) == (201, f'"{version + 1}"'), stored.text
    assert stored.json() == {"stream": stream, "version": version + 1, "position": head(client), "appended": True}

    (event,) = client.get("/v1/events", params={"stream": stream, "after": head(client) - 1}).json()["events"]
    body = body_example(EVENTS[event_type])
    modifies = EVENTS[event_type] in MODIFIERS
    said = body | ({"version": 2} if modifies else {}) | WRITTEN.get(event_type, {})
    if not modifies:
        said.pop("effective_at", None)
    assert (event["type"], event["data"]) == (event_type, said)

    again = body if modifies else body | {"effective_at": event["effective_at"]}
    repeated = send(client, path, again)
    assert (repeated.status_code, repeated.headers["etag"]) == (200, f'"{version + 1}"'), repeated.text
    assert repeated.json() == stored.json() | {"appended": False}

    late = say(client, event_type, **condition)
    assert (late.status_code, late.json()["type"]) == (412, f"{PROBLEM}precondition_failed")
    assert head(client) == stored.json()["position"]


@pytest.mark.parametrize("event_type", [each for each in COMMANDS if kind_of_event(each) != "book"])
def test_a_command_is_stored_and_said_again_changes_nothing(shared_client, event_type):
    check_stored_and_repeatable(shared_client, event_type)


@pytest.mark.parametrize("event_type", [each for each in COMMANDS if kind_of_event(each) == "book"])
def test_so_is_one_to_the_book(fresh_client, event_type):
    check_stored_and_repeatable(fresh_client, event_type)


NOT_A_COMMAND = [
    (b"[1]", 400, "bad_request"),
    (b"{", 400, "bad_request"),
    (b"\xff\xfe", 400, "bad_request"),
    (b"[" * 50_000, 400, "bad_request"),
    (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "bad_request"),
    (b'{"surprise":1}', 422, "bad_data"),
    (b'{"stream":"deal-1"}', 422, "bad_data"),
    (b'{"recorded_at":"2026-01-01T00:00:00Z"}', 422, "bad_data"),
    (b'{"reason":"a","reason":"b"}', 422, "duplicate_key"),
    (b'{"effective_at":"2026-01-01","effective_at":"2026-01-02"}', 422, "duplicate_key"),
]


@each_type
def test_what_is_not_a_command_is_refused_with_a_reason(empty_service, described, event_type):
    for body, status, code in NOT_A_COMMAND:
        answer = say(empty_service, event_type, body)
        assert (answer.status_code, answer.json()["type"]) == (status, PROBLEM + code), (body[:60], answer.text)
    whole = body_example(EVENTS[event_type])
    for name in described["components"]["schemas"][EVENTS[event_type].__name__].get("required", ()):
        answer = say(empty_service, event_type, {key: value for key, value in whole.items() if key != name})
        assert (answer.status_code, answer.json()["type"]) == (422, f"{PROBLEM}bad_data")
        assert f"`{name}`" in answer.json()["detail"]
    assert say(empty_service, event_type, whole | {"surprise": 1}).status_code == 422
    assert send(empty_service, thing(event_type)[1], whole, **{"Content-Type": "text/plain"}).status_code == 415
    assert head(empty_service) == 0


def test_what_is_not_utf8_is_refused(client):
    answer = send(client, "/v1/deals/7/win", b'{"order":"\xe9"}')
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:sales-ledger:problem:not_utf8")


def test_no_depth_of_nesting_is_a_fault(client):
    """Somewhere below a thousand levels one reader after the other gives up; each says so."""
    for depth in range(500, 1_100, 5):
        body = b'{"reason":"x","data":{"attributes":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}}"
        for path in ("/v1/streams/deal-small/events/1/correct", "/v1/deals/small/win"):
            answer = send(client, path, body, **{"Idempotency-Key": f'"{depth}"'})
            assert answer.status_code in {400, 422}, (depth, answer.text)


@pytest.mark.parametrize("when", [1, "yesterday", "2026-02-30", "2026-03-31T16:00:00", "2199-01-01"])
def test_a_time_that_cannot_be_is_refused(client, when):
    assert send(client, "/v1/deals/small/win", {"effective_at": when}).status_code == 422


def test_a_command_that_needs_to_say_nothing_may_be_sent_without_a_body(client):
    assert client.post("/v1/deals/small/win").status_code == 201
    assert client.post("/v1/deals/small/lose").status_code == 415


def test_the_same_key_and_body_give_the_first_answer_again(client):
    sent = [say(client, "customer.registered", **{"Idempotency-Key": '"once"'}) for _ in range(3)]
    assert [each.status_code for each in sent] == [201] * 3
    assert len({(each.text, each.headers["etag"]) for each in sent}) == 1


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/deals/small/lose", {"reason": "no_budget"}, {}),
        ("/v1/deals/large/lose", {"reason": "price"}, {}),
        ("/v1/deals/small/abandon", {"reason": "price"}, {}),
        ("/v1/deals/small/lose", {"reason": "price"}, {"If-Match": '"3"'}),
        ("/v1/events", [{"stream": "deal-small", "type": "deal.lost", "data": {"reason": "no_budget"}}], {}),
    ],
)
def test_the_same_key_with_another_request_is_refused(client, path, body, headers):
    key = {"Idempotency-Key": '"once"'}
    assert send(client, "/v1/deals/small/lose", {"reason": "price"}, **key).status_code == 201
    answer = send(client, path, body, **key, **headers)
    assert (answer.status_code, answer.json()["type"]) == (422, f"{PROBLEM}key_reused")


def test_a_refusal_is_not_remembered_under_its_key(client):
    key = {"Idempotency-Key": '"later"'}
    assert say(client, "deal.won", **key).status_code == 422
    assert say(client, "pipeline.defined").status_code == 201
    opening = body_example(EVENTS["deal.opened"]) | {"pipeline": "main", "stage": "talk"}
    assert send(client, "/v1/deals/deal-won/open", opening).status_code == 201
    assert say(client, "deal.won", **key).status_code == 201


def test_the_etag_of_a_stream_is_the_condition_of_the_next_command(client):
    read = client.get("/v1/streams/deal-small").headers["etag"]
    first = send(client, "/v1/deals/small/assign", {"owner": "bob"}, **{"If-Match": read})
    assert first.status_code == 201
    stale = send(client, "/v1/deals/small/assign", {"owner": "eva"}, **{"If-Match": read})
    assert stale.status_code == 412
    assert "read it again" in stale.json()["detail"]
    fresh = send(client, "/v1/deals/small/assign", {"owner": "eva"}, **{"If-Match": first.headers["etag"]})
    assert fresh.status_code == 201
    assert client.get("/v1/streams/deal-small").headers["etag"] == fresh.headers["etag"]


@pytest.mark.parametrize(("said", "status"), [('"3"', 201), ("3", 201), ('"2"', 412), ("2", 412), ('"0"', 412)])
def test_a_version_may_be_said_without_its_quotes(client, said, status):
    assert send(client, "/v1/deals/small/assign", {"owner": "bob"}, **{"If-Match": said}).status_code == status


def test_a_batch_still_names_its_versions_and_conflicts(client):
    line = {"stream": "deal-small", "type": "deal.won", "expected_version": 9}
    assert send(client, "/v1/events", [line]).status_code == 409


def test_a_batch_of_what_is_already_so_is_not_created(client):
    line = {"stream": "customer-new", "type": "customer.registered", "data": {"name": "Neuf", "kind": "lead"}}
    assert send(client, "/v1/events", [line]).status_code == 201
    assert send(client, "/v1/events", [line]).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": '"7'},
        {"If-Match": 'W/"7"'},
        {"If-Match": '"7", "8"'},
        {"If-Match": "*"},
        {"If-Match": '"07"'},
        {"If-Match": '"99999999999999999999"'},
        {"If-None-Match": '"7"'},
        {"Idempotency-Key": '"half'},
        {"Idempotency-Key": '""'},
        {"Idempotency-Key": "x" * 201},
    ],
)
def test_a_header_that_says_nothing_clear_is_refused(client, headers):
    before = head(client)
    answer = send(client, "/v1/deals/small/win", {}, **headers)
    assert (answer.status_code, answer.json()["type"]) == (400, f"{PROBLEM}bad_request")
    assert head(client) == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/deals/a%20b/win", 422),
        (f"/v1/deals/{'x' * 65}/win", 422),
        ("/v1/rates/EUX/fix", 422),
        ("/v1/streams/moon-1/events/1/retract", 422),
        ("/v1/streams/deal-small/events/0/retract", 404),
        ("/v1/streams/deal-small/events/x/retract", 404),
        (f"/v1/streams/deal-small/events/{'9' * 5_000}/retract", 404),
        ("/v1/streams/deal-small/events/99/retract", 422),
        ("/v1/deals/small/celebrate", 404),
    ],
)
def test_an_address_of_nothing_is_refused(client, path, status):
    body = {"base": "EUR", "rate": "1"} if "rates" in path else {"reason": "x"} if "retract" in path else {}
    assert send(client, path, body).status_code == status


def test_the_version_stands_in_the_path_alone(client):
    answer = send(client, "/v1/streams/deal-small/events/2/retract", {"reason": "x", "version": 2})
    assert answer.status_code == 422
    assert "the version stands in the path" in answer.json()["detail"]


def test_conditions_that_are_never_met_together_are_not_met(client):
    answer = send(client, "/v1/deals/small/win", {}, **{"If-Match": '"3"', "If-None-Match": "*"})
    assert answer.status_code == 412


@pytest.mark.parametrize(("path", "methods"), [("/v1/deals/small/win", "POST"), ("/v1/events", "GET, HEAD, POST")])
def test_another_method_is_told_which_there_are(client, path, methods):
    answer = client.put(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)
