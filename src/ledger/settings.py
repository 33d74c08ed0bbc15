"""What an installation may choose, read from the environment in this one place.

Each field is a variable with the prefix `LEDGER_`: `LEDGER_DATABASE_URL`, `LEDGER_BOOK`, `LEDGER_PORT`. Importing
this module takes a quarter of a second, so the command line does it only when a command runs.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.privacy.key_file import KeyPlace
from ledger.proof.signing import trust_directory

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

LANGUAGE_VARIABLES = ("LEDGER_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


class Speech(BaseSettings):
    """The language alone, which nothing that is wrong with the other settings keeps from being known."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, frozen=True, populate_by_name=True)

    lang: Language = Field(default="en", validation_alias=AliasChoices(*LANGUAGE_VARIABLES))

    @field_validator("lang", mode="before")
    @classmethod
    def _of_locale(cls, value: str) -> Language:
        return "fr" if value.lower().startswith("fr") else "en"


class Settings(Speech):
    """One value, made at the start of a process and passed to whatever needs it."""

    database_url: str = "sqlite:///sales-ledger.db"
    book: str = "main"
    actor: str = "local"
    """Opaque id written beside each event that the command line appends; never a person's name."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    max_body_bytes: int = Field(default=8_000_000, ge=1_000)
    """The largest request body; an append of a thousand lines is a fifth of a megabyte."""

    read_timeout_s: float = Field(default=5.0, ge=0, le=60)
    """How long a read waits for the read store to catch up with the log, before it answers as it is."""

    origin: str = "sales-ledger.local"
    """Whose log this is, as checkpoints name it: the first half of `origin/book`."""

    trust_dir: str | None = None
    """Where the signing key, what it has signed and the key store are kept, never in the database; beside an SQLite
    file by default, `sales-ledger.trust` in the working directory for a server."""

    wrapping_key: SecretStr | None = None
    """What the key store is wrapped with: base64 of 32 bytes; or the file of it."""

    wrapping_key_file: str | None = None
    """The same in a file. Without either one is made in the trust directory."""

    @property
    def keys(self) -> KeyPlace:
        """Where the keys of what is sealed are kept, and what they are wrapped with."""
        return KeyPlace(
            str(trust_directory(self.database_url, self.trust_dir)),
            self.origin,
            None if self.wrapping_key is None else self.wrapping_key.get_secret_value(),
            self.wrapping_key_file,
        )
