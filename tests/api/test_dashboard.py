"""The page as the server sends it: language, empty state, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re

import pytest

from api.texts import LANGUAGES, language_for, texts


def flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_both_languages_say_the_same_things_with_the_same_blanks():
    blanks = {
        language: {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in flat(texts(language))}
        for language in LANGUAGES
    }
    assert blanks["fr"] == blanks["en"]


@pytest.mark.parametrize(
    ("asked", "accepted", "book", "language"),
    [
        ("en", "fr", "fr_FR", "en"),
        ("de", "de, fr-CA;q=0.8, en;q=0.5", "en_US", "fr"),
        (None, "en;q=0.2, fr;q=0.1", None, "en"),
        (None, "de", "fr_CH", "fr"),
        (None, "fr;q=x, ;;;,*;q=0", None, "en"),
        (None, None, None, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_then_the_browsers_then_the_books(asked, accepted, book, language):
    assert language_for(asked, accepted, book) == language


@pytest.mark.parametrize(("language", "title"), [("fr", "Prévision des ventes"), ("en", "Sales forecast")])
def test_the_page_speaks_french_and_english(client, language, title):
    page = client.get("/", params={"lang": language}).text
    assert f"<title>{title} · Maison Test</title>" in page
    assert f'<html lang="{language}-' in page


def test_without_a_wish_the_page_speaks_the_books_language(client):
    assert '<html lang="fr-FR">' in client.get("/", headers={"Accept-Language": ""}).text


def test_nothing_in_the_page_is_inline_or_from_elsewhere(client):
    page = client.get("/").text
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert all(address.startswith(("/", "#")) for address in re.findall(r'(?:src|href)="([^"]*)"', page))
    for attributes in re.findall(r"<script([^>]*)>", page):
        assert "src=" in attributes or 'type="application/json"' in attributes


@pytest.mark.parametrize(("language", "text"), [("fr", "Rien à prévoir"), ("en", "Nothing to forecast yet")])
def test_an_empty_book_says_how_to_begin(empty_client, language, text):
    page = empty_client.get("/", params={"lang": language}).text
    assert text in page
    assert "sales-ledger demo" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "des événements, mais aucune affaire"), ("en", "holds events, but no deal")],
)
def test_a_book_without_deals_is_not_called_empty(empty_client, language, text):
    line = {"stream": "team-north", "type": "team.created", "data": {"name": "North"}}
    assert empty_client.post("/v1/events", json=[line]).status_code == 201
    page = empty_client.get("/", params={"lang": language}).text
    assert text in page
    assert "sales-ledger demo" not in page
    assert "est vide" not in page
    assert "is empty" not in page


def test_the_commands_of_an_empty_page_name_the_database_and_the_book(empty_client):
    commands = re.findall(r"<code>(sales-ledger [^<]*)</code>", empty_client.get("/").text)
    assert len(commands) == 3
    assert all(command.endswith("--database URL --book main") for command in commands)


def test_a_books_name_is_text_and_never_markup(empty_client):
    opening = {
        "name": "<script>alert(1)</script>",
        "currency": "EUR",
        "time_zone": "Europe/Paris",
        "fiscal_year_start_month": 1,
        "locale": "en",
    }
    line = {"stream": "book", "type": "book.opened", "data": opening}
    assert empty_client.post("/v1/events", json=[line]).status_code == 201
    assert "<script>alert" not in empty_client.get("/").text


def test_files_are_kept_for_good_under_their_build_and_only_there(client):
    (build,) = set(re.findall(r"/static/(\w+)/", client.get("/").text))
    kept = client.get(f"/static/{build}/dashboard.css")
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-type"].startswith("text/css")
    assert client.get("/static/older/dashboard.css").headers["cache-control"] == "no-store"


def test_the_foot_leads_to_the_catalogue_of_events(client):
    assert 'href="/events.md"' in client.get("/").text
    catalogue = client.get("/events.md")
    assert catalogue.headers["content-type"] == "text/plain; charset=utf-8"
    assert "### `deal.won`" in catalogue.text


@pytest.mark.parametrize("name", ["nope.js", "..%2Fapp.py", "__init__.py", "%00"])
def test_only_the_pages_own_files_are_served(client, name):
    assert client.get(f"/static/x/{name}").status_code == 404


def test_vega_comes_from_the_installed_package(client):
    bundle = client.get("/static/x/vega.js")
    assert bundle.headers["content-type"].startswith("text/javascript")
    assert bundle.text.rstrip().endswith("as vegaEmbed};")
