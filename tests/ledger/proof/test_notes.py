"""Signed notes, checkpoints, keys and proof files: what is written is read again, and nothing else is."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import NotProven
from ledger.proof import tree
from ledger.proof.merkle import EMPTY_ROOT
from ledger.proof.notes import MAX_NOTE_CHARACTERS, Checkpoint, ProofFile, Signer, Verifier, opened, read
from tests.ledger.proof import naive

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
"""A key line published with the format."""

NAME = "ledger.example/main"
SIGNER = Signer(NAME, sha256(b"a seed").digest())
WITNESS = Signer("witness.example", sha256(b"another").digest())
ENTRIES = [b'{"number":%d}' % number for number in range(7)]
CHECKPOINT = Checkpoint(NAME, 7, naive.mth(ENTRIES))
NOTE = SIGNER.sign(CHECKPOINT)


def proof_of(index: int) -> ProofFile:
    return ProofFile(index, ENTRIES[index], tree.inclusion(naive.NaiveTree(ENTRIES), index, 7), NOTE)


def signature_of(note: str) -> str:
    return note.rpartition("\n\n")[2]


# Keys -----------------------------------------------------------------------------------------------------------------


def test_the_published_key_line_is_read_and_written_again():
    key = Verifier.parse(EXAMPLE_KEY + "\n")
    assert (key.name, key.key_id.hex(), len(key.public), str(key)) == ("example.com/foo", "530d903a", 32, EXAMPLE_KEY)


@given(st.binary(min_size=32, max_size=32), st.from_regex(r"[^\s+]{1,200}", fullmatch=True))
def test_every_key_is_read_as_it_was_written(seed, name):
    signer = Signer(name, seed)
    assert Signer.parse(signer.line()) == signer
    assert Verifier.parse(str(signer.verifier)) == signer.verifier


@pytest.mark.parametrize(
    "line",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        EXAMPLE_KEY.replace("example.com", "example.org"),
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY.replace("+Aeky", "+Aekz"),
        EXAMPLE_KEY.replace("+Aeky", "+Beky"),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY + "AAAA",
        EXAMPLE_KEY + "=",
        EXAMPLE_KEY[:-1] + "€",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "exam ple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "PRIVATE+KEY+" + EXAMPLE_KEY,
    ],
)
def test_a_damaged_verifier_key_is_refused(line):
    with pytest.raises(NotProven, match="verifier key"):
        Verifier.parse(line)


@pytest.mark.parametrize("name", ["", "exam ple", "exam\u2028ple", "x" * 201])
def test_a_key_whose_name_no_note_could_bear_is_refused_though_its_id_is_right(name):
    with pytest.raises(NotProven, match=r"name\+id\+key"):
        Verifier.parse(str(Verifier(name, SIGNER.verifier.public)))


def test_a_note_may_have_so_many_characters_and_no_more():
    line = f"— w {b64encode(bytes(4)).decode()}\n"
    longest = NOTE + line.replace("w", "w" * (MAX_NOTE_CHARACTERS - len(NOTE) - len(line) + 1))
    assert (len(longest), read(longest)) == (MAX_NOTE_CHARACTERS, CHECKPOINT)
    with pytest.raises(NotProven, match="no checkpoint"):
        read(longest.replace("ww", "www", 1))


@pytest.mark.parametrize("packed", [b"\x02" + bytes(32), b"\x01" + bytes(31), b"\x01" + bytes(33), b"\x01", b""])
def test_a_key_of_another_kind_or_length_is_refused(packed):
    key_id = sha256(b"x\n" + packed).digest()[:4].hex()
    with pytest.raises(NotProven, match="not an Ed25519 key"):
        Verifier.parse(f"x+{key_id}+{b64encode(packed).decode()}")


@pytest.mark.parametrize("place", range(12, len(SIGNER.line()), 3))
def test_a_damaged_signing_key_is_refused_and_never_shown(place):
    line = SIGNER.line()
    damaged = line[:place] + ("x" if line[place] != "x" else "y") + line[place + 1 :]
    with pytest.raises(NotProven) as refused:
        Signer.parse(damaged)
    for secret in (line[-20:], damaged[-20:], SIGNER.seed.hex()[:12]):
        assert secret not in str(refused.value)


def test_what_is_no_signing_key_is_refused_and_a_signer_does_not_show_its_seed():
    with pytest.raises(NotProven, match="no signing key"):
        Signer.parse(str(SIGNER.verifier))
    for shown in (repr(SIGNER), str(SIGNER), f"{SIGNER}"):
        assert shown == "Signer('ledger.example/main')"


# Checkpoints ----------------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_the_three_lines_of_its_format_and_one_signature():
    text, signature = NOTE.split("\n\n")
    assert text.split("\n") == [NAME, "7", b64encode(CHECKPOINT.root).decode()]
    dash, name, encoded = signature.removesuffix("\n").split(" ")
    assert (dash, name, len(encoded)) == ("—", NAME, 92)


@given(st.integers(0, 10**16 - 1), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_is_opened_as_it_was_signed(size, root):
    checkpoint = Checkpoint(NAME, size, root)
    assert opened(SIGNER.sign(checkpoint), SIGNER.verifier) == checkpoint


def test_the_signatures_of_others_stand_beside_ours():
    theirs = signature_of(Signer("witness.example", WITNESS.seed).sign(CHECKPOINT))
    for note in (NOTE + theirs, NOTE.replace("\n\n", "\n\n" + theirs), NOTE + theirs * 16):
        assert opened(note, SIGNER.verifier) == CHECKPOINT


def test_a_witness_alone_does_not_speak_for_the_log():
    note = CHECKPOINT.text + "\n" + signature_of(WITNESS.sign(CHECKPOINT))
    with pytest.raises(NotProven, match="not signed by ledger"):
        opened(note, SIGNER.verifier)
    with pytest.raises(NotProven, match=r"the checkpoint is of ledger\.example/main, the key of witness"):
        opened(note, WITNESS.verifier)


def test_a_second_signature_of_ours_must_hold_too():
    other = signature_of(SIGNER.sign(CHECKPOINT._replace(size=8)))
    with pytest.raises(NotProven, match="not by its key, or not of this text"):
        opened(NOTE + other, SIGNER.verifier)


def test_a_key_that_shares_only_the_name_is_passed_over():
    namesake = signature_of(Signer(NAME, WITNESS.seed).sign(CHECKPOINT))
    assert opened(NOTE + namesake, SIGNER.verifier) == CHECKPOINT
    with pytest.raises(NotProven, match="not signed by"):
        opened(CHECKPOINT.text + "\n" + namesake, SIGNER.verifier)


def test_no_flipped_bit_of_a_checkpoint_passes():
    signed = NOTE.encode()
    for bit in range(8 * len(signed)):
        other = bytearray(signed)
        other[bit // 8] ^= 1 << bit % 8
        try:
            text = other.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(NotProven):
            opened(text, SIGNER.verifier)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        NOTE[:-1],
        NOTE[:40],
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("\n7\n", "\n７\n"),
        NOTE.replace("\n7\n", "\n7" + 16 * "0" + "\n"),
        NOTE.replace("\n7\n", "\n7\n\n"),
        NOTE.replace("\n7\n", "\n"),
        NOTE.replace("=\n\n", "=\nextension\n\n"),
        NOTE.replace(NAME, "other.example/main"),
        NOTE.replace("\n\n—", "\n\n\n—"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE + "junk\n",
        NOTE + "\n",
        NOTE + "— junk\n",
        NOTE + "— a b c\n",
        NOTE + "— a+b AAAA\n",
        NOTE + "— a !!!!\n",
        CHECKPOINT.text + "\n",
        CHECKPOINT.text + "\n— " + NAME + " \n",
        f"{NAME}\n7\n{b64encode(bytes(31)).decode()}\n\n{signature_of(NOTE)}",
        NOTE + "— a AAAA\n" * (MAX_NOTE_CHARACTERS // 9),
    ],
)
def test_what_is_no_checkpoint_of_this_key_is_refused(note):
    with pytest.raises(NotProven):
        opened(note, SIGNER.verifier)


@pytest.mark.parametrize("character", ["\x00", "\t", "\x0b", "\r", "\x1f"])
def test_control_characters_are_refused_even_if_signed(character):
    note = SIGNER.sign(Checkpoint(f"{NAME}{character}", 7, CHECKPOINT.root))
    with pytest.raises(NotProven, match="control character"):
        read(note)


@pytest.mark.parametrize(
    ("note", "match"),
    [
        (NOTE[:-1], "no checkpoint"),
        (NOTE.replace("\n7\n", "\n07\n"), "not an origin and a size"),
        (NOTE.replace("\n7\n", "\n７\n"), "not an origin and a size"),
        (NOTE.replace("\n7\n", "\n7" + 16 * "0" + "\n"), "not an origin and a size"),
        (NOTE.replace("=\n\n", "=\n\nextension\n\n"), "empty line"),
        (f"{NAME}\n7\n{b64encode(bytes(31)).decode()}\n\n{signature_of(NOTE)}", "31 bytes, not 32"),
        (f"{NAME}\n7\n{b64encode(bytes(33)).decode()}\n\n{signature_of(NOTE)}", "33 bytes, not 32"),
    ],
)
def test_the_form_of_a_checkpoint_is_checked_before_who_signed_it(note, match):
    with pytest.raises(NotProven, match=match):
        read(note)


def test_extension_lines_are_read_over():
    text = CHECKPOINT.text + "more about it\n"
    note = f"{text}\n{signature_of(NOTE)}"
    assert read(note) == CHECKPOINT
    with pytest.raises(NotProven, match="not of this text"):
        opened(note, SIGNER.verifier)


def test_an_empty_log_has_a_checkpoint():
    empty = Checkpoint(NAME, 0, EMPTY_ROOT)
    assert opened(SIGNER.sign(empty), SIGNER.verifier) == empty


@given(st.text(max_size=300))
def test_junk_is_refused_and_nothing_else_is_raised(text):
    for parse in (read, Verifier.parse, Signer.parse, ProofFile.parse):
        with pytest.raises(NotProven):
            parse(text)


# Proof files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(7))
def test_a_proof_file_is_read_as_it_was_written_and_holds(index):
    proof = proof_of(index)
    again = ProofFile.parse(str(proof))
    assert (again.number, again.entry, list(again.hashes), again.note) == tuple(proof)
    assert again.check(SIGNER.verifier) == CHECKPOINT


def test_a_proof_file_has_the_lines_of_its_format():
    lines = str(proof_of(2)).split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {b64encode(ENTRIES[2]).decode()}", "index 2"]
    assert lines[6:8] == ["", NAME]


def test_the_only_entry_of_a_log_is_proved_by_no_hashes():
    note = SIGNER.sign(Checkpoint(NAME, 1, naive.mth(ENTRIES[:1])))
    proof = ProofFile.parse(str(ProofFile(0, ENTRIES[0], [], note)))
    assert proof.check(SIGNER.verifier).size == 1


def test_no_flipped_bit_of_a_proof_file_passes():
    written = str(proof_of(5)).encode()
    for bit in range(8 * len(written)):
        other = bytearray(written)
        other[bit // 8] ^= 1 << bit % 8
        try:
            text = other.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(NotProven):
            ProofFile.parse(text).check(SIGNER.verifier)


def test_a_proof_cut_off_anywhere_is_refused():
    written = str(proof_of(5))
    for length in range(len(written)):
        with pytest.raises(NotProven):
            ProofFile.parse(written[:length]).check(SIGNER.verifier)


def test_the_lines_of_a_proof_cannot_change_places():
    lines = str(proof_of(5)).split("\n")
    for one in range(len(lines)):
        for two in range(one):
            if lines[one] != lines[two]:
                swapped = list(lines)
                swapped[one], swapped[two] = lines[two], lines[one]
                with pytest.raises(NotProven):
                    ProofFile.parse("\n".join(swapped)).check(SIGNER.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 5", "index 05"),
        ("index 5", "index 7"),
        ("index 5", "index"),
        ("index 5", "5"),
        ("extra ", "other "),
        ("index 5\n", "index 5\nAAAA\n"),
        ("index 5\n", f"index 5\n{b64encode(bytes(32)).decode()}\n"),
    ],
)
def test_a_proof_that_was_rewritten_is_refused(old, new):
    written = str(proof_of(5))
    assert old in written
    with pytest.raises(NotProven):
        ProofFile.parse(written.replace(old, new, 1)).check(SIGNER.verifier)


def test_a_proof_does_not_pass_for_that_of_another_entry_or_key():
    proof = proof_of(5)
    with pytest.raises(NotProven, match="does not lead to the root"):
        proof._replace(entry=ENTRIES[4]).check(SIGNER.verifier)
    with pytest.raises(NotProven, match="does not lead to the root"):
        proof._replace(number=4).check(SIGNER.verifier)
    with pytest.raises(NotProven, match="not signed by"):
        proof.check(Signer(NAME, WITNESS.seed).verifier)
