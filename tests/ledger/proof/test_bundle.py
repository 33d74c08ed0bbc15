"""The audit bundle, and the verifier of one file that comes with it: with and without the cryptography package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256, sha512
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BadRequest, NotProven
from ledger.proof import bundle as bundling
from ledger.proof import standalone
from ledger.proof.bundle import write_bundle
from ledger.proof.log_tree import LogTree
from ledger.proof.merkle import Frontier
from ledger.proof.notes import Checkpoint, Signer, Verifier
from ledger.proof.signing import SigningDesk
from tests.ledger.proof import naive
from tests.support.proving import entries_of, grow_to, recorder_of

ORIGIN = "ledger.example"
SIZES = (0, 1, 3, 4, 11, 12)
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.fixture
def made(database_url, tmp_path):
    """A log of twelve entries, signed at six sizes, and its bundle."""
    with recorder_of(database_url) as recorder:
        desk = SigningDesk(tmp_path / "trust", ORIGIN, "main")
        for size in SIZES:
            grow_to(recorder, size)
            desk.sign(recorder, LogTree(recorder))
        write_bundle(tmp_path / "bundle", recorder, LogTree(recorder), desk)
        yield recorder, desk, tmp_path / "bundle"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The same on SQLite, for what no database has to do with; copied by those that alter it."""
    folder = tmp_path_factory.mktemp("bundle")
    with recorder_of(f"sqlite:///{folder / 'a.db'}") as recorder:
        desk = SigningDesk(folder / "trust", ORIGIN, "main")
        for size in SIZES:
            grow_to(recorder, size)
            desk.sign(recorder, LogTree(recorder))
        write_bundle(folder / "bundle", recorder, LogTree(recorder), desk)
    return folder / "bundle"


@pytest.fixture
def copy(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "copy")
    return tmp_path / "copy"


def check(directory: Path, key: str | None = None, held: tuple[str, ...] = ()) -> list[str]:
    told: list[str] = []
    standalone.check_bundle(directory, key, held, told.append)
    return told


def refused(directory, match=None, **more):
    with pytest.raises(standalone.FAILURES, match=match):
        check(directory, **more)


def signer_of(bundle: Path) -> Signer:
    return Signer.parse((bundle.parent / "trust" / "main" / "signing.key").read_text())


# What is written ------------------------------------------------------------------------------------------------------


def test_a_bundle_holds_the_entries_the_checkpoints_and_all_it_takes_to_check_them(made):
    recorder, desk, bundle = made
    assert sorted(path.name for path in bundle.iterdir()) == [
        *("FORMAT.md", "checkpoint", "checkpoints", "consistency", "entries.jsonl", "verifier.key", "verify.py"),
    ]
    assert (bundle / "entries.jsonl").read_bytes().split(b"\n") == [*entries_of(recorder), b""]
    assert [path.read_text() for path in sorted((bundle / "checkpoints").iterdir())] == desk.notes()
    assert Verifier.parse((bundle / "verifier.key").read_text()) == desk.verifier
    told = check(bundle)
    assert "12 entries, 12 streams: positions and versions without gaps, time never goes back" in told
    assert "6 checkpoints of ledger.example/main signed, and true of the entries" in told
    assert "4 consistency proofs hold" in told
    assert told[-1] == f"root {naive.mth(entries_of(recorder)).hex()} at 12"


def test_the_bundle_of_an_empty_log_holds_too(database_url, tmp_path):
    with recorder_of(database_url) as recorder:
        desk = SigningDesk(tmp_path / "trust", ORIGIN, "main")
        assert write_bundle(tmp_path / "bundle", recorder, LogTree(recorder), desk).size == 0
    assert check(tmp_path / "bundle")[-1] == f"root {sha256(b'').hexdigest()} at 0"


def test_how_far_it_is_written_is_told(made, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "PAGE", 5)
    recorder, desk, _ = made
    told: list[tuple[int, int]] = []
    write_bundle(tmp_path / "other", recorder, LogTree(recorder), desk, lambda *each: told.append(each))
    assert told == [(5, 12), (10, 12), (12, 12)]
    check(tmp_path / "other")


