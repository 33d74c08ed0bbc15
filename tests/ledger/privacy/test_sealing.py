"""Sealed values open with their subject's key, where they were said, and nowhere else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import encode
from ledger.errors import NotProven
from ledger.privacy.sealing import SALT_BYTES, Sealer, VaultRow

KEYS = st.binary(min_size=32, max_size=32)
SALTS = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)
NAMES = st.text(min_size=1, max_size=40)
WHERE = st.tuples(NAMES, st.integers(1, 2**53), NAMES)
VALUES = st.text(max_size=200)


@given(key=KEYS, origin=NAMES, ref=NAMES, where=WHERE, salt=SALTS, value=VALUES)
def test_what_is_sealed_opens_again(*, key, origin, ref, where, salt, value):
    stream, version, field = where
    row = Sealer(origin, ref, key).seal(stream, version, field, salt, encode(value))
    assert msgspec.json.decode(Sealer(origin, ref, key).open(row)) == value
    if len(value) > 8:
        assert value.encode() not in row.sealed
    assert (row.stream, row.version, row.field, row.subject_ref) == (*where, ref)


@given(
    key=KEYS,
    other_key=KEYS,
    origin=NAMES,
    ref=NAMES,
    where=WHERE,
    elsewhere=WHERE,
    salt=SALTS,
    value=VALUES,
    data=st.data(),
)
def test_it_opens_nowhere_else(*, key, other_key, origin, ref, where, elsewhere, salt, value, data):
    stream, version, field = where
    row = Sealer(origin, ref, key).seal(stream, version, field, salt, encode(value))
    place: dict[str, Any] = {"origin": origin, "ref": ref, "key": key} | dict(
        zip(("stream", "version", "field"), where, strict=True)
    )
    moved: dict[str, Any] = {"origin": origin + "x", "ref": ref + "x", "key": other_key} | dict(
        zip(("stream", "version", "field"), elsewhere, strict=True)
    )
    changed = data.draw(st.sets(st.sampled_from(sorted(place)), min_size=1))
    then = place | {name: moved[name] for name in changed}
    if then == place:
        return
    sealer = Sealer(then["origin"], then["ref"], then["key"])
    swapped = VaultRow(row.commitment, then["ref"], then["stream"], then["version"], then["field"], row.sealed)
    with pytest.raises(NotProven, match="not the one that was sealed there"):
        sealer.open(swapped)


@given(KEYS, SALTS, VALUES, st.integers(0), st.integers(1, 255))
def test_a_byte_altered_or_cut_off_is_refused(key, salt, value, at, by):
    sealer = Sealer("o", "r", key)
    row = sealer.seal("deal-1", 1, "title", salt, encode(value))
    altered = bytearray(row.sealed)
    altered[at % len(altered)] ^= by
    for sealed in (bytes(altered), row.sealed[: at % len(row.sealed)]):
        with pytest.raises(NotProven):
            sealer.open(msgspec.structs.replace(row, sealed=sealed))


@given(KEYS, SALTS, VALUES, VALUES)
def test_a_value_under_another_ones_commitment_is_refused(key, salt, value, other):
    """Even by somebody who has the key."""
    sealer = Sealer("o", "r", key)
    first = sealer.seal("deal-1", 1, "title", salt, encode(value))
    second = sealer.seal("deal-1", 1, "title", salt, encode(other + "x"))
    if value != other + "x":
        with pytest.raises(NotProven):
            sealer.open(msgspec.structs.replace(first, sealed=second.sealed))
