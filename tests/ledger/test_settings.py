from __future__ import annotations

import pytest
from pydantic import ValidationError

from ledger.settings import LANGUAGE_VARIABLES, Settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for name in (*LANGUAGE_VARIABLES, "LEDGER_DATABASE_URL", "LEDGER_BOOK", "LEDGER_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_without_an_environment_it_is_the_embedded_default():
    settings = Settings()
    assert settings.database_url == "sqlite:///sales-ledger.db"
    assert (settings.book, settings.host, settings.port, settings.lang) == ("main", "127.0.0.1", 8000, "en")


def test_the_environment_chooses_and_the_caller_overrides(monkeypatch):
    monkeypatch.setenv("LEDGER_BOOK", "north")
    monkeypatch.setenv("LEDGER_PORT", "9000")
    settings = Settings(port=9001)
    assert (settings.book, settings.port) == ("north", 9001)


@pytest.mark.parametrize(
    ("variables", "lang"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": ""}, "fr"),
        ({"LANG": "en_GB.UTF-8", "LEDGER_LANG": "fr"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_chosen_or_follows_the_locale(monkeypatch, variables, lang):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().lang == lang


def test_a_setting_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError):
        Settings().port = 1
