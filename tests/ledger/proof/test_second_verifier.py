"""Our checkpoints and proofs before a verifier that we did not write: Go's sumdb/note and sumdb/tlog."""

from __future__ import annotations

import os
import shutil
import subprocess
from base64 import b64encode
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest

from ledger.proof.bundle import write_bundle
from ledger.proof.log_tree import LogTree
from ledger.proof.notes import ProofFile, Signer
from ledger.proof.signing import SigningDesk
from tests.support.proving import entries_of, grow_to, recorder_of

PROGRAM = Path(__file__).with_name("verifier.go")
PACKAGES = Path("/usr/share/gocode")
"""Where Debian's golang-golang-x-mod-dev puts the source of sumdb."""

SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 600)


@pytest.fixture(scope="session")
def second_verifier(tmp_path_factory):
    """The Go program, built from Debian's packages; nothing is fetched."""
    go = shutil.which("go")
    if go is None or not (PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "NOT CHECKED BY A SECOND VERIFIER: it takes apt-get install golang-go golang-golang-x-mod-dev"
        )
    folder = tmp_path_factory.mktemp("go")
    environment = {"GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
    subprocess.run(
        [go, "build", "-o", str(folder / "verifier"), str(PROGRAM)], check=True, env=os.environ | environment
    )
    return folder / "verifier"


@pytest.fixture
def asked(second_verifier, database_url, tmp_path):
    """A signed log, and the question whether the second verifier accepts something about it."""
    with recorder_of(database_url) as recorder:
        yield Asked(second_verifier, recorder, tmp_path)


class Asked:
    def __init__(self, program, recorder, folder):
        self.program, self.recorder, self.folder = program, recorder, folder
        self.desk = SigningDesk(folder / "trust", "ledger.example", "main")
        self.notes = {}
        for size in SIZES:
            grow_to(recorder, size)
            self.notes[size] = self.desk.sign(recorder, LogTree(recorder))
        self.log, self.entries = LogTree(recorder), entries_of(recorder)

    def run(self, what, *contents, key=None):
        files = []
        for number, content in enumerate(contents):
            path = self.folder / f"{what}-{number}"
            path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
            files.append(str(path))
        command = [str(self.program), str(key or self.desk.verifier), what, *files]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def proof(self, size, index):
        return ProofFile(index, self.entries[index], self.log.inclusion(index, size), self.notes[size])


def consistency_file(first, second, hashes):
    return f"{first} {second}\n" + "".join(f"{_base64(each)}\n" for each in hashes)


def _base64(hashed):
    return b64encode(hashed).decode()


def flipped(content: bytes, random: Random) -> bytes:
    bit = random.randrange(8 * len(content))
    other = bytearray(content)
    other[bit // 8] ^= 1 << bit % 8
    return bytes(other)


def accepted(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(done, why):
    assert done.returncode == 1, done.stdout
    assert why in done.stderr


def test_it_accepts_our_checkpoints(asked):
    for size, note in asked.notes.items():
        assert accepted(asked.run("checkpoint", note)) == f"{size} entries, root {note.splitlines()[2]}\n"
    witness = Signer("witness.example", bytes(32))
    signature = f"— witness.example {_base64(witness.verifier.key_id + bytes(64))}\n"
    accepted(asked.run("checkpoint", asked.notes[7] + signature))


def test_it_accepts_our_inclusion_proofs(asked):
    for size, note in asked.notes.items():
        for index in {0, 1, size // 2, 254, 255, 256, size - 1} & set(range(size)):
            accepted(asked.run("proof", asked.proof(size, index)))
            assert asked.proof(size, index).note == note


def test_it_accepts_our_consistency_proofs(asked):
    for first, second in combinations(SIZES, 2):
        proof = consistency_file(first, second, asked.log.consistency(first, second))
        accepted(asked.run("consistency", asked.notes[first], asked.notes[second], proof))


def test_it_accepts_the_proofs_of_a_bundle(asked, tmp_path):
    write_bundle(tmp_path / "bundle", asked.recorder, LogTree(asked.recorder), asked.desk)
    proofs = (tmp_path / "bundle" / "consistency").read_text()
    for first, second in pairwise(SIZES):
        told = accepted(asked.run("consistency", asked.notes[first], asked.notes[second], proofs))
        assert told == f"{second} entries go on from {first}\n"


def test_it_refuses_flipped_bits(asked):
    """Which shows that it looks at all it is given, and so that accepting ours means something."""
    random = Random(6962)
    proof, between = asked.proof(600, 256), asked.log.consistency(257, 600)
    old, new = asked.notes[257], asked.notes[600]
    why = "invalid transparency proof"
    for _ in range(60):
        place = random.randrange(len(proof.hashes))
        other = [*proof.hashes[:place], flipped(proof.hashes[place], random), *proof.hashes[place + 1 :]]
        refused(asked.run("proof", proof._replace(hashes=other)), why)
        refused(asked.run("proof", proof._replace(entry=flipped(proof.entry, random))), why)
        place = random.randrange(len(between))
        other = [*between[:place], flipped(between[place], random), *between[place + 1 :]]
        refused(asked.run("consistency", old, new, consistency_file(257, 600, other)), why)
        assert asked.run("checkpoint", flipped(new.encode(), random)).returncode == 1
    refused(asked.run("proof", proof._replace(number=257)), why)
    refused(asked.run("proof", proof._replace(note=asked.notes[257])), why)
    refused(asked.run("consistency", old, new, consistency_file(256, 600, between)), "no proof from 257 to 600")
    refused(asked.run("consistency", asked.notes[256], new, consistency_file(256, 600, between)), why)
    other_key = Signer("ledger.example/main", bytes(32)).verifier
    refused(asked.run("checkpoint", new, key=other_key), "note has no verifiable signatures")
