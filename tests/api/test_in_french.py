"""Problem documents in the language that a request asks for."""

from __future__ import annotations

import pytest

FRENCH = {"Accept-Language": "fr-CA, en;q=0.5"}
LINES = [
    {"stream": "deal-small", "type": "deal.reopened", "data": {"stage": "offer", "reason": "mistake"}},
    {"stream": "deal-small", "type": "deal.won", "effective_at": "2026-02-30"},
]


def said(answer) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["title"].replace("\u00a0", " "), body["detail"].replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/v1/reports/pipeline?as_of=hier",
            (
                400,
                "La question ne peut pas recevoir de réponse telle quelle",
                "as_of : « hier » n’est pas un instant avec fuseau horaire ; écrivez 2026-03-31T16:00:00Z",
            ),
        ),
        (
            "/v1/streams/deal-nobody",
            (
                404,
                "Cela n’existe pas",
                "il n’y a pas de flux deal-nobody dans ce registre ; parcourez /v1/events",
            ),
        ),
        (
            "/v1/events?limit=x&after=-1",
            (
                400,
                "La question ne peut pas recevoir de réponse telle quelle",
                "after : une valeur supérieure ou égale à 0 est attendue ; limit : un nombre entier est attendu",
            ),
        ),
        (
            "/v1/events?zz=1",
            (
                400,
                "La question ne peut pas recevoir de réponse telle quelle",
                "/v1/events n’admet pas « zz » ; ses paramètres sont after, limit, stream, type",
            ),
        ),
        ("/nowhere", (404, "Introuvable", "Introuvable")),
        (
            "/v1/events?stream=%00",
            (
                400,
                "La question ne peut pas recevoir de réponse telle quelle",
                "la requête contient un caractère NUL, qu’aucun texte n’a ici ; retirez %00",
            ),
        ),
    ],
)
def test_a_problem_document_speaks_french_where_the_client_does(client, path, expected):
    answer = client.get(path, headers=FRENCH)
    assert said(answer) == expected
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("fr", "Accept-Language")


def test_refused_lines_are_french_with_the_number_of_the_line(client):
    answer = client.post("/v1/events", json=LINES[::-1], headers=FRENCH)
    assert said(answer) == (422, "Le registre refuse l’événement", "ligne 1 : la date 2026-02-30 n’existe pas")
    answer = client.post("/v1/events", json=LINES[:1], headers=FRENCH)
    assert said(answer)[2] == "cette affaire est ouverte ; seule une affaire close peut être rouverte"


def test_the_type_and_the_status_are_the_same_in_both_languages(client):
    ours, theirs = (client.post("/v1/events", json=LINES, headers=headers).json() for headers in ({}, FRENCH))
    assert (ours["type"], ours["status"]) == (theirs["type"], theirs["status"])
    assert (ours["title"], theirs["title"]) == ("The ledger refuses the event", "Le registre refuse l’événement")


@pytest.mark.parametrize(
    ("lang", "accepted", "language"),
    [("fr", "en", "fr"), ("en", "fr", "en"), ("de", "fr", "fr"), (None, "de", "en"), (None, "fr", "fr")],
)
def test_lang_comes_before_accept_language_and_english_after_both(client, lang, accepted, language):
    params = {} if lang is None else {"lang": lang}
    answer = client.get("/v1/streams/deal-nobody", params=params, headers={"Accept-Language": accepted})
    assert answer.headers["content-language"] == language
