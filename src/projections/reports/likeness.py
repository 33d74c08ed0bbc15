"""How alike two names of organisations are, and which of many are worth comparing."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LEGAL_FORMS = frozenset(
    "sa sas sasu sarl eurl snc sci scop ste societe gmbh ag kg ohg ug ltd limited plc llc llp inc corp corporation co "
    "company bv nv spa srl sl oy ab as aps group groupe holding et and the la le les".split()
)
"""Words that tell nothing of who it is."""

LARGEST_BLOCK = 30
"""A word or beginning that more names share tells none of them apart; these are compared only by their rarer ones."""
BEGINNING = 5
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=100_000)
def words(name: str) -> str:
    """The words of a name that tell who it is, without accents and case; all of them where none would be left.

    >>> words("Société Lumérys-Énergie S.A.S.")
    'lumerys energie'
    """
    plain = unicodedata.normalize("NFKD", name.casefold().replace(".", ""))
    found = _WORD.findall("".join(each for each in plain if not unicodedata.combining(each)))
    return " ".join([each for each in found if each not in LEGAL_FORMS] or found)


@lru_cache(maxsize=100_000)
def likeness(one: str, other: str) -> Fraction:
    """From 0 to 1: what part of their three-letter pieces two names share, whatever the order of their words (Dice).

    Kept, as many have the same name.

    >>> likeness("lumerys energie", "energie lumerys"), likeness("abc", "xyz")
    (Fraction(1, 1), Fraction(0, 1))
    """
    mine, its = _pieces(one), _pieces(other)
    return Fraction(2 * len(mine & its), len(mine) + len(its)) if mine or its else Fraction(0)


@lru_cache(maxsize=100_000)
def _pieces(name: str) -> frozenset[str]:
    """Kept, as a name is compared with many others."""
    return frozenset(
        padded[at : at + 3] for word in name.split() for padded in (f"  {word} ",) for at in range(len(padded) - 2)
    )


def blocks(names: Mapping[int, str]) -> Iterable[list[int]]:
    """The numbers of the names that share a word, the same words, or their beginning; in the order of the names."""
    found: dict[str, list[int]] = {}
    for number, name in names.items():
        for key in _keys(name):
            found.setdefault(key, []).append(number)
    return found.values()


@lru_cache(maxsize=100_000)
def _keys(name: str) -> frozenset[str]:
    """Kept, as many have the same name."""
    each = name.split()
    return frozenset((*each, f"={''.join(sorted(each))}", f"^{''.join(each)[:BEGINNING]}"))


def candidates(blocks: Iterable[Sequence[int]]) -> Iterator[tuple[int, Sequence[int]]]:
    """Each number in turn with those that follow it in a block, unless that is too large to tell anything.

    What follows another does so wherever both lie in a block.
    """
    after: dict[int, list[Sequence[int]]] = {}
    for block in blocks:
        if len(block) <= LARGEST_BLOCK:
            for index, one in enumerate(block[:-1], start=1):
                after.setdefault(one, []).append(block[index:])
    for one in sorted(after):
        first, *more = after[one]
        yield one, sorted({*first}.union(*more) if more else first)
