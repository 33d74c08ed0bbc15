r"""Checkpoints as signed notes (C2SP `signed-note` and `tlog-checkpoint`), and proofs as files (`tlog-proof@v1`).

A note is text, a blank line, and signature lines `— name base64(keyid ‖ signature)`. A checkpoint's text is
`origin\nsize\nbase64(root)\n`; its origin here is `host/book`, which names the key too.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.errors import NotProven
from ledger.proof.merkle import HASH_BYTES, leaf_hash
from ledger.proof.tree import check_inclusion

ED25519 = b"\x01"
KEY_ID_BYTES = 4
PRIVATE = "PRIVATE+KEY+"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_NOTE_CHARACTERS = 1_000_000

_NAME = re.compile(r"[^\s+]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_SIGNATURE = re.compile(r"— ([^\s+]+) (\S+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def is_name(text: str) -> bool:
    """Whether a key can have the name."""
    return _NAME.fullmatch(text) is not None and text.isprintable()


class Checkpoint(NamedTuple):
    """What a log's signer states: so many entries have this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


class Verifier(NamedTuple):
    """The public half of a key, written `name+hex(keyid)+base64(0x01 ‖ public32)`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, line: str) -> Verifier:
        """Raises `NotProven` for a line that is no key, or whose id is not that of its key."""
        name, public = _key_of(line.strip(), "verifier key")
        found = cls(name, public)
        if line.strip().split("+", 2)[1] != found.key_id.hex():
            raise NotProven("the verifier key's id does not belong to its key; copy the whole line again")
        return found


class Signer(NamedTuple):
    """The private half, written as `PRIVATE+KEY+name+hex(keyid)+base64(0x01 ‖ seed32)`."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        """Without the seed, wherever a message or a debugger would show it."""
        return f"Signer({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return Verifier(self.name, public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def line(self) -> str:
        """The key as it is kept, secret."""
        return f"{PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{b64encode(ED25519 + self.seed).decode()}"

    @classmethod
    def parse(cls, line: str) -> Signer:
        """Raises `NotProven`, without a word of what it read."""
        if not line.startswith(PRIVATE):
            raise NotProven("this is no signing key")
        key = line.removeprefix(PRIVATE).strip()
        found = cls(*_key_of(key, "signing key"))
        if key.split("+", 2)[1] != found.verifier.key_id.hex():
            raise NotProven("the signing key's id does not belong to its key; put the key back from its copy")
        return found

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a signed note."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(checkpoint.text.encode())
        return f"{checkpoint.text}\n— {self.name} {b64encode(self.verifier.key_id + signature).decode()}\n"


def opened(note: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint of a note that this key has signed. Raises `NotProven`.

    Signatures of others (witnesses) are passed over.
    """
    checkpoint = read(note)
    text, _, signatures = note.rpartition("\n\n")
    found = False
    for line in signatures.split("\n")[:-1]:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise NotProven(f"{line[:60]!r} is no signature line")
        signed = _bytes_of(match[2], "signature")
        if match[1] != verifier.name or signed[:KEY_ID_BYTES] != verifier.key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public).verify(signed[KEY_ID_BYTES:], f"{text}\n".encode())
        except InvalidSignature:
            raise NotProven(f"the signature of {verifier.name} is not by its key, or not of this text") from None
        found = True
    if not found:
        raise NotProven(f"the checkpoint is not signed by {verifier.name} with the key given")
    if checkpoint.origin != verifier.name:
        raise NotProven(f"the checkpoint is of {checkpoint.origin}, the key of {verifier.name}")
    return checkpoint


def read(note: str) -> Checkpoint:
    """The checkpoint that a note states, signatures unread. Raises `NotProven`."""
    text, blank, _ = note.rpartition("\n\n")
    lines = text.split("\n")
    if len(note) > MAX_NOTE_CHARACTERS or not blank or not note.endswith("\n") or len(lines) < 3:
        raise NotProven("this is no checkpoint: origin, size and root in three lines, a blank one, signatures")
    if _CONTROL.search(note) or not all(lines):
        raise NotProven("the checkpoint has an empty line or a control character in its text; copy it again as it was")
    origin, size, root = lines[:3]
    if not origin or not _SIZE.fullmatch(size):
        raise NotProven("the checkpoint's first two lines are not an origin and a size")
    hashed = _bytes_of(root, "root")
    if len(hashed) != HASH_BYTES:
        raise NotProven(f"the checkpoint's root has {len(hashed)} bytes, not {HASH_BYTES}")
    return Checkpoint(origin, int(size), hashed)


class ProofFile(NamedTuple):
    """That an entry is in the log: its leaf's number from 0, the entry itself as the file's `extra`, hashes, and the signed note."""

    number: int
    entry: bytes
    hashes: Sequence[bytes]
    note: str

    def __str__(self) -> str:
        hashes = "".join(f"{b64encode(each).decode()}\n" for each in self.hashes)
        extra = b64encode(self.entry).decode()
        return f"{PROOF_HEADER}\nextra {extra}\nindex {self.number}\n{hashes}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> ProofFile:
        """Raises `NotProven`."""
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        if lines[0] != PROOF_HEADER:
            raise NotProven(f"this is no proof: it does not begin with {PROOF_HEADER}")
        extra = lines.pop(1) if len(lines) > 1 and lines[1].startswith("extra ") else None
        index = lines[1].removeprefix("index ") if len(lines) > 1 else ""
        if extra is None or not _SIZE.fullmatch(index) or lines[1] == index:
            raise NotProven("the proof names no entry or no index")
        hashes = [_bytes_of(line, "hash") for line in lines[2:]]
        return cls(int(index), _bytes_of(extra.removeprefix("extra "), "entry"), hashes, note)

    def check(self, verifier: Verifier) -> Checkpoint:
        """The checkpoint under which the entry is proved. Raises `NotProven`."""
        checkpoint = opened(self.note, verifier)
        check_inclusion(leaf_hash(self.entry), self.number, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def _key_of(line: str, called: str) -> tuple[str, bytes]:
    parts = line.split("+", 2)
    if len(parts) < 3 or not _NAME.fullmatch(parts[0]):
        raise NotProven(f"this is no {called}: name+id+key in one line")
    found = _bytes_of(parts[2], called)
    if found[:1] != ED25519 or len(found) != 33:
        raise NotProven(f"the {called} is not an Ed25519 key of 32 bytes")
    return parts[0], found[1:]


def _bytes_of(text: str, called: str) -> bytes:
    """Raises `NotProven` for anything but the one way in which these bytes are written."""
    try:
        found = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        found = None
    if found is None or b64encode(found).decode() != text:
        raise NotProven(f"the {called} is not base64") from None
    return found
