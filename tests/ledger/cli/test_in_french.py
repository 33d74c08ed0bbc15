"""What the command line says no with where LEDGER_LANG is fr, word for word."""

from __future__ import annotations

import pytest

from tests.ledger.cli.conftest import OPENED, PIPELINE, WON, jsonl

NO_BREAK = "\u00a0"

MAPPING = """
[[files]]
name = "deals.csv"
[[files.events]]
type = "deal.opened"
id = "{ref}"
effective_at = "{on}"
[files.events.data]
pipeline = "main"
stage = "offer"
owner = "ana"
title = "{ref}"
expected_close_on = "2026-12-31"
value = { from = "{amount}", currency = "EUR" }
"""


@pytest.fixture
def french(sales_ledger, monkeypatch):
    """The command line in French, over a book with one open deal."""
    assert sales_ledger("append", "-", "--history", stdin=jsonl(PIPELINE, OPENED)).code == 0
    monkeypatch.setenv("LEDGER_LANG", "fr_FR.UTF-8")
    return sales_ledger


def spaced(text: str) -> str:
    return text.replace(NO_BREAK, " ")


def with_data(line: dict, **data: object) -> dict:
    return {**line, "stream": "deal-2", "data": {**line["data"], **data}}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({**WON, "stream": "dealer-1"}, "« dealer-1 » n’est pas un flux ; les flux sont book, pipeline-…"),
        ({**WON, "stream": "deal-9"}, "deal.won précède l’ouverture de l’affaire ; ouvrez-la d’abord avec deal.opened"),
        ({**WON, "type": "deal.one"}, "type d’événement inconnu « deal.one » ; docs/events.md et sales-ledger schema"),
        ({**WON, "effective_at": "2026-02-30"}, "la date 2026-02-30 n’existe pas"),
        ({**WON, "effective_at": "hier"}, "« hier » n’est pas un instant avec fuseau horaire ; écrivez 2026-03-31T16"),
        ({**WON, "key": ""}, "key doit avoir de 1 à 200 caractères imprimables"),
        (with_data(OPENED, stage=5), "data de deal.opened : `str` attendu, `int` reçu, dans `$.stage`"),
        ({**WON, "data": {"price": 5}}, "data de deal.won : le champ `price` est inconnu"),
        ({**WON, "recorded_at": "2026-04-01T00:00:00Z"}, "recorded_at et source sont réservés à l’historique importé"),
        (
            with_data(OPENED, value={"minor": -5, "currency": "EUR"}),
            "value.minor doit être nul ou positif (seule une marge peut être négative), et non -5",
        ),
        (
            with_data(OPENED, expected_close_on="demain"),
            "expected_close_on : « demain » n’est pas une date ; écrivez AAAA-MM-JJ",
        ),
        (
            with_data(OPENED, stage="x"),
            "le pipeline « main » n’a pas d’étape « x » au 2026-02-03T10:00:00.000000Z ; ses",
        ),
        (
            with_data(OPENED, owner="a b"),
            "owner doit être un identifiant : 1 à 64 caractères parmi A-Z a-z 0-9 . _ : -,",
        ),
        (
            {"stream": "deal-1", "type": "event.retracted", "data": {"version": 7, "reason": "mistake"}},
            "deal-1 n’a pas d’événement 7 ; ses versions vont de 1 à 1",
        ),
    ],
)
def test_a_refused_line_has_its_reason_in_french(french, line, says):
    done = french("append", "-", stdin=jsonl(line))
    assert done.code == 1
    assert spaced(done.err).startswith(f"ligne 1 : {says}")
    assert done.out == "0 événement ajouté, 1 ligne refusée\n"


def test_a_message_inside_a_message_is_french_too(french):
    assert french("append", "-", stdin=jsonl(WON)).out == "1 événement ajouté à la position 4\n"
    retracted = {"stream": "deal-1", "type": "event.retracted", "data": {"version": 1, "reason": "mistake"}}
    done = french("append", "-", stdin=jsonl(retracted))
    assert spaced(done.err) == (
        "ligne 1 : deal.won ne serait alors plus permis : deal.won précède l’ouverture de l’affaire ; ouvrez-la d’abord"
        " avec deal.opened\n"
    )


