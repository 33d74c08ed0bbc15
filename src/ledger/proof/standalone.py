"""Check an audit bundle of a sales ledger: one file, Python's standard library alone.

    python3 verify.py [DIRECTORY] [--key VERIFIER_KEY] [--checkpoint FILE]...

Reads every entry, works the Merkle tree of RFC 9162 out anew, and compares it with every signed checkpoint of the
bundle and every consistency proof between them. Take the verifier key and a checkpoint from where the ledger's owner
cannot change them (your own mail, say): a key that comes with the bundle proves only that the bundle is whole.

Exit code 0: all of it holds. 1: something does not, and is said. 2: there is no bundle.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


class Wrong(Exception):
    """Something of the bundle does not hold."""


FAILURES = (Wrong, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError)
"""What a bundle may raise that was written by somebody else."""


# Ed25519 (RFC 8032, 5.1) ----------------------------------------------------------------------------------------------


Point = tuple[int, int, int, int]
Check = Callable[[bytes, bytes, bytes], bool]


def _add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(number: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _add(found, point)
        point = _add(point, point)
        number >>= 1
    return found


def _same(one: Point, two: Point) -> bool:
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0


def _point(encoded: bytes) -> Point:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        raise Wrong("a point of the signature is not on the curve")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P or (x == 0 and sign):
        raise Wrong("a point of the signature is not on the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


_BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _point(_BASE_Y.to_bytes(32, "little"))


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of 64 bytes is this key's, of this message."""
    if len(signature) != 64 or len(public) != 32:
        return False
    try:
        key, nonce = _point(public), _point(signature[:32])
    except Wrong:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return _same(_multiply(scalar, BASE), _add(nonce, _multiply(challenge, key)))


def signature_check() -> tuple[str, Check]:
    """How signatures are checked, in words and as a function."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return "Python written in this file", ed25519

    def check(public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return "the package cryptography", check


# The tree (RFC 9162, 2.1) ---------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree, as the roots of its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.roots: list[bytes] = []

    def append(self, entry: bytes) -> None:
        """One more leaf, on the right."""
        node, size = leaf_hash(entry), self.size
        while size & 1:
            node = node_hash(self.roots.pop(), node)
            size >>= 1
        self.roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.roots:
            return hashlib.sha256(b"").digest()
        found = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            found = node_hash(left, found)
        return found


def check_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: list[bytes]) -> None:
    """RFC 9162, 2.1.4.2."""
    if any(len(each) != 32 for each in proof):
        raise Wrong("a hash of a consistency proof does not have 32 bytes")
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not 1 <= first < second or not path:
        raise Wrong(f"nothing proves {second} entries consistent with {first}")
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise Wrong("a consistency proof is too long")
        if number & 1 or number == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        number, last = number >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise Wrong(f"the proof does not lead from {first} to {second} entries")


# The bundle -----------------------------------------------------------------------------------------------------------


def decoded(text: str) -> bytes:
    """What base64 says, written in the one way in which these bytes are."""
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Wrong(f"{text[:60]!r} is not base64") from None
    if base64.b64encode(found).decode() != text:
        raise Wrong(f"{text[:60]!r} is not base64 as it is written")
    return found


def read_key(line: str) -> tuple[str, bytes]:
    """A verifier key's name and 32 public bytes."""
    name, key_id, key = line.strip().split("+", 2)
    packed = decoded(key)
    if packed[:1] != b"\x01" or len(packed) != 33:
        raise Wrong("the verifier key is not an Ed25519 key")
    if hashlib.sha256(name.encode() + b"\n" + packed).digest()[:4].hex() != key_id:
        raise Wrong("the verifier key's id is not that of its key")
    return name, packed[1:]


def read_checkpoint(note: str, name: str, public: bytes, check: Check) -> tuple[int, bytes]:
    """Size and root of a note that the key has signed."""
    text, _, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    if lines[0] != name:
        raise Wrong(f"a checkpoint is of {lines[0]!r}, the key of {name!r}")
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    for line in filter(None, signatures.split("\n")):
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        signed = decoded(encoded)
        if dash == "—" and signer == name and signed[:4] == key_id:
            if not check(public, f"{text}\n".encode(), signed[4:]):
                raise Wrong(f"the signature under the checkpoint of {lines[1]} entries does not hold")
            return int(lines[1]), decoded(lines[2])
    raise Wrong(f"the checkpoint of {lines[1]} entries is not signed by {name}")


