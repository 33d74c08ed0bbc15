"""RFC 9162 section 2.1 word for word, over lists of entries; slow, and independent of what it is held against."""

from __future__ import annotations

from hashlib import sha256

Path = list[bytes]


def mth(entries: list[bytes]) -> bytes:
    """2.1.1, the Merkle Tree Hash."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = largest_power_of_two_below(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def largest_power_of_two_below(n: int) -> int:
    """K < n <= 2k."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m: int, entries: list[bytes]) -> Path:
    """2.1.3.1, PATH(m, D_n)."""
    n = len(entries)
    if n == 1:
        return []
    k = largest_power_of_two_below(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: list[bytes]) -> Path:
    """2.1.4.1, PROOF(m, D_n)."""
    return subproof(m, entries, whole=True)


def subproof(m: int, entries: list[bytes], *, whole: bool) -> Path:
    """SUBPROOF(m, D_n, b)."""
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = largest_power_of_two_below(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


class NaiveTree:
    """Its nodes by level and number, as `proof.tree` asks for them."""

    def __init__(self, entries: list[bytes]) -> None:
        self.entries = entries

    def __call__(self, level: int, number: int) -> bytes:
        low, high = number << level, (number + 1) << level
        assert high <= len(self.entries), "only complete subtrees have a number"
        return mth(self.entries[low:high])
