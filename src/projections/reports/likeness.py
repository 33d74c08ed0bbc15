"""How alike two names of organisations are, and which of many are worth comparing."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LEGAL_FORMS = frozenset(
    "sa sas sasu sarl eurl snc sci scop ste societe gmbh ag kg ohg ug ltd limited plc llc llp inc corp corporation co "
    "company bv nv spa srl sl oy ab as aps group groupe holding et and the la le les".split()
)
"""Words that tell nothing of who it is."""

LARGEST_BLOCK = 30
"""A word or beginning that more names share tells none of them apart; these are compared only by their rarer ones."""
BEGINNING = 5
_WORD = re.compile(r"[^\W_]+")


def words(name: str) -> tuple[str, ...]:
    """The words of a name that tell who it is, without accents and case; all of them where none would be left.

    >>> words("Société Lumérys-Énergie S.A.S.")
    ('lumerys', 'energie')
    """
    plain = unicodedata.normalize("NFKD", name.casefold().replace(".", ""))
    found = tuple(_WORD.findall("".join(each for each in plain if not unicodedata.combining(each))))
    return tuple(each for each in found if each not in LEGAL_FORMS) or found


def likeness(one: tuple[str, ...], other: tuple[str, ...]) -> Fraction:
    """From 0 to 1: what part of their three-letter pieces two names share, whatever the order of their words (Dice).

    >>> likeness(("lumerys", "energie"), ("energie", "lumerys")), likeness(("abc",), ("xyz",))
    (Fraction(1, 1), Fraction(0, 1))
    """
    mine, its = _pieces(one), _pieces(other)
    return Fraction(2 * len(mine & its), len(mine) + len(its)) if mine or its else Fraction(0)


@lru_cache(maxsize=100_000)
def _pieces(name: tuple[str, ...]) -> frozenset[str]:
    """Kept, as a name is compared with many others."""
    return frozenset(
        padded[at : at + 3] for word in name for padded in (f"  {word} ",) for at in range(len(padded) - 2)
    )


def candidates(names: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Pairs of ids whose names share a rare word, or the same beginning; each once, in order."""
    blocks: dict[str, list[str]] = {}
    for each, name in names.items():
        whole = "".join(sorted(name))
        for key in {*name, f"={whole}", f"^{''.join(name)[:BEGINNING]}"}:
            blocks.setdefault(key, []).append(each)
    yield from pairs(blocks.values())


def pairs(blocks: Iterable[list[str]]) -> Iterator[tuple[str, str]]:
    """Every two ids that lie in one block, unless it is too large to tell anything; each once, in order."""
    met: set[tuple[str, str]] = set()
    for block in blocks:
        if len(block) <= LARGEST_BLOCK:
            for index, one in enumerate(block):
                for other in block[index + 1 :]:
                    pair = (one, other) if one < other else (other, one)
                    if pair not in met:
                        met.add(pair)
                        yield pair
