"""Some hundred requests made up from the service's own description: none may end in a 5xx."""

from __future__ import annotations

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from api.problems import MEDIA_TYPE

CASES = 30
OPERATIONS = [
    ("POST", "/v1/events"),
    ("GET", "/v1/events"),
    ("GET", "/v1/reports"),
    ("GET", "/v1/reports/{name}"),
    ("GET", "/v1/reports/{name}/explain"),
    ("GET", "/v1/streams/{stream}"),
    ("GET", "/health"),
]


def test_every_operation_described_is_tried(client):
    described = client.get("/v1/openapi.json").json()["paths"]
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == set(OPERATIONS)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), [each for each in OPERATIONS if each[1] != "/health"])
def test_made_up_requests_never_break_the_service(client, method, path, mode):
    schema = schemathesis.openapi.from_dict(client.get("/v1/openapi.json").json())

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def never_breaks(case):
        sent = case.as_transport_kwargs(base_url="http://localhost")
        wanted = {name: sent[name] for name in ("method", "url", "params", "headers") if sent.get(name) is not None}
        body = sent.get("json", sent.get("data"))
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode(errors="surrogatepass")
        answer = client.request(**wanted, content=content)
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == MEDIA_TYPE

    never_breaks()
