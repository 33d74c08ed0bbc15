"""The words of a history, in French and English: one file per language, the same keys in each.

- `title`: what happened, for every event type;
- `sentence`: the same with what it says, for the types that have one, as one text or as several of which the first is
  taken whose blanks can all be filled. `{value}` is what the event says or changes, `{value.before}` what it was,
  `{thing.value}` what it is afterwards; a part in square brackets goes when one of its blanks cannot be filled;
- `field`, `value`: names of fields, and of the values that are one of a few words.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("fr", "en")


@cache
def texts(language: str) -> dict[str, Any]:
    """The whole table of a language."""
    return tomllib.loads(files(__package__).joinpath(f"{language}.toml").read_text("utf-8"))
