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


def test_a_life_is_told_in_the_language_asked_for_then_the_readers_then_the_books(client):
    def told(lang=None, accepted=""):
        answer = client.get(
            "/v1/streams/deal-small", params={"lang": lang} if lang else {}, headers={"Accept-Language": accepted}
        )
        return answer.headers["content-language"], answer.json()["life"][0]["text"]

    assert told("en", "fr") == (
        "en",
        "Opened at Échange for €1,000.00, expected to close on 31 March 2026, looked after by Ana Diallo",
    )
    assert told(accepted="en;q=0.9")[0] == "en"
    language, text = told()
    assert language == "fr"
    assert text.startswith("Ouverte à l’étape Échange pour 1\u202f000,00\xa0€, conclusion prévue le 31 mars 2026")


def test_a_life_shows_a_correction_as_before_and_after_once_it_is_known(client):
    def revalued(**pair):
        return history(client, "deal-small", lang="en", as_of="2026-02-10", **pair).json()["life"][1]

    assert revalued()["text"] == "Revalued from €1,000.00 to €1,200.00"
    assert "corrections" not in revalued()
    restated = revalued(known_at="now")
    assert restated["text"] == "Revalued from €1,000.00 to €2,100.00"
    (made,) = restated["corrections"]
    assert (made["actor"], made["reason"], made["recorded_at"]) == (
        "tests",
        "typing_error",
        "2026-02-25T09:00:00.000000Z",
    )
    assert [each["text"] for each in made["changes"]] == ["value: €1,200.00 → €2,100.00"]


def test_how_late_something_was_recorded_is_told(client):
    won = history(client, "deal-late", lang="en").json()["life"][-1]
    assert (won["text"], won["late"]) == ("Won for €400.00", "recorded 31 days later")


def test_a_thing_is_called_by_its_name(client):
    assert history(client, "deal-large").json()["name"] == "Usine"
    assert history(client, "person-ana").json()["name"] == "Ana Diallo"


@pytest.mark.parametrize("stream", ["deal-none", "moon-1", "deal-%00", "deal-a%20b", "x" * 100])
def test_a_stream_that_is_not_there_is_not_found(client, stream):
    assert history(client, stream).status_code == 404


@pytest.mark.parametrize(
    "pair", [{"as_of": "0001-01-01"}, {"as_of": "9999-12-31"}, {"known_at": "2026-01-01T00:00:00"}]
)
def test_dates_that_cannot_be_are_refused(client, pair):
    assert history(client, "deal-small", **pair).status_code == 400