def test_a_bundle_is_not_written_over_anything(made, tmp_path):
    recorder, desk, bundle = made
    for path in (bundle, bundle / "checkpoint"):
        with pytest.raises(BadRequest, match="not an empty folder"):
            write_bundle(path, recorder, LogTree(recorder), desk)
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", recorder, LogTree(recorder), desk)


def test_no_bundle_is_made_of_entries_that_are_not_those_that_were_hashed(made, tmp_path):
    """Not even where only the nodes kept of them are read when the log is signed."""
    recorder, desk, _ = made
    grow_to(recorder, 300)
    desk.sign(recorder, LogTree(recorder))
    with recorder.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE events SET entry = (SELECT entry FROM events WHERE position = 1) WHERE position = 2"
        )
    desk.sign(recorder, LogTree(recorder))
    with pytest.raises(NotProven, match="not those that were hashed; run sales-ledger verify"):
        write_bundle(tmp_path / "other", recorder, LogTree(recorder), desk)


def test_a_bundle_of_one_checkpoint_needs_no_consistency_and_its_last_entry_no_end_of_line(tmp_path):
    with recorder_of(f"sqlite:///{tmp_path / 'a.db'}") as recorder:
        grow_to(recorder, 3)
        desk = SigningDesk(tmp_path / "trust", "ledger.example/of/acme", "main")
        desk.sign(recorder, LogTree(recorder))
        write_bundle(tmp_path / "bundle", recorder, LogTree(recorder), desk)
    last = (tmp_path / "bundle" / "checkpoint").read_text()
    entries = tmp_path / "bundle" / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().removesuffix(b"\n"))
    told = check(tmp_path / "bundle", held=(last,))
    assert told[-2:-1] == ["0 consistency proofs hold"]
    assert told[0] == "signatures are checked by the package cryptography"


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["entries.jsonl", "checkpoint", "checkpoints/0000000000000004.note", "verifier.key", "consistency"]
)
def test_no_flipped_bit_of_a_bundle_passes(copy, name):
    written = (copy / name).read_bytes()
    bits = range(8 * (len(written) - 1))
    for bit in Random(name).sample(bits, min(len(bits), 500)):
        other = bytearray(written)
        other[bit // 8] ^= 1 << bit % 8
        (copy / name).write_bytes(other)
        refused(copy)
    (copy / name).write_bytes(written)
    check(copy)


def rewritten(bundle: Path, entries: list[bytes]) -> None:
    (bundle / "entries.jsonl").write_bytes(b"".join(entry + b"\n" for entry in entries))


def test_entries_left_out_slipped_in_reordered_or_cut_off_are_found(copy):
    entries = (copy / "entries.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    for other in (
        entries[:-1],
        entries[1:],
        [*entries[:5], *entries[6:]],
        [*entries[:5], entries[4], *entries[5:]],
        [*entries, entries[-1].replace(b"deal-12", b"deal-13")],
        [*entries[:4], entries[5], entries[4], *entries[6:]],
        [*entries[:4], b"", *entries[4:]],
        [],
    ):
        rewritten(copy, other)
        refused(copy)
    rewritten(copy, entries)
    check(copy)


def test_a_missing_part_is_found(copy):
    for name in ("verifier.key", "consistency", "checkpoint", "entries.jsonl"):
        written = (copy / name).read_bytes()
        (copy / name).unlink()
        refused(copy)
        (copy / name).write_bytes(written)
    (copy / "consistency").write_text("")
    refused(copy, "does not lead from 1 to 3 entries")


def test_a_bundle_rewritten_and_signed_with_a_new_key_holds_only_by_its_own_key(copy, bundle):
    """Everything made anew by somebody who lacks the key: found with the key, or a checkpoint, held elsewhere."""
    forger = Signer(f"{ORIGIN}/main", sha256(b"forged").digest())
    entries = [entry.replace(b"tests", b"forge") for entry in (copy / "entries.jsonl").read_bytes().splitlines()]
    forge(copy, entries, forger)
    check(copy)
    refused(copy, "not signed by", key=(bundle / "verifier.key").read_text())


def forge(bundle: Path, entries: list[bytes], signer: Signer) -> None:
    rewritten(bundle, entries)
    proofs = []
    for number, size in enumerate(SIZES):
        note = signer.sign(Checkpoint(signer.name, size, naive.mth(entries[:size])))
        (bundle / "checkpoints" / f"{size:016}.note").write_text(note)
        if number > 1:
            hashes = naive.proof(SIZES[number - 1], entries[:size])
            lines = "".join(f"{b64encode(each).decode()}\n" for each in hashes)
            proofs.append(f"{SIZES[number - 1]} {size}\n{lines}")
    (bundle / "checkpoint").write_text(note)
    (bundle / "consistency").write_text("\n".join(proofs))
    (bundle / "verifier.key").write_text(f"{signer.verifier}\n")


def test_who_holds_the_key_can_rewrite_all_but_a_checkpoint_held_elsewhere(copy, bundle):
    """What the documents say that no signature can find; and what finds it."""
    signer = signer_of(bundle)
    held = (bundle / "checkpoints" / "0000000000000004.note").read_text()
    check(copy, str(signer.verifier), (held,))
    entries = [entry.replace(b"tests", b"forge") for entry in (copy / "entries.jsonl").read_bytes().splitlines()]
    forge(copy, entries, signer)
    check(copy, str(signer.verifier))
    refused(copy, "not the one that is held: the log was rewritten", held=(held,))


def test_a_checkpoint_held_elsewhere_of_a_size_that_the_bundle_was_not_signed_at(copy, bundle):
    signer = signer_of(bundle)
    entries = (copy / "entries.jsonl").read_bytes().splitlines()
    check(copy, held=(signer.sign(Checkpoint(signer.name, 7, naive.mth(entries[:7]))),))
    wrong = signer.sign(Checkpoint(signer.name, 7, naive.mth(entries[1:8])))
    refused(copy, "the first 7 entries are not those that were signed", held=(wrong,))
    beyond = signer.sign(Checkpoint(signer.name, 13, naive.mth(entries)))
    refused(copy, "a checkpoint of 13 entries is held, and the bundle has 12", held=(beyond,))


def test_two_signed_checkpoints_of_one_size_are_a_fork(copy, bundle):
    signer = signer_of(bundle)
    forked = signer.sign(Checkpoint(signer.name, 12, sha256(b"other").digest()))
    (copy / "checkpoints" / "0000000000000012.note").write_text(forked)
    refused(copy, "two checkpoints of 12 entries were signed, and differ: the log was forked")


@pytest.mark.parametrize("packed", [b"\x02" + bytes(32), b"\x01" + bytes(31), b"\x01" + bytes(33)])
def test_a_key_of_another_kind_is_none_even_if_its_id_is_right(copy, packed):
    key_id = sha256(f"{ORIGIN}/main\n".encode() + packed).digest()[:4].hex()
    line = f"{ORIGIN}/main+{key_id}+{b64encode(packed).decode()}"
    refused(copy, "the verifier key is not an Ed25519 key", key=line)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda told: told | {"version": 2}, "has version 2 at position 5, out of turn"),
        (lambda told: told | {"stream": "deal-1"}, "has version 1 at position 5, out of turn"),
        (lambda told: told | {"appended_at": "2001-01-01T00:00:00.000000Z"}, "time goes back at position 5"),
        (lambda told: told | {"book": "other"}, "position 5 is not of the book main"),
    ],
)
def test_a_history_that_breaks_its_own_rules_is_found_even_if_it_was_signed(copy, bundle, change, match):
    entries = (copy / "entries.jsonl").read_bytes().splitlines()
    told = change(json.loads(entries[4]))
    entries[4] = json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
    forge(copy, entries, signer_of(bundle))
    refused(copy, match)


