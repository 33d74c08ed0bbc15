"""What the ledger says no with, in French: the catalogue `french.toml`, and how a message is found in it.

An error's message is English, made where it is raised and by nothing but its values. Here it is taken apart again: the
template that it was made of, its values, and of these those that are messages themselves (`line 3: …`). What is not in
the catalogue stays English, whole.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

CATALOGUE = Path(__file__).with_name("french.toml")
NO_BREAK = "\u00a0"
THIN = "\u202f"

MAX_CHARACTERS = 1_000
"""A longer message is not looked for: one made on purpose could take long."""

_quoted = re.compile(r"""'([^']*)'|"([^"]*)\"""").fullmatch
_grouped = re.compile(r"[0-9]{1,3}(,[0-9]{3})+").fullmatch
_blank = re.compile(r"(\{[nw]?\})").split
_INSIDE = {"{n}": "[0-9,]+", "{w}": r"\S+"}
_value = re.compile(r"\{([0-9])(?::([a-z]+))?\}")
_or = re.compile(r" (or|and) ")
_FRENCH_OR = {"or": " ou ", "and": " et "}


class _Entry(NamedTuple):
    """A template and its French, which is text, number of a value, how to say it, text, number, … in turn.

    `leads` are those that begin with a value.
    """

    leads: bool
    literal: int
    pattern: re.Pattern[str]
    french: list[str]


class _Catalogue(NamedTuple):
    """Messages without values by themselves, the others by their rarest word.

    `loose` are those that have none, such as `{}: {}`: they are ours where one of the values is.
    """

    whole: dict[str, str]
    by_word: dict[str, list[_Entry]]
    loose: list[_Entry]
    words: dict[str, str]


def in_language(message: str, lang: str) -> str:
    """A message as it is said in a language, `fr` or `en`."""
    return in_french(message) if lang == "fr" else message


def in_french(message: str) -> str:
    """A message in French; English where the catalogue does not have it.

    >>> in_french("line 3: 'soon' is not a date; write YYYY-MM-DD").replace(NO_BREAK, " ")
    'ligne 3 : « soon » n’est pas une date ; écrivez AAAA-MM-JJ'
    """
    try:
        return _found(message) or message
    except RecursionError:  # a value with hundreds of colons
        return message


def template(english: str) -> re.Pattern[str]:
    """What the messages made of a template look like. A value in backticks has none itself, `{n}` is a number, `{w}` a word.

    >>> template("no contact {} here").fullmatch("no contact jo here")[1]
    'jo'
    """
    pieces = _blank(english)
    pattern = re.escape(pieces[0])
    for before, blank, after in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
        inside = _INSIDE.get(blank, "[^`]*" if before[-1:] == after[:1] == "`" else ".*?")
        pattern += f"({inside}){re.escape(after)}"
    return re.compile(pattern, re.DOTALL)


@lru_cache(maxsize=4_096)
def _found(message: str) -> str | None:
    """The French of a message, also of one whose first letter was made large or small; None where there is none."""
    if " " not in message or len(message) > MAX_CHARACTERS:
        return None
    first = message[0]
    other = (first.lower() if first.isupper() else first.upper()) + message[1:]
    return _looked_up(message) or _looked_up(other)


def _looked_up(message: str) -> str | None:
    catalogue = _catalogue()
    if (french := catalogue.whole.get(message)) is not None:
        return french
    entries = [entry for word in catalogue.by_word.keys() & message.split() for entry in catalogue.by_word[word]]
    entries.sort(key=lambda entry: (-entry.literal, entry.pattern.pattern))
    for entry in entries:
        if (match := entry.pattern.fullmatch(message)) is not None:
            return _filled(entry, match.groups())
    for entry in catalogue.loose:
        if (match := entry.pattern.fullmatch(message)) is not None and any(map(_found, match.groups())):
            return _filled(entry, match.groups())
    return None


def _filled(entry: _Entry, values: tuple[str, ...]) -> str:
    french = entry.french
    said = french[0]
    for number, how, after in zip(french[1::3], french[2::3], french[3::3], strict=True):
        put_in = _placed if entry.leads and number == "0" else _said
        said += put_in(values[int(number)], how) + after
    return said


def _placed(value: str, how: str | None) -> str:
    """A value that a message begins with, after the place of what is wrong: `deal.opened: value: '5'`."""
    place, colon, rest = value.partition(": ")
    if not colon or how == "each" or _quoted(value) is not None:
        return _said(value, how)
    if " " in place and _found(place) is None and _found(value) is not None:
        return _said(value, how)
    return f"{in_french(place)}{NO_BREAK}: {_placed(rest, how)}"


def _said(value: str, how: str | None) -> str:
    """A value in French: between its quotation marks as it is, a number with its thousands set apart, a message."""
    if _quoted(value) is not None:
        return f"«{NO_BREAK}{value[1:-1]}{NO_BREAK}»"
    if _grouped(value) is not None:
        return value.replace(",", THIN)
    if how == "each":
        return f"{NO_BREAK}; ".join(in_french(each) for each in value.split("; "))
    if how == "words":
        return _in_words(value)
    return in_french(value)


def _in_words(value: str) -> str:
    words = _catalogue().words
    if (french := words.get(value) or _found(value)) is not None:
        return french
    pieces = _or.split(value)
    if len(pieces) == 1:
        return value
    said = [_FRENCH_OR[piece] if odd % 2 else _said(piece, "words") for odd, piece in enumerate(pieces)]
    return "".join(said)


@cache
def _catalogue() -> _Catalogue:
    tables = tomllib.loads(CATALOGUE.read_text("utf-8"))
    words = tables.pop("words")
    texts = {english: french for table in tables.values() for english, french in table.items()}
    found = _Catalogue({}, {}, [], words)
    common = Counter(word for english in texts for word in set(_words(english)))
    for english, french in texts.items():
        pieces = _blank(english)
        if len(pieces) == 1:
            found.whole[english] = french
            continue
        literal = sum(map(len, pieces[::2]))
        entry = _Entry(not pieces[0], literal, template(english), _value.split(french))
        rarest = min(_words(english), key=lambda word: common[word], default=None)
        (found.loose if rarest is None else found.by_word.setdefault(rarest, [])).append(entry)
    found.loose.sort(key=lambda entry: entry.literal, reverse=True)
    return found


def _words(english: str) -> list[str]:
    """The words of a template that stand in every message made of it, between spaces."""
    return [word for word in english.split() if len(_blank(word)) == 1]
