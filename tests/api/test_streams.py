"""`/v1/streams/{stream}`: one thing's life at a pair of dates."""

from __future__ import annotations

import pytest


def history(client, stream, **params):
    return client.get(f"/v1/streams/{stream}", params=params)


def test_the_etag_is_the_version_of_the_stream(client):
    answer = history(client, "deal-small")
    assert (answer.headers["etag"], answer.json()["version"]) == ('"3"', 3)


def test_a_correction_counts_from_when_it_was_recorded(client):
    def value(**pair):
        return history(client, "deal-small", **pair).json()["events"][-1]["data"]["value"]["minor"]

    assert value(as_of="2026-02-10") == 120_000
    assert value(as_of="2026-02-10", known_at="now") == 210_000


def test_a_corrected_event_names_its_correction(client):
    opened, revalued = history(client, "deal-small").json()["events"]
    assert "corrected_by" not in opened
    assert revalued["corrected_by"] > revalued["position"]


def test_what_was_not_yet_known_is_not_shown(client):
    types = [event["type"] for event in history(client, "deal-late", as_of="2026-01-31").json()["events"]]
    assert types == ["deal.opened"]


@pytest.mark.parametrize("stream", ["deal-none", "moon-1", "deal-%00", "deal-a%20b", "x" * 100])
def test_a_stream_that_is_not_there_is_not_found(client, stream):
    assert history(client, stream).status_code == 404


@pytest.mark.parametrize(
    "pair", [{"as_of": "0001-01-01"}, {"as_of": "9999-12-31"}, {"known_at": "2026-01-01T00:00:00"}]
)
def test_dates_that_cannot_be_are_refused(client, pair):
    assert history(client, "deal-small", **pair).status_code == 400