def read_proofs(text: str) -> dict[tuple[int, int], list[bytes]]:
    """The consistency proofs by their two sizes."""
    found = {}
    for part in filter(None, text.removesuffix("\n").split("\n\n")):
        first, *hashes = part.split("\n")
        one, two = first.split(" ")
        found[int(one), int(two)] = [decoded(each) for each in hashes]
    return found


def check_bundle(
    directory: Path, key: str | None = None, held: Iterable[str] = (), show: Callable[[str], None] = print
) -> int:
    """Check all of it, against checkpoints held elsewhere too; how many entries it has. Raises `Wrong`."""
    how, check = signature_check()
    name, public = read_key(key or (directory / "verifier.key").read_text(encoding="utf-8"))
    show(f"signatures are checked by {how}")
    notes = [path.read_text(encoding="utf-8") for path in sorted((directory / "checkpoints").glob("*.note"))]
    notes.append((directory / "checkpoint").read_text(encoding="utf-8"))
    signed: dict[int, bytes] = {}
    for size, root in (read_checkpoint(note, name, public, check) for note in notes):
        if signed.setdefault(size, root) != root:
            raise Wrong(f"two checkpoints of {size} entries were signed, and differ: the log was forked")
    last, proven = max(signed), sorted(signed)
    for size, root in (read_checkpoint(note, name, public, check) for note in held):
        if size > last:
            raise Wrong(f"a checkpoint of {size} entries is held, and the bundle has {last}")
        if signed.setdefault(size, root) != root:
            raise Wrong(f"the checkpoint of {size} entries is not the one that is held: the log was rewritten")
    tree, before, book = Tree(), "", name.rpartition("/")[2]
    proofs = read_proofs((directory / "consistency").read_text(encoding="utf-8"))
    roots: dict[int, bytes] = {0: tree.root()}
    versions: dict[str, int] = {}
    with (directory / "entries.jsonl").open("rb") as lines:
        for line in lines:
            entry = line[:-1] if line.endswith(b"\n") else line
            tree.append(entry)
            told = json.loads(entry)
            stream, version = told["stream"], told["version"]
            if told["book"] != book:
                raise Wrong(f"the entry at position {tree.size} is not of the book {book}")
            if version != versions.get(stream, 0) + 1:
                raise Wrong(f"{stream} has version {version} at position {tree.size}, out of turn")
            versions[stream] = version
            if told["appended_at"] < before:
                raise Wrong(f"time goes back at position {tree.size}")
            before = told["appended_at"]
            if tree.size in signed:
                roots[tree.size] = tree.root()
    if tree.size != last:
        raise Wrong(f"{tree.size} entries are there; the last checkpoint is of {last}")
    for size, root in signed.items():
        if roots[size] != root:
            raise Wrong(f"the first {size} entries are not those that were signed")
    show(f"{tree.size} entries, {len(versions)} streams: positions and versions without gaps, time never goes back")
    show(f"{len(signed)} checkpoints of {name} signed, and true of the entries")
    sizes = sorted(size for size in proven if size)
    for first, second in pairwise(sizes):
        check_consistency(first, signed[first], second, signed[second], proofs.pop((first, second), []))
    if proofs:
        raise Wrong(f"the consistency proof from {min(proofs)[0]} to {min(proofs)[1]} is of no two checkpoints")
    show(f"{max(0, len(sizes) - 1)} consistency proofs hold")
    show(f"root {tree.root().hex()} at {tree.size}")
    return tree.size


def main(arguments: list[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Check an audit bundle of a sales ledger.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="the verifier key, from elsewhere than the bundle")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="one that you hold; repeatable")
    asked = parser.parse_args(arguments)
    if not (asked.directory / "entries.jsonl").exists():
        print(f"there is no bundle in {asked.directory}", file=sys.stderr)
        return 2
    try:
        held = [path.read_text(encoding="utf-8") for path in asked.checkpoint]
        check_bundle(asked.directory, asked.key, held)
    except FAILURES as error:
        print(f"DOES NOT HOLD: {error}", file=sys.stderr)
        return 1
    if asked.key is None:
        print("The key came with the bundle: compare it with one that you hold from elsewhere, or give it with --key.")
    print("All of it holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