# The one file ---------------------------------------------------------------------------------------------------------


def run(*arguments: str, alone: bool) -> subprocess.CompletedProcess[str]:
    """As an auditor runs it; `alone` without any package at hand."""
    flags = ["-I", "-S"] if alone else []
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    command = [sys.executable, *flags, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(("alone", "how"), [(True, "Python written in this file"), (False, "the package cryptography")])
def test_the_file_checks_the_bundle_it_lies_in(copy, bundle, alone, how):
    done = run(str(copy / "verify.py"), alone=alone)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"signatures are checked by {how}" in done.stdout
    assert "The key came with the bundle" in done.stdout
    assert done.stdout.endswith("All of it holds.\n")
    key, note = (bundle / "verifier.key").read_text(), str(bundle / "checkpoints" / "0000000000000003.note")
    done = run(str(copy / "verify.py"), str(bundle), "--key", key, "--checkpoint", note, alone=alone)
    assert done.returncode == 0
    assert "came with the bundle" not in done.stdout
    entries = (copy / "entries.jsonl").read_bytes()
    (copy / "entries.jsonl").write_bytes(entries.replace(b"tests", b"forge", 1))
    done = run(str(copy / "verify.py"), alone=alone)
    assert done.returncode == 1
    assert done.stderr == "DOES NOT HOLD: the first 1 entries are not those that were signed\n"
    other = run(str(copy / "verify.py"), str(bundle), "--key", key.replace("ledger", "Ledger"), alone=alone)
    assert (other.returncode, other.stderr) == (1, "DOES NOT HOLD: the verifier key's id is not that of its key\n")


def test_the_file_says_when_there_is_no_bundle(copy, tmp_path):
    done = run(str(copy / "verify.py"), str(tmp_path), alone=True)
    assert (done.returncode, done.stderr) == (2, f"there is no bundle in {tmp_path}\n")
    assert run(str(copy / "verify.py"), "--key", alone=True).returncode == 2


def test_the_file_imports_nothing_but_the_standard_library():
    names = {
        line.split()[1].partition(".")[0]
        for line in Path(standalone.__file__).read_text().splitlines()
        if line.strip().startswith(("import ", "from "))
    }
    assert names - {"cryptography"} <= sys.stdlib_module_names


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_the_published_signatures_hold(public, message, signature):
    key, text, signed = map(bytes.fromhex, (public, message, signature))
    assert standalone.ed25519(key, text, signed)
    for bit in range(0, 512, 7):
        other = bytearray(signed)
        other[bit // 8] ^= 1 << bit % 8
        assert not standalone.ed25519(key, text, bytes(other))
    assert not standalone.ed25519(key, text + b"x", signed)
    assert not standalone.ed25519(key, text, signed[:-1])
    assert not standalone.ed25519(key[:-1], text, signed)


def test_a_signature_is_good_in_one_way_only():
    """Its second half plus the group's order would be the same number to a careless verifier (RFC 8032, 5.1.7)."""
    public, message, signature = (bytes.fromhex(each) for each in RFC_8032[1])
    scalar = int.from_bytes(signature[32:], "little") + standalone.L
    assert not standalone.ed25519(public, message, signature[:32] + scalar.to_bytes(32, "little"))


def test_a_signature_that_meets_one_coordinate_of_the_point_alone_is_none():
    """Made with a key that is known: what it stands for lies across the x axis, or the y axis, from what it should."""
    secret, once, message, half_turn = 5, 7, b"message", (0, standalone.P - 1, 1, 0)
    public = encoded(standalone._multiply(secret, standalone.BASE))
    nonce = standalone._multiply(once, standalone.BASE)

    def answer(nonce: bytes) -> int:
        challenge = int.from_bytes(sha512(nonce + public + message).digest(), "little")
        return (once + challenge * secret) % standalone.L

    good, turned = encoded(nonce), encoded(standalone._add(nonce, half_turn))
    signed = {
        "good": good + answer(good).to_bytes(32, "little"),
        "same y": good + (standalone.L - answer(good)).to_bytes(32, "little"),
        "same x": turned + (standalone.L - answer(turned)).to_bytes(32, "little"),
    }
    _, library = standalone.signature_check()
    for name, signature in signed.items():
        assert standalone.ed25519(public, message, signature) is library(public, message, signature) is (name == "good")


def encoded(point: standalone.Point) -> bytes:
    """A point as keys and signatures write it (RFC 8032, 5.1.2)."""
    whole = pow(point[2], standalone.P - 2, standalone.P)
    x, y = (each * whole % standalone.P for each in point[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little")


def test_a_scalar_of_the_group_s_order_is_not_nothing():
    identity = encoded((0, 1, 1, 0))
    assert not standalone.ed25519(identity, b"", identity + standalone.L.to_bytes(32, "little"))


def test_what_is_no_point_of_the_curve_or_written_another_way_is_refused():
    """By Euler's criterion: x² is a square or there is no such point; x = 0 has no sign, and y is below p (RFC 8032, 5.1.3)."""
    p = standalone.P
    met = set()
    for y in range(2, 60):
        square = (y * y - 1) * pow(standalone.D * y * y + 1, p - 2, p) % p
        is_point = pow(square, (p - 1) // 2, p) == 1
        met.add(is_point)
        if is_point:
            x, its_y, _, _ = standalone._point(y.to_bytes(32, "little"))
            assert (its_y, x * x % p, x & 1) == (y, square, 0)
        else:
            with pytest.raises(standalone.Wrong):
                standalone._point(y.to_bytes(32, "little"))
    assert met == {True, False}
    for other in (p, p + 1, 1 | 1 << 255, p - 1 | 1 << 255):
        with pytest.raises(standalone.Wrong):
            standalone._point(other.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511))
def test_both_checks_of_signatures_say_the_same(seed, message, bit):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message))
    how, library = standalone.signature_check()
    assert how == "the package cryptography"
    assert standalone.ed25519(public, message, bytes(signature)) is library(public, message, bytes(signature)) is True
    signature[bit // 8] ^= 1 << bit % 8
    assert standalone.ed25519(public, message, bytes(signature)) is library(public, message, bytes(signature)) is False


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_its_tree_is_that_of_the_log(entries):
    theirs, ours = standalone.Tree(), Frontier()
    for entry in entries:
        theirs.append(entry)
        ours.append(entry)
    assert theirs.root() == ours.root() == naive.mth(entries)


def test_its_consistency_check_is_that_of_the_rfc():
    entries = [b"%d" % number for number in range(34)]
    roots = [naive.mth(entries[:size]) for size in range(34)]
    for second in range(2, 34):
        for first in range(1, second):
            hashes = naive.proof(first, entries[:second])
            standalone.check_consistency(first, roots[first], second, roots[second], hashes)
            for other in (hashes[:-1], [*hashes, roots[0]], hashes[::-1] if len(hashes) > 1 else [], [roots[0]]):
                with pytest.raises(standalone.Wrong):
                    standalone.check_consistency(first, roots[first], second, roots[second], other)
            with pytest.raises(standalone.Wrong):
                standalone.check_consistency(first, roots[first - 1], second, roots[second], hashes)
            with pytest.raises(standalone.Wrong):
                standalone.check_consistency(first, roots[first], second, roots[second - 1], hashes)
    for first, second in ((0, 5), (5, 5), (6, 5)):
        with pytest.raises(standalone.Wrong, match=f"nothing proves {second} entries consistent with {first}"):
            standalone.check_consistency(first, roots[first], second, roots[second], [roots[1]])
    with pytest.raises(standalone.Wrong, match="a hash of a consistency proof does not have 32 bytes"):
        standalone.check_consistency(4, roots[4], 5, roots[5], [roots[1][:31]])