def test_a_file_of_rejects_says_why_in_french_and_can_be_appended(french, tmp_path):
    rejects = tmp_path / "rejects.jsonl"
    done = french("append", "-", "--rejects", str(rejects), stdin=b"{]\n" + jsonl(WON) + b"\n{}\n")
    assert done.out == f"1 événement ajouté à la position 4, 2 lignes refusées (voir {rejects})\n"
    assert spaced(rejects.read_text("utf-8")).splitlines()[::2] == [
        (
            "# ligne 1 : ce n’est pas une ligne d’événement : JSON mal formé : les clés d’un objet doivent être des"
            " textes (octet 1)"
        ),
        "# ligne 4 : ce n’est pas une ligne d’événement : le champ obligatoire `stream` manque",
    ]
    assert french("append", str(rejects)).out == "0 événement ajouté, 2 lignes refusées\n"


def test_rows_of_a_table_are_refused_in_french(french, tmp_path):
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    rows = ["D7,2026-02-03,12.50", "D8,31/02/2026,12.50", "D9,2026-02-03,beaucoup", "D10,2026-02-03,", "D11,2026"]
    (tmp_path / "deals.csv").write_text("ref,on,amount\n" + "\n".join(rows), encoding="utf-8")
    done = french("import", "csv", str(tmp_path / "deals.csv"), "--mapping", str(tmp_path / "map.toml"))
    assert spaced(done.err).splitlines() == [
        (
            "deals.csv ligne 3 : deal.opened effective_at : « 31/02/2026 » : la date 2026-02-31 n’existe pas (lu comme"
            " dmy : le jour et le mois sont peut-être inversés)"
        ),
        "deals.csv ligne 4 : deal.opened : value : « beaucoup » n’est pas un nombre",
        "deals.csv ligne 5 : deal.opened : value : la colonne amount est vide",
        "deals.csv ligne 6 : 2 champs, alors que l’en-tête en a 3",
    ]
    assert done.out == "1 événement ajouté à la position 4, 4 lignes refusées\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "pipelin"], "pas de rapport « pipelin » ; il y a pipeline, forecast, "),
        (["report", "pipeline", "--as-of", "2026-13-01"], "as_of : la date 2026-13-01 n’existe pas"),
        (["report", "pipeline", "--zz", "1"], "pipeline n’admet pas « zz » ; ses paramètres sont as_of, known_at, "),
        (["report", "sales", "--period", "hier"], "période inconnue « hier » : écrivez 2026, 2026-Q3, "),
        (["report", "pipeline", "--lang", "de"], "langue inconnue « de » ; écrivez --lang fr ou --lang en\n"),
        (["history", "deal-9"], "il n’y a pas de flux « deal-9 » dans ce registre ; sales-ledger events montre"),
        (["status", "--database", "mysql://x"], "l’adresse de la base de données doit être sqlite:///FICHIER ou "),
        (["append", "nulle-part"], "nulle-part : fichier ou dossier introuvable\n"),
        (["serve", "--host", "0.0.0.0"], "--host 0.0.0.0 : il n’y a pas encore de contrôle d’accès, seul 127.0.0.1 "),
        (["prove", "99"], "position 99 : le journal compte 3 événements\n"),
        (["append"], "Il manque l’argument « FILE|- ». Voir --help.\n"),
        (["vendre"], "Pas de commande « vendre ». Voir --help.\n"),
    ],
)
def test_a_command_that_fails_says_so_in_french(french, arguments, says):
    done = french(*arguments)
    assert done.code == 2
    assert spaced(done.err).startswith(f"sales-ledger: {says}")


def test_the_language_asked_for_holds_for_errors(french):
    assert french("report", "pipelin", "--lang", "en").err.startswith("sales-ledger: no report 'pipelin'; there are ")
    assert french("report", "pipelin", "--lang=fr").err.startswith("sales-ledger: pas de rapport ")


def test_what_is_wrong_with_the_settings_is_said_in_french(french, monkeypatch):
    monkeypatch.setenv("LEDGER_PORT", "abc")
    assert spaced(french("status").err) == (
        "sales-ledger: port : un nombre entier est attendu ; corrigez l’option, ou sa variable LEDGER_\n"
    )
