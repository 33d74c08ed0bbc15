"""The key store's file: what it needs to open, what it says when it does not, and what is left of a destroyed key."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from base64 import b64encode
from pathlib import Path

import pytest

from ledger.errors import KeysUnusable
from ledger.privacy import key_file
from ledger.privacy.key_file import KeyFile, KeyPlace
from ledger.privacy.keyring import MOST_RESERVED, Keyring


@pytest.fixture
def place(tmp_path) -> KeyPlace:
    return KeyPlace(str(tmp_path / "trust"), "example.org")


def opened(place: KeyPlace, owner: str = "a1", *, create: bool = True) -> KeyFile:
    return KeyFile(place, "main", owner, create=create)


def refusal(place: KeyPlace, owner: str = "a1", *, create: bool = False) -> str:
    with pytest.raises(KeysUnusable) as refused:
        opened(place, owner, create=create).keys(["any"])
    assert "\n" not in str(refused.value)
    return str(refused.value)


def secret_of(store: KeyFile, ref: str) -> bytes:
    with sqlite3.connect(store.path) as database:
        return bytes(database.execute("SELECT secret FROM keys WHERE ref = ?", [ref]).fetchone()[0])


def test_keys_are_there_again_for_whoever_opens_the_file(place):
    store = opened(place)
    reserved = dict(store.reserve(20))
    assert len(reserved) == len(set(reserved.values())) == 20
    assert all(len(ref) == 20 and len(key) == 32 for ref, key in reserved.items())
    again = opened(place, create=False)
    assert again.keys([*reserved, "unknown"]) == reserved
    assert again.origin == store.origin == "example.org/main"
    assert again.counts() == (20, 0)


def test_what_is_reserved_is_on_the_disk_before_it_is_handed_out(place):
    """Nothing is closed here: another connection sees it at once, and no journal is left to roll back."""
    store = opened(place)
    [(ref, _)] = store.reserve(1)
    assert secret_of(store, ref)
    journal = Path(f"{store.path}-journal")
    assert not journal.exists() or not journal.stat().st_size


def test_only_the_owner_may_read_the_files(place):
    opened(place).reserve(1)
    for path in Path(place.directory).rglob("*"):
        allowed = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) & ~allowed == 0, path


def test_the_name_of_the_book_is_that_of_its_making(place):
    opened(place).reserve(1)
    assert opened(KeyPlace(place.directory, "elsewhere.org"), create=False).origin == "example.org/main"


def test_a_missing_file_is_not_made_anew(place):
    said = refusal(place)
    assert "is missing" in said
    assert "LEDGER_TRUST_DIR" in said
    assert not list(Path(place.directory).rglob("keys-*"))


def test_an_empty_file_is_as_good_as_none(place):
    path = place.path("main", "a1")
    path.parent.mkdir(parents=True)
    path.touch()
    assert "is missing" in refusal(place)
    opened(place).reserve(1)


def test_where_another_databases_file_lies_that_is_said(place):
    opened(place, "b2").reserve(1)
    assert "keys-b2.db there belongs to another database" in refusal(place)


def test_another_databases_file_under_this_ones_name_is_refused(place):
    opened(place, "b2").reserve(1)
    place.path("main", "b2").rename(place.path("main", "a1"))
    assert "holds the keys of another database (example.org/main, b2)" in refusal(place)


def test_something_else_under_that_name_is_refused(place):
    path = place.path("main", "a1")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all, but long enough to be read as one")
    assert "cannot be used" in refusal(place)


def test_a_folder_that_cannot_be_written_is_one_error(place):
    Path(place.directory).write_text("a file where the folder should be")
    assert "LEDGER_TRUST_DIR" in refusal(place, create=True)


# The wrapping key -------------------------------------------------------------------------------------------------


def new_key() -> str:
    return b64encode(os.urandom(32)).decode()


def test_a_wrapping_key_is_given_by_text_or_file(place, tmp_path):
    text = new_key()
    path = tmp_path / "wrapping"
    path.write_text(text + "\n")
    by_text, by_file = (
        KeyPlace(place.directory, wrapping_key=text),
        KeyPlace(place.directory, wrapping_key_file=str(path)),
    )
    reserved = dict(opened(by_text).reserve(3))
    assert opened(by_file, create=False).keys(list(reserved)) == reserved
    assert not (Path(place.directory) / "main" / "wrapping.key").exists()


@pytest.mark.parametrize("text", ["", "short", b64encode(bytes(31)).decode(), "é" * 44])
def test_what_is_no_key_is_said(place, text, tmp_path):
    path = tmp_path / "wrapping"
    path.write_text(text)
    said = refusal(KeyPlace(place.directory, wrapping_key_file=str(path)), create=True)
    assert str(path) in said


def test_another_wrapping_key_is_told_from_the_right_one(place):
    opened(KeyPlace(place.directory, wrapping_key=new_key())).reserve(1)
    said = refusal(KeyPlace(place.directory, wrapping_key=new_key()))
    assert "LEDGER_WRAPPING_KEY holds another" in said
    assert "LEDGER_WRAPPING_KEY_FILE" in said
    assert "is missing" in refusal(KeyPlace(place.directory, wrapping_key_file="/nowhere/key"))
    assert "is missing" in refusal(place)  # our own was never made


def test_a_root_that_was_altered_is_not_used(place):
    store = opened(place)
    store.reserve(1)
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE about SET wrapped = zeroblob(60)")
    assert "was altered" in refusal(place)


def test_wrapping_anew_leaves_the_keys_and_makes_the_old_wrapping_key_worthless(place, tmp_path):
    old = KeyPlace(place.directory, wrapping_key=new_key())
    store = opened(old)
    reserved = dict(store.reserve(3))
    to = tmp_path / "new.key"
    assert store.rewrap(str(to)) == str(to)
    assert store.keys(list(reserved)) == reserved
    assert "holds another" in refusal(old)
    new = KeyPlace(place.directory, wrapping_key_file=str(to))
    assert opened(new, create=False).keys(list(reserved)) == reserved
    with pytest.raises(KeysUnusable, match="--to"):
        opened(new, create=False).rewrap(None)


def test_our_own_wrapping_key_is_replaced_by_the_new_one(place):
    store = opened(place)
    reserved = dict(store.reserve(3))
    own = Path(place.directory) / "main" / "wrapping.key"
    before = own.read_text()
    assert store.rewrap(None) == str(own)
    assert own.read_text() != before
    assert opened(place, create=False).keys(list(reserved)) == reserved
    assert sorted(path.name for path in own.parent.iterdir() if "wrapping" in path.name) == ["wrapping.key"]


@pytest.mark.parametrize("step", ["write_file", "replace"])
def test_wrapping_anew_may_be_cut_short(place, monkeypatch, step):
    store = opened(place)
    reserved = dict(store.reserve(3))

    def cut(*arguments):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(*((key_file, "write_file") if step == "write_file" else (Path, "replace")), cut)
        with pytest.raises(RuntimeError):
            store.rewrap(None)
    again = opened(place, create=False)
    assert again.keys(list(reserved)) == reserved
    again.rewrap(None)
    assert opened(place, create=False).keys(list(reserved)) == reserved


# Fences and destroyed keys ----------------------------------------------------------------------------------------


def test_a_destroyed_key_is_nowhere_in_the_files(place):
    store = opened(place)
    refs = [ref for ref, _ in store.reserve(500)]
    gone = {ref: secret_of(store, ref) for ref in refs[::7]}
    store.fence(gone, 1)
    store.destroy(gone)
    found = b"".join(path.read_bytes() for path in store.path.parent.glob("keys-*"))
    assert not [ref for ref, secret in gone.items() if secret in found]
    assert secret_of(store, refs[1]) in found
    assert set(store.keys(refs)) == set(refs) - gone.keys()
    assert store.fenced() == gone.keys()


def test_a_fence_is_seen_by_every_other_process_at_once(place):
    ours, theirs = opened(place), opened(place)
    [(ref, _), (other, _)] = ours.reserve(2)
    assert not theirs.fenced()
    ours.fence([ref], 1)
    assert theirs.fenced() == {ref}
    ours.fence([ref, other], 2)
    assert theirs.fenced() == ours.fenced() == {ref, other}


def test_subjects_of_before_are_given_keys_once(place):
    store = opened(place)
    store.adopt(["old"])
    [key] = store.keys(["old"]).values()
    store.adopt(["old", "other"])
    assert store.keys(["old"]) == {"old": key}


def _reserve(place, count, results):
    results.put([ref for _ in range(count) for ref, _ in opened(place).reserve(10)])


@pytest.mark.slow
def test_processes_that_reserve_at_once_share_the_file(place):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_reserve, args=(place, 10, results)) for _ in range(4)]
    for process in processes:
        process.start()
    refs = [ref for _ in processes for ref in results.get(timeout=60)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert len(set(refs)) == 400
    assert len(opened(place, create=False).keys(refs)) == 400


# The keyring ------------------------------------------------------------------------------------------------------


def test_a_long_run_of_new_subjects_reserves_seldom(place, monkeypatch):
    store = opened(place)
    reserved = []
    real = store.reserve

    def reserve(count):
        reserved.append(count)
        return real(count)

    monkeypatch.setattr(store, "reserve", reserve)
    keys = Keyring(lambda: store)
    refs = [keys.new() for _ in range(20_000)]
    assert len(set(refs)) == 20_000
    assert len(reserved) < 12
    assert max(reserved) == MOST_RESERVED
    assert store.keys(refs[:3]) == {ref: keys.key(ref) for ref in refs[:3]}


def test_a_subject_that_nobody_knows_is_no_erased_one(place):
    store = opened(place)
    keys = Keyring(lambda: store)
    ref = keys.new()
    store.fence([ref], 1)
    keys.forget([ref])
    assert keys.key(ref) is None
    with pytest.raises(KeysUnusable, match="older than this database"):
        keys.key("nobody")


def test_trying_writes_nothing(place):
    keys = Keyring(lambda: opened(place)).apart()
    ref = keys.new()
    assert len(keys.key(ref) or b"") == 32
    assert not Path(place.directory).exists()
